//! Work that an actor has done beside itself, so that it can go on handling messages meanwhile; and what
//! becomes of a panic there.

use futures::FutureExt;
use ractor::ActorCell;
use std::any::Any;
use std::future::Future;
use std::panic::AssertUnwindSafe;

/// Does some work beside an actor. A panic in it is the actor's own failure: nobody waits for ever for
/// what the work would have told it.
pub(super) fn spawn_linked(actor: ActorCell, work: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(async move {
        if let Err(panic) = catch_panic(work).await {
            actor.stop(Some(format!("linked task panicked: {panic}")));
        }
    });
}

/// Does some work; what it said, if it panicked.
pub async fn catch_panic<T>(work: impl Future<Output = T>) -> Result<T, String> {
    AssertUnwindSafe(work).catch_unwind().await.map_err(|panic| panic_message(&*panic).to_owned())
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("panic without a message")
}

#[cfg(test)]
mod tests {
    use super::*;
    use ractor::{Actor, ActorProcessingErr, ActorRef};

    struct Idle;

    impl Actor for Idle {
        type Msg = ();
        type State = ();
        type Arguments = ();

        async fn pre_start(&self, _: ActorRef<()>, (): ()) -> Result<(), ActorProcessingErr> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn an_actor_fails_with_its_linked_task() {
        let (actor, ended) = Actor::spawn(None, Idle, ()).await.expect("it starts");
        spawn_linked(actor.get_cell(), async {});
        spawn_linked(actor.get_cell(), async { panic!("told to {}", "panic") });
        ended.await.expect("it ends with its work");
    }
}
