//! /inventory: what is in stock.

use crate::api::body::Raw;
use crate::api::group::Group;
use crate::api::preconditions::{PreconditionOutcome, Preconditions, quoted};
use crate::api::problem::{FieldError, Problem};
use crate::api::scalar::{Count, ProductIdInput};
use crate::api::state::State;
use crate::api::{cursor, limits, validate};
use ordermill_actors::inventory::{CreateError, SetError};
use ordermill_actors::runtime::request::LATE;
use ordermill_domain::ids::ProductId;
use ordermill_domain::inventory::{Quantity, StockRow};
use poem_openapi::param::{Header, Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object, OpenApi};
use serde::Deserialize;
use std::time::Duration;

/// A product to stock.
#[derive(Object, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewProduct {
    /// The product.
    product_id: ProductIdInput,
    /// Number of available units.
    #[oai(validator(minimum(value = "0"), maximum(value = "1000000000000")))]
    available_qty: Count<i64>,
}

/// A product's stock.
#[derive(Object, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewStock {
    /// The new number of available units. Reserved units stay reserved.
    #[oai(validator(minimum(value = "0"), maximum(value = "1000000000000")))]
    available_qty: Count<i64>,
}

/// A product's stock.
#[derive(Object)]
pub struct StockView {
    /// The product.
    product_id: String,
    /// Available units.
    available_qty: i64,
    /// Units reserved by orders.
    reserved_qty: i64,
    /// Units on hand: available and reserved.
    on_hand: i64,
    /// The version of the stock. It increases with each change; in quotes it is the `ETag` of the
    /// product.
    version: u64,
}

impl From<&StockRow> for StockView {
    fn from(row: &StockRow) -> Self {
        Self {
            product_id: row.product_id.to_string(),
            available_qty: row.on_hand - row.reserved,
            reserved_qty: row.reserved,
            on_hand: row.on_hand,
            version: row.version,
        }
    }
}

/// Products by id.
#[derive(Object)]
struct StockList {
    /// The products of this page.
    products: Vec<StockView>,
    /// The cursor of the next page; null on the last page.
    next_cursor: Option<String>,
}

/// A stocked product.
#[derive(ApiResponse)]
enum Stocked {
    /// The product is stocked.
    #[oai(status = 201)]
    Created(
        Json<StockView>,
        /// The path of the product.
        #[oai(header = "Location")]
        String,
        /// Its version.
        #[oai(header = "ETag")]
        String,
    ),
}

/// A product's stock, or that it is as it was.
#[derive(ApiResponse)]
enum Shown {
    /// The stock.
    #[oai(status = 200)]
    Stock(
        Json<StockView>,
        /// Its version, for `If-Match` and `If-None-Match`.
        #[oai(header = "ETag")]
        String,
    ),
    /// The stock has a version listed in `If-None-Match`.
    #[oai(status = 304)]
    NotModified(
        /// Its version.
        #[oai(header = "ETag")]
        String,
    ),
}

/// The routes.
pub struct InventoryApi(pub State);

#[OpenApi(tag = "Group::Inventory")]
impl InventoryApi {
    /// Stock a new product
    ///
    /// Responds with 409 if the product exists; use `PUT /inventory/{product_id}` to set its stock.
    #[oai(path = "/inventory", method = "post")]
    async fn create(&self, body: Raw<NewProduct>) -> Result<Stocked, Problem> {
        let request = body.parse()?;
        let mut errors = Vec::new();
        let product = request.product_id.0;
        validate::identifier(&mut errors, "product_id", &product, limits::PRODUCT_ID_MAX);
        if product == RESERVED_ID {
            errors.push(FieldError::new(
                "product_id",
                "is reserved for a path of the API; use another product id",
            ));
        }
        let quantity = quantity(&mut errors, &request.available_qty);
        let Some(quantity) = quantity.filter(|_| errors.is_empty()) else {
            return Err(faulty(errors));
        };
        let product = ProductId::from(product.as_str());
        match self.0.services.inventory()?.stock.create(product, quantity).await {
            Ok(row) => {
                let location = format!("/inventory/{}", path_segment(row.product_id.as_str()));
                let tag = quoted(row.version);
                Ok(Stocked::Created(Json(StockView::from(&row)), location, tag))
            }
            Err(error @ CreateError::Exists) => Err(Problem::conflict(format!(
                "{error}; set its stock with PUT /inventory/{{product_id}}"
            ))),
            Err(error @ CreateError::Impossible(_)) => Err(Problem::impossible(&error)),
            Err(error @ CreateError::Unavailable(_)) => Err(unavailable(&error)),
        }
    }

    /// List products by id
    ///
    /// Includes the committed stock.
    #[oai(path = "/inventory", method = "get")]
    async fn list(
        &self,
        /// Entries per page: 1 to 200. Default: 50.
        limit: Query<Option<u32>>,
        /// The `next_cursor` of the previous page.
        cursor: Query<Option<String>>,
    ) -> Result<Json<StockList>, Problem> {
        let limit = validate::page(limit.0)?;
        let after = cursor::read(cursor.0.as_deref(), |key| Some(ProductId::from(key)))?;
        let rows = self.0.services.inventory()?.reads.list(after.as_ref(), limit).await?;
        let last = rows.last().filter(|_| rows.len() == limit as usize);
        let next_cursor = last.map(|row| cursor::write(row.product_id.as_str()));
        Ok(Json(StockList { products: rows.iter().map(StockView::from).collect(), next_cursor }))
    }

