//! The reconciliation: what became of the orders, against what was expected, what stands on the stock, and what the
//! services say. Pure.

use super::catalogue::{Catalogue, decimal};
use super::customer::CustomerRun;
use super::order_records::OrderRecords;
use super::scenario::{Ending, Scenario};
use ordermill_client::ProductStock;
use std::collections::BTreeMap;

/// The reconciliation of one run.
pub(super) struct Reconciliation {
    /// One row a product, in the catalogue's order.
    pub(super) products: Vec<ProductRow>,
    pub(super) money: MoneyRow,
    /// One row a scenario that was met.
    pub(super) scenarios: Vec<ScenarioRow>,
    /// Orders about which all services agree.
    pub(super) agreed: u64,
    /// Orders that the shop lists for this run's customers.
    pub(super) listed: usize,
    /// Everything that does not balance, in words.
    pub(super) wrong: Vec<String>,
}

/// One product.
pub(super) struct ProductRow {
    pub(super) sku: String,
    pub(super) initial: i64,
    pub(super) stock: ProductStock,
    /// What has left, by the orders.
    pub(super) sold: i64,
    pub(super) balances: bool,
}

/// All money, in cents.
pub(super) struct MoneyRow {
    /// The totals of all fulfilled orders.
    pub(super) owed: i64,
    pub(super) captured: i64,
    pub(super) refunded: i64,
}

impl MoneyRow {
    /// Whether the shop holds what it is owed.
    pub(super) fn balances(&self) -> bool {
        self.captured - self.refunded == self.owed
    }
}

/// One scenario.
pub(super) struct ScenarioRow {
    pub(super) scenario: Scenario,
    pub(super) orders: usize,
    pub(super) expected: Vec<(Ending, usize)>,
    pub(super) got: Vec<(Ending, usize)>,
}

impl ScenarioRow {
    /// Whether its orders ended as they should.
    pub(super) fn is_met(&self) -> bool {
        self.expected == self.got
    }
}

/// Reconciles a run.
pub(super) fn reconcile(
    catalogue: &Catalogue,
    runs: &[CustomerRun],
    order_records: &OrderRecords,
    products: &BTreeMap<String, ProductStock>,
    listed: usize,
) -> Reconciliation {
    let mut wrong = Vec::new();
    let scenarios = scenarios(runs, &mut wrong);
    let products = stock(catalogue, runs, products, &mut wrong);
    for run in runs {
        let id = run.order_id.map(|id| id.to_string());
        let id = id.as_deref().unwrap_or("an order that was not placed");
        let label = run.scenario.label();
        wrong.extend(run.problems.iter().map(|what| format!("order {id} ({label}): {what}")));
    }
    let outcome = &order_records.outcome;
    wrong.extend(outcome.disagreements.iter().map(ToString::to_string));
    let missing = outcome.not_compared.iter();
    wrong.extend(
        missing.map(|what| format!("{what}: not compared; the server does not provide them")),
    );
    let agreed = outcome.orders.saturating_sub(outcome.differing_orders().len() as u64);
    let owed = runs.iter().filter(|run| run.ending.is_fulfilled());
    let money = MoneyRow {
        owed: owed.map(|run| run.total_minor).sum(),
        captured: order_records.captured,
        refunded: order_records.refunded,
    };
    if !money.balances() {
        let [held, owed] = [money.captured - money.refunded, money.owed].map(decimal);
        wrong.push(format!("money: {held} held by the gateway, {owed} due for fulfilled orders"));
    }
    let placed = runs.iter().filter(|run| run.order_id.is_some()).count();
    if listed != placed {
        wrong.push(format!("orders: {placed} were accepted, {listed} are listed"));
    }
    if agreed != placed as u64 {
        wrong.push(format!("orders: {placed} were accepted, the services agree about {agreed}"));
    }
    Reconciliation { products, money, scenarios, agreed, listed, wrong }
}

fn scenarios(runs: &[CustomerRun], wrong: &mut Vec<String>) -> Vec<ScenarioRow> {
    let mut met: BTreeMap<Scenario, BTreeMap<Ending, usize>> = BTreeMap::new();
    for run in runs {
        *met.entry(run.scenario).or_default().entry(run.ending.clone()).or_default() += 1;
    }
    let rows = met.into_iter().map(|(scenario, got)| {
        let orders = got.values().sum();
        let row = ScenarioRow {
            scenario,
            orders,
            expected: scenario.expected(orders),
            got: got.into_iter().collect(),
        };
        if !row.is_met() {
            let [expected, got] = [&row.expected, &row.got].map(|endings| in_words(endings));
            wrong
                .push(format!("scenario \"{}\": expected {expected}, got {got}", scenario.label()));
        }
        row
    });
    rows.collect()
}

/// Endings and their numbers, as in `12 CONFIRMED, 48 CANCELLED (inventory)`.
pub(super) fn in_words(endings: &[(Ending, usize)]) -> String {
    let words: Vec<_> = endings.iter().map(|(ending, n)| format!("{n} {ending}")).collect();
    words.join(", ")
}

/// Stock: what was there at first is available, reserved for confirmed orders, or has left.
fn stock(
    catalogue: &Catalogue,
    runs: &[CustomerRun],
    products: &BTreeMap<String, ProductStock>,
    wrong: &mut Vec<String>,
) -> Vec<ProductRow> {
    let units = |sku: &str, counts: fn(&Ending) -> bool| -> i64 {
        let runs = runs.iter().filter(|run| counts(&run.ending));
        let lines = runs.flat_map(|run| &run.lines).filter(|(line, _)| line == sku);
        lines.map(|(_, quantity)| quantity).sum()
    };
    let row = |product: &super::catalogue::Product| {
        let sku = product.sku.as_str();
        let sold = units(sku, Ending::has_left);
        let reserved = units(sku, |ending| *ending == Ending::Confirmed);
        let due = ProductStock {
            available_qty: product.initial - reserved - sold,
            reserved_qty: reserved,
            on_hand: product.initial - sold,
        };
        let empty = ProductStock { available_qty: 0, reserved_qty: 0, on_hand: 0 };
        let stock = products.get(sku).copied().unwrap_or(empty);
        let balances = stock == due;
        if !balances {
            wrong.push(format!(
                "stock of {sku}: expected from the orders {due}; actual {stock}",
                due = stock_in_words(due),
                stock = stock_in_words(stock),
            ));
        }
        ProductRow { sku: sku.to_owned(), initial: product.initial, stock, sold, balances }
    };
    catalogue.products().into_iter().map(row).collect()
}

fn stock_in_words(stock: ProductStock) -> String {
    let ProductStock { available_qty, reserved_qty, on_hand } = stock;
    format!("{available_qty} available, {reserved_qty} reserved, {on_hand} on hand")
}
