//! Recording: learns facts, goes on to what follows from them, and writes down each status on the way.

use super::advance::next;
use super::awaited::awaited;
use super::choreography::moves_on;
use super::deadlines::stored_due_at;
use super::fact_messages::{number, payload};
use super::facts::Fact;
use super::policy::SagaPolicy;
use super::saga::{HistoryRow, Saga, Sending};
use super::step_state::StepChange;
use crate::clock::Timestamp;
use crate::messages::{Flow, Message, Payload};
use std::sync::Arc;

/// The result of recording facts, beside the saga's new state.
#[derive(Debug, Default)]
pub struct Record {
    /// The statuses passed through.
    pub history: Vec<HistoryRow>,
    /// The messages that the facts send.
    pub messages: Vec<Arc<Message>>,
}

/// Learns `facts` and everything that follows from them.
pub fn record(
    saga: &mut Saga,
    facts: Vec<Fact>,
    cause: &str,
    now: Timestamp,
    policy: &SagaPolicy,
) -> Record {
    let mut record = Record::default();
    let mut pending: Vec<Fact> = Vec::new();
    let mut todo: std::collections::VecDeque<Fact> = facts.into();
    while let Some(fact) = todo.pop_front() {
        let before = (saga.status(), saga.saga_status());
        saga.facts.apply(&fact, now).expect("only facts that fit are decided");
        if is_progress(&fact, saga.origin.flow) {
            saga.sending = Sending { at: now, again: 0 };
        }
        if let Some(payload) = payload(saga, &fact) {
            record.messages.push(Message::new(&saga.origin, payload, number(&fact), now));
        }
        let changed = before != (saga.status(), saga.saga_status());
        let placed = fact == Fact::Placed;
        pending.push(fact);
        if changed || placed {
            write_down(saga, &mut record, &mut pending, cause, now);
        }
        if todo.is_empty() {
            todo.extend(next(&saga.facts, &saga.origin));
        }
    }
    if !pending.is_empty() {
        match record.history.last_mut() {
            // Facts that follow without a change of status belong to the row of the last status.
            Some(row) => {
                row.facts.append(&mut pending);
                saga.step().clone_into(&mut row.step);
            }
            None => write_down(saga, &mut record, &mut pending, cause, now),
        }
    }
    touch(saga, now, policy);
    record
}

/// True when patience begins anew. Orchestrated: when a command is sent. Choreographed: whenever anything
/// is heard, since it shows that the chain moves.
fn is_progress(fact: &Fact, flow: Flow) -> bool {
    match fact {
        Fact::Step(_, StepChange::Sent | StepChange::UndoSent) => true,
        Fact::Placed
        | Fact::Step(..)
        | Fact::CancelAsked { .. }
        | Fact::Confirmed
        | Fact::Closed => flow == Flow::Choreographed,
        Fact::Payment(_)
        | Fact::Stuck { .. }
        | Fact::SeenTo
        | Fact::RetryAsked
        | Fact::Stale { .. } => false,
    }
}

/// Sends what is awaited again, under its own ids: the commands, or the one event that makes the services'
/// chain move on.
pub fn resend(saga: &mut Saga, now: Timestamp, policy: &SagaPolicy) -> Vec<Arc<Message>> {
    saga.sending = Sending { at: now, again: saga.sending.again.saturating_add(1) };
    touch(saga, now, policy);
    let again: Vec<Payload> = match saga.origin.flow {
        Flow::Orchestrated => awaited(&saga.facts, saga.origin.plan)
            .into_iter()
            .map(|action| (action.command)(&saga.details, saga.created_at))
            .collect(),
        Flow::Choreographed => moves_on(saga).into_iter().collect(),
    };
    again.into_iter().map(|payload| Message::new(&saga.origin, payload, 0, now)).collect()
}

/// Leaves what is awaited unasked this time, and waits for it twice as long: since it was last sent.
pub fn postpone(saga: &mut Saga, now: Timestamp, policy: &SagaPolicy) {
    saga.sending.again = saga.sending.again.saturating_add(1);
    touch(saga, now, policy);
}

/// Counts the change, and says when the saga is looked at next.
pub fn touch(saga: &mut Saga, now: Timestamp, policy: &SagaPolicy) {
    saga.version += 1;
    saga.updated_at = now;
    saga.due_at = stored_due_at(saga, now, policy);
}

fn write_down(
    saga: &mut Saga,
    record: &mut Record,
    pending: &mut Vec<Fact>,
    cause: &str,
    now: Timestamp,
) {
    record.history.push(HistoryRow {
        order_id: saga.order_id(),
        sequence: saga.history_len,
        at: now,
        cause: cause.to_owned(),
        status: saga.status(),
        saga_status: saga.saga_status(),
        step: saga.step().to_owned(),
        facts: std::mem::take(pending),
    });
    saga.history_len += 1;
}
