//! The last defence of the stock: what the tables refuse, whatever a service believes.

use crate::backend::Scratch;
use ordermill_actors::inventory::InventoryReads;
use ordermill_actors::ports::ReadError;
use ordermill_contract::values::at;
use ordermill_domain::ids::ProductId;
use ordermill_domain::inventory::{Inventory, StockRow, Writes};
use ordermill_sqlite::inventory::{InventoryDatabase, MIGRATIONS};
use ordermill_sqlite::{Database, Script, Tables};
use std::sync::Arc;

/// Writes rows as they are, whatever the service would have decided.
async fn write(database: &Database, writes: Writes) -> Result<(), ReadError> {
    let written = database.write(move |pool| async move {
        let mut conn = pool.acquire().await?;
        let mut script = Script::default();
        Inventory::write(&mut script, &writes, at(0))?;
        script.run(&mut conn).await
    });
    written.await
}

#[tokio::test]
async fn the_tables_refuse_what_no_batch_may_write() {
    let scratch = Scratch::new();
    let database = Database::open(&scratch.open(), "inventory", &MIGRATIONS).await.unwrap();
    let row = |on_hand, reserved| {
        let product_id = ProductId::from("pear");
        vec![Arc::new(StockRow { product_id, on_hand, reserved, version: 1 })]
    };
    let update = |stock| Writes { stock, ..Writes::default() };
    let insert = |new_stock| Writes { new_stock, ..Writes::default() };

    assert!(write(&database, update(row(5, 0))).await.is_err(), "an update that finds no row");
    assert!(write(&database, insert(row(5, 6))).await.is_err(), "more reserved than there is");
    write(&database, insert(row(5, 5))).await.unwrap();
    assert!(write(&database, insert(row(9, 0))).await.is_err(), "an insert that finds a row");
    assert!(write(&database, update(row(4, 5))).await.is_err(), "oversold");
    assert!(write(&database, update(row(4, -1))).await.is_err(), "less than nothing reserved");

    let stock = InventoryDatabase(database).stock(&"pear".into()).await.unwrap().unwrap();
    assert_eq!((stock.on_hand, stock.reserved), (5, 5), "nothing of it was written");
}
