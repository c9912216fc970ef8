//! A payment on the bench: inputs in turn, and what each brings about.

use crate::clock::Timestamp;
use crate::ids::OrderId;
use crate::messages::{Flow, Kind, Message, Origin, Payload, PaymentMessage, PaymentProcess, Plan};
use crate::money::{Currency, Money};
use crate::payment::*;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// The price of the order: 145 000 rupiah.
pub const DUE: i64 = 14_500_000;

pub fn rupiah() -> Currency {
    Currency::parse("IDR").unwrap()
}

pub fn at(seconds: u64) -> Timestamp {
    Timestamp::UNIX_EPOCH + Duration::from_secs(seconds)
}

pub fn origin() -> Origin {
    Origin::new(OrderId(Uuid::from_u128(7)), Flow::default(), Plan::default())
}

pub fn midtrans() -> PaymentPolicy {
    let routes = GatewayRoutes::parse("midtrans:IDR; simulated:*").unwrap();
    PaymentPolicy { routes, ..PaymentPolicy::default() }
}

/// What a gateway has of a payment whose page is open.
pub fn open() -> GatewayPayment {
    GatewayPayment { page: Some(page("https://pay.example/1")), ..GatewayPayment::default() }
}

pub fn page(url: &str) -> Page {
    Page { url: url.to_owned(), expires_at: at(720) }
}

/// A try by bank transfer that waits for its money.
pub fn tried() -> GatewayPayment {
    let pending = PaymentTry { method: "bank_transfer".to_owned(), denied: None };
    GatewayPayment { last_try: Some(pending), ..open() }
}

pub fn denied() -> GatewayPayment {
    let denied = PaymentTry { method: "credit_card".to_owned(), denied: Some("05".to_owned()) };
    GatewayPayment { last_try: Some(denied), ..open() }
}

/// Money that is captured, and pays so much of the order.
pub fn captured(minor: i64) -> GatewayPayment {
    GatewayPayment {
        captured_minor: minor,
        credited_minor: minor,
        reference: Reference { page: None, payment: Some("t-1".to_owned()) },
        closed: true,
        ..GatewayPayment::default()
    }
}

pub fn given_back(captured: i64, refunded: i64) -> GatewayPayment {
    GatewayPayment { refunded_minor: refunded, ..self::captured(captured) }
}

pub fn held(minor: i64) -> GatewayPayment {
    GatewayPayment { held_minor: minor, ..GatewayPayment::default() }
}

pub fn in_review() -> GatewayPayment {
    GatewayPayment { in_review: true, closed: false, ..captured(DUE) }
}

/// Nothing was paid, and nothing can come.
pub fn closed() -> GatewayPayment {
    GatewayPayment { closed: true, ..GatewayPayment::default() }
}

pub fn refused() -> GatewayPayment {
    GatewayPayment { refused: Some("declined".to_owned()), ..closed() }
}

pub struct Bench {
    pub policy: PaymentPolicy,
    pub payment: Option<Payment>,
    pub at: Timestamp,
    pub published: Vec<Arc<Message>>,
    pub effect: Option<Effect>,
    pub reply: PaymentReply,
}

impl Bench {
    pub fn new(policy: PaymentPolicy) -> Self {
        let (payment, published, effect) = (None, Vec::new(), None);
        Self { policy, payment, at: at(0), published, effect, reply: PaymentReply::Taken }
    }

    /// An order of rupiah at Midtrans whose payment has begun.
    pub fn begun() -> Self {
        let mut bench = Self::new(midtrans());
        bench.take(&bench.process());
        bench
    }

    pub fn process(&self) -> PaymentInput {
        let total = Money { minor: DUE, currency: rupiah() };
        let (method, customer_id) = ("gopay".to_owned(), "c".to_owned());
        let intent = PaymentProcess { total, method, customer_id, placed_at: at(0) };
        PaymentInput::Process(origin(), intent)
    }

    /// Decides; what is told and asked because of it.
    pub fn take(&mut self, input: &PaymentInput) -> &mut Self {
        let now = Now { at: self.at, policy: &self.policy };
        let decision = decide(self.payment.as_ref(), input, now);
        if decision.payment.is_some() {
            self.payment = decision.payment;
        }
        (self.published, self.effect) = (decision.messages, decision.effect);
        self.reply = decision.reply;
        self
    }

    pub fn undo(&mut self) -> &mut Self {
        self.take(&PaymentInput::Undo(origin()))
    }

    pub fn notified(&mut self, claimed_minor: i64) -> &mut Self {
        let notification = Notification {
            provider: Provider::Midtrans,
            reference: "om-7".to_owned(),
            order_id: Some(origin().order_id),
            is_test: false,
            claimed_minor,
            text: "settlement".to_owned(),
        };
        let received = ReceivedNotification::new(Uuid::nil(), notification, b"{}", self.at);
        self.take(&PaymentInput::Notified(Arc::new(received)))
    }

    /// The latest request is answered.
    pub fn answered(&mut self, stands: GatewayPayment) -> &mut Self {
        self.answer_to(self.payment().attempts, Ok(stands))
    }

    pub fn failed(&mut self, error: GatewayError) -> &mut Self {
        self.answer_to(self.payment().attempts, Err(error))
    }

    pub fn answer_to(
        &mut self,
        attempt: u32,
        result: Result<GatewayPayment, GatewayError>,
    ) -> &mut Self {
        self.take(&PaymentInput::Answered(GatewayAnswer { attempt, result }))
    }

    /// Time passes until the pause is over, or the payment is due.
    pub fn later(&mut self) -> &mut Self {
        match self.effect {
            Some(Effect::Rest(pause)) => {
                self.at += pause;
                self.take(&PaymentInput::PauseElapsed(self.payment().attempts))
            }
            _ => {
                self.at = self.payment().due_at.unwrap();
                self.take(&PaymentInput::Resume)
            }
        }
    }

    pub fn payment(&self) -> &Payment {
        self.payment.as_ref().unwrap()
    }

    pub fn status(&self) -> PaymentStatus {
        self.payment().status()
    }

    pub fn kinds(&self) -> Vec<Kind> {
        self.published.iter().map(|message| message.kind()).collect()
    }

    /// The outcome and the calls for a person among what was told.
    pub fn outcomes(&self) -> Vec<String> {
        let word = |message: &Arc<Message>| match &message.payload {
            Payload::Payment(PaymentMessage::Updated(_) | PaymentMessage::StatusUpdated(_)) => None,
            Payload::Payment(PaymentMessage::Failed(refusal) | PaymentMessage::Lapsed(refusal)) => {
                Some(format!("{} {}", message.kind(), refusal.reason))
            }
            Payload::Payment(PaymentMessage::Attention(call)) => {
                Some(format!("{} {}", message.kind(), call.attention))
            }
            _ => Some(message.kind().to_string()),
        };
        self.published.iter().filter_map(word).collect()
    }

    /// The request that is under way.
    pub fn request(&self) -> Option<GatewayRequest> {
        self.payment().request(Now { at: self.at, policy: &self.policy })
    }

    /// The operation that is asked of the gateway now. Empty: none.
    pub fn asked(&self) -> &'static str {
        match self.effect {
            Some(Effect::Ask) => self.request().map_or("", |request| request.operation.name()),
            _ => "",
        }
    }
}
