//! Batches, and what stores make of them.

use crate::values::world;
use ordermill_actors::ports::{CommitError, Store};
use ordermill_domain::clock::Timestamp;
use ordermill_domain::messages::Message;
use ordermill_domain::outbox::{Content, OutboxRow};
use ordermill_domain::service::{Batch, OutboxMaintenance, Outcome, Service};
use std::fmt::Debug;
use std::sync::Arc;

/// How often a batch may meet a lock or a row of somebody who was first: far more than two writers
/// ever give each other cause for.
const TRIES_MAX: u32 = 20;

/// A batch of changes alone.
pub fn batch<S: Service>(service: S, changes: Vec<S::Change>, at: Timestamp) -> Batch<S> {
    Batch {
        service: Arc::new(service),
        changes,
        maintenance: OutboxMaintenance::default(),
        at,
        world: world(),
    }
}

/// A batch of what the runtime itself asks for.
pub fn maintenance<S: Service>(service: S, maintenance: OutboxMaintenance) -> Batch<S> {
    let world = world();
    Batch { service: Arc::new(service), changes: Vec::new(), maintenance, at: world.now(), world }
}

/// What a store made of a batch: its answers, and its messages as JSON.
pub type Made<S> = (Vec<Outcome<<S as Service>::Answer>>, Vec<String>);

/// Commits a batch that must succeed.
pub async fn make<S: Service>(store: &dyn Store<S>, batch: Batch<S>) -> Made<S> {
    let committed = store.commit(&batch).await.unwrap();
    (committed.outcomes, committed.outbox.iter().flat_map(said).collect())
}

/// The messages of a row that was just committed, as JSON.
pub fn said(row: &OutboxRow) -> Vec<String> {
    let Content::Fresh(messages) = &row.content else { panic!("{row:?}") };
    messages.iter().map(|message: &Arc<Message>| message.json().to_owned()).collect()
}

/// Commits the same changes to the model and to the store under test: what they answer and say must
/// be the same.
pub async fn on_both<S: Service + Clone>(
    service: &S,
    model: &dyn Store<S>,
    store: &dyn Store<S>,
    changes: &[S::Change],
    at: Timestamp,
) -> Made<S>
where
    S::Change: Clone,
    S::Answer: Debug + PartialEq,
{
    let expected = make(model, batch(service.clone(), changes.to_vec(), at)).await;
    let made = make(store, batch(service.clone(), changes.to_vec(), at)).await;
    assert_eq!(made, expected);
    made
}

/// Commits a batch as its journal would: tries again while the database says that it may.
pub async fn insist<S: Service>(store: &dyn Store<S>, batch: Batch<S>) -> Vec<Outcome<S::Answer>> {
    let mut tries = 0;
    loop {
        match store.commit(&batch).await {
            Ok(committed) => return committed.outcomes,
            Err(CommitError::Unavailable(_) | CommitError::Contended(_)) if tries < TRIES_MAX => {
                tries += 1
            }
            Err(error) => panic!("after {tries} tries: {error}"),
        }
    }
}
