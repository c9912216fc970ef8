//! /inventory/{product_id}/movements: the stock ledger, as people read it.

use crate::api::group::Group;
use crate::api::inventory::product;
use crate::api::problem::Problem;
use crate::api::state::State;
use crate::api::time::Time;
use crate::api::{cursor, validate};
use ordermill_actors::inventory::movements;
use ordermill_domain::inventory::{Entry, Movement, Place};
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{Enum, Object, OpenApi};
use uuid::Uuid;

/// The cause of a stock movement.
#[derive(Enum)]
#[oai(rename_all = "snake_case")]
enum MovementKind {
    /// The product was stocked for the first time.
    Created,
    /// The available stock was set.
    Set,
    /// The units on hand were adjusted, for a reason.
    Adjusted,
    /// An order reserved units.
    Reserved,
    /// An order's reserved units became available again.
    Released,
    /// An order's reserved units left the warehouse.
    Committed,
}

/// A stock movement of a product, and the stock after it.
#[derive(Object)]
struct MovementView {
    /// The cause of the movement.
    #[oai(rename = "type")]
    kind: MovementKind,
    /// Change of the units on hand.
    on_hand_delta: i64,
    /// Change of the reserved units.
    reserved_delta: i64,
    /// Units on hand after the movement.
    on_hand: i64,
    /// Reserved units after the movement.
    reserved_qty: i64,
    /// Available units after the movement.
    available_qty: i64,
    /// The order, for `reserved`, `released` and `committed`.
    order_id: Option<Uuid>,
    /// The reason given for the adjustment, for `adjusted`.
    reason: Option<String>,
    /// When.
    at: Time,
    /// The version of the stock after the transaction; movements of one transaction share a
    /// version.
    version: u64,
}

impl From<&Movement> for MovementView {
    fn from(movement: &Movement) -> Self {
        let Movement { place, at, entry, on_hand, reserved } = movement;
        let (on_hand_delta, reserved_delta) = entry.deltas();
        Self {
            kind: match entry {
                Entry::Created(_) => MovementKind::Created,
                Entry::Set(_) => MovementKind::Set,
                Entry::Adjusted(..) => MovementKind::Adjusted,
                Entry::Reserved(..) => MovementKind::Reserved,
                Entry::Released(..) => MovementKind::Released,
                Entry::Committed(..) => MovementKind::Committed,
            },
            on_hand_delta,
            reserved_delta,
            on_hand: *on_hand,
            reserved_qty: *reserved,
            available_qty: on_hand - reserved,
            order_id: entry.order_id().map(|order| order.0),
            reason: entry.reason().map(|reason| reason.to_string()),
            at: (*at).into(),
            version: place.version,
        }
    }
}

/// Movements, newest first.
#[derive(Object)]
struct MovementList {
    /// The movements of this page.
    movements: Vec<MovementView>,
    /// The cursor of the next page; null on the last page.
    next_cursor: Option<String>,
}

/// The routes.
pub struct MovementsApi(pub State);

#[OpenApi(tag = "Group::Inventory")]
impl MovementsApi {
    /// List the stock movements of a product, newest first
    ///
    /// The stock ledger: the cause of each change and the stock after it.
    /// `ORDERMILL_MOVEMENTS_RETENTION` sets how long movements are kept.
    #[oai(path = "/inventory/:product_id/movements", method = "get")]
    async fn list(
        &self,
        product_id: Path<String>,
        /// Entries per page: 1 to 200. Default: 50.
        limit: Query<Option<u32>>,
        /// The `next_cursor` of the previous page.
        cursor: Query<Option<String>>,
    ) -> Result<Json<MovementList>, Problem> {
        let limit = validate::page(limit.0)? as usize;
        let product = product(&product_id.0)?;
        let before = cursor::read(cursor.0.as_deref(), place)?;
        let reads = self.0.services.inventory()?.reads;
        let page = movements(reads, &product, before, limit).await?;
        if page.is_empty() && reads.stock(&product).await?.is_none() {
            return Err(Problem::not_found("there is no such product"));
        }
        let last = page.last().filter(|_| page.len() == limit);
        let next_cursor = last.map(|last| {
            let Place { version, index } = last.place;
            cursor::write(&format!("{version}.{index}"))
        });
        Ok(Json(MovementList {
            movements: page.iter().map(MovementView::from).collect(),
            next_cursor,
        }))
    }
}

/// A place as it stands in a cursor.
fn place(key: &str) -> Option<Place> {
    let (version, index) = key.split_once('.')?;
    Some(Place { version: version.parse().ok()?, index: index.parse().ok()? })
}
