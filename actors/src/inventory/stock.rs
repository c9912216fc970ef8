//! The stock, as the shop's own people see and set it.

use super::sku::Skus;
use crate::runtime::journal::CommitOutcome;
use crate::runtime::request::{self, RequestError};
use crate::runtime::ticket::Ticket;
use ordermill_domain::clock::World;
use ordermill_domain::expected::Expected;
use ordermill_domain::ids::ProductId;
use ordermill_domain::inventory::{
    Adjustment, AdjustmentKey, AdjustmentOutcome, Change, InventoryAnswer, Quantity, StockRow,
};
use std::sync::Arc;
use thiserror::Error;
use tokio::sync::Semaphore;

/// Why a product was not created.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum CreateError {
    /// It is there already.
    #[error("the product already exists")]
    Exists,
    /// The database refuses to store it, and will refuse it again.
    #[error("the inventory database rejects this change permanently: {0}")]
    Impossible(String),
    /// Nobody knows whether it was.
    #[error("the inventory service did not respond: {0}")]
    Unavailable(String),
}

/// Why a product's stock was not set.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum SetError {
    /// There is no such product.
    #[error("there is no such product")]
    NotFound,
    /// The database refuses to store it, and will refuse it again.
    #[error("the inventory database rejects this change permanently: {0}")]
    Impossible(String),
    /// The product's row has another version than was expected: it is this.
    #[error("the stock has changed and is at version {}", .0.version)]
    Stale(Arc<StockRow>),
    /// Nobody knows whether it was.
    #[error("the inventory service did not respond: {0}")]
    Unavailable(String),
}

/// Why stock was not adjusted.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum AdjustError {
    /// The idempotency key stands for another request.
    #[error("this Idempotency-Key was used with a different request")]
    KeyReused,
    /// The database refuses to store it, and will refuse it again.
    #[error("the inventory database rejects this change permanently: {0}")]
    Impossible(String),
    /// Nobody knows whether it was.
    #[error("the inventory service did not respond: {0}")]
    Unavailable(String),
}

/// The result of a request to adjust stock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adjusted {
    /// One outcome for each adjustment, in their order.
    pub outcomes: Vec<AdjustmentOutcome>,
    /// True when the same request was here before, and was answered this.
    pub replayed: bool,
}

/// Requests to adjust stock that are with the journal at a time, for they may name a thousand products
/// each, and a batch takes them all: four are a transaction of some ten thousand rows, which is
/// written well within the time that a request waits.
const ADJUSTING_MAX: usize = 4;

/// Sets stock, through the journal. Cheap to clone.
#[derive(Clone)]
pub struct Stock {
    skus: Skus,
    world: World,
    adjusting: Arc<Semaphore>,
}

impl Stock {
    /// A handle whose changes these SKU actors learn at once.
    pub fn new(skus: Skus, world: World) -> Self {
        Self { skus, world, adjusting: Arc::new(Semaphore::new(ADJUSTING_MAX)) }
    }

    /// Stocks a product for the first time. When it returns `Ok`, the row is committed; when it
    /// was not decided in time, it may still be.
    pub async fn create(
        &self,
        product_id: ProductId,
        available: Quantity,
    ) -> Result<StockRow, CreateError> {
        match self.write(Change::CreateProduct { product_id, available }).await {
            Ok(InventoryAnswer::Stocked(row)) => Ok(StockRow::clone(&row)),
            Ok(InventoryAnswer::Exists) => Err(CreateError::Exists),
            Ok(answer) => Err(CreateError::Unavailable(unexpected(&answer))),
            Err(RequestError::Impossible(cause)) => Err(CreateError::Impossible(cause)),
            Err(why @ (RequestError::Failed(_) | RequestError::Late)) => {
                Err(CreateError::Unavailable(why.to_string()))
            }
        }
    }

