//! Where the records come from: each service's, or those of the services that can be reached.

use super::reads::{OrderRecords, ProductRecords};
use crate::ports::ReadError;
use futures::try_join;
use ordermill_domain::ids::OrderId;
use ordermill_domain::reconciliation::{
    AuditRecord, LedgerRecord, NotificationRecord, OrderRecord, OrderSides, PaymentRecord, Record,
    ReservationRecord, ShipmentRecord, Side, Span,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A service's records, where it can be reached.
pub type Source<T> = Option<Arc<dyn OrderRecords<T>>>;

/// All services' records. Cheap to clone.
#[derive(Clone, Default)]
pub struct Sources {
    /// The order service's.
    pub order: Source<OrderRecord>,
    /// The inventory service's.
    pub reservation: Source<ReservationRecord>,
    /// The payment service's.
    pub payment: Source<PaymentRecord>,
    /// The gateway's.
    pub ledger: Source<LedgerRecord>,
    /// The shipping service's.
    pub shipment: Source<ShipmentRecord>,
    /// The audit's.
    pub audit: Source<AuditRecord>,
    /// The notification service's.
    pub notifications: Source<NotificationRecord>,
    /// The inventory service's, of products.
    pub products: Option<Arc<dyn ProductRecords>>,
}

/// A span as it was read.
#[derive(Clone, Debug)]
pub struct Page {
    /// The services' records of each of its orders.
    pub orders: BTreeMap<OrderId, OrderSides>,
    /// Where it ends.
    pub until: OrderId,
    /// True when it was read to the end of the span.
    pub is_last: bool,
}

impl Sources {
    /// The records that are not compared, because they cannot be reached.
    pub fn missing(&self) -> Vec<&'static str> {
        [
            (self.order.is_none(), "orders"),
            (self.reservation.is_none(), "reservations"),
            (self.products.is_none(), "products"),
            (self.payment.is_none(), "payments"),
            (self.ledger.is_none(), "the gateway ledger"),
            (self.shipment.is_none(), "shipments"),
            (self.audit.is_none(), "audit"),
            (self.notifications.is_none(), "notifications"),
        ]
        .into_iter()
        .filter_map(|(is_missing, what)| is_missing.then_some(what))
        .collect()
    }

    /// Reads what all services say of the first orders of a span: of as many orders as its limit says, and of
    /// those that the order service does not know and others do.
    ///
    /// Nothing is read where the order service cannot be reached.
    ///
    /// # Errors
    /// When a service cannot be read.
    pub async fn read(&self, span: Span) -> Result<Page, ReadError> {
        let mut page = Page { orders: BTreeMap::new(), until: span.until, is_last: true };
        let Some(order) = &self.order else { return Ok(page) };
        let orders = order.records(span).await?;
        if let Some(last) = orders.last().filter(|_| orders.len() >= span.limit as usize) {
            page.until = last.order_id;
            page.is_last = page.until >= span.until;
        }
        let span = Span { until: page.until, ..span };
        let (reservation, payment, ledger, shipment, audit, notifications) = try_join!(
            all(&self.reservation, span),
            all(&self.payment, span),
            all(&self.ledger, span),
            all(&self.shipment, span),
            all(&self.audit, span),
            all(&self.notifications, span),
        )?;
        let sides = &mut page.orders;
        put(sides, orders, |sides| &mut sides.order);
        put(sides, reservation, |sides| &mut sides.reservation);
        put(sides, payment, |sides| &mut sides.payment);
        put(sides, ledger, |sides| &mut sides.ledger);
        put(sides, shipment, |sides| &mut sides.shipment);
        put(sides, audit, |sides| &mut sides.audit);
        put(sides, notifications, |sides| &mut sides.notifications);
        sides.values_mut().for_each(|sides| self.asked(sides));
        Ok(page)
    }

    /// A service that was asked and has no record has nothing.
    fn asked(&self, sides: &mut OrderSides) {
        fn mark<T: 'static>(source: &Source<T>, side: &mut Side<T>) {
            if source.is_some() && matches!(side, Side::NotAsked) {
                *side = Side::Nothing;
            }
        }
        mark(&self.order, &mut sides.order);
        mark(&self.reservation, &mut sides.reservation);
        mark(&self.payment, &mut sides.payment);
        mark(&self.ledger, &mut sides.ledger);
        mark(&self.shipment, &mut sides.shipment);
        mark(&self.audit, &mut sides.audit);
        mark(&self.notifications, &mut sides.notifications);
    }
}

/// Every record of a span, however many there are.
async fn all<T: Send + 'static>(
    source: &Source<T>,
    mut span: Span,
) -> Result<Vec<Record<T>>, ReadError> {
    let mut records = Vec::new();
    let Some(source) = source else { return Ok(records) };
    loop {
        let next = source.records(span).await?;
        let full = next.len() >= span.limit as usize;
        let last = next.last().map(|record| record.order_id);
        records.extend(next);
        match last.filter(|last| full && *last < span.until) {
            Some(last) => span.after = last,
            None => return Ok(records),
        }
    }
}

fn put<T>(
    orders: &mut BTreeMap<OrderId, OrderSides>,
    records: Vec<Record<T>>,
    side: impl Fn(&mut OrderSides) -> &mut Side<T>,
) {
    for Record { order_id, says } in records {
        let sides = orders.entry(order_id).or_insert_with(|| OrderSides::new(order_id));
        *side(sides) = match says {
            Ok(record) => Side::Says(record),
            Err(cause) => Side::Unreadable(cause),
        };
    }
}
