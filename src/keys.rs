//! `ordermill keys`: API keys on the command line, in their store, or over HTTP on a running server.
//!
//! ```text
//! without --url   access.db of the data directory, or schema access of the database; beside a running server
//! with --url      GET, POST /admin/keys, DELETE /admin/keys/{id}, POST /admin/keys/{id}/rotate
//! ```
//!
//! The first key is created without `--url`: whoever can write the store may do so.

mod args;
mod local;
mod table;

pub use args::{KeyCommand, KeysArgs, Lifetime, NewKeyArgs};
pub(crate) use local::rotate;

use crate::waiting;
use anyhow::ensure;
use ordermill_client::Client;
use serde_json::json;
use std::process::ExitCode;
use table::{show, show_created};

/// Does what it is asked; fails when it cannot.
pub async fn run(args: KeysArgs) -> anyhow::Result<ExitCode> {
    let command = args.command.clone();
    match &args.url {
        Some(url) => {
            let client = args.key.client(url);
            let answer = || format!("the server at {url} to respond");
            waiting::report_waiting(answer, remote(&client, command)).await?;
        }
        None => local::run(args.place(), command).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn remote(client: &Client, command: KeyCommand) -> anyhow::Result<()> {
    match command {
        KeyCommand::Create(new) => {
            let body = json!({
                "role": new.role,
                "customer_id": new.customer,
                "name": new.name,
                "expires_in": new.expires.map(|expires| expires.to_string()),
            });
            show_created(&client.create_key(&body).await?);
        }
        KeyCommand::List { json } => show(&client.keys().await?, json),
        KeyCommand::Revoke { id, reason } => {
            let is_sent = reason.bytes().all(|byte| matches!(byte, b' '..=b'~'));
            ensure!(is_sent, "over HTTP the reason consists of visible ASCII characters");
            client.revoke_key(&id, &reason).await?;
        }
        KeyCommand::Rotate { id } => show_created(&client.rotate_key(&id).await?),
    }
    Ok(())
}
