//! What the services say of each order once it rests: its payment, its audit trail, and what its
//! customer was told.

use super::catalogue::Catalogue;
use super::customer::Story;
use super::fate::Ending;
use super::shop::Shop;
use super::views::{AuditPage, NotificationsPage, OrdersPage, PaymentView};
use std::time::Duration;
use tokio::time::Instant;

/// How long the last event may take to reach audit and notifications. Under load their consumers
/// lag behind the orders.
const PAPERS_LIMIT: Duration = Duration::from_secs(20);
/// How often they are looked for until then.
const LOOK_AGAIN: Duration = Duration::from_millis(200);
/// Entries asked for at once: an order has fewer than thirty.
const PAGE: usize = 100;
/// Pages read at most: a cursor that goes round in circles must not go round for ever.
const PAGES_MAX: usize = 10_000;

/// One order's papers.
#[derive(Default)]
pub(crate) struct Papers {
    pub(crate) payment: PaymentView,
    /// The audited events, by name.
    pub(crate) audit: Vec<String>,
    /// What the customer was told, by type.
    pub(crate) told: Vec<String>,
    /// Why they could not be read.
    pub(crate) trouble: Option<String>,
}

impl Papers {
    /// What is missing from the audit trail and the notifications of an order that ended so.
    pub(crate) fn missing(&self, ending: &Ending) -> Vec<String> {
        let mut missing = Vec::new();
        for event in ["order.created", last_event(ending)] {
            if !self.audit.iter().any(|audited| audited == event) {
                missing.push(format!("{event} is not audited"));
            }
        }
        let mut kinds: Vec<_> = self.told.iter().collect();
        kinds.sort_unstable();
        kinds.dedup();
        if kinds.len() < 2 {
            missing.push("its customer was not told of its beginning and its end".to_owned());
        } else if kinds.len() < self.told.len() {
            missing.push("its customer was told something twice".to_owned());
        }
        missing
    }
}

fn last_event(ending: &Ending) -> &'static str {
    match ending {
        Ending::Confirmed => "order.confirmed",
        Ending::Shipped => "order.shipped",
        Ending::Completed => "order.completed",
        Ending::Cancelled(_) => "order.cancelled",
        Ending::Lost(_) => "order.created",
    }
}

/// Reads a story's papers, if it came to an order.
pub(super) async fn read(shop: &Shop, story: &Story) -> Papers {
    match &story.order_id {
        Some(id) => read_of(shop, id, &story.ending).await,
        None => Papers::default(),
    }
}

/// Reads the papers of an order that ended so, again until they are complete or time is up.
pub(crate) async fn read_of(shop: &Shop, id: &str, ending: &Ending) -> Papers {
    let until = Instant::now() + PAPERS_LIMIT;
    loop {
        let papers = read_once(shop, id).await.unwrap_or_else(|error| Papers {
            trouble: Some(format!("{error:#}")),
            ..Papers::default()
        });
        let complete = papers.trouble.is_some() || papers.missing(ending).is_empty();
        if complete || Instant::now() >= until {
            return papers;
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

async fn read_once(shop: &Shop, id: &str) -> anyhow::Result<Papers> {
    // No payment is no money: an order may end before anybody asked for any.
    let payment = shop.get::<PaymentView>(&format!("/payments/{id}")).await?.unwrap_or_default();
    let told = shop
        .get::<NotificationsPage>(&format!("/notifications?order_id={id}&limit={PAGE}"))
        .await?
        .map_or_else(Vec::new, |page| page.notifications);
    Ok(Papers {
        payment,
        audit: audit(shop, id).await?,
        told: told.into_iter().map(|notification| notification.kind).collect(),
        trouble: None,
    })
}

async fn audit(shop: &Shop, id: &str) -> anyhow::Result<Vec<String>> {
    let mut events = Vec::new();
    let mut cursor = String::new();
    for _ in 0..PAGES_MAX {
        let path = format!("/audit?order_id={id}&limit={PAGE}{cursor}");
        let Some(page) = shop.get::<AuditPage>(&path).await? else { break };
        events.extend(page.entries.into_iter().map(|entry| entry.event_type));
        match page.next_cursor {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    Ok(events)
}

/// How many orders the shop lists for this run's customers.
pub(super) async fn listed(shop: &Shop, catalogue: &Catalogue) -> anyhow::Result<usize> {
    let mut listed = 0;
    let whose = [
        format!("customer_id={}", catalogue.customer_id),
        format!("user_id={}", catalogue.user_id),
    ];
    for whose in whose {
        let mut cursor = String::new();
        for _ in 0..PAGES_MAX {
            let path = format!("/orders?{whose}&limit={PAGE}{cursor}");
            let Some(page) = shop.get::<OrdersPage>(&path).await? else { break };
            listed += page.orders.len();
            match page.next_cursor {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
    }
    Ok(listed)
}
