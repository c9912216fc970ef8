//! What the services say of the orders once they rest: whether they agree, and what was paid.

use super::catalogue::Catalogue;
use super::customer::CustomerRun;
use super::shop::Shop;
use super::views::OrdersPage;
use crate::check::{self, Outcome, Remote, Scope};
use ordermill_domain::ids::{OrderId, ProductId};
use std::time::Duration;
use uuid::Uuid;

/// How long an order must not have moved before what differs counts: all of them rest.
const SETTLE: Duration = Duration::from_secs(2);
/// Entries asked for at once.
const PAGE: usize = 100;
/// Pages read at most: a cursor that goes round in circles must not go round for ever.
const PAGES_MAX: usize = 10_000;

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
    url: &str,
    catalogue: &Catalogue,
    runs: &[CustomerRun],
) -> anyhow::Result<OrderRecords> {
    let urls = [url.to_owned()];
    let ids = runs.iter().filter_map(|run| Uuid::try_parse(run.order_id.as_ref()?).ok());
    let products = catalogue.products().map(|product| ProductId::from(product.sku.as_str()));
    let scope = Scope::of(ids.map(OrderId), products);
    let outcome = check::of_servers(&urls, &scope, SETTLE).await?;
    let payments = Remote::open(&urls).await?.payments(&scope).await?;
    let sum = |of: fn(&check::PaymentRecord) -> Option<i64>| payments.iter().filter_map(of).sum();
    Ok(OrderRecords {
        outcome,
        captured: sum(|payment| Some(payment.captured?.minor)),
        refunded: sum(|payment| Some(payment.refunded?.minor)),
    })
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
