//! Connections that break: before COMMIT nothing is written, during COMMIT nobody knows; afterwards the
//! store goes on.

use crate::backend::{PostgresBackend, next_owner};
use crate::proxy::Cut;
use crate::server::Scratch;
use ordermill_actors::ports::{CommitError, Database};
use ordermill_actors::registry::OpenDatabases;
use ordermill_actors::shipping::ShipmentReads;
use ordermill_contract::batches::batch;
use ordermill_contract::outbox::saying;
use ordermill_contract::values::{at, order};
use ordermill_domain::expected::Expected;
use ordermill_domain::inventory::{Change, Inventory, Quantity};
use ordermill_domain::service::{Batch, Outcome};
use ordermill_domain::shipping::Shipping;
use ordermill_postgres::Database as PgDatabase;
use ordermill_postgres::shipping::{self, ShippingDatabase};
use sqlx::postgres::PgConnectOptions;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// The same batch until it is written, as a journal does; how often it was tried again.
async fn persist(store: &dyn Database<Shipping>, batch: &Batch<Shipping>) -> usize {
    for tries in 0..10 {
        match store.commit(batch).await {
            Ok(_) => return tries,
            Err(CommitError::Unavailable(_)) => tokio::time::sleep(Duration::from_millis(50)).await,
            Err(error) => panic!("{error}"),
        }
    }
    panic!("it never comes back");
}

async fn rows(store: &dyn Database<Shipping>) -> usize {
    store.waiting(None, 100).await.unwrap().len()
}

#[tokio::test]
#[ignore = "needs ./scripts/stack"]
async fn a_connection_lost_before_commit_leaves_nothing() {
    for word in ["BEGIN", "shipments", "outbox"] {
        let backend = PostgresBackend::behind_a_proxy().await;
        let opened = backend.shipping().await.unwrap();
        backend.proxy().cut(word, Cut::Before);
        let lost = opened.store.commit(&saying(1..3)).await.err().unwrap();
        assert!(backend.proxy().has_cut(), "{word} was never said");
        assert!(matches!(lost, CommitError::Unavailable(_)), "{word}: {lost}");
        assert_eq!(opened.reads.shipment(order(1)).await.unwrap(), None, "{word}");
        assert_eq!(rows(&*opened.store).await, 0, "{word}");

        persist(&*opened.store, &saying(1..3)).await;
        assert!(opened.reads.shipment(order(1)).await.unwrap().is_some());
        assert_eq!(rows(&*opened.store).await, 1);
    }
}

#[tokio::test]
#[ignore = "needs ./scripts/stack"]
async fn a_connection_lost_in_commit_is_an_unknown_outcome() {
    for (cut, written) in [(Cut::Before, false), (Cut::After, true)] {
        let backend = PostgresBackend::behind_a_proxy().await;
        let opened = backend.shipping().await.unwrap();
        backend.proxy().cut("COMMIT", cut);
        let lost = opened.store.commit(&saying(1..3)).await.err().unwrap();
        assert!(backend.proxy().has_cut(), "COMMIT was never said");
        assert!(matches!(lost, CommitError::Unknown(_)), "{lost}");

        let there = opened.reads.shipment(order(1)).await.unwrap().is_some();
        assert_eq!(there, written);
        assert_eq!(
            rows(&*opened.store).await,
            usize::from(written),
            "the relay finds it by looking"
        );
        // Decided again on what the database says, it comes out the same.
        persist(&*opened.store, &saying(1..3)).await;
        let shipment = opened.reads.shipment(order(1)).await.unwrap().unwrap();
        assert_eq!(shipment.decided_at, at(0));
    }
}

/// A COMMIT that takes the server a second.
const SLOW_COMMIT: &str = "
    CREATE FUNCTION shipping.be_slow() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN PERFORM pg_sleep(1); RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON shipping.outbox DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION shipping.be_slow()";

#[tokio::test]
#[ignore = "needs ./scripts/stack"]
async fn a_commit_with_an_unknown_outcome_is_resolved_before_the_next_read() {
    let backend = PostgresBackend::behind_a_proxy().await;
    let opened = backend.shipping().await.unwrap();
    let mut other = backend.scratch().connect().await;
    sqlx::raw_sql(SLOW_COMMIT).execute(&mut other).await.unwrap();
    backend.proxy().cut("COMMIT", Cut::After);
    let lost = opened.store.commit(&saying(1..2)).await.err().unwrap();
    assert!(matches!(lost, CommitError::Unknown(_)), "{lost}");
    // The server was still at it when the connection broke.
    assert!(opened.reads.shipment(order(1)).await.unwrap().is_some());
    assert_eq!(rows(&*opened.store).await, 1);
}

