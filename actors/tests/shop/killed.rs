//! A process that is killed ends as everything else in a simulation does: in an order that can be told.

use async_trait::async_trait;
use ordermill_actors::order::{DueOrders, OrderFilter, OrderReads, UnreadableOrder};
use ordermill_actors::ports::ReadError;
use ordermill_actors::reconciliation::OrderRecords;
use ordermill_actors::testing::shop::{Backing, Shop, ShopSettings, ShopStores};
use ordermill_domain::clock::Timestamp;
use ordermill_domain::ids::OrderId;
use ordermill_domain::order::{HistoryRow, Saga, SagaCount};
use ordermill_domain::reconciliation::{OrderRecord, Record, Span};
use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use uuid::Uuid;

const ORDERS: u128 = 24;

/// A database that never answers, and notes who waits for it no longer.
#[derive(Clone, Default)]
struct Silent(Arc<Mutex<Vec<OrderId>>>);

struct Waiting(OrderId, Silent);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.1.0.lock().unwrap().push(self.0);
    }
}

#[async_trait]
impl OrderReads for Silent {
    async fn order(&self, id: OrderId) -> Result<Option<Saga>, ReadError> {
        let _waiting = Waiting(id, self.clone());
        pending().await
    }

    async fn orders(
        &self,
        _: &OrderFilter,
        _: u32,
    ) -> Result<Vec<Result<Saga, UnreadableOrder>>, ReadError> {
        Ok(Vec::new())
    }

    async fn history(&self, _: &[(OrderId, u32)], _: u32) -> Result<Vec<HistoryRow>, ReadError> {
        Ok(Vec::new())
    }

    async fn counts(&self, _: Timestamp) -> Result<Vec<SagaCount>, ReadError> {
        Ok(Vec::new())
    }
}

#[async_trait]
impl DueOrders for Silent {
    async fn claim(&self, _: Timestamp, _: Timestamp, _: u32) -> Result<Vec<OrderId>, ReadError> {
        Ok(Vec::new())
    }

    async fn forget_claims(&self, _: Timestamp, _: u32) -> Result<u64, ReadError> {
        Ok(0)
    }
}

#[async_trait]
impl OrderRecords<OrderRecord> for Silent {
    async fn records(&self, _: Span) -> Result<Vec<Record<OrderRecord>>, ReadError> {
        Ok(Vec::new())
    }
}

#[tokio::test(start_paused = true)]
async fn actors_of_a_process_that_is_killed_end_in_the_order_of_their_names() {
    let (stores, silent) = (ShopStores::default(), Silent::default());
    let mut backing = Backing::plain(&stores);
    let order = backing.databases.order.as_mut().unwrap();
    order.reads = Arc::new(silent.clone());
    let shop = Shop::open_on(stores, backing, ShopSettings::default()).await;
    let orders: Vec<OrderId> = (1..=ORDERS).map(|id| OrderId(Uuid::from_u128(id))).collect();
    for order in orders.iter().rev() {
        let (door, order) = (shop.orders.clone(), *order);
        tokio::spawn(async move { door.cancel(order).await });
    }
    tokio::time::sleep(Duration::from_millis(1)).await;
    shop.kill();
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(*silent.0.lock().unwrap(), orders);
}
