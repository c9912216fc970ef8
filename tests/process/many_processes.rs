//! Several full processes on the same servers, killed one at a time while all servers are crowded.

use super::customers::{Customers, stock_up};
use super::final_checks;
use super::processes::Processes;
use super::random::Random;
use super::setup::Setup;
use super::shop::{Order, Shop, order};
use std::time::Duration;

/// Processes that run all services.
const PROCESSES: usize = 3;
/// Customers, at all servers.
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
    let mut crew = Processes::alike(&setup, PROCESSES);
    let servers = crew.shops();
    stock_up(&servers[0]).await;
    let crowd = Customers::comes(&servers, CUSTOMERS, PAUSE, &mut random);
    for _ in 0..kills {
        tokio::time::sleep(Duration::from_millis(random.within(200, 1_500))).await;
        let index = random.within(0, PROCESSES as u64) as usize;
        crew.kill9(index);
        tokio::time::sleep(Duration::from_millis(random.within(0, 500))).await;
        crew.start(index);
    }
    let results = crowd.leaves().await;
    println!("{kills} kills of one of {PROCESSES}");
    final_checks::all_is_well(&servers[0], &results).await;
    same_at_every_server(&servers, &results.accepted[0].1).await;
    crew.terminate().await;
    final_checks::all_messages_were_consumed(&setup).await;
}

async fn same_at_every_server(servers: &[Shop], id: &str) {
    let path = format!("/orders/{id}");
    let first = servers[0].get(&path).await;
    for server in servers {
        assert_eq!(server.get(&path).await, first);
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
    let one = Processes::alike(&setup, 1);
    let other = Processes::alike(&setup.clone().with("ORDERMILL_FLOW", "choreographed"), 1);
    let servers = [one.shops(), other.shops()].concat();
    stock_up(&servers[0]).await;
    let crowd = Customers::comes(&servers, CUSTOMERS, PAUSE, &mut Random(0x3AB3));
    tokio::time::sleep(Duration::from_secs(3)).await;
    let results = crowd.leaves().await;
    let orders = final_checks::all_is_well(&servers[0], &results).await;
    for flow in ["orchestrated", "choreographed"] {
        assert!(orders.iter().any(|order| order.flow == flow), "no order is {flow}");
    }
    one.terminate().await;
    other.terminate().await;
    final_checks::all_messages_were_consumed(&setup).await;
}

/// Whatever another process has done to an order meanwhile, whoever is asked knows what is possible.
async fn cached_stock_of_one_process_causes_no_refusal(setup: Setup) {
    let crew = Processes::alike(&patient(setup), 2);
    let servers = crew.shops();
    servers[0].stock("A", 100).await;
    for number in 0..20 {
        let server = &servers[number % 2];
        let id = server.place(&order(&format!("buyer-{number}"), &[("A", 1)], "credit_card")).await;
        for (action, reached) in [("dispatch", "SHIPPED"), ("delivery", "COMPLETED")] {
            let possible = |order: &Order| order.status != "PENDING" && order.is_at_rest();
            server.until(&id, LIMIT, possible).await;
            let (status, body) = server.post(&format!("/orders/{id}/{action}")).await;
            assert!(status.is_success(), "{action} of {id}: {status}: {body}");
            server.until(&id, LIMIT, |order| order.status == reached).await;
        }
    }
    crew.terminate().await;
}

on_servers! {
    cached_stock_of_one_process_causes_no_refusal
    three_of_which_one_is_killed_lose_nothing
    three_of_which_one_is_killed_lose_nothing_of_a_chain_of_events
    processes_of_both_flows_work_side_by_side
}
