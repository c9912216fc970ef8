//! What strangers put into the broker: messages that nobody can read, on every queue, and queues under our
//! names that are not ours.

use super::server::{Ended, Server};
use super::setup::Setup;
use super::shop::{Shop, order};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// The longest until all of them are dead letters.
const PATIENCE: Duration = Duration::from_secs(60);
/// A message that is far too long.
const MEGABYTE: usize = 1024 * 1024;

/// What no queue of ours expects, and what it is called here.
fn nonsense() -> Vec<(&'static str, String)> {
    let envelope = |event_type: &str, data: Value| {
        json!({
            "event_id": "01890000-0000-7000-8000-000000000001", "event_type": event_type,
            "order_id": "01890000-0000-7000-8000-000000000002",
            "occurred_at": "2026-01-01T00:00:00Z", "flow": "orchestrated", "plan": "reserve-first",
            "data": data,
        })
        .to_string()
    };
    vec![
        ("no JSON", "these are not the orders you are looking for".to_owned()),
        ("nothing", String::new()),
        ("an empty object", "{}".to_owned()),
        ("an unknown type", envelope("order.misunderstood", json!({}))),
        ("a known type without its data", envelope("payment.process", json!({"amount": []}))),
        ("a megabyte", "x".repeat(MEGABYTE)),
        ("a deep one", "[".repeat(10_000)),
    ]
}

/// The queues that something is bound to, but for what nobody serves.
async fn work_queues(setup: &Setup) -> BTreeSet<String> {
    let bindings = setup.on_servers().management.bindings().await;
    let ours = |(exchange, _, queue): (String, String, String)| {
        let rests = exchange.contains(".retry.") || exchange == "unrouted";
        (!exchange.is_empty() && !rests).then_some(queue)
    };
    bindings.into_iter().filter_map(ours).collect()
}

async fn an_unreadable_message_is_a_dead_letter(setup: Setup) {
    // Every channel is served. Nobody will come so far as to send something.
    let setup = setup
        .with("ORDERMILL_SMTP_URL", "smtp://127.0.0.1:1")
        .with("ORDERMILL_MAIL_FROM", "shop@example.com")
        .with("ORDERMILL_SMS", "log");
    let server = setup.start();
    let shop = server.shop();
    shop.stock("A", 10).await;
    let queues = work_queues(&setup).await;
    assert!(queues.len() > 20, "{queues:?}");
    let properties = json!({"delivery_mode": 2, "type": "order.misunderstood"});
    for queue in &queues {
        for (_, message) in nonsense() {
            setup.on_servers().management.publish(queue, &properties, &message).await;
        }
    }
    let expected: BTreeMap<_, _> =
        queues.iter().map(|queue| (queue.clone(), nonsense().len())).collect();
    all_are_dead_letters(&shop, &expected).await;

    // Whoever has read all that goes on with what makes sense, in both flows.
    let ordinary = order("customer", &[("A", 1)], "credit_card");
    confirmed(&shop, &ordinary).await;
    server.terminate().await;
    let server = setup.clone().with("ORDERMILL_FLOW", "choreographed").start();
    confirmed(&server.shop(), &ordinary).await;
    // The dead letters are still there after a restart.
    all_are_dead_letters(&server.shop(), &expected).await;
    server.terminate().await;
}

async fn confirmed(shop: &Shop, order: &Value) {
    let id = shop.place(order).await;
    shop.until(&id, PATIENCE, |order| order.status == "CONFIRMED").await;
}

/// Waits until each queue has so many of them, each with a cause.
async fn all_are_dead_letters(shop: &Shop, expected: &BTreeMap<String, usize>) {
    let begun = Instant::now();
    loop {
        let letters: Vec<Value> = shop.list("/admin/dead-letters").await;
        let mut found = BTreeMap::<_, usize>::new();
        for letter in &letters {
            *found.entry(letter["queue"].as_str().unwrap().to_owned()).or_default() += 1;
            assert!(!letter["cause"].as_str().unwrap().is_empty(), "{letter:#}");
        }
        if &found == expected {
            return;
        }
        if begun.elapsed() > PATIENCE {
            assert_eq!(&found, expected);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn a_foreign_queue_under_our_name_is_named_and_left_alone(setup: Setup) {
    let management = setup.on_servers().management.clone();
    management.declare_queue("inventory.commands", &json!({"x-queue-type": "classic"})).await;
    management.publish("inventory.commands", &json!({}), "somebody else's").await;
    let ended = setup.run(&[]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
    for word in ["`inventory.commands`", "` differs", "another vhost"] {
        assert!(ended.stderr.contains(word), "`{word}` is not in: {}", ended.stderr);
    }
    assert!(management.queues().await.contains("inventory.commands"));
}

/// Two installations with databases of their own on one vhost: the second is refused before any harm, whichever
/// services it runs; and the vhost can be handed to it for good.
async fn another_installation_on_the_same_vhost_is_refused(setup: Setup) {
    let other = Setup::servers().with("AMQP_URL", &setup.on_servers().amqp_url);
    let server = setup.start();
    let shop = server.shop();
    shop.stock("A", 1_000).await;
    let orders: Vec<_> =
        (0..40).map(|n| order(&format!("customer-{n}"), &[("A", 1)], "credit_card")).collect();
    let (ids, ()) = tokio::join!(shop.place_all(&orders, 4), async {
        for services in ["order,inventory,payment,shipping,notification,audit", "inventory"] {
            let other = other.clone().with("ORDERMILL_SERVICES", services);
            let ended = tokio::task::spawn_blocking(move || other.run(&[])).await.unwrap();
            is_refused(&ended);
        }
    });
    for id in &ids {
        shop.until(id, PATIENCE, |order| order.status == "CONFIRMED").await;
    }
    server.terminate().await;

    let management = &setup.on_servers().management;
    for exchange in management.exchanges().await {
        if exchange.starts_with("ordermill.installation.") {
            management.delete_exchange(&exchange).await;
        }
    }
    let server = other.start();
    server.shop().stock("A", 1).await;
    confirmed(&server.shop(), &orders[0]).await;
    is_refused(&setup.run(&[]));
    server.terminate().await;
}

fn is_refused(ended: &Ended) {
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    for word in ["another installation", "a separate vhost", "rabbitmqadmin"] {
        assert!(ended.stderr.contains(word), "`{word}` is not in: {}", ended.stderr);
    }
}

/// Both are new, and start at the same moment.
async fn one_of_two_new_installations_on_a_vhost_is_refused(setup: Setup) {
    let other = Setup::servers().with("AMQP_URL", &setup.on_servers().amqp_url);
    let mut both = [setup.launch(), other.launch()];
    let begun = Instant::now();
    while both.iter_mut().all(Server::runs) {
        assert!(begun.elapsed() < PATIENCE, "both run on one vhost");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let [first, second] = both;
    let (mut stays, ends) = if first.log().contains("another installation") {
        (second, first)
    } else {
        (first, second)
    };
    assert!(ends.log().contains("another installation"), "{}", ends.log());
    stays.serves();
    stays.terminate().await;
}

on_servers! {
    an_unreadable_message_is_a_dead_letter
    a_foreign_queue_under_our_name_is_named_and_left_alone
    another_installation_on_the_same_vhost_is_refused
    one_of_two_new_installations_on_a_vhost_is_refused
}
