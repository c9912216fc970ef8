//! What is kept in the embedded databases.

use anyhow::Context;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection};
use std::collections::BTreeMap;
use std::path::Path;

/// How many rows each table has, as `<database>.<table>`. The server may be at work meanwhile.
pub async fn rows(data: &Path) -> anyhow::Result<BTreeMap<String, i64>> {
    let mut rows = BTreeMap::new();
    for entry in std::fs::read_dir(data)? {
        let file = entry?.path();
        if file.extension().is_none_or(|extension| extension != "db") {
            continue;
        }
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let counted = rows_of(&file).await.with_context(|| file.display().to_string())?;
        rows.extend(counted.into_iter().map(|(table, count)| (format!("{name}.{table}"), count)));
    }
    Ok(rows)
}

async fn rows_of(file: &Path) -> anyhow::Result<Vec<(String, i64)>> {
    let options = SqliteConnectOptions::new().filename(file).read_only(true);
    let mut database = SqliteConnection::connect_with(&options).await?;
    let tables =
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE '\\_%' ESCAPE '\\'";
    let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut database).await?;
    let mut rows = Vec::with_capacity(tables.len());
    for table in tables {
        // The name is the schema's own.
        let asked = AssertSqlSafe(format!("SELECT count(*) FROM \"{table}\""));
        let count = sqlx::query_scalar(asked).fetch_one(&mut database).await?;
        rows.push((table, count));
    }
    database.close().await?;
    Ok(rows)
}