#[tokio::test]
#[ignore = "needs ./scripts/stack"]
async fn a_backend_that_is_terminated_in_a_transaction_is_replaced() {
    let backend = PostgresBackend::new().await;
    let opened = backend.inventory().await.unwrap();
    let set = |units| {
        let (product_id, available) = ("pear".into(), Quantity::new(units).unwrap());
        let expected = Expected::default();
        batch(Inventory, vec![Change::SetAvailable { product_id, available, expected }], at(1))
    };
    let (product_id, available) = ("pear".into(), Quantity::new(1).unwrap());
    let create = vec![Change::CreateProduct { product_id, available }];
    opened.store.commit(&batch(Inventory, create, at(0))).await.unwrap();

    // Somebody holds the row, so that the batch waits in the middle of its transaction.
    let mut holder = backend.scratch().connect().await;
    sqlx::raw_sql("BEGIN; SELECT * FROM inventory.stock FOR UPDATE")
        .execute(&mut holder)
        .await
        .unwrap();
    let store = opened.store.clone();
    let waiting = tokio::spawn(async move { store.commit(&set(5)).await.err() });
    let mut other = backend.scratch().connect().await;
    let terminate = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    loop {
        let terminated: i64 = sqlx::query_scalar(terminate).fetch_one(&mut other).await.unwrap();
        if terminated > 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let lost = waiting.await.unwrap().unwrap();
    assert!(matches!(lost, CommitError::Unavailable(_)), "{lost}");
    sqlx::raw_sql("ROLLBACK").execute(&mut holder).await.unwrap();

    let row = opened.reads.stock(&"pear".into()).await.unwrap().unwrap();
    assert_eq!(row.on_hand, 1, "nothing of it was written");
    let outcomes = opened.store.commit(&set(7)).await.unwrap().outcomes;
    assert!(matches!(outcomes[..], [Outcome::Done(_)]), "{outcomes:?}");
}

#[tokio::test]
#[ignore = "needs ./scripts/stack"]
async fn a_cancelled_caller_leaves_the_store_unchanged() {
    let backend = PostgresBackend::new().await;
    let opened = backend.shipping().await.unwrap();
    opened.store.commit(&saying(1..2)).await.unwrap();
    for n in 0..200 {
        // Whatever point it is cancelled at, the connection is in order afterwards.
        let patience = Duration::from_micros(n * 10);
        let _ = timeout(patience, opened.reads.shipment(order(1))).await;
    }
    let looks = (0..20).map(|_| opened.reads.shipment(order(1)));
    for look in futures::future::join_all(looks).await {
        assert!(look.unwrap().is_some());
    }
    opened.store.commit(&saying(2..3)).await.unwrap();
}

/// A way to the server on which a session is long in the making.
struct SlowProxy {
    address: std::net::SocketAddr,
    delay_ms: Arc<AtomicU64>,
}

impl SlowProxy {
    async fn new(options: &PgConnectOptions) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let delay_ms = Arc::new(AtomicU64::new(0));
        let target = (options.get_host().to_owned(), options.get_port());
        let delay = delay_ms.clone();
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let (target, delay) = (target.clone(), delay.load(Relaxed));
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_millis(delay)).await;
                    let mut server = TcpStream::connect(target).await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                });
            }
        });
        Self { address, delay_ms }
    }
}

/// Reads until it is answered, as an actor does that must be loaded.
async fn loaded(reads: Arc<ShippingDatabase>) {
    while reads.shipment(order(1)).await.is_err() {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs ./scripts/stack"]
async fn many_concurrent_reads_succeed_however_slow_connecting_is() {
    let scratch = Scratch::new().await;
    let door = SlowProxy::new(&scratch.options()).await;
    let url = scratch.url_at(door.address);
    let opened =
        PgDatabase::open(&url, shipping::SCHEMA, &shipping::MIGRATIONS, next_owner()).await;
    let reads = Arc::new(ShippingDatabase(opened.unwrap()));
    // For seven seconds nobody is let in, and every few milliseconds somebody more wants to read.
    door.delay_ms.store(60_000, Relaxed);
    let mut crowd = JoinSet::new();
    for _ in 0..700 {
        crowd.spawn(loaded(reads.clone()));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    door.delay_ms.store(200, Relaxed);
    timeout(Duration::from_secs(20), crowd.join_all()).await.expect("the crowd gets through");
}
