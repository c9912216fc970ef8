//! Torture: the binary is killed at every point that has a name and at any other moment, its servers are
//! killed, its connections cut, while customers buy; then everything must be there, once.
//!
//! ```text
//! round: an empty place ─▶ stock ─▶ customers come ─▶ cycle, cycle, … ─▶ they leave ─▶ everything rests
//!                                     └ one Kind of trouble each            └─▶ are the books right?
//! ```
//!
//! `./scripts/torture` has it last for as long as one likes. Without orders each kind happens once.

mod ground;
mod kind;
mod orders;
mod recovery;
mod table;
mod wire;

use super::crowd::{Crowd, Story};
use super::random::Random;
use super::reckoning;
use super::stack::Stack;
use ground::Ground;
use kind::Kind;
use orders::Orders;
use recovery::Recovery;
use std::sync::Arc;
use std::time::Duration;
use table::Table;

/// Troubles between two looks into the books: enough that they follow from each other, few enough that what
/// is found can be told apart.
const CYCLES: usize = 12;
/// Plain kills of a short torture, besides each kind once.
const KILLS: usize = 5;
const CUSTOMERS: u64 = 12;
const PAUSE: Duration = Duration::from_millis(30);
/// Before they try again, with the same request: the door may be shut, or somebody frozen behind it.
const GIVES_UP_AFTER: Duration = Duration::from_secs(2);

/// Has customers buy while these things happen, and checks the books.
async fn round(
    mut ground: Ground,
    kinds: &[Kind],
    random: &mut Random,
) -> Vec<(Kind, u64, Option<Recovery>)> {
    let doors = ground.doors();
    let hasty: Vec<_> =
        doors.iter().map(|door| door.clone().waiting_at_most(GIVES_UP_AFTER)).collect();
    let crowd = Crowd::comes(&hasty, CUSTOMERS, PAUSE, random);
    let mut done = Vec::new();
    for kind in kinds {
        let before = crowd.accepted();
        println!("  {}", kind.name());
        let recovery = ground.suffers(*kind, random).await;
        done.push((*kind, crowd.accepted() - before, recovery));
    }
    let mut story: Story = crowd.leaves().await;
    story.extend(std::mem::take(&mut ground.story));
    reckoning::all_is_well(&doors[0], &story).await;
    let setup = ground.terminate().await;
    reckoning::everything_was_heard(&setup).await;
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
        let ground = match &stack {
            Some(stack) => Ground::on_servers(stack, &mut random).await,
            None => Ground::embedded(&mut random).await,
        };
        table.add(round(ground, &of_round, &mut random).await);
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
