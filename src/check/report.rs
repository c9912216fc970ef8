//! What came of a check, for people and for machines.

use super::checker::Outcome;
use ordermill_domain::reconciliation::Disagreement;
use serde_json::json;

/// Orders whose saga is FAILED that are named one by one; `GET /admin/sagas?status=FAILED` lists all.
const FAILED_MAX: usize = 20;

/// Prints it for people: each disagreement with both sides, then a summary.
pub fn text(outcome: &Outcome) {
    for Disagreement { subject, aspect, sides } in &outcome.disagreements {
        crate::say!("{subject}: {}", aspect.as_str());
        for side in sides {
            crate::say!("  {:<13} {}", side.by, side.says);
        }
    }
    for subject in &outcome.mended {
        crate::say!("repaired: {subject}");
    }
    let Outcome { orders, products, under_way, moving, failed, not_compared, .. } = outcome;
    let differ = [outcome.differing_orders().len(), outcome.differing_products().len()];
    crate::say!("compared {orders} orders and {products} products");
    crate::say!("  {} orders and {} products differ", differ[0], differ[1]);
    if !outcome.mended.is_empty() {
        crate::say!("  {} differed and are repaired", outcome.mended.len());
    }
    if under_way + moving > 0 {
        crate::say!("  not compared: {} orders are in progress", under_way + moving);
    }
    if !failed.is_empty() {
        crate::say!(
            "  not compared: {} orders with a FAILED saga; an operator must inspect them",
            failed.len()
        );
        for (order, reason) in failed.iter().take(FAILED_MAX) {
            crate::say!("    {order}: {reason}");
        }
    }
    if !not_compared.is_empty() {
        crate::say!(
            "  not compared: {}; the given servers or databases do not provide them",
            not_compared.join(", ")
        );
    }
}

/// Prints it for machines: a JSON object a line, the summary last.
///
/// # Errors
/// Never: all of it can be written as JSON.
pub fn json(outcome: &Outcome) -> anyhow::Result<()> {
    for disagreement in &outcome.disagreements {
        crate::say!("{}", serde_json::to_string(disagreement)?);
    }
    let differ = json!({
        "orders": outcome.differing_orders().len(),
        "products": outcome.differing_products().len(),
    });
    let mut summary = serde_json::to_value(outcome)?;
    summary["differ"] = differ;
    crate::say!("{}", json!({ "summary": summary }));
    Ok(())
}
