//! /inventory/…/adjustments: units that arrive, or are found to be missing.

use crate::api::body::{Fields, Raw};
use crate::api::group::Group;
use crate::api::inventory::{StockView, product, unavailable};
use crate::api::limits::{self, ADJUSTMENTS_MAX, REASON_MAX};
use crate::api::orders::idempotency_key;
use crate::api::problem::{FieldError, Problem};
use crate::api::scalar::{Count, ProductIdInput};
use crate::api::state::State;
use crate::api::validate;
use ordermill_actors::inventory::{AdjustError, Adjusted};
use ordermill_domain::ids::ProductId;
use ordermill_domain::inventory::{
    Adjustment, AdjustmentKey, AdjustmentOutcome, Quantity, StockRow,
};
use poem_openapi::param::{Header, Path};
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Enum, Object, OpenApi};
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// A change of the units on hand.
#[derive(Object, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewAdjustment {
    /// Number of units to add; negative to remove units. Not 0.
    #[oai(validator(minimum(value = "-1000000000000"), maximum(value = "1000000000000")))]
    delta: Count<i64>,
    /// The reason, recorded in the stock ledger.
    #[oai(validator(min_length = 1, max_length = 200))]
    reason: String,
}

/// A change of the units on hand of one product of an import.
#[derive(Object, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewImportedAdjustment {
    /// The product.
    product_id: ProductIdInput,
    /// Number of units to add; negative to remove units. Not 0.
    #[oai(validator(minimum(value = "-1000000000000"), maximum(value = "1000000000000")))]
    delta: Count<i64>,
    /// The reason, recorded in the stock ledger.
    #[oai(validator(min_length = 1, max_length = 200))]
    reason: String,
}

/// Adjustments of many products.
#[derive(Object, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewImport {
    /// The adjustments. A product may appear more than once.
    #[oai(validator(min_items = 1, max_items = 1000))]
    adjustments: Vec<Fields<NewImportedAdjustment>>,
}

/// An applied adjustment.
#[derive(ApiResponse)]
enum Applied {
    /// The adjustment is applied.
    #[oai(status = 200)]
    Applied(
        Json<StockView>,
        /// `true` if the same request was applied before and this is its response.
        #[oai(header = "Idempotent-Replayed")]
        Option<bool>,
    ),
}

/// The outcome of an adjustment.
#[derive(Enum)]
#[oai(rename_all = "snake_case")]
enum Outcome {
    /// The adjustment is applied.
    Adjusted,
    /// Nothing is changed: there is no such product.
    UnknownProduct,
    /// Nothing is changed: fewer units would be on hand than are reserved.
    BelowReserved,
    /// Nothing is changed: more units would be available than can be stocked.
    AboveMaximum,
}

/// One adjustment of an import, and its outcome.
#[derive(Object)]
struct OutcomeView {
    /// The product.
    product_id: String,
    /// The requested change.
    delta: i64,
    /// The outcome.
    outcome: Outcome,
    /// The reason why it was not applied; null if it was applied.
    detail: Option<String>,
    /// The stock after the import, or at the time of the rejection; null if the product does not
    /// exist.
    stock: Option<StockView>,
}

/// The result of an import.
#[derive(Object)]
struct ImportView {
    /// Number of applied adjustments.
    applied: u64,
    /// Number of rejected adjustments.
    refused: u64,
    /// The result of each adjustment, in the order of the request.
    results: Vec<OutcomeView>,
}

/// An import that was carried out.
#[derive(ApiResponse)]
enum Imported {
    /// All adjustments are applied.
    #[oai(status = 200)]
    All(
        Json<ImportView>,
        /// `true` if the same request was applied before and this is its response.
        #[oai(header = "Idempotent-Replayed")]
        Option<bool>,
    ),
    /// Some adjustments are rejected; `results` contains the reasons.
    #[oai(status = 207)]
    Some(
        Json<ImportView>,
        /// `true` if the same request was applied before and this is its response.
        #[oai(header = "Idempotent-Replayed")]
        Option<bool>,
    ),
}

