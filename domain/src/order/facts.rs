//! The facts that are known of an order. They only accumulate; what follows from them is decided elsewhere.

use super::payment_news::{PaymentFact, PaymentNews};
use super::step_state::{AnswerData, StepChange, StepState, is_default};
use super::steps::Step;
use crate::clock::Timestamp;
use crate::messages::{Failure, Kind, PaymentApproved, Refusal, ShipmentScheduled};
use crate::payment::Attention;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One thing that became known, or was decided. History rows contain facts; replaying them yields the saga.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    /// The order was accepted.
    Placed,
    /// Something happened to a step.
    Step(Step, StepChange),
    /// The payment service told something beside the answers of its step.
    Payment(PaymentFact),
    /// The customer, or the deadline, wants the order to end.
    CancelAsked {
        /// The requester, and the reason.
        failure: Failure,
    },
    /// All steps of the plan are done.
    Confirmed,
    /// Everything that was done is undone.
    Closed,
    /// A person should look.
    Stuck {
        /// A description of the problem, for the operator.
        reason: String,
    },
    /// A person has seen to what a person should look at.
    SeenTo,
    /// A person asked for another try.
    RetryAsked,
    /// A message that no longer changes anything.
    Stale {
        /// Which.
        kind: Kind,
    },
}

impl Fact {
    /// The step is done; nothing is kept of the answer.
    pub const fn done(step: Step) -> Self {
        Self::Step(step, StepChange::Done(AnswerData::None))
    }
}

/// A fact does not fit what is known already.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} does not fit the facts known before")]
pub struct Unfit(String);

/// Everything that is known of an order's saga.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    steps: Steps,
    /// When all steps of the plan were done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmed_at: Option<Timestamp>,
    /// The compensation, if the order must end as cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compensation: Option<Compensation>,
    /// A description of the problem, if an operator should look.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stuck: Option<String>,
    /// What the payment service told beside the answers of its step. None of an order that is paid at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_news: Option<Box<PaymentNews>>,
}

/// Why, and since when, an order is compensated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compensation {
    /// Why the order must end, by what became known first.
    pub failure: Failure,
    /// The step whose refusal is the failure, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Step>,
    /// When the failure became known.
    pub since: Timestamp,
    /// True when everything that was done is undone.
    #[serde(default, skip_serializing_if = "is_default")]
    pub closed: bool,
}

impl Facts {
    /// How far a step is.
    pub const fn step(&self, step: Step) -> &StepState {
        &self.steps.0[step as usize]
    }

    /// Why the order must end as cancelled, if it must.
    pub fn failure(&self) -> Option<&Failure> {
        self.compensation.as_ref().map(|compensation| &compensation.failure)
    }

    /// The step whose refusal is the reason for the compensation, if it is.
    pub fn refused_step(&self) -> Option<Step> {
        self.compensation.as_ref().and_then(|compensation| compensation.refused)
    }

    /// True when the order must end as cancelled.
    pub const fn is_failing(&self) -> bool {
        self.compensation.is_some()
    }

    /// True when the order has ended as cancelled.
    pub fn is_closed(&self) -> bool {
        self.compensation.as_ref().is_some_and(|compensation| compensation.closed)
    }

    /// The gateway's answer, once the payment is done.
    pub fn payment(&self) -> Option<&PaymentApproved> {
        match self.step(Step::Payment).data()? {
            AnswerData::Payment(payment) => Some(payment),
            AnswerData::None | AnswerData::Shipment(_) => None,
        }
    }

    /// The carrier's answer, once the parcel is scheduled.
    pub fn shipment(&self) -> Option<&ShipmentScheduled> {
        match self.step(Step::Shipping).data()? {
            AnswerData::Shipment(shipment) => Some(shipment),
            AnswerData::None | AnswerData::Payment(_) => None,
        }
    }

