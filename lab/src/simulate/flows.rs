//! The same orders in every way: both plans of the orchestrated flow, and the choreographed one.

use super::pool::each;
use crate::sim::{Finding, compare};
use ordermill_actors::testing::shop::WAYS;
use std::ops::Range;

/// Compares the ways, seed by seed; true when nothing differs that must not.
pub fn compare_all(seeds: &Range<u64>) -> anyhow::Result<bool> {
    let compared = each(seeds.clone(), |seed| {
        let (runs, found) = compare(seed);
        let orders: usize = runs.iter().map(|outcome| outcome.orders.len()).sum();
        (seed, orders, found)
    })?;
    let orders: usize = compared.iter().map(|(_, orders, _)| orders).sum();
    ordermill::say!(
        "{} seeds, {} flows and plans, with ample and with scarce stock: {orders} orders",
        compared.len(),
        WAYS.len()
    );
    let failed: Vec<(u64, &Vec<Finding>)> = compared
        .iter()
        .filter(|(.., found)| !found.is_empty())
        .map(|(seed, _, found)| (*seed, found))
        .collect();
    match failed.first() {
        None => ordermill::say!(
            "Without competition for stock all flows had the same outcome; with competition all \
                invariants hold."
        ),
        Some((seed, found)) => {
            ordermill::say!("{} seeds failed; the first is {seed}:", failed.len());
            found.iter().for_each(|finding| ordermill::say!("  {finding}"));
        }
    }
    Ok(failed.is_empty())
}
