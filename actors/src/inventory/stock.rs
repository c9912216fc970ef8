//! The stock, as the shop's own people see and set it.

use super::sku::Skus;
use super::{Answer, Change, Quantity, StockRow};
use crate::ids::ProductId;
use crate::runtime::asking::{self, Unanswered};
use crate::runtime::journal::Verdict;
use crate::runtime::ticket::Ticket;
use thiserror::Error;

/// Why a product was not created.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum CreateError {
    /// It is there already.
    #[error("the product exists already")]
    Exists,
    /// The database refuses to store it, and will refuse it again.
    #[error("the inventory database refuses this change, now and later: {0}")]
    Impossible(String),
    /// Nobody knows whether it was.
    #[error("the inventory service did not answer: {0}")]
    Unavailable(String),
}

/// Why a product's stock was not set.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum SetError {
    /// There is no such product.
    #[error("there is no such product")]
    NotFound,
    /// The database refuses to store it, and will refuse it again.
    #[error("the inventory database refuses this change, now and later: {0}")]
    Impossible(String),
    /// Nobody knows whether it was.
    #[error("the inventory service did not answer: {0}")]
    Unavailable(String),
}

/// Sets stock, through the journal. Cheap to clone.
#[derive(Clone)]
pub struct Stock {
    skus: Skus,
}

impl Stock {
    /// A handle whose changes these SKU actors learn at once.
    pub fn new(skus: Skus) -> Self {
        Self { skus }
    }

    /// Stocks a product for the first time. When it returns `Ok`, the row is committed; when it
    /// was not decided in time, it may still be.
    pub async fn create(
        &self,
        product_id: ProductId,
        available: Quantity,
    ) -> Result<StockRow, CreateError> {
        match self.write(Change::CreateProduct { product_id, available }).await {
            Ok(Answer::Stocked(row)) => Ok(StockRow::clone(&row)),
            Ok(Answer::Exists) => Err(CreateError::Exists),
            Ok(answer @ (Answer::NotFound | Answer::Told(_) | Answer::Impossible(_))) => {
                Err(CreateError::Unavailable(unexpected(&answer)))
            }
            Err(Unanswered::Impossible(cause)) => Err(CreateError::Impossible(cause)),
            Err(why @ (Unanswered::Failed(_) | Unanswered::Late)) => {
                Err(CreateError::Unavailable(why.to_string()))
            }
        }
    }

    /// Sets how many units of a product are available; what is reserved stays reserved. When it
    /// returns `Ok`, the row is committed.
    pub async fn set_available(
        &self,
        product_id: ProductId,
        available: Quantity,
    ) -> Result<StockRow, SetError> {
        match self.write(Change::SetAvailable { product_id, available }).await {
            Ok(Answer::Stocked(row)) => Ok(StockRow::clone(&row)),
            Ok(Answer::NotFound) => Err(SetError::NotFound),
            Ok(answer @ (Answer::Exists | Answer::Told(_) | Answer::Impossible(_))) => {
                Err(SetError::Unavailable(unexpected(&answer)))
            }
            Err(Unanswered::Impossible(cause)) => Err(SetError::Impossible(cause)),
            Err(why @ (Unanswered::Failed(_) | Unanswered::Late)) => {
                Err(SetError::Unavailable(why.to_string()))
            }
        }
    }

    async fn write(&self, change: Change) -> Result<Answer, Unanswered> {
        let hand_in = |ticket: Ticket<Answer>| {
            let skus = self.skus.clone();
            self.skus.species().journal().submit(change.clone(), move |verdict| {
                // Whoever asked may have gone away: it is true all the same.
                if let Verdict::Done(Answer::Stocked(row)) = &verdict {
                    skus.learn(row.clone());
                }
                ticket.settle(verdict.into());
            });
        };
        asking::ask(hand_in).await
    }
}

fn unexpected(answer: &Answer) -> String {
    format!("an answer to something else: {answer:?}")
}
