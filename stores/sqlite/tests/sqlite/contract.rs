//! What every store promises.

use crate::backend::SqliteBackend;

async fn sqlite() -> SqliteBackend {
    SqliteBackend::new()
}

ordermill_contract::contract!(crate::contract::sqlite);
