//! Work that the broker cannot do without: keeping connections, publishing. Where it fails, the broker as a whole has
//! failed, and says so; what is not confirmed or not acked comes again, from the outboxes and the queues.

use std::future::Future;
use std::time::Duration;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

/// All such work of a broker, and its end. Cheap to clone.
#[derive(Clone, Default)]
pub struct CriticalTasks {
    tasks: TaskTracker,
    stop: CancellationToken,
    failed: CancellationToken,
}

impl CriticalTasks {
    /// Has it done in a task of its own, until it is asked to stop.
    pub fn spawn<F>(&self, work: impl FnOnce(CancellationToken) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (work, failed) = (work(self.stop.clone()), self.failed.clone().drop_guard());
        self.tasks.spawn(async move {
            work.await;
            // Reached by an end in good order only: a panic drops the guard on its way out.
            failed.disarm();
        });
    }

    /// Completes when some of it has failed.
    pub async fn failed(&self) {
        self.failed.cancelled().await;
    }

    /// Asks all of it to stop, when dropped.
    pub fn stops_when_dropped(&self) -> DropGuard {
        self.stop.clone().drop_guard()
    }

    /// Asks all of it to stop.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Waits until all of it has ended, which it must have been asked to; true when it has in time.
    pub async fn ended(&self, within: Duration) -> bool {
        self.tasks.close();
        tokio::time::timeout(within, self.tasks.wait()).await.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Long enough for tasks that are ready.
    const SOON: Duration = Duration::from_secs(5);

    #[tokio::test]
    async fn an_end_that_was_asked_for_is_no_failure() {
        let critical_tasks = CriticalTasks::default();
        critical_tasks.spawn(|stop| async move { stop.cancelled().await });
        assert!(!critical_tasks.ended(Duration::ZERO).await);
        critical_tasks.stop();
        assert!(critical_tasks.ended(SOON).await);
        assert!(!critical_tasks.failed.is_cancelled());
    }

    #[tokio::test]
    async fn a_panic_is_reported() {
        let critical_tasks = CriticalTasks::default();
        critical_tasks.spawn(|stop| async move { stop.cancelled().await });
        critical_tasks.spawn(|_| async { panic!("of the test") });
        tokio::time::timeout(SOON, critical_tasks.failed()).await.unwrap();
    }
}
