//! How far a step is: its command and its undo, each sent and answered, or not.
//!
//! ```text
//! command  not sent ─▶ (requested) ─▶ sent ─┬─▶ done
//!                                           └─▶ refused
//! undo     not sent ─┬─▶ sent ─▶ done
//!                    └─▶ implied
//! ```
//!
//! The two are independent, because their answers may cross. `StepState::after` is the one function that changes a
//! state, both when a fact is learned and when a history is replayed.

use super::steps::{Phase, Step};
use crate::clock::Timestamp;
use crate::messages::{PaymentApproved, Refusal, ShipmentScheduled};
use crate::planted::{Bug, planted};
use serde::{Deserialize, Serialize};

/// How far a step is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepState {
    command: Command,
    #[serde(default, skip_serializing_if = "is_default")]
    undo: Undo,
}

/// How far a step's command is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Command {
    #[default]
    NotSent,
    /// The step is requested, and its command not sent yet.
    Requested,
    /// From here on the step counts as done, until it is refused or undone.
    Sent,
    Done(StepAnswer),
    Refused {
        /// The answer before the refusal, if the step was undone meanwhile.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        earlier: Option<StepAnswer>,
    },
}

/// How far a step's undo is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Undo {
    #[default]
    NotSent,
    Sent,
    Done,
    /// The services have undone the step without an undo that the saga has recorded.
    Implied,
}

/// The answer that a step is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct StepAnswer {
    /// In microseconds, because the state of each saga is written at every step.
    #[serde(with = "chrono::serde::ts_microseconds")]
    at: Timestamp,
    #[serde(default, skip_serializing_if = "is_default")]
    data: AnswerData,
}

/// The part of a step's answer that the saga keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerData {
    /// Nothing but that it came.
    #[default]
    None,
    /// The gateway's answer.
    Payment(PaymentApproved),
    /// The carrier's answer.
    Shipment(ShipmentScheduled),
}

pub(super) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Something that happens to a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepChange {
    /// It is requested.
    Requested,
    /// Its command is sent.
    Sent,
    /// It is done.
    Done(AnswerData),
    /// It is refused.
    Refused(Refusal),
    /// Its undo is sent.
    UndoSent,
    /// It is undone, or will never be done.
    Undone,
}

impl StepState {
    /// The state after a change at this time. None: the change does not fit.
    pub(super) fn after(&self, step: Step, change: &StepChange, at: Timestamp) -> Option<Self> {
        use StepChange as Change;
        let (command, undo) = match (change, &self.command, self.undo) {
            (Change::Requested, Command::NotSent, undo) => (Command::Requested, undo),
            (Change::Sent, Command::NotSent | Command::Requested, undo) => (Command::Sent, undo),
            (Change::Done(data), Command::Sent, undo @ (Undo::NotSent | Undo::Sent)) => {
                (Command::Done(StepAnswer { at, data: data.clone() }), undo)
            }
            (Change::Refused(_), Command::Sent, undo) => (Command::Refused { earlier: None }, undo),
            (Change::Refused(_), Command::Done(answer), undo) if undo != Undo::NotSent => {
                (Command::Refused { earlier: Some(answer.clone()) }, undo)
            }
            (Change::UndoSent, command, Undo::NotSent) => (command.clone(), Undo::Sent),
            (Change::Undone, command, Undo::NotSent) => (command.clone(), Undo::Implied),
            (Change::Undone, command, Undo::Sent) => (command.clone(), Undo::Done),
            _ => return None,
        };
        Some(Self { command, undo }).filter(|state| state.is_possible(step))
    }

    /// True if the step can be in this state, by its row in the table.
    pub(super) fn is_possible(&self, step: Step) -> bool {
        let data_fits = match self.answer().map(|answer| &answer.data) {
            None | Some(AnswerData::None) => true,
            Some(AnswerData::Payment(_)) => step == Step::Payment,
            Some(AnswerData::Shipment(_)) => step == Step::Shipping,
        };
        let phase_fits = match step.spec().phase {
            Phase::Plan { .. } => self.command != Command::Requested,
            Phase::Fulfilment { .. } => self.undo == Undo::NotSent && !self.is_refused(),
        };
        data_fits && phase_fits
    }

    const fn answer(&self) -> Option<&StepAnswer> {
        match &self.command {
            Command::Done(answer) => Some(answer),
            Command::Refused { earlier } => earlier.as_ref(),
            Command::NotSent | Command::Requested | Command::Sent => None,
        }
    }

    /// The data of the answer that the step is done.
    pub fn data(&self) -> Option<&AnswerData> {
        self.answer().map(|answer| &answer.data)
    }

    /// When the step was done.
    pub fn done_at(&self) -> Option<Timestamp> {
        self.answer().map(|answer| answer.at)
    }

    /// True once the service has done the step, even if it is undone later.
    pub const fn is_done(&self) -> bool {
        self.answer().is_some()
    }

    /// True once the step is requested or its command is sent.
    pub fn is_started(&self) -> bool {
        self.command != Command::NotSent
    }

    /// True once the step's command is sent.
    pub const fn is_sent(&self) -> bool {
        !matches!(self.command, Command::NotSent | Command::Requested)
    }

    /// True while the command is sent and not answered.
    pub const fn is_awaited(&self) -> bool {
        matches!(self.command, Command::Sent)
    }

    /// True once the step is refused.
    pub const fn is_refused(&self) -> bool {
        matches!(self.command, Command::Refused { .. })
    }

    /// True once the undo is sent.
    pub const fn is_undo_sent(&self) -> bool {
        matches!(self.undo, Undo::Sent | Undo::Done)
    }

    /// True once the step is undone, or will never be done.
    pub const fn is_undone(&self) -> bool {
        matches!(self.undo, Undo::Done | Undo::Implied)
    }

    /// True when nothing of the step is left to undo.
    pub fn has_nothing_to_undo(&self) -> bool {
        let sent = if planted(Bug::UndoAnsweredOnly) { self.is_done() } else { self.is_sent() };
        !(sent || self.is_undo_sent()) || self.is_refused() || self.is_undone()
    }

    /// True while the undo is sent and not answered.
    pub fn is_undo_awaited(&self) -> bool {
        self.is_undo_sent() && !self.has_nothing_to_undo()
    }

    /// True when something of the step is left to undo, and its undo is not sent.
    pub fn needs_undo(&self) -> bool {
        !self.has_nothing_to_undo() && !self.is_undo_sent()
    }
}
