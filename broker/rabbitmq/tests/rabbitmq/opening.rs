//! Opening: what cannot be opened is said in a sentence, without the password.

use crate::place::Vhost;
use ordermill_actors::messages::{BINDINGS, RETRY_DELAYS, UNROUTED};
use ordermill_rabbitmq::{BrokerOpenError, RabbitBroker};
use serde_json::json;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

async fn refused(url: &str) -> BrokerOpenError {
    let Err(error) = RabbitBroker::connect(url, "ordermill test").await else {
        panic!("{url} was opened")
    };
    error
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs ./scripts/stack"]
async fn wrong_credentials_and_vhosts_are_named_and_final() {
    let vhost = Vhost::create().await;
    let mut wrong = vhost.url.clone();
    wrong.set_password(Some("s3cret")).unwrap();
    let error = refused(wrong.as_str()).await;
    assert!(matches!(error, BrokerOpenError::Refused { .. }), "{error}");
    let mut elsewhere = vhost.url.clone();
    elsewhere.set_path("nowhere");
    let missing = refused(elsewhere.as_str()).await;
    assert!(matches!(missing, BrokerOpenError::NoVhost { .. }), "{missing}");
    assert!(missing.to_string().contains("`nowhere`"), "{missing}");
    for error in [error, missing] {
        let said = error.to_string();
        assert!(!error.may_pass() && !said.contains("s3cret"), "{said}");
        assert!(said.contains(vhost.url.username()), "{said}");
    }
    vhost.delete().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_is_not_there_may_come() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    for place in [free.to_string(), "nowhere.invalid:5672".to_owned()] {
        let error = refused(&format!("amqp://user:s3cret@{place}/%2f")).await;
        assert!(
            matches!(error, BrokerOpenError::Unreachable { .. }) && error.may_pass(),
            "{error}"
        );
        assert!(error.to_string().contains(&place), "{error}");
        assert!(!error.to_string().contains("s3cret"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_accepts_and_says_nothing_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("amqp://user:s3cret@{}/%2f", silent.local_addr().unwrap());
    let begun = Instant::now();
    let error = refused(&url).await;
    assert!(matches!(error, BrokerOpenError::Unreachable { .. }) && error.may_pass(), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(20));
    // Nothing of it is left: what was said ends.
    let (mut accepted, _) = silent.accept().await.unwrap();
    let mut said = Vec::new();
    let all = accepted.read_to_end(&mut said);
    let ended = tokio::time::timeout(Duration::from_secs(5), all).await;
    assert!(ended.is_ok(), "the connection is still open");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs ./scripts/stack"]
async fn a_queue_that_is_not_ours_is_named_and_left_alone() {
    for (name, durable, arguments, argument) in [
        ("inventory.commands", true, json!({"x-queue-type": "classic"}), "x-queue-type"),
        ("payment.retry.5s", true, json!({"x-queue-type": "quorum"}), "x-"),
        ("notification.email", true, json!({"x-max-priority": 3}), "x-max-priority"),
        ("order.events.dlq", false, json!({}), "durable"),
    ] {
        let vhost = Vhost::create().await;
        vhost.declare_queue(name, durable, &arguments).await;
        vhost.publish(name, &json!({}), "somebody else's").await;
        let error = refused(vhost.url.as_str()).await;
        let said = error.to_string();
        assert!(matches!(error, BrokerOpenError::Mismatch { .. }) && !error.may_pass(), "{said}");
        assert!(said.contains(&format!("`{name}`")) && said.contains(argument), "{said}");
        let message = vhost.take(name).await.expect("it is still there");
        assert_eq!(message["payload"], "somebody else's");
        vhost.delete().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs ./scripts/stack"]
async fn everything_is_declared_and_declaring_again_changes_nothing() {
    let vhost = Vhost::create().await;
    let mut bound = Vec::new();
    for _ in 0..2 {
        let begun = Instant::now();
        let broker = RabbitBroker::connect(vhost.url.as_str(), "ordermill test").await.unwrap();
        let depths = broker.all_depths().await.unwrap();
        println!("{} queues declared within {:.2?}", depths.len(), begun.elapsed());
        broker.close().await;
        // The default exchange is bound to every queue, by itself.
        let ours = |(exchange, _, _): &(String, String, String)| !exchange.is_empty();
        bound.push(vhost.bindings().await.into_iter().filter(ours).collect::<BTreeSet<_>>());
    }
    let mut expected: BTreeSet<_> = BINDINGS
        .iter()
        .copied()
        .flatten()
        .map(|binding| {
            let (exchange, queue) = (binding.exchange.as_str(), binding.queue.as_str());
            (exchange.to_owned(), binding.key.to_owned(), queue.to_owned())
        })
        .collect();
    let namesake = |name: String| (name.clone(), String::new(), name);
    expected.insert(namesake(UNROUTED.to_owned()));
    for service in ordermill_actors::ids::ServiceName::ALL {
        for delay in RETRY_DELAYS {
            expected.insert(namesake(format!("{service}.retry.{}s", delay.as_secs())));
        }
    }
    assert_eq!(bound, [expected.clone(), expected]);
    vhost.delete().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs ./scripts/stack"]
async fn many_processes_declare_at_once() {
    let vhost = Vhost::create().await;
    let connect = || RabbitBroker::connect(vhost.url.as_str(), "ordermill test");
    let opened = futures::future::join_all((0..6).map(|_| connect())).await;
    for broker in opened {
        let broker = broker.unwrap();
        assert!(broker.all_depths().await.is_ok());
        broker.close().await;
    }
    vhost.delete().await;
}
