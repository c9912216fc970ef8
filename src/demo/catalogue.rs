//! The products of one run, and the stock that they stand on.

use super::currency::CURRENCY;
use super::scenario::{Scenario, last_units};
use ordermill_client::{Client, Error, ProductStock};
use ordermill_domain::money::Money;
use std::collections::BTreeMap;
use uuid::Uuid;

/// More units than one order ever wants of a plentiful product.
const UNITS_AN_ORDER: usize = 4;

/// A product of this run.
pub(super) struct Product {
    /// The name that no other run has.
    pub(super) sku: String,
    /// The price of one, in cents.
    pub(super) price_minor: i64,
    /// How many stand in stock at first.
    pub(super) initial: i64,
}

/// Everything that is sold in this run, and who buys.
pub(super) struct Catalogue {
    /// What tells this run from others.
    pub(super) run: String,
    /// Who places the orders.
    pub(super) customer_id: String,
    /// Who places those in the short form, whose customers are numbers.
    pub(super) user_id: u32,
    /// Plenty of it.
    pub(super) mug: Product,
    /// Plenty of it.
    pub(super) shirt: Product,
    /// Plenty of it.
    pub(super) book: Product,
    /// A few, wanted by many.
    pub(super) last: Product,
    /// One, and only ever asked for in twos.
    pub(super) rare: Product,
}

impl Catalogue {
    /// The products for these orders, under names of their own.
    pub(super) fn for_run(scenarios: &[Scenario]) -> Self {
        let number = run_number();
        let run = format!("{number:08x}");
        let plenty = (scenarios.len() * UNITS_AN_ORDER).max(1_000) as i64;
        let wanted = scenarios.iter().filter(|scenario| **scenario == Scenario::LastUnits).count();
        let product = |name: &str, price_minor: i64, initial: i64| Product {
            sku: format!("DEMO-{run}-{name}"),
            price_minor,
            initial,
        };
        Self {
            customer_id: format!("demo-{run}"),
            user_id: number,
            mug: product("MUG", 1_250, plenty),
            shirt: product("SHIRT", 2_499, plenty),
            book: product("BOOK", 4_990, plenty),
            last: product("LAST", 19_900, last_units(wanted.max(1)) as i64),
            rare: product("RARE", 85_000, 1),
            run,
        }
    }

    /// A product that is not stocked.
    pub(super) fn unknown_sku(&self) -> String {
        format!("DEMO-{}-NOWHERE", self.run)
    }

    /// Everything that is stocked.
    pub(super) fn products(&self) -> [&Product; 5] {
        [&self.mug, &self.shirt, &self.book, &self.last, &self.rare]
    }

    /// Puts the products on the stock.
    pub(super) async fn stock(&self, shop: &Client) -> Result<(), Error> {
        for Product { sku, initial, .. } in self.products() {
            shop.stock(sku, *initial).await?;
        }
        Ok(())
    }

    /// What stands on the stock now, by product.
    pub(super) async fn load_stock(
        &self,
        shop: &Client,
    ) -> Result<BTreeMap<String, ProductStock>, Error> {
        let mut products = BTreeMap::new();
        for Product { sku, .. } in self.products() {
            products.insert(sku.clone(), shop.product(sku).await?);
        }
        Ok(products)
    }
}

/// A number that no other run has.
#[expect(clippy::disallowed_methods, reason = "a name for this run; nothing is decided by it")]
pub fn run_number() -> u32 {
    Uuid::now_v7().as_u128() as u32
}

/// Cents as they are written in JSON and in the report.
pub(super) fn decimal(minor: i64) -> String {
    Money { minor, currency: CURRENCY }.decimal()
}
