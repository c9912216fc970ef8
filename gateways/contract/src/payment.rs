//! A payment of one order, as the payment service asks for it.

use crate::{Act, Harness};
use ordermill_domain::ids::OrderId;
use ordermill_domain::money::Money;
use ordermill_domain::payment::{
    GatewayError, GatewayKey, GatewayPayment, GatewayRequest, Operation, Page, PaymentPart,
    Reference, Subject, Terms,
};
use std::time::Duration;
use uuid::Uuid;

/// How long a page lives. Above the shortest life that any provider takes.
pub const PAGE_LIFE: Duration = Duration::from_secs(12 * 60);

/// After its end a page may be in doubt for so long: clocks differ.
pub const PAGE_DOUBT: Duration = Duration::from_secs(3 * 60);

/// What a request came to.
pub type Asked = Result<GatewayPayment, GatewayError>;

/// A payment of one order: it keeps what its row would keep.
pub struct Payment<'a> {
    harness: &'a dyn Harness,
    /// The method by which the customer pays.
    pub method: &'static str,
    /// What is known of the payment.
    pub subject: Subject,
}

impl<'a> Payment<'a> {
    /// A payment of which the gateway knows nothing.
    pub fn new(harness: &'a dyn Harness, method: &'static str) -> Self {
        let order_id = OrderId(Uuid::from_u128(7));
        let subject = Subject {
            key: GatewayKey::of(order_id),
            order_id,
            due: harness.due(),
            method: method.to_owned(),
            reference: Reference::default(),
            page_ends_at: None,
        };
        Self { harness, method, subject }
    }

    /// A payment with a page, by the method that can be refunded.
    pub async fn created(harness: &'a dyn Harness) -> (Self, Page) {
        let mut payment = Self::new(harness, harness.method());
        let page = payment.create().await;
        (payment, page)
    }

    /// A payment that is paid.
    pub async fn paid(harness: &'a dyn Harness) -> Self {
        let (mut payment, page) = Self::created(harness).await;
        assert!(payment.act(&page, Act::Pay).await);
        payment.retrieve().await;
        payment
    }

    /// What is due, in minor units.
    pub fn due_minor(&self) -> i64 {
        self.subject.due.minor
    }

    /// Makes a request, without keeping what its answer says of identifiers: as when the answer is lost.
    pub async fn ask_and_forget(&self, operation: Operation) -> Asked {
        let request = GatewayRequest { subject: self.subject.clone(), operation };
        self.harness.gateway().ask(request).await
    }

    /// Makes a request, and keeps what its answer says of identifiers.
    pub async fn ask(&mut self, operation: Operation) -> Asked {
        let answer = self.ask_and_forget(operation).await?;
        let known = &mut self.subject.reference;
        known.page = answer.reference.page.clone().or(known.page.take());
        known.payment = answer.reference.payment.clone().or(known.payment.take());
        Ok(answer)
    }

    /// The terms of a page that is asked for now. Noted as the row notes them, before the request.
    pub fn terms(&mut self) -> Terms {
        let at = self.harness.now();
        let expires_at = at + PAGE_LIFE;
        self.subject.page_ends_at = Some(expires_at);
        Terms { at, expires_at, refundable_only: false }
    }

    /// Asks for a page.
    pub async fn create(&mut self) -> Page {
        let terms = self.terms();
        self.ask(Operation::Create(terms)).await.unwrap().page.unwrap()
    }

    /// Retrieves the payment.
    pub async fn retrieve(&mut self) -> GatewayPayment {
        self.ask(Operation::Retrieve).await.unwrap()
    }

    /// Cancels the payment.
    pub async fn cancel(&mut self) -> GatewayPayment {
        self.ask(Operation::Cancel).await.unwrap()
    }

    /// A part of the payment that is asked for now, in tenths of what is due.
    pub fn part(&self, name: &str, tenths: i64) -> PaymentPart {
        let due = self.subject.due;
        PaymentPart {
            key: self.subject.key.part(name),
            amount: Money { minor: due.minor / 10 * tenths, ..due },
            asked_at: self.harness.now(),
            reason: "contract".to_owned(),
        }
    }

    /// Gives back tenths of what is due.
    pub async fn refund(&mut self, name: &str, tenths: i64) -> Asked {
        let part = self.part(name, tenths);
        self.ask(Operation::Refund(part)).await
    }

    /// Has the customer act at a page.
    pub async fn act(&self, page: &Page, act: Act) -> bool {
        self.harness.act(page, self.method, act).await
    }
}
