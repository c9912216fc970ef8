//! What `ordermill dlq` is told.

use crate::key_arg::KeyArg;
use clap::builder::RangedU64ValueParser;
use clap::{Args, Subcommand};
use ordermill_client::server_url;
use uuid::Uuid;

/// The most dead letters that one list shows: more is nothing for a terminal.
const DLQ_LIST_MAX: u64 = 10_000;

/// What is done with dead letters, and where.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct DlqArgs {
    /// URL of the server
    #[arg(long, env = "ORDERMILL_URL", hide_env_values = true, value_name = "URL", value_parser = server_url, global = true)]
    #[arg(default_value = "http://127.0.0.1:8080")]
    pub url: String,
    /// The API key.
    #[command(flatten)]
    pub key: KeyArg,
    /// The action.
    #[command(subcommand)]
    pub command: DlqCommand,
}

/// What is done with dead letters.
#[derive(Subcommand, Clone, Debug, PartialEq, Eq)]
pub enum DlqCommand {
    /// List dead letters, newest first
    List {
        /// Only dead letters of this queue, for example `inventory.commands`
        #[arg(long, value_name = "QUEUE")]
        queue: Option<String>,
        /// Maximum number of dead letters
        #[arg(long, value_name = "N", default_value_t = 50)]
        #[arg(value_parser = RangedU64ValueParser::<usize>::new().range(1..=DLQ_LIST_MAX))]
        limit: usize,
        /// Print JSON, one dead letter per line, with its message
        #[arg(long)]
        json: bool,
        /// List discarded dead letters, with the reasons
        #[arg(long)]
        discarded: bool,
    },
    /// Redrive a dead letter, or all dead letters of a queue
    #[command(
        override_usage = "ordermill dlq redrive <ID>\n       ordermill dlq redrive --queue <QUEUE>"
    )]
    Redrive {
        /// Id of the dead letter, as shown by `dlq list`
        #[arg(required_unless_present = "queue", value_parser = dead_letter)]
        id: Option<Uuid>,
        /// All dead letters of this queue
        #[arg(long, value_name = "QUEUE", conflicts_with = "id")]
        queue: Option<String>,
    },
    /// Discard a dead letter, or all unreadable dead letters of a queue
    ///
    /// A discarded message is never handled. It is kept with the reason for 90 days; `dlq list
    /// --discarded` shows it.
    #[command(
        override_usage = "ordermill dlq discard <ID> --reason <TEXT>\n       ordermill dlq discard --queue <QUEUE> --reason <TEXT>"
    )]
    Discard(DiscardArgs),
}

/// Which dead letters are discarded, and why.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct DiscardArgs {
    /// Id of the dead letter, as shown by `dlq list`
    #[arg(required_unless_present = "queue", value_parser = dead_letter)]
    pub id: Option<Uuid>,
    /// All unreadable dead letters of this queue
    #[arg(long, value_name = "QUEUE", conflicts_with = "id")]
    pub queue: Option<String>,
    /// The reason, stored with the message
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}

fn dead_letter(text: &str) -> Result<Uuid, String> {
    let known = "the id of a dead letter is a UUID; `dlq list` shows the ids, `--queue` selects all of a queue";
    Uuid::try_parse(text).map_err(|_| known.to_owned())
}
