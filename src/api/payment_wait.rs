//! Waits until an order has a page where it can be paid, or will have none: `GET /orders/{id}?wait=payment_url`.
//!
//! The order's history is followed as the event stream follows it, whichever process runs the order's saga.

use crate::api::events;
use crate::api::problem::Problem;
use crate::api::state::State;
use ordermill_actors::order::AskError;
use ordermill_domain::ids::OrderId;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// How long is waited when nothing is asked for: a gateway makes a page within some 100 ms.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The longest wait: below the time after which proxies close a request that is silent.
const TIMEOUT_MAX: Duration = Duration::from_secs(30);

/// The only thing that can be waited for.
const PAYMENT_URL: &str = "payment_url";

/// How long a request wants to wait. None: not at all.
///
/// # Errors
/// When it waits for anything else, or for longer than [`TIMEOUT_MAX`].
pub fn longest(wait: Option<&str>, timeout: Option<&str>) -> Result<Option<Duration>, Problem> {
    match (wait, timeout) {
        (None, None) => Ok(None),
        (None, Some(_)) => {
            let message = format!("only with wait={PAYMENT_URL}");
            Err(Problem::bad_parameter("timeout", message))
        }
        (Some(PAYMENT_URL), timeout) => duration(timeout).map(Some),
        (Some(_), _) => Err(Problem::bad_parameter("wait", format!("must be `{PAYMENT_URL}`"))),
    }
}

fn duration(timeout: Option<&str>) -> Result<Duration, Problem> {
    let Some(text) = timeout else { return Ok(TIMEOUT) };
    let duration = humantime::parse_duration(text).ok().filter(|wanted| *wanted <= TIMEOUT_MAX);
    duration.ok_or_else(|| {
        let longest = humantime::format_duration(TIMEOUT_MAX);
        let message = format!("must be a duration of at most {longest}, for example `5s`");
        Problem::bad_parameter("timeout", message)
    })
}

/// Waits until the order has a page, or can have none any more, or the time is over, or the server stops.
pub async fn wait(state: &State, order: OrderId, longest: Duration) -> Result<(), Problem> {
    let until = Instant::now() + longest;
    if is_decided(state, order).await? {
        return Ok(());
    }
    // From the first row on: what is written between the look above and the next poll is not missed.
    let mut rows = events::follow(state, order, 0)?;
    loop {
        let next = state.stop.run_until_cancelled(timeout_at(until, rows.recv())).await;
        let Some(Ok(Some(_))) = next else { return Ok(()) };
        // Rows that came together are looked at together.
        while rows.try_recv().is_ok() {}
        if is_decided(state, order).await? {
            return Ok(());
        }
    }
}

/// True when there is a page, or none can come.
async fn is_decided(state: &State, order: OrderId) -> Result<bool, Problem> {
    let saga = state.services.order()?.reads.order(order).await?.ok_or(AskError::NotFound)?;
    Ok(saga.payment(state.world.now()).page.is_some() || !saga.may_get_page())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_page_is_waited_for_and_30_s_at_most() {
        let read = |wait, timeout| longest(wait, timeout).ok();
        assert_eq!(read(None, None), Some(None));
        assert_eq!(read(Some("payment_url"), None), Some(Some(Duration::from_secs(5))));
        assert_eq!(read(Some("payment_url"), Some("30s")), Some(Some(TIMEOUT_MAX)));
        assert_eq!(
            read(Some("payment_url"), Some("250ms")),
            Some(Some(Duration::from_millis(250)))
        );
        let bad = [
            (None, Some("5s")),
            (Some("parcel"), None),
            (Some("payment_url"), Some("31s")),
            (Some("payment_url"), Some("5")),
            (Some("payment_url"), Some("-1s")),
            (Some("payment_url"), Some("")),
        ];
        for (wait, timeout) in bad {
            assert_eq!(read(wait, timeout), None, "{wait:?} {timeout:?}");
        }
    }
}
