//! A server whose rupiah are paid at a fake Midtrans.

use crate::process::fake_midtrans::{FakeMidtrans, FakePage, SERVER_KEY};
use crate::process::server::Server;
use crate::process::setup::Setup;
use crate::process::shop::Shop;
use serde_json::{Value, json};
use std::time::Duration;

/// How long each thing may take that is waited for.
pub const LIMIT: Duration = Duration::from_secs(30);
/// Both ways to lead an order.
pub const FLOWS: [(&str, &str); 2] =
    [("ORDERMILL_FLOW", "orchestrated"), ("ORDERMILL_FLOW", "choreographed")];
/// What an order costs, in rupiah.
pub const TOTAL: i64 = 145_000;
/// Units of each product at the beginning.
pub const STOCK: i64 = 1_000;

/// A server, and the fake Midtrans that it uses.
pub struct Till {
    /// Of the server.
    pub setup: Setup,
    /// Where customers pay.
    pub fake: FakeMidtrans,
    /// None while it does not run.
    pub server: Option<Server>,
}

impl Till {
    /// Starts both, with these settings of the server, and with stock.
    pub async fn open(setup: &Setup, settings: &[(&str, &str)]) -> Self {
        let setup = setup.clone().with_port();
        let fake = FakeMidtrans::start(&setup, SERVER_KEY);
        let mut setup = fake.configures(setup);
        for (name, value) in settings {
            setup = setup.with(name, value);
        }
        let server = Some(setup.start());
        let till = Self { setup, fake, server };
        for product in ["A", "B"] {
            till.shop().stock(product, STOCK).await;
        }
        till
    }

    /// Ends the server in good order and starts it again with other settings.
    pub async fn restart(mut self, settings: &[(&str, &str)]) -> Self {
        self.server.take().expect("it runs").terminate().await;
        for (name, value) in settings {
            self.setup = self.setup.with(name, value);
        }
        self.server = Some(self.setup.start());
        self
    }

    /// A customer of the shop, also while the server does not run.
    pub fn shop(&self) -> Shop {
        Shop::at(&format!("http://{}", self.setup.listen()))
    }

    /// Places an order of two products.
    pub async fn place(&self, method: &str) -> String {
        let items = json!([
            {"product_id": "A", "quantity": 2, "unit_price": 50_000},
            {"product_id": "B", "quantity": 1, "unit_price": 45_000},
        ]);
        let order = json!({
            "customer_id": "ani", "payment_method": method, "currency": "IDR", "items": items,
        });
        self.shop().place(&order).await
    }

    /// The page of an order, as the order shows it.
    pub async fn page_of(&self, id: &str) -> FakePage {
        let path = format!("/orders/{id}?wait=payment_url&timeout=20s");
        let order = self.shop().get(&path).await;
        let url = order["payment"]["payment_url"].as_str();
        self.fake.page_at(url.unwrap_or_else(|| panic!("there is no page: {order:#}")))
    }

    /// An order that is paid and confirmed.
    pub async fn paid(&self, method: &str) -> String {
        let id = self.place(method).await;
        let page = self.page_of(&id).await;
        assert!(self.fake.customer(&page, "pay", method).await);
        self.shop().until(&id, LIMIT, |order| order.status == "CONFIRMED").await;
        id
    }

    /// The payment of an order, as the order shows it.
    pub async fn payment(&self, id: &str) -> Value {
        self.shop().get(&format!("/orders/{id}")).await["payment"].clone()
    }

    /// Waits until the payment of an order is as it should be.
    pub async fn until_payment(&self, id: &str, is_so: impl Fn(&Value) -> bool) {
        let path = format!("/orders/{id}");
        self.shop().until_so(LIMIT, &path, |order| is_so(&order["payment"])).await;
    }

    /// Ends the server in good order: nothing is left to be said.
    pub async fn close(mut self) {
        self.server.take().expect("it runs").terminate().await;
        self.setup.databases().all_messages_were_consumed().await;
    }
}
