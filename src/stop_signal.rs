//! The signals that ask a process to stop.

/// Completes when the process is asked to stop: SIGTERM, SIGINT. It listens from this call on, not only
/// from when it is awaited.
pub fn asked_to_stop() -> impl Future<Output = ()> + Send {
    use tokio::signal::unix::{SignalKind, signal};
    let listening = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
    async move {
        match listening {
            (Ok(mut terminate), Ok(mut interrupt)) => {
                tokio::select! {
                    biased;
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
            }
            // Without signals it can still be killed: nothing is lost by that.
            (Err(_), _) | (_, Err(_)) => std::future::pending().await,
        }
    }
}
