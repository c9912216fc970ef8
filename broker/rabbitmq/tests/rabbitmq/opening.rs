//! Opening: what cannot be opened is said in a sentence, without the password.

use crate::test_vhost::Vhost;
use ordermill_domain::ids::ServiceName;
use ordermill_domain::messages::{BINDINGS, RETRY_DELAYS, UNROUTED};
use ordermill_rabbitmq::{BrokerOpenError, Claim, RabbitBroker};
use serde_json::json;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use uuid::Uuid;

async fn refused(url: &str) -> BrokerOpenError {
    let Err(error) = RabbitBroker::connect(url, "ordermill test", &[]).await else {
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
async fn a_missing_broker_is_retried() {
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
async fn a_peer_that_accepts_and_never_answers_times_out() {
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

/// What a RabbitMQ of this version says first (AMQP 0-9-1, Connection.Start).
fn greeting(version: &str) -> Vec<u8> {
    let long = |text: &str| [&(text.len() as u32).to_be_bytes()[..], text.as_bytes()].concat();
    let field = |key: &str, text: &str| {
        [&[key.len() as u8][..], key.as_bytes(), b"S", &long(text)].concat()
    };
    let properties = [field("product", "RabbitMQ"), field("version", version)].concat();
    let size = (properties.len() as u32).to_be_bytes();
    let start = [&[0, 10, 0, 10, 0, 9][..], &size, &properties, &long("PLAIN"), &long("en_US")];
    let start = start.concat();
    [&[1, 0, 0][..], &(start.len() as u32).to_be_bytes(), &start, &[0xce]].concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_that_is_too_old_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("amqp://user:s3cret@{}/%2f", listener.local_addr().unwrap());
    let old = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut header = [0; 8];
        stream.read_exact(&mut header).await.unwrap();
        assert_eq!(&header, b"AMQP\x00\x00\x09\x01");
        stream.write_all(&greeting("3.9.13")).await.unwrap();
        stream
    });
    let error = refused(&url).await;
    let said = error.to_string();
    assert!(matches!(error, BrokerOpenError::TooOld { .. }) && !error.may_pass(), "{said}");
    assert!(said.contains("3.9.13") && said.contains("3.10"), "{said}");
    old.await.unwrap();
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
        let broker =
            RabbitBroker::connect(vhost.url.as_str(), "ordermill test", &[]).await.unwrap();
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
    for service in ServiceName::ALL {
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
    let connect = || RabbitBroker::connect(vhost.url.as_str(), "ordermill test", &[]);
    let opened = futures::future::join_all((0..6).map(|_| connect())).await;
    for broker in opened {
        let broker = broker.unwrap();
        assert!(broker.all_depths().await.is_ok());
        broker.close().await;
    }
    vhost.delete().await;
}

/// What a process of an installation claims that runs these services.
fn claims(installation: u128, services: &[ServiceName]) -> Vec<Claim> {
    let identity = |service| Uuid::from_u128(installation * 100 + service as u128);
    services
        .iter()
        .map(|service| Claim { service: *service, identity: identity(*service) })
        .collect()
}

async fn connect(vhost: &Vhost, claims: &[Claim]) -> Result<RabbitBroker, BrokerOpenError> {
    RabbitBroker::connect(vhost.url.as_str(), "ordermill test", claims).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs ./scripts/stack"]
async fn a_vhost_belongs_to_the_installation_that_came_first() {
    let vhost = Vhost::create().await;
    let (order, inventory) = ([ServiceName::Order], [ServiceName::Inventory]);
    // Processes of one installation, split or whole, started again and again.
    for services in [&order[..], &inventory, ServiceName::ALL, ServiceName::ALL] {
        connect(&vhost, &claims(1, services)).await.unwrap().close().await;
    }
    let before = vhost.bindings().await;
    for services in [&order[..], &inventory, ServiceName::ALL] {
        let error = connect(&vhost, &claims(2, services)).await.err().unwrap();
        let said = error.to_string();
        assert!(matches!(error, BrokerOpenError::Claimed { .. }) && !error.may_pass(), "{said}");
        for word in
            ["another installation", "separate vhost", "rabbitmqadmin", "ordermill.installation."]
        {
            assert!(said.contains(word), "{said}");
        }
    }
    assert_eq!(vhost.bindings().await, before);

    // Taken over for good, by the command that the sentence names.
    vhost.delete_exchange("ordermill.installation.order").await;
    connect(&vhost, &claims(2, &order)).await.unwrap().close().await;
    let error = connect(&vhost, &claims(1, &order)).await.err().unwrap();
    assert!(matches!(error, BrokerOpenError::Claimed { .. }), "{error}");
    vhost.delete().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs ./scripts/stack"]
async fn only_one_of_two_simultaneous_installations_claims_the_vhost() {
    let vhost = Vhost::create().await;
    let all: Vec<_> =
        (0..6).map(|process| (process % 3, claims(process % 3, ServiceName::ALL))).collect();
    let opening = all.iter().map(|(_, claims)| connect(&vhost, claims));
    let opened = futures::future::join_all(opening).await;
    let mut stayed = BTreeSet::new();
    for ((installation, _), opened) in all.iter().zip(opened) {
        match opened {
            Ok(broker) => {
                stayed.insert(*installation);
                broker.close().await;
            }
            Err(error) => assert!(matches!(error, BrokerOpenError::Claimed { .. }), "{error}"),
        }
    }
    assert_eq!(stayed.len(), 1, "{stayed:?}");
    vhost.delete().await;
}
