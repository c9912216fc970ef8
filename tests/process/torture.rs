//! Torture: the binary is killed at every point that has a name and at any other moment, its servers are
//! killed, its connections cut, while customers buy; then everything must be there, once.
//!
//! ```text
//! round: an empty place ─▶ stock ─▶ customers come ─▶ cycle, cycle, … ─▶ they leave ─▶ everything rests
//!                                     └ one Kind of trouble each            └─▶ does it reconcile?
//! ```
//!
//! `./scripts/torture` has it last for as long as one likes. Without orders each kind happens once.

mod environment;
mod kind;
mod orders;
mod recovery;
mod table;
mod wire;

use super::customers::{CustomerResults, Customers};
use super::final_checks;
use super::random::Random;
use super::stack::Stack;
use environment::Environment;
use kind::Kind;
use orders::Orders;
use recovery::Recovery;
use std::sync::Arc;
use std::time::Duration;
use table::Table;

/// Troubles between two checks: enough that they follow from each other, few enough that what
/// is found can be told apart.
const CYCLES: usize = 12;
/// Plain kills of a short torture, besides each kind once.
const KILLS: usize = 5;
const CUSTOMERS: u64 = 12;
const PAUSE: Duration = Duration::from_millis(30);
/// Before they try again, with the same request: the server may refuse, or somebody frozen behind it.
const GIVES_UP_AFTER: Duration = Duration::from_secs(2);

/// Has customers buy while these things happen, and reconciles.
async fn round(
    mut environment: Environment,
    kinds: &[Kind],
    random: &mut Random,
) -> Vec<(Kind, u64, Option<Recovery>)> {
    let servers = environment.customers();
    let hasty: Vec<_> =
        servers.iter().map(|server| server.clone().waiting_at_most(GIVES_UP_AFTER)).collect();
    let crowd = Customers::comes(&hasty, CUSTOMERS, PAUSE, random);
    let mut done = Vec::new();
    for kind in kinds {
        let before = crowd.accepted();
        println!("  {}", kind.name());
        let recovery = environment.suffers(*kind, random).await;
        done.push((*kind, crowd.accepted() - before, recovery));
    }
    let mut results: CustomerResults = crowd.leaves().await;
    results.extend(std::mem::take(&mut environment.results));
    final_checks::all_is_well(&servers[0], &results).await;
    let setup = environment.terminate().await;
    final_checks::all_messages_were_consumed(&setup).await;
    done
}

/// Round after round, each by a seed of its own, until it has lasted as long as it should.
async fn torture(title: &str, all: Vec<Kind>, stack: Option<Arc<Stack>>) {
    let Orders { lasts, seed, kinds } = Orders::of(all);
    let mut table = Table::new();
    let mut random = Random(seed);
    let mut short: Vec<Kind> = kinds.clone();
    short.extend([Kind::Killed; KILLS].into_iter().filter(|kind| kinds.contains(kind)));
    random.shuffle(&mut short);
    let mut rest = short.chunks(CYCLES);
    loop {
        let seed = random.next();
        let mut random = Random(seed);
        let of_round: Vec<Kind> = match lasts {
            Some(lasts) if table.elapsed() >= lasts => break,
            Some(_) => (0..CYCLES).map(|_| kind::draw(&kinds, &mut random)).collect(),
            None => match rest.next() {
                Some(part) => part.to_vec(),
                None => break,
            },
        };
        println!("round {seed:#x}:");
        let environment = match &stack {
            Some(stack) => Environment::on_servers(stack, &mut random).await,
            None => Environment::embedded(&mut random).await,
        };
        table.add(round(environment, &of_round, &mut random).await);
        println!("{title}: {}", table.progress());
    }
    table.print(&format!("{title}, seed {seed}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn embedded() {
    torture("embedded", kind::on_embedded(), None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs ./scripts/stack"]
async fn on_servers() {
    torture("on servers", kind::on_servers(), Some(Arc::new(Stack::start("torture")))).await;
}
