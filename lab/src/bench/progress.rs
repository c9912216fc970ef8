//! How far a run is: a moving bar on a terminal, a line now and then elsewhere.

use super::load::Extent;
use super::servers::Servers;
use indicatif::{ProgressBar, ProgressStyle};
use ordermill::output::{self, STDERR};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::time::{Instant, interval};

/// How often the bar moves. What is settled is asked of the server as often: a page of text.
const MOVE_EVERY: Duration = Duration::from_secs(1);
/// Elsewhere than on a terminal a line is written each time so many of those have passed.
const MOVES_A_LINE: u64 = 2;

/// Shows accepted and settled orders a second, until it is dropped.
pub async fn tick(what: &str, extent: Extent, servers: &Servers, accepted: &Arc<AtomicU64>) {
    let length = match extent {
        Extent::For(duration) => duration.as_secs().max(1),
        Extent::Orders(orders) => orders,
    };
    let bar = STDERR.is_terminal().then(|| bar(length));
    let (began, mut moves) = (Instant::now(), interval(MOVE_EVERY));
    let mut settled = servers.settled().await.unwrap_or_default();
    let (mut accepted_before, mut count) = (accepted.load(Relaxed), 0);
    moves.tick().await;
    loop {
        moves.tick().await;
        let [now, settled_now] =
            [accepted.load(Relaxed), servers.settled().await.unwrap_or(settled)];
        let text = format!(
            "{what}: {} accepted/s, {} settled/s",
            now - accepted_before,
            settled_now.saturating_sub(settled)
        );
        (accepted_before, settled, count) = (now, settled_now, count + 1);
        let position = match extent {
            Extent::For(_) => began.elapsed().as_secs(),
            Extent::Orders(_) => now,
        };
        match &bar {
            Some(bar) => {
                bar.set_message(text);
                bar.set_position(position.min(length));
            }
            None if count % MOVES_A_LINE == 0 => ordermill::note!("  {position}/{length} {text}"),
            None => {}
        }
    }
}

/// A bar that is gone when it is dropped.
fn bar(length: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("  {bar:30.green} {pos:>6}/{len} {msg}")
        .expect("the template names only what there is");
    let finish = indicatif::ProgressFinish::AndClear;
    ProgressBar::with_draw_target(Some(length), output::bar::target())
        .with_style(style)
        .with_finish(finish)
}
