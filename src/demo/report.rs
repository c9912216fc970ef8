//! What the demo says: where it plays, and what came of it.

use super::catalogue::{Catalogue, decimal};
use super::customer::CustomerRun;
use super::options::{DemoOptions, Pace};
use super::reconciliation::{Reconciliation, in_words};
use crate::table::{Paint, Table, Tone};

/// How many wrong things are listed: beyond that they are likely to be one thing.
const WRONG_MAX: usize = 25;

/// Says what is about to happen.
pub(super) fn opening(options: &DemoOptions, catalogue: &Catalogue) {
    let paint = Paint::for_stdout();
    let title = paint.tone(Tone::Heading, "Ordermill demo");
    let about = format!("{} at {} · run {}", orders(options.orders), options.url, catalogue.run);
    crate::say!("{title}  {}\n", paint.tone(Tone::Faint, &about));
}

/// Says what came of it; true when nothing is wrong.
pub(super) fn closing(
    catalogue: &Catalogue,
    runs: &[CustomerRun],
    reconciliation: &Reconciliation,
    pace: &Pace,
) -> bool {
    let paint = Paint::for_stdout();
    let heading = |text: &str| paint.tone(Tone::Heading, text);
    crate::say!("{}\n{}", heading("Orders"), scenarios(reconciliation).render(paint));
    crate::say!("{}\n{}", heading("Stock"), products(catalogue, reconciliation).render(paint));
    crate::say!("{}\n{}", heading("Money (USD)"), money(reconciliation).render(paint));
    crate::say!(
        "{}\n{}",
        heading("Records"),
        order_records(reconciliation, runs.len() as u64).render(paint)
    );
    let seconds = |time: std::time::Duration| format!("{:.1} s", time.as_secs_f64());
    let [placed, settled] = [pace.placed, pace.settled].map(seconds);
    crate::say!("{} accepted within {placed}, all final after {settled}.", orders(runs.len()));
    let good = reconciliation.wrong.is_empty();
    if good {
        crate::say!("{}", paint.tone(Tone::Good, "Reconciliation passed."));
    } else {
        crate::say!("{}", paint.tone(Tone::Bad, "Reconciliation failed:"));
        reconciliation.wrong.iter().take(WRONG_MAX).for_each(|wrong| crate::say!("  {wrong}"));
        if reconciliation.wrong.len() > WRONG_MAX {
            crate::say!("  … and {} more", reconciliation.wrong.len() - WRONG_MAX);
        }
    }
    good
}

fn orders(count: usize) -> String {
    if count == 1 { "1 order".to_owned() } else { format!("{count} orders") }
}

fn scenarios(reconciliation: &Reconciliation) -> Table {
    let mut table = Table::new(&["fate", ">orders", "expected", "got"]);
    for row in &reconciliation.scenarios {
        let label = row.scenario.label().to_owned();
        let cells = [row.orders.to_string(), in_words(&row.expected), in_words(&row.got)];
        table.row([vec![label], cells.to_vec()].concat(), row.is_met());
    }
    table
}

fn products(catalogue: &Catalogue, reconciliation: &Reconciliation) -> Table {
    let prefix = format!("DEMO-{}-", catalogue.run);
    let mut table =
        Table::new(&["product", ">initial", ">= available", ">+ reserved", ">+ sold", ">on hand"]);
    for row in &reconciliation.products {
        let name = row.sku.strip_prefix(&prefix).unwrap_or(&row.sku).to_owned();
        let numbers = [
            row.initial,
            row.stock.available_qty,
            row.stock.reserved_qty,
            row.sold,
            row.stock.on_hand,
        ];
        let cells = numbers.iter().map(i64::to_string);
        table.row(std::iter::once(name).chain(cells).collect(), row.balances);
    }
    table
}

fn money(reconciliation: &Reconciliation) -> Table {
    let money = &reconciliation.money;
    let mut table = Table::new(&[">captured", ">- refunded", ">= held", ">fulfilled orders"]);
    let amounts = [money.captured, money.refunded, money.captured - money.refunded, money.owed];
    table.row(amounts.map(decimal).to_vec(), money.balances());
    table
}

fn order_records(reconciliation: &Reconciliation, orders: u64) -> Table {
    let mut table = Table::new(&[">orders", ">listed", ">consistent"]);
    let numbers = [orders, reconciliation.listed as u64, reconciliation.agreed];
    let good = numbers.iter().all(|number| *number == orders);
    table.row(numbers.map(|number| number.to_string()).to_vec(), good);
    table
}
