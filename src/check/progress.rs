//! How far a check is: a line on the standard error every second and a half.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinHandle;

/// How often it is said: nobody is left without a word for two seconds.
const SAY_EVERY: Duration = Duration::from_millis(1_500);

/// Says how far it is until it ends. Cheap to clone.
#[derive(Clone)]
pub struct Progress {
    state: Arc<Mutex<String>>,
    ticker: Arc<JoinHandle<()>>,
}

impl Progress {
    /// Begins to say it.
    pub fn start() -> Self {
        let state = Arc::new(Mutex::new(String::new()));
        let said = state.clone();
        let ticker = tokio::spawn(async move {
            loop {
                tokio::time::sleep(SAY_EVERY).await;
                let words = said.lock().unwrap_or_else(PoisonError::into_inner).clone();
                if !words.is_empty() {
                    // Nobody may be there to read it.
                    let _ = writeln!(std::io::stderr(), "  {words} …");
                }
            }
        });
        Self { state, ticker: Arc::new(ticker) }
    }

    /// What is being done now.
    pub fn says(&self, words: String) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = words;
    }

    /// Ends it.
    pub fn end(&self) {
        self.ticker.abort();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if Arc::strong_count(&self.ticker) == 1 {
            self.ticker.abort();
        }
    }
}
