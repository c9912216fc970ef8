//! Each service in a process of its own: together they are the same system, and one that is away is waited
//! for.

use super::processes::Processes;
use super::setup::Setup;
use super::shop::{Shop, order};
use super::{outcomes, reconciliation};
use ordermill_domain::ids::ServiceName;
use reqwest::{Method, StatusCode};
use std::time::{Duration, Instant};

/// The longest that an order may take once everybody is there again.
const PATIENCE: Duration = Duration::from_secs(40);
/// Orders that are placed at a time where a queue shall fill up.
const CROWD: usize = 50;
/// Long enough for an order to be confirmed where nobody is away.
const A_WHILE: Duration = Duration::from_millis(1_500);

async fn orchestrated(setup: Setup) {
    every_scenario_ends_as_expected(setup, "orchestrated").await;
}

async fn choreographed(setup: Setup) {
    every_scenario_ends_as_expected(setup, "choreographed").await;
}

async fn every_scenario_ends_as_expected(setup: Setup, flow: &str) {
    let setup = setup.with("PAYMENT_TIMEOUT", "300ms").with("ORDERMILL_FLOW", flow);
    let crew = Processes::apart(&setup);
    outcomes::all_are_met(&setup, &[crew.departments()]).await;
    crew.terminate().await;
}

/// One service after the other is away while an order is placed.
async fn an_unavailable_service_is_waited_for(setup: Setup) {
    let setup = setup.with("ORDERMILL_STEP_TIMEOUT", "2s");
    let mut crew = Processes::apart(&setup);
    let shop = crew.departments();
    shop.stock("A", 100).await;
    for (index, service) in ServiceName::ALL.iter().map(|name| name.as_str()).enumerate().skip(1) {
        crew.terminate_one(index).await;
        let id = shop.place(&order(service, &[("A", 1)], "credit_card")).await;
        if matches!(service, "inventory" | "payment" | "shipping") {
            tokio::time::sleep(A_WHILE).await;
            let order = shop.order(&id).await;
            assert!(!order.is_at_rest(), "without {service}: {order:#?}");
        } else {
            confirmed(&shop, &id).await;
        }
        crew.start(index);
        confirmed(&shop, &id).await;
        println!("{service} was away, and its order is confirmed");
    }
    setup.databases().all_messages_were_consumed().await;
    let orders = shop.all_at_rest(PATIENCE).await;
    reconciliation::services_agree(&shop, orders.len()).await;
    crew.terminate().await;
}

/// Orders pile up where no process runs the inventory service: admission says so.
async fn a_queue_without_consumers_is_named(setup: Setup) {
    let server = setup.with("ORDERMILL_SERVICES", "order").start();
    let shop = server.shop();
    let mut said = String::new();
    // Hundreds of deliveries have to wait, which takes a busy machine some thousand orders.
    let until = Instant::now() + 3 * PATIENCE;
    for number in 0.. {
        let order = order(&format!("customer-{number}"), &[("A", 1)], "credit_card").to_string();
        let post = || shop.request(Method::POST, "/orders");
        let asked = (0..CROWD)
            .map(|_| post().header("content-type", "application/json").body(order.clone()).send());
        for answer in futures::future::join_all(asked).await {
            let answer = answer.unwrap();
            if answer.status() == StatusCode::SERVICE_UNAVAILABLE {
                said = answer.text().await.unwrap();
            }
        }
        if said.contains("no consumer on") || Instant::now() > until {
            break;
        }
    }
    assert!(said.contains("no consumer on inventory.commands ("), "{said}");
    let (_, ready) = shop.once(Method::GET, "/ready", None, None).await.unwrap();
    assert!(ready.to_string().contains("no consumer on inventory.commands ("), "{ready}");
    server.terminate().await;
}

async fn confirmed(shop: &Shop, id: &str) {
    shop.until(id, PATIENCE, |order| order.status == "CONFIRMED").await;
}

async fn a_question_to_the_wrong_process_names_the_right_one(setup: Setup) {
    let setup = setup.with("ORDERMILL_SERVICES", "order,audit");
    let server = setup.start();
    let shop = server.shop();
    let some = "01890000-0000-7000-8000-000000000000";
    for (path, service) in [
        ("/inventory".to_owned(), "inventory"),
        (format!("/shipments/{some}"), "shipping"),
        ("/notifications".to_owned(), "notification"),
    ] {
        let (status, body) = shop.once(Method::GET, &path, None, None).await.unwrap();
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{path}: {body}");
        assert!(body.to_string().contains(service), "{path}: {body}");
    }
    let (status, body) = shop.once(Method::GET, "/orders", None, None).await.unwrap();
    assert_eq!(status, StatusCode::OK, "{body}");
    server.terminate().await;
}

on_servers! {
    orchestrated
    choreographed
    an_unavailable_service_is_waited_for
    a_question_to_the_wrong_process_names_the_right_one
    a_queue_without_consumers_is_named
}