/// The routes.
pub struct AdjustmentsApi(pub State);

#[OpenApi(tag = "Group::Inventory")]
impl AdjustmentsApi {
    /// Adjust the stock of a product
    ///
    /// Use this to restock: it changes the units on hand by a difference, so concurrent
    /// reservations and sales are preserved. With an `Idempotency-Key` a repeated request is
    /// applied once, for at least 24 hours. If fewer units than reserved would remain, the response
    /// is 409 and nothing is changed.
    #[oai(path = "/inventory/:product_id/adjustments", method = "post")]
    async fn adjust(
        &self,
        request: &poem::Request,
        product_id: Path<String>,
        body: Raw<NewAdjustment>,
        /// A key that identifies this request: 1 to 255 visible ASCII characters.
        #[oai(name = "Idempotency-Key")]
        _key: Header<Option<String>>,
    ) -> Result<Applied, Problem> {
        let key = idempotency_key(request)?;
        let NewAdjustment { delta, reason } = body.parse()?;
        let product = product(&product_id.0)?;
        let mut errors = Vec::new();
        let adjustment = check(&mut errors, "", product, &delta, &reason);
        let Some(adjustment) = adjustment.filter(|_| errors.is_empty()) else {
            return Err(Problem::faulty("adjustment", errors));
        };
        let delta = adjustment.delta;
        let adjusted = self.apply(key, vec![adjustment]).await?;
        let replayed = adjusted.replayed.then_some(true);
        match adjusted.outcomes.first() {
            Some(AdjustmentOutcome::Adjusted(row)) => {
                Ok(Applied::Applied(Json(StockView::from(row)), replayed))
            }
            Some(AdjustmentOutcome::UnknownProduct) | None => {
                Err(Problem::not_found(format!("{UNKNOWN}; create it with POST /inventory")))
            }
            Some(AdjustmentOutcome::BelowReserved(row)) => {
                Err(Problem::conflict(below_reserved(row, delta)))
            }
            Some(AdjustmentOutcome::AboveMaximum(row)) => {
                Err(Problem::conflict(above_maximum(row, delta)))
            }
        }
    }

    /// Adjust the stock of many products
    ///
    /// For imports: up to 1,000 adjustments in one transaction. Each adjustment is applied or
    /// rejected by itself. 200: all are applied; 207: see `results`. An `Idempotency-Key` covers
    /// the whole request: a repeated request is not applied again and gets the same response.
    #[oai(path = "/inventory/adjustments", method = "post")]
    async fn import(
        &self,
        request: &poem::Request,
        body: Raw<NewImport>,
        /// A key that identifies this request: 1 to 255 visible ASCII characters.
        #[oai(name = "Idempotency-Key")]
        _key: Header<Option<String>>,
    ) -> Result<Imported, Problem> {
        let key = idempotency_key(request)?;
        let adjustments = check_all(body.parse()?)?;
        let adjusted = self.apply(key, adjustments.clone()).await?;
        let replayed = adjusted.replayed.then_some(true);
        let outcomes = adjustments.iter().zip(&adjusted.outcomes);
        let results: Vec<_> = outcomes.map(|(one, outcome)| shown(one, outcome)).collect();
        let refused = results.iter().filter(|result| result.detail.is_some()).count();
        let view = ImportView {
            applied: (results.len() - refused) as u64,
            refused: refused as u64,
            results,
        };
        Ok(match refused {
            0 => Imported::All(Json(view), replayed),
            _ => Imported::Some(Json(view), replayed),
        })
    }

    async fn apply(
        &self,
        key: Option<String>,
        adjustments: Vec<Adjustment>,
    ) -> Result<Adjusted, Problem> {
        let stock = &self.0.services.inventory()?.stock;
        let key = key.map(|key| AdjustmentKey { key, fingerprint: fingerprint(&adjustments) });
        stock.adjust(key, adjustments).await.map_err(|error| match error {
            AdjustError::KeyReused => {
                let field = FieldError::new("Idempotency-Key", error.to_string());
                Problem::unprocessable(error.to_string(), vec![field])
            }
            AdjustError::Impossible(_) => Problem::impossible(&error),
            AdjustError::Unavailable(_) => unavailable(&error),
        })
    }
}