    /// Get the stock of a product
    ///
    /// The committed stock: available, reserved, and on hand.
    #[oai(path = "/inventory/:product_id", method = "get")]
    async fn stock(
        &self,
        request: &poem::Request,
        product_id: Path<String>,
        /// Respond only if the stock has one of these versions (412 otherwise).
        #[oai(name = "If-Match")]
        _if_match: Header<Option<String>>,
        /// Respond only if the stock has none of these versions (304 otherwise).
        #[oai(name = "If-None-Match")]
        _if_none_match: Header<Option<String>>,
    ) -> Result<Shown, Problem> {
        let preconditions = Preconditions::of(request)?;
        let product = product(&product_id.0)?;
        let row = self.0.services.inventory()?.reads.stock(&product).await?;
        let row = row.ok_or_else(|| Problem::not_found("there is no such product"))?;
        let tag = quoted(row.version);
        match preconditions.of_reading(&row.version.to_string()) {
            PreconditionOutcome::Proceed => Ok(Shown::Stock(Json(StockView::from(&row)), tag)),
            PreconditionOutcome::NotModified => Ok(Shown::NotModified(tag)),
            PreconditionOutcome::Failed => Err(stale(&row)),
        }
    }

    /// Set the available stock of a product
    ///
    /// Reserved units stay reserved and are not included in the value.
    ///
    /// This overwrites changes made since the units were counted. Send `If-Match` with the `ETag`
    /// of the stock that was read, so that the stock is set only if it is unchanged; or, better,
    /// send the difference with `POST /inventory/{product_id}/adjustments`.
    #[oai(path = "/inventory/:product_id", method = "put")]
    async fn set(
        &self,
        request: &poem::Request,
        product_id: Path<String>,
        body: Raw<NewStock>,
        /// Set the stock only if it has one of these versions, for example `"7"` (412 otherwise).
        #[oai(name = "If-Match")]
        _if_match: Header<Option<String>>,
        /// Set the stock only if it has none of these versions (412 otherwise).
        #[oai(name = "If-None-Match")]
        _if_none_match: Header<Option<String>>,
    ) -> Result<Json<StockView>, Problem> {
        let expected = Preconditions::of(request)?.of_writing(version);
        let request = body.parse()?;
        let mut errors = Vec::new();
        let Some(quantity) = quantity(&mut errors, &request.available_qty) else {
            return Err(faulty(errors));
        };
        let product = product(&product_id.0)?;
        match self.0.services.inventory()?.stock.set_available(product, quantity, expected).await {
            Ok(row) => Ok(Json(StockView::from(&row))),
            Err(error @ SetError::NotFound) => {
                Err(Problem::not_found(format!("{error}; create it with POST /inventory")))
            }
            Err(error @ SetError::Impossible(_)) => Err(Problem::impossible(&error)),
            Err(SetError::Stale(row)) => Err(stale(&row)),
            Err(error @ SetError::Unavailable(_)) => Err(unavailable(&error)),
        }
    }
}

/// The id that no product may have: its address is that of imports, `POST /inventory/adjustments`.
const RESERVED_ID: &str = "adjustments";

/// The version of a tag: written in any other way it is another tag.
fn version(tag: &str) -> Option<u64> {
    let version: u64 = tag.parse().ok()?;
    (version.to_string() == tag).then_some(version)
}

fn stale(row: &StockRow) -> Problem {
    let StockRow { on_hand, reserved, version, .. } = row;
    Problem::precondition_failed(format!(
        "the stock is at version {version}, with {on_hand} units on hand and {reserved} reserved; \
            read it again and retry"
    ))
}

/// The product of a path. One whose id cannot be stocked is not looked for.
pub fn product(id: &str) -> Result<ProductId, Problem> {
    let mut errors = Vec::new();
    validate::text(&mut errors, "product_id", id, limits::PRODUCT_ID_MAX);
    match errors.pop() {
        None => Ok(ProductId::from(id)),
        Some(error) => Err(Problem::bad_parameter("product_id", error.message)),
    }
}

/// A text as one segment of a path (RFC 3986): what has a meaning there is percent-encoded.
fn path_segment(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

fn quantity(errors: &mut Vec<FieldError>, quantity: &Count<i64>) -> Option<Quantity> {
    let taken = quantity.whole().and_then(Quantity::new);
    if taken.is_none() {
        errors.push(FieldError::new("available_qty", "must be an integer from 0 to 1000000000000"));
    }
    taken
}

fn faulty(errors: Vec<FieldError>) -> Problem {
    Problem::faulty("stock", errors)
}

pub fn unavailable(error: &dyn std::error::Error) -> Problem {
    tracing::warn!(service = "http", %error, "setting the stock failed");
    Problem::unavailable(format!("the inventory service {LATE}"), Duration::from_secs(1))
}
