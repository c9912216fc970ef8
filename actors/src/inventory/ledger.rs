//! Reads a product's ledger, movement by movement.

use super::reads::InventoryReads;
use crate::ports::ReadError;
use ordermill_domain::ids::ProductId;
use ordermill_domain::inventory::{Movement, MovementRow, Place};

/// Ledger rows that are read at first. A row of a product in demand has hundreds of movements, one of
/// another product a single one: each further read asks for twice as many.
const ROWS_AT_FIRST: u32 = 4;

/// A product's movements, newest first: those before `before`, `limit` at the most.
pub async fn movements(
    reads: &dyn InventoryReads,
    product: &ProductId,
    before: Option<Place>,
    limit: usize,
) -> Result<Vec<Movement>, ReadError> {
    let mut page = Vec::new();
    let mut rows_wanted = ROWS_AT_FIRST;
    // The row that the last page stopped in is read again.
    let mut before_version = before.map(|place| place.version.saturating_add(1));
    while page.len() < limit {
        let rows = reads.movements(product, before_version, rows_wanted).await?;
        let is_end = rows.len() < rows_wanted as usize;
        before_version = rows.last().map(|row| row.stock.version);
        let all = rows.iter().flat_map(MovementRow::movements);
        page.extend(all.filter(|movement| before.is_none_or(|before| movement.place < before)));
        if is_end {
            break;
        }
        rows_wanted *= 2;
    }
    page.truncate(limit);
    Ok(page)
}
