//! The books, when everything is at rest: orders, stock, parcels, the gateway's own ledger, the audit.

use super::script::Bought;
use crate::gateway::GatewayReads;
use crate::ids::ProductId;
use crate::inventory::Reservation;
use crate::messages::Kind;
use crate::notification::Topic;
use crate::order::{OrderReads, OrderStatus, Saga};
use crate::payment::GatewayKey;
use crate::shipping::ShipmentState;
use crate::testing::shop::ShopStores;
use std::collections::BTreeMap;

/// What does not balance; empty when all is well.
pub async fn check(
    stores: &ShopStores,
    bought: &[Bought],
    initial: &[(String, i64)],
) -> Vec<String> {
    let mut wrong = Vec::new();
    for Bought { order, total_minor } in bought {
        match stores.order.order(*order).await {
            Ok(Some(saga)) => {
                if !saga.is_at_rest() {
                    wrong.push(format!("{order} does not rest: {:?}", saga.facts));
                }
                let held = stores.gateway.entry(GatewayKey::of(*order)).await;
                let held = held.ok().flatten().map_or(0, |entry| entry.held_minor());
                order_is_whole(stores, &saga, held, *total_minor, &mut wrong);
                is_told_once(stores, &saga, &mut wrong);
            }
            other => wrong.push(format!("{order} was accepted and is not there: {other:?}")),
        }
    }
    let mut ids: Vec<_> = bought.iter().map(|bought| bought.order).collect();
    ids.sort();
    ids.dedup();
    let all = stores.order.orders(&Default::default(), 10_000).await.unwrap_or_default();
    if ids.len() != bought.len() || all.len() != bought.len() {
        wrong.push(format!("{} requests made {} orders", bought.len(), all.len()));
    }
    stock_is_whole(stores, initial, &mut wrong);
    for letters in [
        stores.order.dead_letters(),
        stores.inventory.dead_letters(),
        stores.payment.dead_letters(),
        stores.shipping.dead_letters(),
        stores.notification.dead_letters(),
        stores.audit.dead_letters(),
    ] {
        wrong.extend(letters.iter().map(|letter| format!("a dead letter: {letter:?}")));
    }
    wrong
}

/// Money, stock and parcel are what the order's status says.
fn order_is_whole(
    stores: &ShopStores,
    saga: &Saga,
    held: i64,
    total: i64,
    wrong: &mut Vec<String>,
) {
    let (order, status) = (saga.order_id(), saga.status());
    let fulfilled =
        matches!(status, OrderStatus::Confirmed | OrderStatus::Shipped | OrderStatus::Completed);
    if !fulfilled && status != OrderStatus::Cancelled {
        wrong.push(format!("{order} rests at {status:?}"));
    }
    if saga.facts.stuck.is_some() {
        wrong.push(format!("{order} raised an alarm: {:?}", saga.facts.stuck));
    }
    if held != if fulfilled { total } else { 0 } {
        wrong.push(format!("{order} is {status:?} and the gateway holds {held} of {total}"));
    }
    let reservation = stores.inventory.with(|tables| tables.reservations.get(&order).cloned());
    let reservation = reservation.as_ref().map(|row| &row.reservation);
    let stock_fits = match status {
        OrderStatus::Confirmed => matches!(reservation, Some(Reservation::Reserved(_))),
        OrderStatus::Shipped | OrderStatus::Completed => {
            matches!(reservation, Some(Reservation::Committed(_)))
        }
        _ => !matches!(reservation, Some(Reservation::Reserved(_) | Reservation::Committed(_))),
    };
    if !stock_fits {
        wrong.push(format!("{order} is {status:?} and its stock {reservation:?}"));
    }
    let shipment = stores.shipping.with(|table| table.shipments.get(&order).cloned());
    let shipment = shipment.as_ref().map(|shipment| &shipment.state);
    let parcel_fits = match status {
        OrderStatus::Confirmed => matches!(shipment, Some(ShipmentState::Scheduled(_))),
        OrderStatus::Shipped => matches!(shipment, Some(ShipmentState::Dispatched(_))),
        OrderStatus::Completed => matches!(shipment, Some(ShipmentState::Delivered { .. })),
        _ => {
            matches!(shipment, None | Some(ShipmentState::Failed(_) | ShipmentState::Cancelled(_)))
        }
    };
    if !parcel_fits {
        wrong.push(format!("{order} is {status:?} and its parcel {shipment:?}"));
    }
}

/// Nothing sold that was not there, nothing kept that nobody has a claim on.
fn stock_is_whole(stores: &ShopStores, initial: &[(String, i64)], wrong: &mut Vec<String>) {
    let mut claimed: BTreeMap<ProductId, (i64, i64)> = BTreeMap::new();
    stores.inventory.with(|tables| {
        for row in tables.reservations.values() {
            let (lines, left) = match &row.reservation {
                Reservation::Reserved(lines) => (lines, false),
                Reservation::Committed(lines) => (lines, true),
                Reservation::Released(_) | Reservation::Refused(_) => continue,
            };
            for line in lines.iter() {
                let claim = claimed.entry(line.product_id.clone()).or_default();
                let units = i64::from(line.quantity);
                if left { claim.1 += units } else { claim.0 += units }
            }
        }
        for (product, units) in initial {
            let product = ProductId::from(product.as_str());
            let (reserved, left) = claimed.get(&product).copied().unwrap_or_default();
            let row = tables.stock.get(&product);
            let fits = row.is_some_and(|row| {
                row.on_hand == units - left && row.reserved == reserved && reserved <= row.on_hand
            });
            if !fits {
                wrong.push(format!(
                    "{product}: {units} at first, {reserved} claimed, {left} left, but {row:?}"
                ));
            }
        }
    });
}

/// Each event is in the audit once, and each thing that customers care for was told once.
fn is_told_once(stores: &ShopStores, saga: &Saga, wrong: &mut Vec<String>) {
    let order = saga.order_id();
    let mut expected = vec![Kind::OrderCreated];
    expected.extend(saga.facts.confirmed_at.map(|_| Kind::OrderConfirmed));
    expected.extend(saga.facts.committed.then_some(Kind::OrderShipped));
    expected.extend(saga.facts.delivered_at.map(|_| Kind::OrderCompleted));
    expected.extend(saga.facts.closed.then_some(Kind::OrderCancelled));
    for kind in expected {
        let audited = stores.audit.with(|audit| {
            let of = audit.entries.iter().filter(|entry| entry.order_id == order);
            of.filter(|entry| entry.event_type == kind.as_str()).count()
        });
        let told = stores.notification.with(|table| {
            let of = table.entries.keys().filter(|id| id.order_id == order);
            of.filter(|id| id.topic.kind() == kind).count()
        });
        if (audited, told) != (1, 1) {
            wrong.push(format!("{order}: {kind} is audited {audited} times, told {told} times"));
        }
    }
    let topics = stores.notification.with(|table| {
        table
            .entries
            .keys()
            .filter(|id| id.order_id == order)
            .map(|id| id.topic)
            .collect::<Vec<Topic>>()
    });
    if topics.len() > Topic::ALL.len() {
        wrong.push(format!("{order} was told too much: {topics:?}"));
    }
}
