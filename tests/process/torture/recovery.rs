//! How soon orders go through again after a server was killed.

use crate::process::customers::{CustomerResults, Request};
use crate::process::shop::{Order, Shop, order};
use reqwest::{Method, StatusCode};
use std::time::{Duration, Instant};

/// An order goes through: placed and CONFIRMED within this time.
const SETTLES_WITHIN: Duration = Duration::from_secs(1);
/// How often somebody tries.
const TRY_EVERY: Duration = Duration::from_millis(20);
/// The longest that it may take.
const LIMIT: Duration = Duration::from_secs(90);
/// How long an answer is waited for before another is asked for.
const ANSWER_LIMIT: Duration = Duration::from_millis(500);

/// A server's death and what came after, both counted from its death.
#[derive(Clone, Copy, Debug)]
pub struct Recovery {
    /// Until it answered again.
    pub away: Duration,
    /// Until the first order was through that had taken a second at most.
    pub settled: Duration,
}

impl Recovery {
    /// From when the server answered to when orders were through.
    pub fn after(&self) -> Duration {
        self.settled.saturating_sub(self.away)
    }
}

/// Tries until an order goes through: when it was CONFIRMED, and what was asked for.
pub async fn settled(shop: &Shop, name: &str) -> (Instant, CustomerResults) {
    let shop = shop.clone().waiting_at_most(ANSWER_LIMIT);
    let begun = Instant::now();
    let mut results = CustomerResults::default();
    for number in 0_u64.. {
        let key = format!("{name}-{number}");
        let body = order(&key, &[("A", 1)], "credit_card");
        let placed = Instant::now();
        let answer = shop.once(Method::POST, "/orders", Some(&body), Some(&key)).await;
        let request = Request { key, body };
        match answer {
            Ok((StatusCode::CREATED, body)) => {
                let id = body["order_id"].as_str().expect("a 201 has an order's id").to_owned();
                let confirmed = is_confirmed(&shop, &id, placed).await;
                results.accepted.push((request, id));
                if confirmed {
                    break;
                }
            }
            Ok((StatusCode::SERVICE_UNAVAILABLE, _)) | Err(_) => results.open.push(request),
            Ok((status, body)) => panic!("a good order was answered {status}: {body}"),
        }
        assert!(begun.elapsed() < LIMIT, "no order goes through within {LIMIT:?}");
        tokio::time::sleep(TRY_EVERY).await;
    }
    (Instant::now(), results)
}

async fn is_confirmed(shop: &Shop, id: &str, placed: Instant) -> bool {
    while placed.elapsed() < SETTLES_WITHIN {
        let path = format!("/orders/{id}");
        if let Ok((StatusCode::OK, answer)) = shop.once(Method::GET, &path, None, None).await
            && serde_json::from_value::<Order>(answer)
                .is_ok_and(|order| order.status == "CONFIRMED")
        {
            return true;
        }
        tokio::time::sleep(TRY_EVERY).await;
    }
    false
}