    /// Sets how many units of a product are available, if its row has a version that is expected; what
    /// is reserved stays reserved. When it returns `Ok`, the row is committed.
    pub async fn set_available(
        &self,
        product_id: ProductId,
        available: Quantity,
        expected: Expected<u64>,
    ) -> Result<StockRow, SetError> {
        match self.write(Change::SetAvailable { product_id, available, expected }).await {
            Ok(InventoryAnswer::Stocked(row)) => Ok(StockRow::clone(&row)),
            Ok(InventoryAnswer::NotFound) => Err(SetError::NotFound),
            Ok(InventoryAnswer::Stale(row)) => Err(SetError::Stale(row)),
            Ok(answer) => Err(SetError::Unavailable(unexpected(&answer))),
            Err(RequestError::Impossible(cause)) => Err(SetError::Impossible(cause)),
            Err(why @ (RequestError::Failed(_) | RequestError::Late)) => {
                Err(SetError::Unavailable(why.to_string()))
            }
        }
    }

    /// Adjusts what is on hand of some products, each as far as it is possible, in one transaction.
    /// When it returns `Ok`, the outcomes are committed.
    ///
    /// A request without a key gets one of its own: a batch whose commit has an unknown outcome is
    /// decided again, and must not adjust again.
    pub async fn adjust(
        &self,
        key: Option<AdjustmentKey>,
        adjustments: Vec<Adjustment>,
    ) -> Result<Adjusted, AdjustError> {
        let own = || {
            // No client's key begins with a space.
            let key = format!(" {}", self.world.new_id().simple());
            AdjustmentKey { key, fingerprint: Vec::new() }
        };
        let key = key.unwrap_or_else(own);
        let turn = request::in_time(self.adjusting.acquire()).await;
        let Some(Ok(_turn)) = turn else {
            return Err(AdjustError::Unavailable("too many adjustments in progress".to_owned()));
        };
        match self.write(Change::Adjust { key, adjustments: adjustments.into() }).await {
            Ok(InventoryAnswer::Adjusted { outcomes, replayed }) => {
                Ok(Adjusted { outcomes, replayed })
            }
            Ok(InventoryAnswer::KeyReused) => Err(AdjustError::KeyReused),
            Ok(answer) => Err(AdjustError::Unavailable(unexpected(&answer))),
            Err(RequestError::Impossible(cause)) => Err(AdjustError::Impossible(cause)),
            Err(why @ (RequestError::Failed(_) | RequestError::Late)) => {
                Err(AdjustError::Unavailable(why.to_string()))
            }
        }
    }

    async fn write(&self, change: Change) -> Result<InventoryAnswer, RequestError> {
        let hand_in = |ticket: Ticket<InventoryAnswer>| {
            let skus = self.skus.clone();
            self.skus.kind().journal().submit(change.clone(), move |outcome| {
                // Whoever asked may have gone away: it is true all the same.
                if let CommitOutcome::Done(answer) = &outcome {
                    learn(&skus, answer);
                }
                ticket.complete(outcome.into());
            });
        };
        request::ask(hand_in).await
    }
}

/// Tells the SKU actors the stock that an answer brings.
fn learn(skus: &Skus, answer: &InventoryAnswer) {
    match answer {
        InventoryAnswer::Stocked(row) => skus.learn(row.clone()),
        InventoryAnswer::Adjusted { outcomes, .. } => {
            for outcome in outcomes {
                if let AdjustmentOutcome::Adjusted(row) = outcome {
                    skus.learn(Arc::new(row.clone()));
                }
            }
        }
        InventoryAnswer::Stale(_)
        | InventoryAnswer::Exists
        | InventoryAnswer::NotFound
        | InventoryAnswer::KeyReused => {}
        InventoryAnswer::OutcomePublished(_) | InventoryAnswer::Impossible(_) => {}
    }
}

fn unexpected(answer: &InventoryAnswer) -> String {
    format!("unexpected reply: {answer:?}")
}
