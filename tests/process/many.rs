//! Several full processes on the same servers, killed one at a time while all doors are crowded.

use super::crew::Crew;
use super::crowd::{Crowd, stock_up};
use super::random::Random;
use super::reckoning;
use super::setup::Setup;
use super::shop::{Order, Shop, order};
use std::time::Duration;

/// Processes that run all services.
const PROCESSES: usize = 3;
/// Customers, at all doors.
const CUSTOMERS: u64 = 24;
/// What they pause on average: two cores have six processes to run here.
const PAUSE: Duration = Duration::from_millis(150);
/// How long an order may take from one status to the next.
const LIMIT: Duration = Duration::from_secs(30);

fn patient(setup: Setup) -> Setup {
    setup.with("PAYMENT_TIMEOUT", "300ms").with("ORDERMILL_STEP_TIMEOUT", "2s")
}

/// Kills and restarts one process after the other, then checks everything.
async fn survive(setup: Setup, kills: usize, seed: u64) {
    let mut random = Random(seed);
    let setup = patient(setup);
    let mut crew = Crew::alike(&setup, PROCESSES);
    let doors = crew.shops();
    stock_up(&doors[0]).await;
    let crowd = Crowd::comes(&doors, CUSTOMERS, PAUSE, &mut random);
    for _ in 0..kills {
        tokio::time::sleep(Duration::from_millis(random.within(200, 1_500))).await;
        let index = random.within(0, PROCESSES as u64) as usize;
        crew.kill9(index);
        tokio::time::sleep(Duration::from_millis(random.within(0, 500))).await;
        crew.start(index);
    }
    let story = crowd.leaves().await;
    println!("{kills} kills of one of {PROCESSES}");
    reckoning::all_is_well(&doors[0], &story).await;
    same_at_every_door(&doors, &story.accepted[0].1).await;
    crew.terminate().await;
    reckoning::everything_was_heard(&setup).await;
}

async fn same_at_every_door(doors: &[Shop], id: &str) {
    let path = format!("/orders/{id}");
    let first = doors[0].get(&path).await;
    for door in doors {
        assert_eq!(door.get(&path).await, first);
    }
}

async fn three_of_which_one_is_killed_lose_nothing(setup: Setup) {
    survive(setup, 6, 0x3AB1).await;
}

async fn three_of_which_one_is_killed_lose_nothing_of_a_chain_of_events(setup: Setup) {
    survive(setup.with("ORDERMILL_FLOW", "choreographed"), 4, 0x3AB2).await;
}

/// Processes of both flows, side by side: each order keeps to its own.
async fn processes_of_both_flows_work_side_by_side(setup: Setup) {
    let setup = patient(setup);
    let one = Crew::alike(&setup, 1);
    let other = Crew::alike(&setup.clone().with("ORDERMILL_FLOW", "choreographed"), 1);
    let doors = [one.shops(), other.shops()].concat();
    stock_up(&doors[0]).await;
    let crowd = Crowd::comes(&doors, CUSTOMERS, PAUSE, &mut Random(0x3AB3));
    tokio::time::sleep(Duration::from_secs(3)).await;
    let story = crowd.leaves().await;
    let orders = reckoning::all_is_well(&doors[0], &story).await;
    for flow in ["orchestrated", "choreographed"] {
        assert!(orders.iter().any(|order| order.flow == flow), "no order is {flow}");
    }
    one.terminate().await;
    other.terminate().await;
    reckoning::everything_was_heard(&setup).await;
}

/// Whatever another process has done to an order meanwhile, whoever is asked knows what is possible.
async fn what_one_process_remembers_refuses_nobody(setup: Setup) {
    let crew = Crew::alike(&patient(setup), 2);
    let doors = crew.shops();
    doors[0].stock("A", 100).await;
    for number in 0..20 {
        let door = &doors[number % 2];
        let id = door.place(&order(&format!("buyer-{number}"), &[("A", 1)], "credit_card")).await;
        for (deed, reached) in [("dispatch", "SHIPPED"), ("delivery", "COMPLETED")] {
            let possible = |order: &Order| order.status != "PENDING" && order.rests();
            door.until(&id, LIMIT, possible).await;
            let (status, body) = door.post(&format!("/orders/{id}/{deed}")).await;
            assert!(status.is_success(), "{deed} of {id}: {status}: {body}");
            door.until(&id, LIMIT, |order| order.status == reached).await;
        }
    }
    crew.terminate().await;
}

on_servers! {
    what_one_process_remembers_refuses_nobody
    three_of_which_one_is_killed_lose_nothing
    three_of_which_one_is_killed_lose_nothing_of_a_chain_of_events
    processes_of_both_flows_work_side_by_side
}
