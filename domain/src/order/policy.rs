//! How long a saga waits.

use std::time::Duration;

/// How patient sagas are.
#[derive(Clone, Debug)]
pub struct SagaPolicy {
    /// A step's answer is late after this; its command is sent again, then after twice as long, and so on.
    pub step_timeout: Duration,
    /// An order that is not confirmed within this is cancelled.
    pub order_timeout: Duration,
    /// A compensation that takes longer than this is `FAILED`: an alarm; it goes on trying.
    pub compensation_timeout: Duration,
    /// Confirmed orders are dispatched by themselves after this. None: only when asked.
    pub dispatch_after: Option<Duration>,
}

impl SagaPolicy {
    /// The longest pause between two tries of the same command: whoever comes back after a long
    /// outage is found within this time.
    pub const RESEND_MAX: Duration = Duration::from_secs(600);
}

impl Default for SagaPolicy {
    fn default() -> Self {
        Self {
            step_timeout: Duration::from_secs(30),
            order_timeout: Duration::from_secs(15 * 60),
            compensation_timeout: Duration::from_secs(60 * 60),
            dispatch_after: None,
        }
    }
}
