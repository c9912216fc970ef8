//! Runs something to its end where nothing can be awaited.

use std::future::Future;

/// Runs it to its end in a thread of its own: also while a test is being torn down.
pub fn wait<T: Send>(work: impl Future<Output = T> + Send) -> T {
    std::thread::scope(|scope| {
        let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build();
        let thread = scope.spawn(move || runtime().unwrap().block_on(work));
        match thread.join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}
