//! Repair: orders that differ are restated, and looked at again.
//!
//! The order service tells again what it has told of an order, and asks the other services again for their
//! outcomes. That mends what was missed: a message that was lost, a record that can be made again. What a service
//! has recorded otherwise stays as it is.

use super::checker::{Checker, Outcome, Scope};
use super::http::Remote;
use super::progress::Progress;
use ordermill_domain::ids::OrderId;
use ordermill_domain::reconciliation::{Aspect, Subject};
use std::collections::BTreeSet;
use std::time::Duration;

/// Orders that are restated at a time.
pub const RESTATED_MAX: usize = 100;

/// How long the services are given to hear it, before it is looked at again.
const HEARD_WITHIN: Duration = Duration::from_secs(2);

/// Restates what differs; what does not differ afterwards is mended.
///
/// # Errors
/// When a server does not answer.
pub async fn repair(
    remote: &Remote,
    checker: &Checker,
    outcome: &mut Outcome,
    progress: &Progress,
) -> anyhow::Result<()> {
    let unknown: BTreeSet<Subject> = outcome
        .disagreements
        .iter()
        .filter(|found| matches!(found.aspect, Aspect::UnknownOrder | Aspect::Unreadable))
        .map(|found| found.subject.clone())
        .collect();
    let known = |order: &OrderId| !unknown.contains(&Subject::Order(*order));
    let orders: Vec<OrderId> = outcome.differing_orders().into_iter().filter(known).collect();
    if orders.is_empty() {
        return Ok(());
    }
    for (number, some) in orders.chunks(RESTATED_MAX).enumerate() {
        progress.says(format!(
            "messages of {} of {} orders republished",
            number * RESTATED_MAX,
            orders.len()
        ));
        remote.restate(some.to_vec()).await?;
    }
    progress.says(format!("messages of {} orders republished", orders.len()));
    tokio::time::sleep(HEARD_WITHIN).await;
    let products = outcome.differing_products();
    let again = checker.check(&Scope::of(orders.iter().copied(), products.clone())).await?;
    // What is under way by now, or waits for a person, is not mended.
    let still: BTreeSet<OrderId> =
        again.differing_orders().union(&again.not_settled).copied().collect();
    let still_products = again.differing_products();
    let restated: BTreeSet<OrderId> = orders.iter().copied().collect();
    let mended = restated.difference(&still).map(|order| Subject::Order(*order));
    let mended_products = products.difference(&still_products).cloned().map(Subject::Product);
    outcome.mended = mended.chain(mended_products).collect();
    let stays = |subject: &Subject| {
        let unsettled = |order: &OrderId| again.not_settled.contains(order);
        unknown.contains(subject) || matches!(subject, Subject::Order(order) if unsettled(order))
    };
    outcome.disagreements.retain(|found| stays(&found.subject));
    outcome.failed.extend(again.failed);
    outcome.disagreements.extend(again.disagreements);
    Ok(())
}
