//! The records that reconciliation compares, from stores in memory: the model that the real stores are held
//! against.

use super::MemoryStore;
use crate::audit::AuditMemory;
use crate::gateway::memory::GatewayTables;
use crate::inventory::InventoryTables;
use crate::notification::NotificationMemory;
use crate::order::memory::OrderTables;
use crate::payment::memory::PaymentTables;
use crate::ports::ReadError;
use crate::reconciliation::{OrderRecords, ProductRecords};
use crate::shipping::ShippingMemory;
use async_trait::async_trait;
use ordermill_domain::ids::{OrderId, ProductId};
use ordermill_domain::inventory::{Reservation, StockRow};
use ordermill_domain::reconciliation::{
    AuditRecord, LedgerEntry, LedgerRecord, NotificationRecord, OrderRecord, PaymentRecord,
    ProductRecord, Record, ReservationRecord, ShipmentRecord, Span, StockRecord,
};
use std::collections::BTreeMap;
use std::ops::Bound;

/// Those of a span, by order.
fn of_span<T>(
    span: Span,
    all: impl IntoIterator<Item = (OrderId, T)>,
) -> Result<Vec<Record<T>>, ReadError> {
    let covered = all.into_iter().filter(|(order, _)| span.covers(*order));
    let by_order: BTreeMap<_, _> = covered.collect();
    let record = |(order_id, says)| Record { order_id, says: Ok(says) };
    Ok(by_order.into_iter().take(span.limit as usize).map(record).collect())
}

#[async_trait]
impl OrderRecords<OrderRecord> for MemoryStore<OrderTables> {
    async fn records(&self, span: Span) -> Result<Vec<Record<OrderRecord>>, ReadError> {
        self.with(|tables| {
            of_span(span, tables.sagas().map(|saga| (saga.order_id(), OrderRecord::from(saga))))
        })
    }
}

#[async_trait]
impl OrderRecords<ReservationRecord> for MemoryStore<InventoryTables> {
    async fn records(&self, span: Span) -> Result<Vec<Record<ReservationRecord>>, ReadError> {
        self.with(|tables| {
            let rows = tables.reservations.values();
            of_span(span, rows.map(|row| (row.order_id, (&row.reservation).into())))
        })
    }
}

#[async_trait]
impl ProductRecords for MemoryStore<InventoryTables> {
    async fn products(
        &self,
        after: Option<&ProductId>,
        limit: u32,
    ) -> Result<Vec<ProductRecord>, ReadError> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        Ok(self.with(|tables| {
            let claimed = |product: &ProductId| -> i64 {
                let rows = tables.reservations.values().map(|row| &row.reservation);
                let lines = rows.filter_map(|reservation| match reservation {
                    Reservation::Reserved(lines) => Some(lines.iter()),
                    Reservation::Committed(_)
                    | Reservation::Released(_)
                    | Reservation::Refused(_) => None,
                });
                let of = lines.flatten().filter(|line| line.product_id == *product);
                of.map(|line| i64::from(line.quantity)).sum()
            };
            let newest = |product: &ProductId| {
                let rows = (product.clone(), 0)..=(product.clone(), u64::MAX);
                let (_, row) = tables.movements.range(rows).next_back()?;
                let StockRow { version, on_hand, reserved, .. } = *row.stock;
                Some(StockRecord { version, on_hand, reserved })
            };
            let record = |(product, stock): (&ProductId, &StockRow)| ProductRecord {
                product_id: product.clone(),
                on_hand: stock.on_hand,
                reserved: stock.reserved,
                version: stock.version,
                ledger: newest(product),
                claimed: claimed(product),
            };
            let stock = tables.stock.range((from, Bound::Unbounded));
            stock.take(limit as usize).map(record).collect()
        }))
    }
}

#[async_trait]
impl OrderRecords<PaymentRecord> for MemoryStore<PaymentTables> {
    async fn records(&self, span: Span) -> Result<Vec<Record<PaymentRecord>>, ReadError> {
        self.with(|tables| {
            of_span(span, tables.rows().map(|row| (row.order_id, (&row.view()).into())))
        })
    }
}

#[async_trait]
impl OrderRecords<LedgerRecord> for MemoryStore<GatewayTables> {
    async fn records(&self, span: Span) -> Result<Vec<Record<LedgerRecord>>, ReadError> {
        self.with(|tables| {
            let mut orders: BTreeMap<OrderId, LedgerRecord> = BTreeMap::new();
            for entry in tables.entries() {
                if let (Some(booking), Some(says)) = (&entry.booking, LedgerEntry::of(entry)) {
                    orders.entry(booking.order_id).or_default().0.push(says);
                }
            }
            of_span(span, orders)
        })
    }
}

#[async_trait]
impl OrderRecords<ShipmentRecord> for MemoryStore<ShippingMemory> {
    async fn records(&self, span: Span) -> Result<Vec<Record<ShipmentRecord>>, ReadError> {
        self.with(|table| {
            let rows = table.shipments.values();
            of_span(span, rows.map(|shipment| (shipment.order_id, shipment.into())))
        })
    }
}

#[async_trait]
impl OrderRecords<NotificationRecord> for MemoryStore<NotificationMemory> {
    async fn records(&self, span: Span) -> Result<Vec<Record<NotificationRecord>>, ReadError> {
        self.with(|table| {
            let mut orders: BTreeMap<OrderId, NotificationRecord> = BTreeMap::new();
            for id in table.entries.keys() {
                orders.entry(id.order_id).or_default().0.push(id.topic.as_str().to_owned());
            }
            of_span(span, orders)
        })
    }
}

#[async_trait]
impl OrderRecords<AuditRecord> for MemoryStore<AuditMemory> {
    async fn records(&self, span: Span) -> Result<Vec<Record<AuditRecord>>, ReadError> {
        self.with(|table| {
            let mut orders: BTreeMap<OrderId, AuditRecord> = BTreeMap::new();
            for entry in &table.entries {
                orders.entry(entry.order_id).or_default().0.push(entry.event_type.clone());
            }
            orders.values_mut().for_each(|record| record.0.sort_unstable());
            of_span(span, orders)
        })
    }
}
