//! `GET /metrics`: what the process counts, what was last sampled, and what is in memory now.

mod live;

use crate::api::state::State;
use crate::metrics::{Format, Page};
use futures::future::join_all;
use futures::join;
use std::fmt;
use std::future::Future;
use std::time::Duration;

/// How often everything is read: a few counts by index, and a walk over the actors.
pub const SAMPLE_EVERY: Duration = Duration::from_secs(10);

/// A source that does not answer within this time has no sample.
const ANSWER_WITHIN: Duration = Duration::from_secs(4);

/// The answer of a source. None: it did not answer, or not in time.
async fn asked<T, E>(source: impl Future<Output = Result<T, E>>) -> Option<T> {
    tokio::time::timeout(ANSWER_WITHIN, source).await.ok()?.ok()
}

/// Reads everything. Called each [`SAMPLE_EVERY`].
pub async fn sample(state: State) {
    let now = state.world.now();
    let sagas = async { asked(state.services.order().ok()?.reads.counts(now)).await };
    let payments = async { asked(state.services.payment().ok()?.reads.attention_counts()).await };
    let letters = join_all(state.dead_letters.iter().map(|letters| async {
        let (counts, parked, skew) =
            join!(asked(letters.counts()), asked(letters.parked()), asked(letters.clock_skew()));
        (letters.service(), counts, parked, skew.flatten())
    }));
    // At once: one that does not answer must not keep the samples of others.
    let (queues, sagas, payments, letters) =
        join!(asked(state.broker.depths()), sagas, payments, letters);
    let totals = state.tree.totals();
    let mut samples = state.metrics.samples();
    samples.queues.take(queues, now);
    samples.sagas.take(sagas, now);
    samples.payments.take(payments, now);
    for (service, counts, parked, skew) in letters {
        samples.skew.entry(service).or_default().take(skew, now);
        samples.dead_letters.entry(service).or_default().take(counts, now);
        samples.parked.entry(service).or_default().take(parked, now);
    }
    samples.restarts = state.tree.lifecycle().restarts();
    samples.actors.take(Some(totals), now);
}

/// The page, in this format.
///
/// # Errors
/// Never: a string takes everything that is written to it.
pub fn page(state: &State, format: Format) -> Result<String, fmt::Error> {
    let mut page = Page::default();
    live::read(state, &mut page);
    state.metrics.render(page, state.world.now(), format)
}
