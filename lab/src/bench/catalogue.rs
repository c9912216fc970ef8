//! What is sold in one run, under names that no other run has, and the orders for it.

use anyhow::Context;
use ordermill::demo::run_number;
use ordermill_client::Client;
use serde::Serialize;

/// Customers that the orders of a run are spread over: their orders are read as so many lists, side by
/// side.
const CUSTOMERS: u64 = 64;
/// What one unit costs.
const PRICE: f64 = 9.99;

/// The products of a run.
#[derive(Debug)]
pub struct Catalogue {
    run: String,
    products: Vec<String>,
    lines: usize,
}

/// A request for an order.
#[derive(Serialize)]
struct Request<'a> {
    customer_id: &'a str,
    payment_method: &'static str,
    items: Vec<Item<'a>>,
}

#[derive(Serialize)]
struct Item<'a> {
    product_id: &'a str,
    quantity: u32,
    unit_price: f64,
}

impl Catalogue {
    /// So many products, and orders of so many lines, each of another product.
    pub fn new(products: usize, lines: usize) -> Self {
        let run = format!("{:08x}", run_number());
        let products = (0..products).map(|number| format!("BENCH-{run}-{number}")).collect();
        Self { run, products, lines }
    }

    /// The products' ids.
    pub fn products(&self) -> &[String] {
        &self.products
    }

    /// Puts so many units of each product in stock.
    pub async fn stock(&self, shop: &Client, units: i64) -> anyhow::Result<()> {
        for product in &self.products {
            shop.stock(product, units).await.context("stocking the products failed")?;
        }
        Ok(())
    }

    /// Everybody who buys, in this phase of the run.
    pub fn customers(&self, phase: &str) -> Vec<String> {
        (0..CUSTOMERS).map(|number| self.customer(phase, number)).collect()
    }

    /// The request of one order. Those next to each other want other products, of other customers.
    pub fn request(&self, phase: &str, number: u64) -> Vec<u8> {
        let count = self.products.len();
        let first = number as usize % count;
        let item = |line: usize| Item {
            product_id: &self.products[(first + line) % count],
            quantity: 1,
            unit_price: PRICE,
        };
        let customer = self.customer(phase, number % CUSTOMERS);
        let request = Request {
            customer_id: &customer,
            payment_method: "credit_card",
            items: (0..self.lines).map(item).collect(),
        };
        serde_json::to_vec(&request).expect("strings and numbers are JSON")
    }

    fn customer(&self, phase: &str, number: u64) -> String {
        format!("bench-{}-{phase}-{number}", self.run)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn an_order_has_lines_of_different_products_and_a_listed_customer() {
        let catalogue = Catalogue::new(3, 2);
        let body: Value = serde_json::from_slice(&catalogue.request("main", 5)).unwrap();
        let items = body["items"].as_array().unwrap();
        let names: Vec<_> = items.iter().map(|item| item["product_id"].as_str().unwrap()).collect();
        assert_eq!(names, [&*catalogue.products()[2], &*catalogue.products()[0]]);
        assert!(catalogue.customers("main").iter().any(|name| body["customer_id"] == **name));
        assert_eq!(items[0]["unit_price"].to_string(), "9.99");
    }
}