/// A digest of what is asked for, as it was understood, however it was written down.
fn fingerprint(adjustments: &[Adjustment]) -> Vec<u8> {
    let mut digest = Sha256::new();
    for Adjustment { product_id, delta, reason } in adjustments {
        // Neither an id nor a reason has a control character.
        digest.update(format!("{product_id}\n{delta}\n{reason}\n"));
    }
    digest.finalize().to_vec()
}

fn check(
    errors: &mut Vec<FieldError>,
    at: &str,
    product_id: ProductId,
    delta: &Count<i64>,
    reason: &str,
) -> Option<Adjustment> {
    validate::text(errors, &format!("{at}reason"), reason, REASON_MAX);
    let taken = delta
        .whole()
        .filter(|delta| *delta != 0 && (-Quantity::MAX..=Quantity::MAX).contains(delta));
    if taken.is_none() {
        let message = "must be an integer from -1000000000000 to 1000000000000, except 0";
        errors.push(FieldError::new(format!("{at}delta"), message));
    }
    taken.map(|delta| Adjustment { product_id, delta, reason: reason.into() })
}

fn check_all(request: NewImport) -> Result<Vec<Adjustment>, Problem> {
    let count = request.adjustments.len();
    if !(1..=ADJUSTMENTS_MAX).contains(&count) {
        let message = format!("must have 1 to {ADJUSTMENTS_MAX} entries; it has {count}");
        return Err(Problem::faulty("import", vec![FieldError::new("adjustments", message)]));
    }
    let mut errors = Vec::new();
    let mut adjustments = Vec::with_capacity(count);
    for (index, Fields(one)) in request.adjustments.into_iter().enumerate() {
        let at = format!("adjustments[{index}].");
        let product = one.product_id.0;
        validate::text(&mut errors, &format!("{at}product_id"), &product, limits::PRODUCT_ID_MAX);
        let product = ProductId::from(product.as_str());
        adjustments.extend(check(&mut errors, &at, product, &one.delta, &one.reason));
    }
    match errors.is_empty() {
        true => Ok(adjustments),
        false => Err(Problem::faulty("import", errors)),
    }
}

const UNKNOWN: &str = "there is no such product";

fn below_reserved(row: &StockRow, delta: i64) -> String {
    let StockRow { on_hand, reserved, .. } = row;
    format!(
        "on hand: {on_hand}, reserved: {reserved}; an adjustment by {delta} leaves fewer units \
            than are reserved"
    )
}

fn above_maximum(row: &StockRow, delta: i64) -> String {
    let (available, max) = (row.available(), Quantity::MAX);
    format!("available: {available}; an adjustment by {delta} exceeds the maximum of {max}")
}

fn shown(adjustment: &Adjustment, outcome: &AdjustmentOutcome) -> OutcomeView {
    let Adjustment { product_id, delta, .. } = adjustment;
    let (outcome, detail, row) = match outcome {
        AdjustmentOutcome::Adjusted(row) => (Outcome::Adjusted, None, Some(row)),
        AdjustmentOutcome::UnknownProduct => {
            (Outcome::UnknownProduct, Some(UNKNOWN.to_owned()), None)
        }
        AdjustmentOutcome::BelowReserved(row) => {
            (Outcome::BelowReserved, Some(below_reserved(row, *delta)), Some(row))
        }
        AdjustmentOutcome::AboveMaximum(row) => {
            (Outcome::AboveMaximum, Some(above_maximum(row, *delta)), Some(row))
        }
    };
    let stock = row.map(StockView::from);
    OutcomeView { product_id: product_id.to_string(), delta: *delta, outcome, detail, stock }
}
