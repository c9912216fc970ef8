//! What the servers say of themselves: how many orders have come to rest, what waits in the queues, how many
//! messages their consumers have taken. Where several serve one shop, each is asked for its own share.

use anyhow::{Context, ensure};
use ordermill::demo::shop::Shop;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How often the servers are polled for whether everything rests: so exact is the time until then.
const POLL_EVERY: Duration = Duration::from_millis(50);
/// So many polls in a row must find everything at rest: what is committed and not published yet is in no
/// queue.
const QUIET_POLLS: u32 = 4;
/// Actors of which the tree shows more than this have no consumer among them.
const CHILDREN_MAX: usize = 200;

/// The servers of one shop.
pub struct Servers {
    http: reqwest::Client,
    urls: Vec<String>,
    shops: Vec<Shop>,
}

#[derive(Deserialize)]
struct Sagas {
    sagas: Vec<IgnoredAny>,
}

#[derive(Deserialize)]
struct Queues {
    queues: Vec<Queue>,
}

#[derive(Deserialize)]
struct Queue {
    ready: u64,
    unacked: u64,
}

#[derive(Deserialize)]
struct Actors {
    actors: Vec<Actor>,
}

#[derive(Deserialize)]
struct Actor {
    kind: String,
    name: String,
    handled: u64,
    children: Vec<Actor>,
}

impl Servers {
    /// The servers at these addresses, at least one.
    pub fn open(urls: &[String]) -> anyhow::Result<Self> {
        ensure!(!urls.is_empty(), "no server");
        let shops = urls.iter().map(|url| Shop::open(url)).collect::<anyhow::Result<_>>()?;
        let http = reqwest::Client::builder().no_proxy().build()?;
        Ok(Self { http, urls: urls.to_vec(), shops })
    }

    /// The first of them, for what any can answer.
    pub fn shop(&self) -> &Shop {
        &self.shops[0]
    }

    /// How many sagas have come to rest since the servers began. None: a server does not say.
    pub async fn settled(&self) -> Option<u64> {
        let mut settled = 0.0;
        for url in &self.urls {
            let text =
                self.http.get(format!("{url}/metrics")).send().await.ok()?.text().await.ok()?;
            settled += counted(&text, "saga_total");
        }
        Some(settled as u64)
    }

    /// How many messages each queue's consumers have taken so far.
    pub async fn deliveries(&self) -> anyhow::Result<BTreeMap<String, u64>> {
        let mut deliveries = BTreeMap::new();
        for shop in &self.shops {
            let tree = shop.get::<Actors>(&format!("/admin/actors?limit={CHILDREN_MAX}")).await?;
            let mut actors = tree.context("the server has no actor tree")?.actors;
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
            let path = format!("/admin/sagas?status={status}&limit=1");
            let open = self
                .shop()
                .get::<Sagas>(&path)
                .await?
                .context("the server has no list of sagas")?;
            if !open.sagas.is_empty() {
                return Ok(false);
            }
        }
        for shop in &self.shops {
            let queues = shop
                .get::<Queues>("/admin/queues")
                .await?
                .context("the server has no list of queues")?;
            if queues.queues.iter().any(|queue| queue.ready + queue.unacked > 0) {
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
