//! What the servers say of themselves: how many orders have come to rest, what waits in the queues, how many
//! messages their consumers have taken. Where several serve one shop, each is asked for its own share.

use anyhow::ensure;
use ordermill::demo;
use ordermill::key_arg::KeyArg;
use ordermill_client::Client;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How often the servers are polled for whether everything rests: so exact is the time until then.
const POLL_EVERY: Duration = Duration::from_millis(50);
/// So many polls in a row must find everything at rest: what is committed and not published yet is in no
/// queue.
const QUIET_POLLS: u32 = 4;
/// Actors of which the tree shows more than this have no consumer among them.
const CHILDREN_MAX: &str = "200";

/// The servers of one shop.
pub struct Servers(Vec<Client>);

impl Servers {
    /// The servers at these addresses, at least one.
    pub fn open(urls: &[String]) -> anyhow::Result<Self> {
        ensure!(!urls.is_empty(), "no server");
        let key = KeyArg::from_env();
        Ok(Self(urls.iter().map(|url| demo::client(url, &key)).collect()))
    }

    /// The first of them, for what any can answer.
    pub fn shop(&self) -> &Client {
        &self.0[0]
    }

    /// How many sagas have come to rest since the servers began. None: a server does not say.
    pub async fn settled(&self) -> Option<u64> {
        let mut settled = 0.0;
        for shop in &self.0 {
            settled += counted(&shop.metrics().await.ok()?, "saga_total");
        }
        Some(settled as u64)
    }

    /// How many messages each queue's consumers have taken so far.
    pub async fn deliveries(&self) -> anyhow::Result<BTreeMap<String, u64>> {
        let mut deliveries = BTreeMap::new();
        for shop in &self.0 {
            let mut actors = shop.actors(&[("limit", CHILDREN_MAX)]).await?.actors;
            while let Some(actor) = actors.pop() {
                if actor.kind == "consumer" {
                    *deliveries.entry(actor.name).or_default() += actor.handled;
                }
                actors.extend(actor.children);
            }
        }
        Ok(deliveries)
    }

    /// Waits until no order is under way, and no message waits anywhere. Says since when.
    pub async fn rest(&self, within: Duration) -> anyhow::Result<Instant> {
        let until = Instant::now() + within;
        let (mut since, mut looks) = (Instant::now(), 0);
        loop {
            let looked = Instant::now();
            if self.rests().await? {
                since = if looks == 0 { looked } else { since };
                looks += 1;
            } else {
                looks = 0;
            }
            if looks == QUIET_POLLS {
                return Ok(since);
            }
            ensure!(
                Instant::now() < until,
                "orders or messages are still in progress after {} s",
                within.as_secs()
            );
            sleep(POLL_EVERY).await;
        }
    }

    async fn rests(&self) -> anyhow::Result<bool> {
        for status in ["IN_PROGRESS", "COMPENSATING"] {
            if self.shop().has_sagas(status).await? {
                return Ok(false);
            }
        }
        for shop in &self.0 {
            if shop.queues().await?.iter().any(|queue| queue.ready + queue.unacked > 0) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// The sum of a metric over all its labels, in the text format of Prometheus.
fn counted(text: &str, metric: &str) -> f64 {
    let of_metric = |line: &&str| {
        let rest = line.strip_prefix(metric);
        rest.is_some_and(|rest| rest.starts_with(['{', ' ']))
    };
    let value = |line: &str| line.rsplit_once(' ')?.1.parse::<f64>().ok();
    text.lines().filter(of_metric).filter_map(value).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_is_summed_over_its_labels() {
        let text = "# TYPE saga_total counter\nsaga_total{status=\"COMPLETED\"} 12\n\
                    saga_total{status=\"COMPENSATED\"} 3\nsaga_total_seconds 9\n";
        assert_eq!(counted(text, "saga_total"), 15.0);
        assert_eq!(counted("", "saga_total"), 0.0);
    }
}
