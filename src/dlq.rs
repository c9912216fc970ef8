//! `ordermill dlq`: dead letters on the command line, asked of a running server over HTTP.

pub(crate) mod server;
mod table;

use crate::cli::{DlqArgs, DlqCommand};
use serde::Deserialize;
use serde_json::Value;
use server::Server;
use std::process::ExitCode;

/// Dead letters asked for at a time.
const PAGE: usize = 200;

/// A page of dead letters, as the server lists them.
#[derive(Deserialize)]
struct Page {
    dead_letters: Vec<Value>,
    next_cursor: Option<String>,
}

/// What the server has redriven.
#[derive(Deserialize)]
struct AllRedriven {
    redriven: u64,
    unreadable: u64,
}

/// Does what it is asked; fails when it cannot.
pub async fn run(args: DlqArgs) -> anyhow::Result<ExitCode> {
    let server = Server::new(&args.url)?;
    match args.command {
        DlqCommand::List { queue, limit, json } => list(&server, queue, limit, json).await,
        DlqCommand::Redrive { id: Some(id), queue: _ } => {
            let path = format!("/admin/dead-letters/{id}/redrive");
            let answer: Value = server.post(&path, &[]).await?;
            crate::say!("{id} goes back to {}", answer["queue"].as_str().unwrap_or("its queue"));
            Ok(ExitCode::SUCCESS)
        }
        DlqCommand::Redrive { id: None, queue } => {
            let queue = queue.unwrap_or_default();
            let query = [("queue", queue.as_str())];
            let done: AllRedriven = server.post("/admin/dead-letters/redrive", &query).await?;
            crate::say!("{} go back to {queue}", done.redriven);
            if done.unreadable == 0 {
                return Ok(ExitCode::SUCCESS);
            }
            crate::note!("ordermill: {} still cannot be read, and stay", done.unreadable);
            Ok(ExitCode::FAILURE)
        }
    }
}

async fn list(
    server: &Server,
    queue: Option<String>,
    limit: usize,
    json: bool,
) -> anyhow::Result<ExitCode> {
    let mut letters: Vec<Value> = Vec::new();
    let mut cursor = None;
    loop {
        let size = PAGE.min(limit - letters.len()).to_string();
        let mut query = vec![("limit", size.as_str())];
        query.extend(queue.as_deref().map(|queue| ("queue", queue)));
        query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let page: Page = server.get("/admin/dead-letters", &query).await?;
        letters.extend(page.dead_letters);
        cursor = page.next_cursor;
        if cursor.is_none() || letters.len() >= limit {
            break;
        }
    }
    if json {
        letters.iter().for_each(|letter| crate::say!("{letter}"));
    } else if letters.is_empty() {
        crate::say!("there are no dead letters");
    } else {
        crate::print::text(&table::of(&letters));
    }
    if cursor.is_some() {
        crate::note!("there may be more: --limit shows them");
    }
    Ok(ExitCode::SUCCESS)
}
