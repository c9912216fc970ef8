//! The books: what became of the orders, against what was expected, what stands on the shelves, and what the
//! services say. Pure.

use super::catalogue::{Catalogue, decimal};
use super::customer::Story;
use super::fate::{Ending, Fate};
use super::papers::Papers;
use super::views::Shelf;
use std::collections::BTreeMap;

/// The books of one run.
pub(super) struct Books {
    /// One row a product, in the catalogue's order.
    pub(super) shelves: Vec<ShelfRow>,
    pub(super) money: MoneyRow,
    /// One row a fate that was met.
    pub(super) fates: Vec<FateRow>,
    /// Orders about which all services agree.
    pub(super) agreed: u64,
    /// Orders that the shop lists for this run's customers.
    pub(super) listed: usize,
    /// Everything that does not balance, in words.
    pub(super) wrong: Vec<String>,
}

/// One product.
pub(super) struct ShelfRow {
    pub(super) sku: String,
    pub(super) initial: i64,
    pub(super) shelf: Shelf,
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

/// One fate.
pub(super) struct FateRow {
    pub(super) fate: Fate,
    pub(super) orders: usize,
    pub(super) expected: Vec<(Ending, usize)>,
    pub(super) got: Vec<(Ending, usize)>,
}

impl FateRow {
    /// Whether its orders ended as they should.
    pub(super) fn is_met(&self) -> bool {
        self.expected == self.got
    }
}

/// Draws up the books.
pub(super) fn balance(
    catalogue: &Catalogue,
    stories: &[Story],
    papers: &Papers,
    shelves: &BTreeMap<String, Shelf>,
    listed: usize,
) -> Books {
    let mut wrong = Vec::new();
    let fates = fates(stories, &mut wrong);
    let shelves = stock(catalogue, stories, shelves, &mut wrong);
    for story in stories {
        let id = story.order_id.as_deref().unwrap_or("an order that was not placed");
        let label = story.fate.label();
        wrong.extend(story.troubles.iter().map(|what| format!("order {id} ({label}): {what}")));
    }
    let outcome = &papers.outcome;
    wrong.extend(outcome.disagreements.iter().map(ToString::to_string));
    let missing = outcome.not_compared.iter();
    wrong
        .extend(missing.map(|what| format!("{what}: not compared, the server does not have them")));
    let agreed = outcome.orders.saturating_sub(outcome.differing_orders().len() as u64);
    let owed = stories.iter().filter(|story| story.ending.is_fulfilled());
    let money = MoneyRow {
        owed: owed.map(|story| story.total_minor).sum(),
        captured: papers.captured,
        refunded: papers.refunded,
    };
    if !money.balances() {
        let [held, owed] = [money.captured - money.refunded, money.owed].map(decimal);
        wrong.push(format!("money: the shop holds {held}, its fulfilled orders come to {owed}"));
    }
    let placed = stories.iter().filter(|story| story.order_id.is_some()).count();
    if listed != placed {
        wrong.push(format!("orders: {placed} were accepted, {listed} are listed"));
    }
    if agreed != placed as u64 {
        wrong.push(format!("orders: {placed} were accepted, the services agree about {agreed}"));
    }
    Books { shelves, money, fates, agreed, listed, wrong }
}

fn fates(stories: &[Story], wrong: &mut Vec<String>) -> Vec<FateRow> {
    let mut met: BTreeMap<Fate, BTreeMap<Ending, usize>> = BTreeMap::new();
    for story in stories {
        *met.entry(story.fate).or_default().entry(story.ending.clone()).or_default() += 1;
    }
    let rows = met.into_iter().map(|(fate, got)| {
        let orders = got.values().sum();
        let row = FateRow {
            fate,
            orders,
            expected: fate.expected(orders),
            got: got.into_iter().collect(),
        };
        if !row.is_met() {
            let [expected, got] = [&row.expected, &row.got].map(|endings| in_words(endings));
            wrong.push(format!("fate \"{}\": expected {expected}, got {got}", fate.label()));
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
    stories: &[Story],
    shelves: &BTreeMap<String, Shelf>,
    wrong: &mut Vec<String>,
) -> Vec<ShelfRow> {
    let units = |sku: &str, counts: fn(&Ending) -> bool| -> i64 {
        let stories = stories.iter().filter(|story| counts(&story.ending));
        let lines = stories.flat_map(|story| &story.lines).filter(|(line, _)| line == sku);
        lines.map(|(_, quantity)| quantity).sum()
    };
    let row = |product: &super::catalogue::Product| {
        let sku = product.sku.as_str();
        let sold = units(sku, Ending::has_left);
        let reserved = units(sku, |ending| *ending == Ending::Confirmed);
        let due = Shelf {
            available_qty: product.initial - reserved - sold,
            reserved_qty: reserved,
            on_hand: product.initial - sold,
        };
        let empty = Shelf { available_qty: 0, reserved_qty: 0, on_hand: 0 };
        let shelf = shelves.get(sku).copied().unwrap_or(empty);
        let balances = shelf == due;
        if !balances {
            wrong.push(format!(
                "stock of {sku}: by the orders {due}, by the shelf {shelf}",
                due = shelf_in_words(due),
                shelf = shelf_in_words(shelf),
            ));
        }
        ShelfRow { sku: sku.to_owned(), initial: product.initial, shelf, sold, balances }
    };
    catalogue.products().into_iter().map(row).collect()
}

fn shelf_in_words(shelf: Shelf) -> String {
    let Shelf { available_qty, reserved_qty, on_hand } = shelf;
    format!("{available_qty} available, {reserved_qty} reserved, {on_hand} on hand")
}
