//! Panics of a simulation are findings: heard in its own thread, and printed by nobody.

use std::cell::RefCell;
use std::sync::Once;

thread_local! {
    static HEARD: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

static HOOK: Once = Once::new();

/// Listens for panics in this thread until it is dropped.
pub struct Panics(());

impl Panics {
    /// Begins to listen.
    pub fn heard() -> Self {
        HOOK.call_once(|| {
            let others = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                let ours = HEARD.with_borrow_mut(|heard| {
                    heard.as_mut().map(|heard| heard.push(panic.to_string())).is_some()
                });
                if !ours {
                    others(panic);
                }
            }));
        });
        HEARD.set(Some(Vec::new()));
        Self(())
    }

    /// What was heard since.
    pub fn take(&self) -> Vec<String> {
        HEARD.with_borrow_mut(|heard| heard.as_mut().map(std::mem::take).unwrap_or_default())
    }
}

impl Drop for Panics {
    fn drop(&mut self) {
        HEARD.set(None);
    }
}
