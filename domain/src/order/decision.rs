//! The decision of a saga on an input.

use super::facts::Fact;

/// The decision of a saga on an input.
#[derive(Debug, PartialEq, Eq)]
pub enum SagaDecision {
    /// New facts.
    Learned(Vec<Fact>),
    /// No new facts. The request succeeds.
    Known,
    /// New facts, and the pending commands are sent again.
    Resend(Vec<Fact>),
    /// A reply is late because the system lags. The command is not sent again yet.
    Postponed,
    /// The request is not possible in this status.
    Conflict(&'static str),
}
