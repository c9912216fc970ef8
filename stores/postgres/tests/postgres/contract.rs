//! What every store promises.

use crate::backend::PostgresBackend;

async fn postgres() -> PostgresBackend {
    PostgresBackend::new().await
}

ordermill_contract::contract!(
    #[ignore = "needs ./scripts/stack"]
    crate::contract::postgres
);
