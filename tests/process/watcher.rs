//! Looks at the stock all the time while others buy.

use super::shop::{ProductStock, Shop};
use std::collections::BTreeMap;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Somebody who looks at every product's stock, again and again, and believes nothing.
pub struct Watcher {
    enough: oneshot::Sender<()>,
    looks: JoinHandle<usize>,
}

impl Watcher {
    /// Starts looking. Units may leave only when something is dispatched.
    pub fn start(shop: &Shop, initial: &BTreeMap<String, i64>, may_leave: bool) -> Self {
        let (enough, mut heard) = oneshot::channel();
        let (shop, mut last) = (shop.clone(), initial.clone());
        let looks = tokio::spawn(async move {
            let mut looks = 0;
            while heard.try_recv() == Err(oneshot::error::TryRecvError::Empty) {
                let stock_rows = shop.stock_rows().await;
                last.iter_mut().for_each(|(id, last)| check(id, stock_rows[id], last, may_leave));
                looks += 1;
                tokio::task::yield_now().await;
            }
            looks
        });
        Self { enough, looks }
    }

    /// Ends it: how often it has looked. What it found wrong, is wrong here.
    pub async fn stop(self) -> usize {
        let _ = self.enough.send(());
        self.looks.await.expect("what was seen is in order")
    }
}

fn check(product: &str, stock: ProductStock, last: &mut i64, may_leave: bool) {
    let ProductStock { available_qty, reserved_qty, on_hand } = stock;
    assert!(available_qty >= 0 && reserved_qty >= 0, "{product} is oversold: {stock:?}");
    assert_eq!(available_qty + reserved_qty, on_hand, "{product}");
    assert!(on_hand <= *last, "{product} was made out of nothing: {last} became {stock:?}");
    assert!(may_leave || on_hand == *last, "{product} has gone: {last} became {stock:?}");
    *last = on_hand;
}
