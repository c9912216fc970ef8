//! A process that is stopped past every deadline, its work taken over by others, and then goes on as if
//! nothing had happened: it does no harm.

use super::customers::{Customers, stock_up};
use super::final_checks;
use super::processes::Processes;
use super::random::Random;
use super::setup::Setup;
use super::shop::failure;
use std::time::Duration;

/// Processes that run all services.
const PROCESSES: usize = 3;
/// For how long one of them is frozen, each time: past the deadlines below, …
const FROZEN: Duration = Duration::from_secs(5);
/// … and once for so long that the broker takes it for dead, too.
const FORGOTTEN: Duration = Duration::from_secs(25);
/// In between, everybody works.
const AWAKE: Duration = Duration::from_millis(1_200);
const CUSTOMERS: u64 = 16;
/// Before they try another server, with the same request: the frozen one may still take it, later.
const GIVES_UP_AFTER: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(200);

/// Whatever waits for an answer gives up while a process is frozen.
fn hurried(setup: Setup) -> Setup {
    setup
        .with("PAYMENT_TIMEOUT", "300ms")
        .with("ORDERMILL_STEP_TIMEOUT", "1s")
        .with("ORDERMILL_ORDER_TIMEOUT", "3s")
}

async fn wake_too_late(setup: Setup, freezes: &[Duration], seed: u64) {
    let mut random = Random(seed);
    let setup = hurried(setup);
    let crew = Processes::alike(&setup, PROCESSES);
    let servers = crew.shops();
    stock_up(&servers[0]).await;
    let hasty: Vec<_> =
        servers.iter().map(|server| server.clone().waiting_at_most(GIVES_UP_AFTER)).collect();
    let crowd = Customers::comes(&hasty, CUSTOMERS, PAUSE, &mut random);
    for frozen in freezes {
        tokio::time::sleep(AWAKE).await;
        let server = crew.server(random.within(0, PROCESSES as u64) as usize);
        server.signal("STOP");
        tokio::time::sleep(*frozen).await;
        server.signal("CONT");
    }
    tokio::time::sleep(AWAKE).await;
    let results = crowd.leaves().await;
    println!("frozen for {freezes:?}");
    let orders = final_checks::all_is_well(&servers[0], &results).await;
    let late = orders.iter().filter(|order| failure(order).ends_with("deadline_exceeded")).count();
    println!("{late} orders took too long");
    crew.terminate().await;
    final_checks::all_messages_were_consumed(&setup).await;
}

async fn a_process_that_wakes_too_late_does_no_harm(setup: Setup) {
    wake_too_late(setup, &[FROZEN, FROZEN, FORGOTTEN], 0xF0E1).await;
}

async fn a_process_that_wakes_too_late_does_no_harm_in_a_chain_of_events(setup: Setup) {
    wake_too_late(setup.with("ORDERMILL_FLOW", "choreographed"), &[FROZEN, FROZEN], 0xF0E2).await;
}

on_servers! {
    a_process_that_wakes_too_late_does_no_harm
    a_process_that_wakes_too_late_does_no_harm_in_a_chain_of_events
}
