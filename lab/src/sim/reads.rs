//! Reads of a database that fails: what an actor loads may be old by the time it decides on it.

use super::fault::Fault;
use super::store::SimStore;
use async_trait::async_trait;
use ordermill_actors::gateway::memory::GatewayTables;
use ordermill_actors::gateway::{GatewayReads, Totals};
use ordermill_actors::inventory::{InventoryReads, InventoryTables};
use ordermill_actors::order::memory::OrderTables;
use ordermill_actors::order::{DueOrders, OrderFilter, OrderReads, UnreadableOrder};
use ordermill_actors::payment::memory::PaymentTables;
use ordermill_actors::payment::{NotificationLog, PaymentReads};
use ordermill_actors::ports::ReadError;
use ordermill_actors::reconciliation::{OrderRecords, ProductRecords};
use ordermill_actors::testing::MemoryStore;
use ordermill_domain::clock::Timestamp;
use ordermill_domain::gateway::Entry;
use ordermill_domain::ids::{OrderId, ProductId};
use ordermill_domain::inventory::{MovementRow, ReservationRow, StockRow};
use ordermill_domain::order::{HistoryRow, Saga, SagaCount};
use ordermill_domain::payment::{
    Attention, GatewayKey, NotificationRow, PaymentRow, StoredNotification,
};
use ordermill_domain::reconciliation::{ProductRecord, Record, Span};
use uuid::Uuid;

impl<T> SimStore<T> {
    /// A read on its way: it takes a while, and may find nobody there.
    pub(super) async fn reading(&self) -> Result<(), ReadError> {
        self.takes_a_while().await;
        if self.sim.fails(Fault::ReadFails) {
            return Err(ReadError::Away("the simulation says away".to_owned()));
        }
        Ok(())
    }
}

#[async_trait]
impl<T: Send + 'static, R: 'static> OrderRecords<R> for SimStore<T>
where
    MemoryStore<T>: OrderRecords<R>,
{
    async fn records(&self, span: Span) -> Result<Vec<Record<R>>, ReadError> {
        self.memory.records(span).await
    }
}

#[async_trait]
impl ProductRecords for SimStore<InventoryTables> {
    async fn products(
        &self,
        after: Option<&ProductId>,
        limit: u32,
    ) -> Result<Vec<ProductRecord>, ReadError> {
        self.memory.products(after, limit).await
    }
}

#[async_trait]
impl OrderReads for SimStore<OrderTables> {
    async fn order(&self, id: OrderId) -> Result<Option<Saga>, ReadError> {
        self.reading().await?;
        let saga = self.memory.order(id).await;
        self.takes_a_while().await;
        saga
    }

    async fn orders(
        &self,
        filter: &OrderFilter,
        limit: u32,
    ) -> Result<Vec<Result<Saga, UnreadableOrder>>, ReadError> {
        self.reading().await?;
        self.memory.orders(filter, limit).await
    }

    async fn history(
        &self,
        since: &[(OrderId, u32)],
        limit: u32,
    ) -> Result<Vec<HistoryRow>, ReadError> {
        self.reading().await?;
        self.memory.history(since, limit).await
    }

    async fn counts(&self, now: Timestamp) -> Result<Vec<SagaCount>, ReadError> {
        self.reading().await?;
        self.memory.counts(now).await
    }
}

#[async_trait]
impl DueOrders for SimStore<OrderTables> {
    async fn claim(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<OrderId>, ReadError> {
        // Asked every second: where nothing is due, nothing can come of it being slow.
        self.gate.runs_on().await;
        let due = |saga: &Saga| saga.due_at.is_some_and(|due| due <= now);
        if !self.memory.with(|tables| tables.sagas().any(due)) {
            return Ok(Vec::new());
        }
        self.reading().await?;
        let claimed = self.memory.claim(now, until, limit).await;
        self.takes_a_while().await;
        claimed
    }

    async fn forget_claims(&self, before: Timestamp, limit: u32) -> Result<u64, ReadError> {
        self.reading().await?;
        self.memory.forget_claims(before, limit).await
    }
}

#[async_trait]
impl InventoryReads for SimStore<InventoryTables> {
    async fn stock(&self, product: &ProductId) -> Result<Option<StockRow>, ReadError> {
        self.reading().await?;
        let row = self.memory.stock(product).await;
        self.takes_a_while().await;
        row
    }

    async fn list(
        &self,
        after: Option<&ProductId>,
        limit: u32,
    ) -> Result<Vec<StockRow>, ReadError> {
        self.reading().await?;
        self.memory.list(after, limit).await
    }

    async fn reservation(&self, order: OrderId) -> Result<Option<ReservationRow>, ReadError> {
        self.reading().await?;
        self.memory.reservation(order).await
    }

    async fn movements(
        &self,
        product: &ProductId,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<MovementRow>, ReadError> {
        self.reading().await?;
        self.memory.movements(product, before, limit).await
    }

    async fn forget_movements(&self, before: Timestamp, limit: u32) -> Result<u64, ReadError> {
        self.reading().await?;
        self.memory.forget_movements(before, limit).await
    }

    async fn forget_adjustment_keys(
        &self,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, ReadError> {
        self.reading().await?;
        self.memory.forget_adjustment_keys(before, limit).await
    }
}

#[async_trait]
impl PaymentReads for SimStore<PaymentTables> {
    async fn payment(&self, order_id: OrderId) -> Result<Option<PaymentRow>, ReadError> {
        self.reading().await?;
        let row = self.memory.payment(order_id).await;
        self.takes_a_while().await;
        row
    }

    async fn due(
        &self,
        before: Timestamp,
        after: Option<OrderId>,
        limit: u32,
    ) -> Result<Vec<OrderId>, ReadError> {
        self.gate.runs_on().await;
        let due = PaymentReads::due(&self.memory, before, after, limit).await?;
        if !due.is_empty() {
            self.reading().await?;
        }
        Ok(due)
    }

    async fn needing_attention(
        &self,
        attention: Option<Attention>,
        after: Option<OrderId>,
        limit: u32,
    ) -> Result<Vec<PaymentRow>, ReadError> {
        self.reading().await?;
        self.memory.needing_attention(attention, after, limit).await
    }

    async fn attention_counts(&self) -> Result<Vec<(Attention, u64)>, ReadError> {
        self.reading().await?;
        self.memory.attention_counts().await
    }
}

#[async_trait]
impl NotificationLog for SimStore<PaymentTables> {
    async fn notifications(
        &self,
        order_id: Option<OrderId>,
        before: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<NotificationRow>, ReadError> {
        self.reading().await?;
        NotificationLog::notifications(&self.memory, order_id, before, limit).await
    }

    async fn notification(&self, id: Uuid) -> Result<Option<StoredNotification>, ReadError> {
        self.reading().await?;
        NotificationLog::notification(&self.memory, id).await
    }

    async fn forget_notifications(&self, before: Timestamp, limit: u32) -> Result<u64, ReadError> {
        self.reading().await?;
        self.memory.forget_notifications(before, limit).await
    }
}

#[async_trait]
impl GatewayReads for SimStore<GatewayTables> {
    async fn entry(&self, key: GatewayKey) -> Result<Option<Entry>, ReadError> {
        self.reading().await?;
        self.memory.entry(key).await
    }

    async fn totals(&self) -> Result<Totals, ReadError> {
        self.reading().await?;
        self.memory.totals().await
    }
}
