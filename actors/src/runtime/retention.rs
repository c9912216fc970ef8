//! Retention: what is kept for a while only, and forgotten then, a little at a time, so that nobody who writes to the
//! same database waits for long.

use super::linked_task::catch_panic;
use super::periodic_task::PeriodicTask;
use super::supervisor::ChildSpec;
use super::tree::Node;
use crate::ports::ReadError;
use async_trait::async_trait;
use futures::future::join_all;
use std::sync::Arc;
use std::time::Duration;

/// How often what is old is looked for.
pub const FORGET_EVERY: Duration = Duration::from_secs(600);

/// Rows that one transaction forgets: some milliseconds of a database's time.
const FORGET_ROWS: u32 = 1_000;

/// Something that is kept for a while.
#[async_trait]
pub trait Retained: Send + Sync {
    /// Its name in the log.
    fn name(&self) -> String;

    /// Forgets what is old, `limit` rows at the most; says how many they were.
    async fn forget(&self, limit: u32) -> Result<u64, ReadError>;
}

/// The part that forgets all of them in time.
pub fn child_spec(node: Arc<Node>, all: Vec<Arc<dyn Retained>>) -> ChildSpec {
    let all: Arc<[_]> = all.into();
    PeriodicTask::child_spec(node, FORGET_EVERY, move || {
        let all = all.clone();
        // Side by side: one that hangs or panics holds up no other.
        async move {
            join_all(all.iter().map(|kept| async {
                if let Err(panic) = catch_panic(forget(&**kept)).await {
                    tracing::error!(what = %kept.name(), %panic, "retention task panicked");
                }
            }))
            .await;
        }
    })
}

/// Forgets all that is old of one kind. What others write comes between two steps of it.
async fn forget(kept: &dyn Retained) {
    let (what, mut forgotten) = (kept.name(), 0);
    loop {
        match kept.forget(FORGET_ROWS).await {
            Ok(rows) => {
                forgotten += rows;
                if rows < u64::from(FORGET_ROWS) {
                    break;
                }
            }
            Err(error) => {
                tracing::warn!(%what, %error, "deleting expired rows failed; trying again later");
                break;
            }
        }
    }
    if forgotten > 0 {
        tracing::info!(%what, forgotten, "deleted expired rows");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    /// How many are old, and how many were forgotten at a time.
    struct Old(Mutex<(u64, Vec<u64>)>);

    #[async_trait]
    impl Retained for Old {
        fn name(&self) -> String {
            "what is old".to_owned()
        }

        async fn forget(&self, limit: u32) -> Result<u64, ReadError> {
            let (left, steps) = &mut *self.0.lock().unwrap();
            let rows = u64::from(limit).min(*left);
            *left -= rows;
            steps.push(rows);
            Ok(rows)
        }
    }

    #[tokio::test]
    async fn a_great_many_are_forgotten_a_little_at_a_time() {
        let old = Old(Mutex::new((2_500, Vec::new())));
        forget(&old).await;
        assert_eq!(*old.0.lock().unwrap(), (0, vec![1_000, 1_000, 500]));
    }
}
