//! What a committed change of a saga is counted as: seen by comparing it with what it was before.

use crate::metrics::{OrderAnswered, OrderObservation};
use ordermill_domain::clock::Timestamp;
use ordermill_domain::order::facts::Fact;
use ordermill_domain::order::step_state::StepChange;
use ordermill_domain::order::{HistoryRow, Saga};
use std::time::Duration;

/// What must be known of a saga before it changes.
#[derive(Clone, Copy, Debug)]
pub struct Earlier {
    /// When what it awaits was asked for.
    asked_at: Timestamp,
    is_answered: bool,
}

impl Earlier {
    /// Of a saga as it is now.
    pub fn of(saga: &Saga) -> Self {
        Self { asked_at: saga.sending.at, is_answered: is_answered(saga) }
    }

    /// What has happened to the saga since then, as its new history says, at this time.
    pub fn observe(
        self,
        saga: &Saga,
        history: &[HistoryRow],
        is_deadline: bool,
        now: Timestamp,
    ) -> Vec<OrderObservation> {
        let after = since(self.asked_at, now);
        let steps = history.iter().flat_map(|row| &row.facts).filter_map(|fact| match fact {
            Fact::Step(step, StepChange::Done(_)) => Some((step, true)),
            Fact::Step(step, StepChange::Refused(_)) => Some((step, false)),
            _ => None,
        });
        let mut observations: Vec<_> = steps
            .map(|(step, is_done)| OrderObservation::Step(step.as_str(), is_done, after))
            .collect();
        if !self.is_answered && is_answered(saga) {
            let by_page = saga.facts.payment_news.is_some();
            let after = since(saga.created_at, now);
            observations.push(OrderObservation::Answered(
                answered(saga, is_deadline),
                by_page,
                after,
            ));
        }
        observations
    }
}

/// The customer knows that the order is confirmed, or that it will not be.
fn is_answered(saga: &Saga) -> bool {
    saga.facts.confirmed_at.is_some() || saga.facts.is_failing()
}

fn answered(saga: &Saga, is_deadline: bool) -> OrderAnswered {
    if saga.facts.confirmed_at.is_some() {
        OrderAnswered::Confirmed
    } else if saga.facts.refused_step().is_some() {
        OrderAnswered::Refused
    } else if is_deadline {
        OrderAnswered::Expired
    } else {
        OrderAnswered::Cancelled
    }
}

/// Clocks of several processes differ: what seems to be earlier is at once.
fn since(from: Timestamp, to: Timestamp) -> Duration {
    (to - from).to_std().unwrap_or_default()
}
