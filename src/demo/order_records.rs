//! What the services say of the orders once they rest: whether they agree, and what was paid.

use super::DemoOptions;
use super::catalogue::Catalogue;
use super::customer::CustomerRun;
use crate::check::{self, Outcome, Remote, Scope};
use ordermill_client::{Client, Error};
use ordermill_domain::ids::{OrderId, ProductId};
use serde::de::IgnoredAny;
use std::time::Duration;

/// How long an order must not have moved before what differs counts: all of them rest.
const SETTLE: Duration = Duration::from_secs(2);
/// Orders counted at most: a cursor that goes round in circles must not go round for ever.
const LISTED_MAX: usize = 1_000_000;

/// What the services say.
#[derive(Default)]
pub(super) struct OrderRecords {
    /// Whether they agree.
    pub(super) outcome: Outcome,
    /// What was taken from customers, in cents.
    pub(super) captured: i64,
    /// What was given back, in cents.
    pub(super) refunded: i64,
}

/// Reads the services' records of these runs, as far as they came to an order.
pub(super) async fn read(
    options: &DemoOptions,
    catalogue: &Catalogue,
    runs: &[CustomerRun],
) -> anyhow::Result<OrderRecords> {
    let urls = [options.url.clone()];
    let ids = runs.iter().filter_map(|run| run.order_id);
    let products = catalogue.products().map(|product| ProductId::from(product.sku.as_str()));
    let scope = Scope::of(ids.map(OrderId), products);
    let outcome = check::of_servers(&urls, &options.key, &scope, SETTLE).await?;
    let payments = Remote::open(&urls, &options.key).await?.payments(&scope).await?;
    let sum = |of: fn(&check::PaymentRecord) -> Option<i64>| payments.iter().filter_map(of).sum();
    Ok(OrderRecords {
        outcome,
        captured: sum(|payment| Some(payment.captured?.minor)),
        refunded: sum(|payment| Some(payment.refunded?.minor)),
    })
}

/// How many orders the shop lists for this run's customers.
pub(super) async fn listed(shop: &Client, catalogue: &Catalogue) -> Result<usize, Error> {
    let user_id = catalogue.user_id.to_string();
    let mut listed = 0;
    for whose in [("customer_id", catalogue.customer_id.as_str()), ("user_id", &user_id)] {
        listed += shop.list::<IgnoredAny>("/orders", &[whose], LISTED_MAX).await?.entries.len();
    }
    Ok(listed)
}
