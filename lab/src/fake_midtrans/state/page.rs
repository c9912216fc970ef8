//! A Snap page and its end.

use super::State;
use crate::fake_midtrans::answer::ApiAnswer;
use crate::fake_midtrans::fault::Fault;
use crate::fake_midtrans::payment_type::PaymentType;
use crate::fake_midtrans::transaction::{Status, jakarta};
use ordermill_domain::clock::Timestamp;
use serde_json::json;
use strum::IntoStaticStr;

/// What the merchant did with a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum PageState {
    /// It can be paid until it expires.
    Open,
    /// A newer page of the same order has taken its place.
    Revoked,
    /// The merchant cancelled it.
    Canceled,
}

impl PageState {
    /// The name.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// A page at which a customer can pay.
#[derive(Clone, Debug)]
pub struct Page {
    /// Its secret name.
    pub token: String,
    /// The merchant's id of the order.
    pub order_id: String,
    /// Whole rupiah.
    pub gross_amount: i64,
    /// What the merchant did with it.
    pub state: PageState,
    /// Until when a method can be chosen.
    pub expires_at: Timestamp,
    /// Until when a method that was chosen can be paid.
    pub methods_expire_at: Timestamp,
    /// The methods that are offered; empty: all.
    pub enabled_payments: Vec<String>,
    /// True when cards are authorised and not captured.
    pub is_authorize: bool,
}

impl Page {
    /// True when a customer can choose a method.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.state == PageState::Open && now < self.expires_at
    }
}

impl State {
    /// The page of a token.
    pub fn page(&self, token: &str) -> Option<&Page> {
        self.pages.iter().find(|page| page.token == token)
    }

    /// `POST /snap/v1/transactions/{token}/cancel`.
    pub(super) fn cancel_page(
        &mut self,
        now: Timestamp,
        token: &str,
        fault: Option<Fault>,
    ) -> ApiAnswer {
        let error = |http, text: &str| ApiAnswer::snap_errors(http, &[text.to_owned()]);
        let Some(index) = self.pages.iter().position(|page| page.token == token) else {
            return error(404, "token not found");
        };
        match self.pages[index].state {
            PageState::Revoked => return error(404, "token not found"),
            PageState::Canceled => return error(400, "token already canceled"),
            PageState::Open => {}
        }
        if fault == Some(Fault::OnProgress) || self.is_at_card_form(&self.pages[index].order_id) {
            return error(400, "Transaction is on progress");
        }
        self.pages[index].state = PageState::Canceled;
        ApiAnswer::json(200, &json!({"canceled_at": jakarta(now)}))
    }

    /// True while the customer is at the bank's page for the card: nothing stops that.
    fn is_at_card_form(&self, order_id: &str) -> bool {
        let latest = self.latest_of_order(order_id).map(|index| self.transactions[index].current());
        latest.is_some_and(|transaction| {
            transaction.payment_type == PaymentType::CreditCard
                && transaction.status == Status::Pending
        })
    }
}
