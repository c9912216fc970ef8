//! Server-sent events of orders: each stream polls its order's history, gently.

use crate::api::followers::Follower;
use crate::api::limits::STREAMS_MAX;
use crate::api::problem::Problem;
use crate::api::state::State;
use crate::api::views::HistoryView;
use futures::Stream;
use futures::stream::unfold;
use ordermill_actors::order::OrderReads;
use ordermill_actors::ports::ReadError;
use ordermill_domain::ids::OrderId;
use ordermill_domain::order::facts::Fact;
use ordermill_domain::order::payment_news::PaymentFact;
use ordermill_domain::order::{HistoryRow, OrderStatus};
use poem::web::sse::Event;
use poem_openapi::types::ToJSON;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::sync::mpsc;

/// One event of a stream.
pub type StreamEvent = Event;

/// How often histories are looked at, all streams' in one query.
pub const POLL_EVERY: Duration = Duration::from_millis(200);

/// Rows that one look brings.
const ROWS_MAX: u32 = 10_000;

/// Rows that wait for a slow client; one that is slower is cut off, and may come back with `Last-Event-ID`.
const WAITING_MAX: usize = 256;

/// True when nothing comes after a status.
pub fn is_end(status: OrderStatus) -> bool {
    matches!(status, OrderStatus::Cancelled | OrderStatus::Completed)
}

/// The name of an event at which the order's status did not change: only its saga went on.
pub const STEP: &str = "step";

/// The name of a row's event, given the status before it. A listener of a status hears each change to it
/// once, wherever its stream begins: the name follows from the history alone.
fn name_of(row: &HistoryRow, before: Option<OrderStatus>) -> &'static str {
    if before == Some(row.status) { STEP } else { row.status.as_str() }
}

/// The events of an order from a sequence on.
pub fn stream(
    state: &State,
    order: OrderId,
    from: u32,
) -> Result<impl Stream<Item = StreamEvent> + Send + use<>, Problem> {
    // From the row before: it names the first event, and is not told.
    let receiver = follow(state, order, from.saturating_sub(1))?;
    let state = state.clone();
    Ok(unfold((receiver, None, state), move |(mut receiver, mut before, state)| async move {
        if before.is_some_and(is_end) {
            return None;
        }
        loop {
            let row = state.stop.run_until_cancelled(receiver.recv()).await??;
            let name = name_of(&row, before.replace(row.status));
            if row.sequence < from {
                continue;
            }
            let event = StreamEvent::message(view(&state, &row).await.to_json_string())
                .event_type(name)
                .id(row.sequence.to_string());
            return Some((event, (receiver, before, state)));
        }
    }))
}

/// The rows of an order's history from a sequence on, as they are written.
pub fn follow(
    state: &State,
    order: OrderId,
    from: u32,
) -> Result<mpsc::Receiver<HistoryRow>, Problem> {
    let (rows, receiver) = mpsc::channel(WAITING_MAX);
    let mut followers = state.followers().open();
    if followers.len() >= STREAMS_MAX {
        return Err(Problem::unavailable(
            "too many open event streams; close one, or retry later",
            Duration::from_secs(5),
        ));
    }
    let key = followers.keys().max().map_or(0, |key| key + 1);
    followers.insert(key, Follower { order, next: from, rows });
    Ok(receiver)
}

/// A row as the order's own stream tells it: with the page that it is about, while the order can be paid there.
async fn view(state: &State, row: &HistoryRow) -> HistoryView {
    let view = HistoryView::from(row);
    let is_page = |fact: &Fact| matches!(fact, Fact::Payment(PaymentFact::Page(_)));
    if !row.facts.iter().any(is_page) {
        return view;
    }
    let Ok(order) = state.services.order() else { return view };
    // A page that cannot be read now is read with the order.
    let Ok(Some(saga)) = order.reads.order(row.order_id).await else { return view };
    view.with_page(saga.payment(state.world.now()).page)
}

/// Looks at the histories of all followed orders, once. Called each [`POLL_EVERY`].
pub async fn look(state: State) {
    let since: Vec<(OrderId, u32)> = {
        let followers = state.followers().open();
        followers.values().map(|follower| (follower.order, follower.next)).collect()
    };
    if since.is_empty() {
        return;
    }
    let Ok(order) = state.services.order() else { return };
    let (rows, unreadable) = read(order.reads, &since).await;
    let mut followers = state.followers().lock();
    followers.retain(|_, follower| {
        !unreadable.contains(&follower.order)
            && rows.iter().filter(|row| row.order_id == follower.order).all(|row| {
                if row.sequence < follower.next {
                    return true;
                }
                follower.next = row.sequence + 1;
                follower.rows.try_send(row.clone()).is_ok()
            })
    });
}

/// The rows that followers wait for, and the orders whose rows cannot be read: their streams end, the others
/// go on.
async fn read(
    reads: &dyn OrderReads,
    since: &[(OrderId, u32)],
) -> (Vec<HistoryRow>, BTreeSet<OrderId>) {
    let mut unreadable = BTreeSet::new();
    match reads.history(since, ROWS_MAX).await {
        Ok(rows) => return (rows, unreadable),
        Err(ReadError::Away(_)) => return (Vec::new(), unreadable),
        Err(ReadError::Unreadable(_)) => {}
    }
    let mut rows = Vec::new();
    for one in since {
        match reads.history(std::slice::from_ref(one), ROWS_MAX).await {
            Ok(more) => rows.extend(more),
            Err(ReadError::Away(_)) => {}
            Err(error @ ReadError::Unreadable(_)) => {
                tracing::error!(service = "http", order_id = %one.0, %error, "order event stream ended");
                unreadable.insert(one.0);
            }
        }
    }
    (rows, unreadable)
}
