//! `ordermill dlq`: dead letters on the command line, asked of a running server over HTTP.

mod args;
mod table;

pub use args::{DiscardArgs, DlqArgs, DlqCommand};

use crate::waiting;
use ordermill_client::{Client, Error, List};
use serde_json::Value;
use std::process::ExitCode;

/// Does what it is asked; fails when it cannot.
pub async fn run(args: DlqArgs) -> anyhow::Result<ExitCode> {
    let client = args.key.client(&args.url);
    let answer = || format!("the server at {} to respond", args.url);
    Ok(waiting::report_waiting(answer, execute(&client, args.command)).await?)
}

async fn execute(client: &Client, command: DlqCommand) -> Result<ExitCode, Error> {
    match command {
        DlqCommand::List { queue, limit, json, discarded } => {
            let path = match discarded {
                true => "/admin/dead-letters/discarded",
                false => "/admin/dead-letters",
            };
            let filters: Vec<_> = queue.iter().map(|queue| ("queue", queue.as_str())).collect();
            Ok(show(&client.list(path, &filters, limit).await?, json, discarded))
        }
        DlqCommand::Discard(args) => discard(client, args).await,
        DlqCommand::Redrive { id: Some(id), queue: _ } => {
            crate::say!("redriven: {id} to {}", client.redrive(id).await?);
            Ok(ExitCode::SUCCESS)
        }
        DlqCommand::Redrive { id: None, queue } => {
            let queue = queue.unwrap_or_default();
            let done = client.redrive_all(&queue).await?;
            crate::say!("redriven to {queue}: {}", done.redriven);
            if done.unreadable == 0 {
                return Ok(ExitCode::SUCCESS);
            }
            crate::note!("ordermill: {} are still unreadable and are kept", done.unreadable);
            Ok(ExitCode::FAILURE)
        }
    }
}

fn show(listed: &List<Value>, json: bool, discarded: bool) -> ExitCode {
    let List { entries: letters, has_more } = listed;
    match (json, letters.is_empty()) {
        (true, _) => letters.iter().for_each(|letter| crate::say!("{letter}")),
        (false, true) if discarded => crate::say!("no discarded dead letters"),
        (false, true) => crate::say!("no dead letters"),
        (false, false) if discarded => crate::print::text(&table::of_discarded(letters)),
        (false, false) => crate::print::text(&table::of(letters)),
    }
    if *has_more {
        crate::note!("there may be more; raise --limit to list them");
    }
    ExitCode::SUCCESS
}

async fn discard(client: &Client, args: DiscardArgs) -> Result<ExitCode, Error> {
    let DiscardArgs { id, queue, reason } = args;
    if let Some(id) = id {
        crate::say!("discarded: {id} of {}", client.discard(id, &reason).await?);
        return Ok(ExitCode::SUCCESS);
    }
    let queue = queue.unwrap_or_default();
    let done = client.discard_all(&queue, &reason).await?;
    crate::say!("discarded from {queue}: {}", done.discarded);
    if done.readable > 0 {
        crate::note!(
            "ordermill: {} are readable and are kept; redrive them, or discard them by id",
            done.readable
        );
    }
    Ok(ExitCode::SUCCESS)
}
