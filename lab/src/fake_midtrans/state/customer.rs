//! What a customer does at a page, and what a bank or the dashboard does later.

use super::{Page, State};
use crate::fake_midtrans::fault::PayFault;
use crate::fake_midtrans::payment_type::{PaymentType, Refundable};
use crate::fake_midtrans::transaction::{Fraud, History, Refund, Status, Transaction};
use ordermill_domain::clock::Timestamp;
use std::time::Duration;
use thiserror::Error;

/// How long a customer has at the bank's page for a card, whatever the page's end.
const CARD_FORM_LIFE: Duration = Duration::from_secs(15 * 60);

/// How long what is authorised can be captured.
const HOLD_LIFE: Duration = Duration::from_secs(7 * 24 * 3600);

/// Within this time after it was paid a settlement may be reversed.
pub const REVERSED_WITHIN: Duration = Duration::from_secs(5 * 60);

/// Why a customer cannot do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CustomerError {
    /// There is no such page.
    #[error("there is no such page")]
    UnknownPage,
    /// There is no such transaction.
    #[error("there is no such transaction")]
    UnknownTransaction,
    /// It was revoked or cancelled, or has expired.
    #[error("the page is closed")]
    PageClosed,
    /// The merchant does not offer the method at this page.
    #[error("the page does not offer this method")]
    NotOffered,
    /// It is paid, held or in review.
    #[error("the page is paid already")]
    AlreadyPaid,
    /// A method is chosen already, and waits to be paid.
    #[error("another method was chosen already")]
    OtherMethodChosen,
    /// Not as the transaction stands.
    #[error("the transaction's status does not allow this")]
    WrongStatus,
}

impl State {
    /// The customer pays. A method that was chosen before is paid; else the transaction begins here.
    ///
    /// # Errors
    /// When the page cannot be paid so.
    pub fn pay(
        &mut self,
        now: Timestamp,
        token: &str,
        method: PaymentType,
    ) -> Result<String, CustomerError> {
        let fault = self.script.next_of_payment();
        let (fee, explains_fee) = match fault {
            Some(PayFault::Fee(rupiah)) => (rupiah, true),
            Some(PayFault::UnexplainedFee(rupiah)) => (rupiah, false),
            Some(PayFault::Late) | None => (0, false),
        };
        let is_authorize = self.page(token).is_some_and(|page| page.is_authorize);
        self.attempt(now, token, method, fault == Some(PayFault::Late), |transaction| {
            transaction.gross_amount += fee;
            transaction.explains_fee = explains_fee;
            transaction.status = match method {
                PaymentType::CreditCard if is_authorize => Status::Authorize,
                PaymentType::CreditCard => Status::Capture,
                _ => Status::Settled,
            };
            if transaction.status == Status::Authorize {
                transaction.expires_at = now + HOLD_LIFE;
            } else {
                transaction.settled_at = Some(now);
            }
        })
    }

    /// The bank denies the customer's try.
    ///
    /// # Errors
    /// When the page cannot be paid so.
    pub fn deny(
        &mut self,
        now: Timestamp,
        token: &str,
        method: PaymentType,
    ) -> Result<String, CustomerError> {
        self.attempt(now, token, method, false, |transaction| transaction.status = Status::Deny)
    }

    /// The customer pays by card, and the fraud detection wants the merchant's word.
    ///
    /// # Errors
    /// When the page cannot be paid so.
    pub fn challenge(&mut self, now: Timestamp, token: &str) -> Result<String, CustomerError> {
        self.attempt(now, token, PaymentType::CreditCard, false, |transaction| {
            transaction.status = Status::Capture;
            transaction.fraud = Fraud::Challenge;
        })
    }

    /// The customer chooses a method and does not pay: is shown a number, a code, or the bank's page for a card.
    ///
    /// # Errors
    /// When the page cannot be paid so, or a method is chosen already.
    pub fn choose(
        &mut self,
        now: Timestamp,
        token: &str,
        method: PaymentType,
    ) -> Result<String, CustomerError> {
        let page = self.page(token).ok_or(CustomerError::UnknownPage)?;
        let latest = self.latest_of_order(&page.order_id);
        if latest.is_some_and(|index| self.transactions[index].current().status == Status::Pending)
        {
            return Err(CustomerError::OtherMethodChosen);
        }
        self.attempt(now, token, method, false, |_| {})
    }

    /// The customer closes the page. Nothing comes of it.
    ///
    /// # Errors
    /// When there is no open page.
    pub fn leave(&mut self, now: Timestamp, token: &str) -> Result<(), CustomerError> {
        let page = self.page(token).ok_or(CustomerError::UnknownPage)?;
        if page.is_open(now) { Ok(()) } else { Err(CustomerError::PageClosed) }
    }

    /// A captured card is settled, as happens at the end of a day.
    ///
    /// # Errors
    /// When it is not captured, or is in review.
    pub fn confirm_settlement(&mut self, now: Timestamp, id: &str) -> Result<(), CustomerError> {
        let is_captured = |transaction: &Transaction| {
            transaction.status == Status::Capture && transaction.fraud == Fraud::Accept
        };
        self.amend(now, id, is_captured, |transaction| transaction.status = Status::Settled)
    }

