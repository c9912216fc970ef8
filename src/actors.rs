//! `ordermill actors`: the tree of actors on the command line, asked of a running server over HTTP.

mod screen;
mod table;

use crate::key_arg::KeyArg;
use crate::print::told;
use crate::stop_signal::asked_to_stop;
use crate::waiting;
use clap::Args;
use clap::builder::RangedU64ValueParser;
use ordermill_client::{Client, Error, Tree, server_url};
use screen::Screen;
use std::future::Future;
use std::process::ExitCode;
use std::time::Duration;
use tokio::time::{Instant, interval_at};

/// How often the tree is drawn again while it is watched.
const EVERY: Duration = Duration::from_secs(1);

/// The most levels that one asks for: the tree has four.
const DEPTH_MAX: u64 = 16;

/// The most children of one actor that are listed: what the server gives at a time.
const LIMIT_MAX: u64 = 200;

/// Which actors are shown, and of which server.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct ActorsArgs {
    /// URL of the server
    #[arg(long, env = "ORDERMILL_URL", hide_env_values = true, value_name = "URL", value_parser = server_url)]
    #[arg(default_value = "http://127.0.0.1:8080")]
    pub url: String,
    /// The API key.
    #[command(flatten)]
    pub key: KeyArg,
    /// Only this actor and its descendants, for example `order`
    #[arg(long, value_name = "NAME")]
    pub under: Option<String>,
    /// Number of levels shown below the first
    #[arg(long, value_name = "N")]
    #[arg(value_parser = RangedU64ValueParser::<u32>::new().range(0..=DEPTH_MAX))]
    pub depth: Option<u32>,
    /// Only actors of this kind, for example `journal` or `saga`, and their supervisors
    #[arg(long, value_name = "KIND")]
    pub kind: Option<String>,
    /// Only actors with this status (`running`, `restarting`, `quarantined`, …), and their
    /// supervisors
    #[arg(long, value_name = "STATUS")]
    pub status: Option<String>,
    /// Maximum number of sagas, payments and products shown per supervisor
    #[arg(long, value_name = "N", default_value_t = 5)]
    #[arg(value_parser = RangedU64ValueParser::<u32>::new().range(1..=LIMIT_MAX))]
    pub limit: u32,
    /// Redraw every second until Ctrl-C
    #[arg(long)]
    pub watch: bool,
}

/// Shows them; fails when the server does not answer.
pub async fn run(args: ActorsArgs) -> anyhow::Result<ExitCode> {
    let client = args.key.client(&args.url);
    let answer = || format!("the server at {} to respond", args.url);
    // Fails at once where nobody listens: while it is watched, the server may come and go.
    let tree = table::of(&waiting::report_waiting(answer, look(&client, &args)).await?);
    if !args.watch {
        crate::print::text(&tree);
        return Ok(ExitCode::SUCCESS);
    }
    watch(&client, &args, tree).await
}

/// Draws the tree again and again, until it is asked to stop.
async fn watch(client: &Client, args: &ActorsArgs, tree: String) -> anyhow::Result<ExitCode> {
    let mut text = tree;
    let asked = asked_to_stop();
    tokio::pin!(asked);
    let mut screen = Screen::open();
    loop {
        screen.draw(&text);
        let next = async {
            tokio::time::sleep(EVERY).await;
            look(client, args).await
        };
        let late = |seconds| format!("{} has not responded for {seconds} s", args.url);
        text = tokio::select! {
            biased;
            () = &mut asked => return Ok(ExitCode::SUCCESS),
            tree = drawn_while(&mut screen, late, next) => match tree {
                Ok(tree) => table::of(&tree),
                Err(error) => screen.wrapped(&told(&error.into())),
            },
        };
    }
}

/// Does the work. While it takes long, the screen says so instead of showing an old tree as if it were new.
async fn drawn_while<T>(
    screen: &mut Screen,
    late: impl Fn(u64) -> String,
    work: impl Future<Output = T>,
) -> T {
    let began = Instant::now();
    let mut ticks = interval_at(began + 2 * EVERY, EVERY);
    tokio::pin!(work);
    loop {
        tokio::select! {
            biased;
            done = &mut work => return done,
            _ = ticks.tick() => {
                let text = screen.wrapped(&late(began.elapsed().as_secs()));
                screen.draw(&text);
            }
        }
    }
}

async fn look(client: &Client, args: &ActorsArgs) -> Result<Tree, Error> {
    let depth = args.depth.map(|depth| depth.to_string());
    let limit = args.limit.to_string();
    let asked = [
        ("under", args.under.as_deref()),
        ("depth", depth.as_deref()),
        ("kind", args.kind.as_deref()),
        ("status", args.status.as_deref()),
        ("limit", Some(limit.as_str())),
    ];
    let query: Vec<_> =
        asked.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    client.actors(&query).await
}
