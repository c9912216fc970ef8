//! What an order makes of what it is told.

use super::facts::Fact;

/// What comes of it.
#[derive(Debug, PartialEq, Eq)]
pub enum SagaDecision {
    /// This became known.
    Learned(Vec<Fact>),
    /// Nothing new; the asker is told that all is well.
    Known,
    /// This became known, and what is awaited is to be asked for again.
    Resend(Vec<Fact>),
    /// What is awaited is merely late: it is not asked for again yet.
    Postponed,
    /// What was asked is not possible in this status.
    Conflict(&'static str),
}