    /// The bank reverses a settlement: it becomes `deny`.
    ///
    /// # Errors
    /// When the method does not know that, or it is too late.
    pub fn reverse(&mut self, now: Timestamp, id: &str) -> Result<(), CustomerError> {
        let is_reversible = |transaction: &Transaction| {
            transaction.status == Status::Settled
                && transaction.payment_type.is_reversible()
                && transaction.settled_at.is_some_and(|at| now < at + REVERSED_WITHIN)
        };
        self.amend(now, id, is_reversible, |transaction| transaction.status = Status::Deny)
    }

    /// The merchant gives back a part, or all, in the dashboard: under no key of ours.
    ///
    /// # Errors
    /// When it is not settled, or less than that is left.
    pub fn refund_in_dashboard(
        &mut self,
        now: Timestamp,
        id: &str,
        rupiah: i64,
    ) -> Result<(), CustomerError> {
        let key = format!("dashboard-{}", self.new_id());
        let is_refundable = |transaction: &Transaction| {
            let left = transaction.gross_amount - transaction.refunded();
            matches!(transaction.status, Status::Settled | Status::PartialRefund)
                && transaction.payment_type.refundable() != Refundable::Nothing
                && (1..=left).contains(&rupiah)
        };
        self.amend(now, id, is_refundable, |transaction| {
            let reason = "in the dashboard".to_owned();
            transaction.add_refund(Refund {
                key,
                amount: rupiah,
                reason,
                created_at: now,
                bank_confirmed_at: None,
            });
        })
    }

    fn amend(
        &mut self,
        now: Timestamp,
        id: &str,
        is_possible: impl FnOnce(&Transaction) -> bool,
        change: impl FnOnce(&mut Transaction),
    ) -> Result<(), CustomerError> {
        self.tick(now);
        let index = self.find(id).ok_or(CustomerError::UnknownTransaction)?;
        if !is_possible(self.transactions[index].current()) {
            return Err(CustomerError::WrongStatus);
        }
        self.change(now, index, change);
        Ok(())
    }

    /// A customer's try: goes on with what is pending, or begins a transaction. Returns its id.
    fn attempt(
        &mut self,
        now: Timestamp,
        token: &str,
        method: PaymentType,
        is_late: bool,
        change: impl FnOnce(&mut Transaction),
    ) -> Result<String, CustomerError> {
        self.tick(now);
        let page = self.page(token).ok_or(CustomerError::UnknownPage)?.clone();
        let latest = self.latest_of_order(&page.order_id);
        let current = latest.map(|index| self.transactions[index].current().clone());
        let goes_on = may_go_on(&page, current.as_ref(), method, now, is_late)?;
        let index = match latest.filter(|_| goes_on) {
            Some(index) => {
                self.change(now, index, change);
                index
            }
            None => {
                let id = self.new_id().to_string();
                let mut transaction = begun(&page, id, method, now);
                change(&mut transaction);
                self.transactions.push(History::new(now, transaction));
                self.tell(now, self.transactions.len() - 1);
                self.transactions.len() - 1
            }
        };
        Ok(self.transactions[index].current().transaction_id.clone())
    }
}

/// True when a try goes on with the latest transaction, false when it begins one.
fn may_go_on(
    page: &Page,
    latest: Option<&Transaction>,
    method: PaymentType,
    now: Timestamp,
    is_late: bool,
) -> Result<bool, CustomerError> {
    match latest {
        // What was shown can be paid while it is pending, whatever became of its page.
        Some(latest) if latest.status == Status::Pending => {
            return match () {
                () if latest.token != page.token && !is_late => Err(CustomerError::PageClosed),
                () if latest.payment_type != method => Err(CustomerError::OtherMethodChosen),
                () => Ok(true),
            };
        }
        Some(latest) if !latest.status.has_ended_unpaid() => {
            return Err(CustomerError::AlreadyPaid);
        }
        Some(latest) if is_late && latest.payment_type == method => return Ok(true),
        Some(_) | None => {}
    }
    if !method.is_enabled_by(&page.enabled_payments) {
        return Err(CustomerError::NotOffered);
    }
    if !is_late && !page.is_open(now) {
        return Err(CustomerError::PageClosed);
    }
    Ok(false)
}

fn begun(page: &Page, id: String, method: PaymentType, now: Timestamp) -> Transaction {
    let expires_at = match method {
        PaymentType::CreditCard => now + CARD_FORM_LIFE,
        _ => page.methods_expire_at,
    };
    Transaction {
        transaction_id: id,
        order_id: page.order_id.clone(),
        token: page.token.clone(),
        payment_type: method,
        status: Status::Pending,
        fraud: Fraud::Accept,
        gross_amount: page.gross_amount,
        original_amount: page.gross_amount,
        explains_fee: false,
        created_at: now,
        expires_at,
        settled_at: None,
        refunds: Vec::new(),
    }
}
