//! Posts notifications, and posts them again by the documented schedule.

use super::shared::Shared;
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode};
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// How long the merchant has to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);

/// Redirects that are followed at most; only 307 and 308 are.
const REDIRECTS_MAX: usize = 5;

/// How often it looks whether a notification is due: a test's clock wakes nobody.
const LOOKS_EVERY: Duration = Duration::from_millis(10);

/// The client that posts.
pub(super) fn client() -> io::Result<Client> {
    let redirects = Policy::custom(|attempt| {
        let keeps_method = [StatusCode::TEMPORARY_REDIRECT, StatusCode::PERMANENT_REDIRECT];
        let is_followed = keeps_method.contains(&attempt.status());
        if is_followed && attempt.previous().len() <= REDIRECTS_MAX {
            attempt.follow()
        } else {
            attempt.stop()
        }
    });
    let client = Client::builder().timeout(ANSWER_WITHIN).redirect(redirects).no_proxy().build();
    client.map_err(io::Error::other)
}

/// Posts what is due, one after the other, for ever.
pub(super) async fn run(shared: Arc<Shared>, client: Client) {
    loop {
        let due = {
            let mut state = shared.state();
            let now = shared.clock.now();
            state.tick(now);
            state.notify.clone().zip(state.notifications.due(now))
        };
        let Some((url, (number, body))) = due else {
            tokio::time::sleep(LOOKS_EVERY).await;
            continue;
        };
        let request = client.post(url).header("content-type", "application/json").body(body);
        let answer = request.send().await.ok().map(|answer| answer.status().as_u16());
        shared.state().notifications.answered(shared.clock.now(), number, answer);
    }
}
