//! `ordermill dlq`: dead letters on the command line, asked of a running server over HTTP.

mod args;
pub(crate) mod server;
mod table;

pub use args::{DiscardArgs, DlqArgs, DlqCommand};

use crate::waiting;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
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

/// A page of discarded ones.
#[derive(Deserialize)]
struct DiscardedPage {
    discarded: Vec<Value>,
    next_cursor: Option<String>,
}

/// What the server has discarded.
#[derive(Deserialize)]
struct AllDiscarded {
    discarded: u64,
    readable: u64,
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
    let answer = || format!("the server at {} to respond", args.url);
    waiting::report_waiting(answer, execute(&server, args.command)).await
}

async fn execute(server: &Server, command: DlqCommand) -> anyhow::Result<ExitCode> {
    match command {
        DlqCommand::List { queue, limit, json, discarded } => {
            let asked = (queue, limit);
            let listed = match discarded {
                true => {
                    let taken = |page: DiscardedPage| (page.discarded, page.next_cursor);
                    list(server, "/admin/dead-letters/discarded", asked, taken).await?
                }
                false => {
                    let taken = |page: Page| (page.dead_letters, page.next_cursor);
                    list(server, "/admin/dead-letters", asked, taken).await?
                }
            };
            Ok(show(&listed, json, discarded))
        }
        DlqCommand::Discard(args) => discard(server, args).await,
        DlqCommand::Redrive { id: Some(id), queue: _ } => {
            let path = format!("/admin/dead-letters/{id}/redrive");
            let answer: Value = server.post(&path, &[], None).await?;
            crate::say!("redriven: {id} to {}", answer["queue"].as_str().unwrap_or("its queue"));
            Ok(ExitCode::SUCCESS)
        }
        DlqCommand::Redrive { id: None, queue } => {
            let queue = queue.unwrap_or_default();
            let query = [("queue", queue.as_str())];
            let done: AllRedriven =
                server.post("/admin/dead-letters/redrive", &query, None).await?;
            crate::say!("redriven to {queue}: {}", done.redriven);
            if done.unreadable == 0 {
                return Ok(ExitCode::SUCCESS);
            }
            crate::note!("ordermill: {} are still unreadable and are kept", done.unreadable);
            Ok(ExitCode::FAILURE)
        }
    }
}

/// Dead letters of a list, and whether there are more.
struct Listed {
    letters: Vec<Value>,
    more: bool,
}

/// Reads a list page by page.
async fn list<P: DeserializeOwned>(
    server: &Server,
    path: &str,
    (queue, limit): (Option<String>, usize),
    taken: impl Fn(P) -> (Vec<Value>, Option<String>),
) -> anyhow::Result<Listed> {
    let mut letters: Vec<Value> = Vec::new();
    let mut cursor = None;
    loop {
        let size = PAGE.min(limit - letters.len()).to_string();
        let mut query = vec![("limit", size.as_str())];
        query.extend(queue.as_deref().map(|queue| ("queue", queue)));
        query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let (page, next) = taken(server.get(path, &query).await?);
        letters.extend(page);
        cursor = next;
        if cursor.is_none() || letters.len() >= limit {
            return Ok(Listed { letters, more: cursor.is_some() });
        }
    }
}

fn show(listed: &Listed, json: bool, discarded: bool) -> ExitCode {
    let Listed { letters, more } = listed;
    match (json, letters.is_empty()) {
        (true, _) => letters.iter().for_each(|letter| crate::say!("{letter}")),
        (false, true) if discarded => crate::say!("no discarded dead letters"),
        (false, true) => crate::say!("no dead letters"),
        (false, false) if discarded => crate::print::text(&table::of_discarded(letters)),
        (false, false) => crate::print::text(&table::of(letters)),
    }
    if *more {
        crate::note!("there may be more; raise --limit to list them");
    }
    ExitCode::SUCCESS
}

async fn discard(server: &Server, args: DiscardArgs) -> anyhow::Result<ExitCode> {
    let DiscardArgs { id, queue, reason } = args;
    let body = json!({ "reason": reason });
    if let Some(id) = id {
        let path = format!("/admin/dead-letters/{id}/discard");
        let answer: Value = server.post(&path, &[], Some(&body)).await?;
        crate::say!("discarded: {id} of {}", answer["queue"].as_str().unwrap_or("its queue"));
        return Ok(ExitCode::SUCCESS);
    }
    let queue = queue.unwrap_or_default();
    let query = [("queue", queue.as_str())];
    let path = "/admin/dead-letters/discard";
    let done: AllDiscarded = server.post(path, &query, Some(&body)).await?;
    crate::say!("discarded from {queue}: {}", done.discarded);
    if done.readable > 0 {
        crate::note!(
            "ordermill: {} are readable and are kept; redrive them, or discard them by id",
            done.readable
        );
    }
    Ok(ExitCode::SUCCESS)
}