    /// Learns a fact, or leaves everything as it is if the fact does not fit.
    pub fn apply(&mut self, fact: &Fact, at: Timestamp) -> Result<(), Unfit> {
        let unfit = || Unfit(format!("{fact:?}"));
        match fact {
            Fact::Placed | Fact::RetryAsked | Fact::Stale { .. } => {}
            Fact::Step(step, change) => {
                let state = &mut self.steps.0[*step as usize];
                *state = state.after(*step, change, at).ok_or_else(unfit)?;
                if let StepChange::Refused(refusal) = change
                    && !self.is_failing()
                {
                    self.fail(refused(*step, refusal), Some(*step), at);
                }
            }
            Fact::Payment(fact) => {
                let mut news = self.payment_news.take().unwrap_or_default();
                let is_new = news.learn(fact);
                let is_settled = matches!(fact, PaymentFact::Updated(_)) && !news.needs_person();
                self.payment_news = Some(news);
                if !is_new {
                    return Err(unfit());
                }
                if is_settled && self.awaits_person() {
                    self.stuck = None;
                }
            }
            Fact::CancelAsked { failure } if !self.is_failing() => {
                self.fail(failure.clone(), None, at);
            }
            Fact::Confirmed if self.confirmed_at.is_none() => self.confirmed_at = Some(at),
            Fact::Closed => {
                let compensation = self.compensation.as_mut().filter(|known| !known.closed);
                compensation.ok_or_else(unfit)?.closed = true;
                self.stuck = None;
            }
            Fact::Stuck { reason } => self.stuck = Some(reason.clone()),
            Fact::SeenTo => self.stuck = None,
            Fact::CancelAsked { .. } | Fact::Confirmed => return Err(unfit()),
        }
        Ok(())
    }

    /// True when the operator should look at what the payment service has named.
    fn awaits_person(&self) -> bool {
        let words = Attention::ALL.iter().filter(|attention| attention.needs_person());
        self.stuck
            .as_ref()
            .is_some_and(|stuck| words.into_iter().any(|word| word.as_str() == stuck))
    }

    fn fail(&mut self, failure: Failure, refused: Option<Step>, since: Timestamp) {
        self.compensation = Some(Compensation { failure, refused, since, closed: false });
    }
}

fn refused(step: Step, refusal: &Refusal) -> Failure {
    let Refusal { reason, shortages } = refusal.clone();
    Failure { step: step.as_str().to_owned(), reason, shortages }
}

/// The state of each step. Stored by name, and only if the step is started or undone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "BTreeMap<Step, StepState>", try_from = "BTreeMap<Step, StepState>")]
struct Steps([StepState; Step::ALL.len()]);

impl From<Steps> for BTreeMap<Step, StepState> {
    fn from(steps: Steps) -> Self {
        Step::ALL.into_iter().zip(steps.0).filter(|(_, state)| !is_default(state)).collect()
    }
}

impl TryFrom<BTreeMap<Step, StepState>> for Steps {
    type Error = Unfit;

    fn try_from(stored: BTreeMap<Step, StepState>) -> Result<Self, Unfit> {
        let mut steps = Self::default();
        for (step, state) in stored {
            if !state.is_possible(step) {
                return Err(Unfit(format!("{step:?} {state:?}")));
            }
            steps.0[step as usize] = state;
        }
        Ok(steps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_stored_state_that_is_not_possible_is_unreadable() {
        let payment =
            json!({"total": {"amount": "1.00", "currency": "USD"}, "transaction_id": "t"});
        let paid = json!({"done": {"at": 0, "data": {"payment": payment}}});
        let read = |steps| serde_json::from_value::<Facts>(json!({ "steps": steps }));
        assert!(read(json!({"payment": {"command": paid, "undo": "sent"}})).is_ok());
        for steps in [
            json!({"inventory": {"command": paid}}),
            json!({"inventory": {"command": "requested"}}),
            json!({"dispatch": {"command": "sent", "undo": "sent"}}),
            json!({"dispatch": {"command": {"refused": {}}}}),
            json!({"tea": {"command": "sent"}}),
        ] {
            assert!(read(steps.clone()).is_err(), "{steps}");
        }
    }

    #[test]
    fn a_fact_that_does_not_fit_is_an_error_and_changes_nothing() {
        let at = Timestamp::UNIX_EPOCH;
        let mut facts = Facts::default();
        let asked = Fact::Step(Step::Inventory, StepChange::Requested);
        for unfit in [Fact::done(Step::Payment), asked, Fact::Closed] {
            assert!(facts.apply(&unfit, at).is_err(), "{unfit:?}");
            assert_eq!(facts, Facts::default());
        }
        facts.apply(&Fact::Step(Step::Payment, StepChange::Sent), at).unwrap();
        facts.apply(&Fact::done(Step::Payment), at).unwrap();
        assert!(facts.apply(&Fact::done(Step::Payment), at).is_err(), "done twice");
    }
}
