//! What the fake can do wrong, by a script: the next fault of a call is taken by the next such call.

use std::collections::{HashMap, VecDeque};
use std::str::FromStr;
use std::time::Duration;
use strum::{IntoStaticStr, VariantArray};

/// A call of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Call {
    /// Snap: create a page.
    Create,
    /// Snap: cancel a page.
    CancelPage,
    /// Core: read a transaction.
    Status,
    /// Core: cancel a transaction.
    Cancel,
    /// Core: expire a transaction.
    Expire,
    /// Core: capture what is authorised.
    Capture,
    /// Core: give back.
    Refund,
    /// Core: accept a challenged card.
    Approve,
    /// Core: deny a challenged card.
    Deny,
}

impl Call {
    /// The name, as scripts write it.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The call of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::VARIANTS.iter().copied().find(|call| call.as_str() == name)
    }
}

/// What one call does wrong. "Booked" means: the request took effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The connection is closed, and nothing is booked.
    ResetBefore,
    /// The request is booked, and the connection closed without an answer.
    ResetAfter,
    /// The request is booked, and the answer waits for `release`.
    Hang,
    /// The request is booked, and answered after this time of the real clock.
    Slow(Duration),
    /// Nothing is booked; the answer has this HTTP status.
    Status {
        /// The HTTP status.
        http: u16,
        /// Seconds of `Retry-After`.
        retry_after: Option<u64>,
    },
    /// The request is booked, and answered with 500.
    BookedError,
    /// The request is booked, and answered with a page of HTML.
    Html,
    /// The request is booked, and answered with the first half of the JSON.
    HalfJson,
    /// The request is booked, and answered without a body.
    Empty,
    /// The request is booked, and answered with 2 MB.
    Huge,
    /// The status as it was that long ago, by the fake's clock.
    StaleLook(Duration),
    /// The answer's `gross_amount` is 1000 rupiah too small.
    WrongAmount,
    /// The answer's `currency` is `USD`.
    WrongCurrency,
    /// The answer is about another order.
    OtherOrder,
    /// The answer's `transaction_status` is a word that is not documented.
    NewWord,
    /// Cancel of a page: `Transaction is on progress`.
    OnProgress,
    /// Refund and capture: the bank denies it with 202, and nothing is booked.
    DeniedByBank,
}

/// Why a text is no fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a fault; expected a name such as `reset_after`, `slow:200` or `status:429:5`"
)]
pub struct UnknownFault(String);

impl FromStr for Fault {
    type Err = UnknownFault;

    /// Reads `name`, `slow:MILLISECONDS`, `status:HTTP[:RETRY_AFTER_SECONDS]` or `stale_look:SECONDS`.
    fn from_str(text: &str) -> Result<Self, UnknownFault> {
        let unknown = || UnknownFault(text.to_owned());
        let mut parts = text.split(':');
        let name = parts.next().unwrap_or_default();
        let mut number = || parts.next().and_then(|part| part.parse::<u64>().ok());
        Ok(match name {
            "reset_before" => Self::ResetBefore,
            "reset_after" => Self::ResetAfter,
            "hang" => Self::Hang,
            "slow" => Self::Slow(Duration::from_millis(number().ok_or_else(unknown)?)),
            "status" => {
                let http = number().and_then(|http| u16::try_from(http).ok());
                let http = http.filter(|http| (200..600).contains(http)).ok_or_else(unknown)?;
                Self::Status { http, retry_after: number() }
            }
            "booked_500" => Self::BookedError,
            "html" => Self::Html,
            "half_json" => Self::HalfJson,
            "empty" => Self::Empty,
            "huge" => Self::Huge,
            "stale_look" => Self::StaleLook(Duration::from_secs(number().ok_or_else(unknown)?)),
            "wrong_amount" => Self::WrongAmount,
            "wrong_currency" => Self::WrongCurrency,
            "other_order" => Self::OtherOrder,
            "new_word" => Self::NewWord,
            "on_progress" => Self::OnProgress,
            "denied_by_bank" => Self::DeniedByBank,
            _ => return Err(unknown()),
        })
    }
}

/// What a payment at a page does that it should not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PayFault {
    /// It is possible although the page or the transaction has ended.
    Late,
    /// The customer pays a fee of so many rupiah more, and the answer explains it.
    Fee(i64),
    /// The same, without an explanation.
    UnexplainedFee(i64),
}

impl FromStr for PayFault {
    type Err = UnknownFault;

    /// Reads `late`, `fee:RUPIAH` or `unexplained_fee:RUPIAH`.
    fn from_str(text: &str) -> Result<Self, UnknownFault> {
        let unknown = || UnknownFault(text.to_owned());
        let (name, rupiah) = text.split_once(':').unwrap_or((text, ""));
        let rupiah = || rupiah.parse().map_err(|_| unknown());
        match name {
            "late" => Ok(Self::Late),
            "fee" => Ok(Self::Fee(rupiah()?)),
            "unexplained_fee" => Ok(Self::UnexplainedFee(rupiah()?)),
            _ => Err(unknown()),
        }
    }
}

/// What is done to a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotifyFault {
    /// It is not sent.
    Never,
    /// It is sent, and looks show the change only two seconds later.
    Early,
    /// It is sent twice.
    Twice,
    /// It is sent that much later, by the fake's clock.
    Late(Duration),
    /// It is sent after the transaction's next one.
    Reversed,
    /// Its signature has the right form, and nobody's key made it.
    Forged,
    /// Its `transaction_status` is changed; the signature does not cover it and still fits.
    Tampered,
    /// It is signed with the key of another merchant.
    OtherKey,
}

impl FromStr for NotifyFault {
    type Err = UnknownFault;

    /// Reads a name, or `late:SECONDS`.
    fn from_str(text: &str) -> Result<Self, UnknownFault> {
        let unknown = || UnknownFault(text.to_owned());
        Ok(match text {
            "never" => Self::Never,
            "early" => Self::Early,
            "twice" => Self::Twice,
            "reversed" => Self::Reversed,
            "forged" => Self::Forged,
            "tampered" => Self::Tampered,
            "other_key" => Self::OtherKey,
            _ => {
                let seconds = text.strip_prefix("late:").and_then(|text| text.parse().ok());
                Self::Late(Duration::from_secs(seconds.ok_or_else(unknown)?))
            }
        })
    }
}

/// The faults that are still to come.
#[derive(Debug, Default)]
pub struct Script {
    calls: HashMap<Call, VecDeque<Fault>>,
    payments: VecDeque<PayFault>,
    notifications: VecDeque<NotifyFault>,
}

impl Script {
    /// Has one more call do something wrong, after those that are scripted already.
    pub fn call(&mut self, call: Call, fault: Fault) {
        self.calls.entry(call).or_default().push_back(fault);
    }

    /// Has one more payment do something wrong.
    pub fn payment(&mut self, fault: PayFault) {
        self.payments.push_back(fault);
    }

    /// Has one more notification go wrong.
    pub fn notification(&mut self, fault: NotifyFault) {
        self.notifications.push_back(fault);
    }

    /// Forgets what is still to come.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// The fault of the next call.
    pub fn next_of_call(&mut self, call: Call) -> Option<Fault> {
        self.calls.get_mut(&call)?.pop_front()
    }

    /// The fault of the next payment.
    pub fn next_of_payment(&mut self) -> Option<PayFault> {
        self.payments.pop_front()
    }

    /// The fault of the next notification.
    pub fn next_of_notification(&mut self) -> Option<NotifyFault> {
        self.notifications.pop_front()
    }
}
