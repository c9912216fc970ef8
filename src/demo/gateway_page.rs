//! The page of the simulated gateway, where a customer pays or does not.

use anyhow::{Context, ensure};
use ordermill_client::{Client, Error, Method, StatusCode};
use uuid::Uuid;

/// Where the pages are, at the shop's own address.
const PATH: &str = "/simulated-gateway/pages/";

/// A page at which an order can be paid.
pub(super) struct GatewayPage {
    path: String,
}

/// Whether the shop serves such pages.
pub(super) async fn are_served(shop: &Client) -> Result<bool, Error> {
    // No payment has this name: the pages say so as HTML, and a shop without pages as JSON.
    let answer = shop.ask(shop.request(Method::GET, &format!("{PATH}none"))).await?;
    Ok(answer.text.contains("<html"))
}

/// The page of an order, once there is one.
pub(super) async fn open(shop: &Client, id: Uuid) -> anyhow::Result<GatewayPage> {
    let order = shop.order_with_page(id).await;
    let order = order.with_context(|| format!("GET /orders/{id}?wait=payment_url"))?;
    let url = order.payment.and_then(|payment| payment.payment_url);
    let url = url.context("the order has no page where it can be paid")?;
    // The link has the address under which the shop knows itself; the demo knows a way to it.
    let key = url.rsplit('/').next().unwrap_or_default();
    Ok(GatewayPage { path: format!("{PATH}{key}") })
}

impl GatewayPage {
    /// Presses a button: `pay` or `leave`. A page that has ended says so, and it counts all the same where money comes
    /// late.
    pub(super) async fn choose(&self, shop: &Client, choice: &str) -> anyhow::Result<()> {
        let request = shop.request(Method::POST, &self.path);
        let form = request
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body(format!("choice={choice}"));
        let status = shop.ask(form).await.context("the gateway's page")?.status;
        let is_taken = status.is_success() || status == StatusCode::GONE;
        ensure!(is_taken, "the gateway's page answered {status}");
        Ok(())
    }
}
