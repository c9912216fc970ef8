//! Killed with `kill -9` in the middle of everything, again and again: nothing accepted is lost.

use super::customers::{CustomerResults, request, stock_up};
use super::final_checks;
use super::random::Random;
use super::setup::Setup;
use super::shop::Shop;
use reqwest::{Method, StatusCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;
use tokio::task::JoinSet;

/// Customers who buy at once.
const CUSTOMERS: u64 = 50;

/// Buys, changes its mind and has things sent until the server is gone.
///
/// `earlier` are orders of the lives before: most are confirmed, or on their way to be.
async fn customer(
    shop: Shop,
    name: String,
    seed: u64,
    earlier: Arc<Vec<String>>,
    gone: Arc<AtomicBool>,
) -> CustomerResults {
    let mut random = Random(seed);
    let mut results = CustomerResults::default();
    for number in 0_u64.. {
        if gone.load(Relaxed) {
            break;
        }
        let request = request(format!("{name}-{number}"), &mut random);
        let answer = shop.ask(Method::POST, "/orders", Some(&request.body), Some(&request.key));
        match answer.await {
            Ok((StatusCode::CREATED, body)) => {
                let id = body["order_id"].as_str().unwrap().to_owned();
                results.accepted.push((request, id));
            }
            Ok((status, body)) => panic!("a good order was answered {status}: {body}"),
            Err(_) => {
                results.open.push(request);
                break;
            }
        }
        let asked = match random.within(0, 100) {
            0..8 => "cancel",
            8..40 => "dispatch",
            _ => continue,
        };
        let mine = &results.accepted[random.within(0, results.accepted.len() as u64) as usize].1;
        let id = match earlier.len() as u64 {
            0 => mine,
            _ if random.percent(30) => mine,
            count => &earlier[random.within(0, count) as usize],
        };
        let path = format!("/orders/{id}/{asked}");
        // A conflict is an answer too; none is no wonder here.
        let _ = shop.ask(Method::POST, &path, None, None).await;
    }
    results
}

/// Lets everybody buy for a while, then kills the server: what was accepted, what was not answered.
async fn cycle(
    setup: &Setup,
    name: &str,
    earlier: Vec<String>,
    random: &mut Random,
) -> CustomerResults {
    let server = setup.start();
    let earlier = Arc::new(earlier);
    let gone = Arc::new(AtomicBool::new(false));
    let mut customers = JoinSet::new();
    for number in 0..CUSTOMERS {
        let name = format!("{name}-{number}");
        customers.spawn(customer(
            server.shop(),
            name,
            random.next(),
            earlier.clone(),
            gone.clone(),
        ));
    }
    tokio::time::sleep(Duration::from_millis(random.within(20, 600)) * setup.slowness()).await;
    server.kill9();
    gone.store(true, Relaxed);
    let mut all = CustomerResults::default();
    while let Some(results) = customers.join_next().await {
        all.extend(results.unwrap());
    }
    all
}

/// Kills so many times, then checks everything.
async fn survives(setup: Setup, kills: usize, seed: u64) {
    let mut random = Random(seed);
    let setup = setup.with("PAYMENT_TIMEOUT", "300ms");
    let server = setup.start();
    stock_up(&server.shop()).await;
    server.terminate().await;

    let mut results = CustomerResults::default();
    for number in 0..kills {
        let earlier = results.accepted.iter().map(|(_, id)| id.clone()).collect();
        let part = cycle(&setup, &format!("customer-{number}"), earlier, &mut random).await;
        results.extend(part);
    }
    println!("{kills} kills");
    let server = setup.start();
    final_checks::all_is_well(&server.shop(), &results).await;
    server.terminate().await;
    final_checks::all_messages_were_consumed(&setup).await;
}

async fn eight_kills_lose_nothing_and_double_nothing(setup: Setup) {
    survives(setup.with("ORDERMILL_STEP_TIMEOUT", "1s"), 8, 0x0DD5).await;
}

/// No command is ever sent again for want of an answer here: what the outboxes keep must do.
async fn outboxes_alone_recover_lost_broker_data(setup: Setup) {
    let setup = setup.with("ORDERMILL_PLAN", "payment-first");
    survives(setup.with("ORDERMILL_STEP_TIMEOUT", "10m"), 4, 0x0B0C).await;
}

async fn kills_in_a_chain_of_events_lose_nothing(setup: Setup) {
    let setup = setup.with("ORDERMILL_FLOW", "choreographed");
    survives(setup.with("ORDERMILL_STEP_TIMEOUT", "1s"), 4, 0x0C40).await;
}

everywhere! {
    eight_kills_lose_nothing_and_double_nothing
    outboxes_alone_recover_lost_broker_data
    kills_in_a_chain_of_events_lose_nothing
}
