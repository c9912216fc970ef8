//! The same batches on two stores: what they answer and say must be the same.

use ordermill_actors::clock::{Timestamp, World};
use ordermill_actors::messages::Message;
use ordermill_actors::ports::Store;
use ordermill_actors::runtime::outbox::{Content, OutboxRow};
use ordermill_actors::runtime::service::{Batch, Outcome, Service, Upkeep};
use ordermill_actors::testing::{CountedIds, TokioClock};
use std::fmt::Debug;
use std::sync::{Arc, LazyLock};

/// A world whose ids are no other test's.
pub fn world() -> World {
    static IDS: LazyLock<Arc<CountedIds>> = LazyLock::new(Arc::default);
    World { clock: Arc::new(TokioClock::default()), ids: IDS.clone() }
}

/// A batch of changes alone.
pub fn batch<S: Service>(service: S, changes: Vec<S::Change>, at: Timestamp) -> Batch<S> {
    Batch { service: Arc::new(service), changes, upkeep: Upkeep::default(), at, world: world() }
}

/// What a store made of a batch: its answers, and its messages as JSON.
pub type Made<S> = (Vec<Outcome<<S as Service>::Answer>>, Vec<String>);

async fn make<S: Service>(store: &impl Store<S>, batch: Batch<S>) -> Made<S> {
    let committed = store.commit(&batch).await.unwrap();
    (committed.outcomes, committed.outbox.iter().flat_map(said).collect())
}

fn said(row: &OutboxRow) -> Vec<String> {
    let Content::Fresh(messages) = &row.content else { panic!("{row:?}") };
    messages.iter().map(|message: &Arc<Message>| message.json().to_owned()).collect()
}

/// Commits the same changes to the model and to the real store.
pub async fn on_both<S: Service + Clone>(
    service: &S,
    model: &impl Store<S>,
    real: &impl Store<S>,
    changes: &[S::Change],
    at: Timestamp,
) -> Made<S>
where
    S::Change: Clone,
    S::Answer: Debug + PartialEq,
{
    let expected = make(model, batch(service.clone(), changes.to_vec(), at)).await;
    let made = make(real, batch(service.clone(), changes.to_vec(), at)).await;
    assert_eq!(made, expected);
    made
}
