//! The stock, as the shop's own people see and set it.

use super::sku::Skus;
use super::{Answer, Change, Quantity, StockRow};
use crate::ids::ProductId;
use crate::runtime::journal::Verdict;
use thiserror::Error;
use tokio::sync::oneshot;

/// Why a product was not created.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum CreateError {
    /// It is there already.
    #[error("the product exists already")]
    Exists,
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

    /// Stocks a product for the first time. When it returns, the row is committed; a caller that
    /// stops waiting changes nothing of that.
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
            Err(cause) => Err(CreateError::Unavailable(cause)),
        }
    }

    /// Sets how many units of a product are available; what is reserved stays reserved. When it
    /// returns, the row is committed.
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
            Err(cause) => Err(SetError::Unavailable(cause)),
        }
    }

    async fn write(&self, change: Change) -> Result<Answer, String> {
        let (sender, receiver) = oneshot::channel();
        let skus = self.skus.clone();
        self.skus.species().journal().submit(change, move |verdict| {
            if let Verdict::Done(Answer::Stocked(row)) = &verdict {
                skus.learn(row.clone());
            }
            // The asker may have gone away: what was asked is done all the same.
            let _ = sender.send(verdict);
        });
        match receiver.await {
            Ok(Verdict::Done(answer)) => Ok(answer),
            Ok(Verdict::Failed(cause)) => Err(cause),
            Ok(Verdict::Refused) | Err(_) => Err("the change was not decided".to_owned()),
        }
    }
}

fn unexpected(answer: &Answer) -> String {
    format!("an answer to something else: {answer:?}")
}
