//! The order service's tables on SQLite, held against those in memory.

use crate::contract::{on_both, world};
use crate::scratch::Scratch;
use ordermill_actors::clock::Timestamp;
use ordermill_actors::ids::OrderId;
use ordermill_actors::messages::Origin;
use ordermill_actors::order::facts::Fact;
use ordermill_actors::order::memory::OrderTables as MemoryOrders;
use ordermill_actors::order::record::record;
use ordermill_actors::order::service::{Answer, Change};
use ordermill_actors::order::{
    Claim, DueOrders, Order, OrderFilter, OrderReads, OrderStatus, Saga, SagaPolicy,
};
use ordermill_actors::runtime::service::Outcome;
use ordermill_actors::testing::MemoryStore;
use ordermill_actors::testing::shop::order_of;
use ordermill_sqlite::order::{MIGRATIONS, OrderDatabase, OrderTables};
use ordermill_sqlite::{Database, SqliteStore};
use std::sync::Arc;
use std::time::Duration;

/// Learns facts, as the saga's actor would, and asks for them to be written.
fn learn(saga: &mut Saga, facts: Vec<Fact>, at: Timestamp, claim: Option<Claim>) -> Change {
    let expected = saga.version;
    let recorded = record(saga, facts, "test", at, &SagaPolicy::default());
    Change {
        order_id: saga.order_id(),
        expected,
        next: Some(Arc::new(saga.clone())),
        history: recorded.history,
        messages: recorded.messages,
        claim,
    }
}

fn placed(at: Timestamp) -> Saga {
    let order_id = OrderId(world().new_id());
    let origin = Origin {
        order_id,
        flow: Default::default(),
        plan: Default::default(),
        request_id: Some("request-1".into()),
    };
    Saga::placed(origin, Arc::new(order_of(&[("MUG", 2)], "credit_card")), at)
}

fn claim(order_id: OrderId, fingerprint: &[u8]) -> Option<Claim> {
    Some(Claim { key: "key-1".to_owned(), fingerprint: fingerprint.to_vec(), order_id })
}

async fn compare(memory: &MemoryStore<MemoryOrders>, sqlite: &OrderDatabase, orders: &[OrderId]) {
    for order in orders {
        assert_eq!(sqlite.order(*order).await.unwrap(), memory.order(*order).await.unwrap());
        for from in [0, 1, 5] {
            let since = [(*order, from)];
            let history = sqlite.history(&since, 100).await.unwrap();
            assert_eq!(history, memory.history(&since, 100).await.unwrap());
        }
    }
    let everything = OrderFilter::default();
    let filters = [
        everything.clone(),
        OrderFilter { customer_id: Some("anna".to_owned()), ..everything.clone() },
        OrderFilter { customer_id: Some("nobody".to_owned()), ..everything.clone() },
        OrderFilter { status: Some(OrderStatus::InventoryReserved), ..everything.clone() },
        OrderFilter { before: Some(orders[1]), ..everything },
    ];
    for filter in filters {
        for limit in [1, 100] {
            let listed = sqlite.orders(&filter, limit).await.unwrap();
            assert_eq!(listed, memory.orders(&filter, limit).await.unwrap(), "{filter:?}");
        }
    }
    assert_eq!(sqlite.open().await.unwrap(), memory.open().await.unwrap());
}

#[tokio::test]
async fn orders_are_the_same_as_in_memory_and_after_a_restart() {
    let scratch = Scratch::new();
    let database = Database::open(&scratch.open(), "order", &MIGRATIONS).await.unwrap();
    let (memory, sqlite) =
        (MemoryStore::default(), SqliteStore::new(database.clone(), OrderTables));
    let reads = OrderDatabase(database);
    let at = world().now();
    let mut sagas = [placed(at), placed(at), placed(at)];
    let orders = sagas.each_ref().map(Saga::order_id);

    // Three orders, one of them two changes further, in one batch; a fourth repeats a request.
    let mut changes: Vec<Change> =
        sagas.iter_mut().map(|saga| learn(saga, vec![Fact::Placed], at, None)).collect();
    changes[0].claim = claim(orders[0], b"a");
    changes.push(learn(&mut sagas[1], vec![Fact::Reserved], at, None));
    let (again, other) = (&mut placed(at), &mut placed(at));
    for (saga, body) in [(again, b"a"), (other, b"b")] {
        let claim = claim(saga.order_id(), body);
        changes.push(learn(saga, vec![Fact::Placed], at, claim));
    }
    let (outcomes, said) = on_both(&Order, &memory, &sqlite, &changes, at).await;
    let written = || Outcome::Done(Answer::Written);
    let replayed = Outcome::Done(Answer::Replayed(orders[0]));
    let reused = Outcome::Done(Answer::KeyReused);
    assert_eq!(outcomes, [written(), written(), written(), written(), replayed, reused]);
    assert_eq!(said.len(), 7, "created and reserve of three, and the payment of one");
    compare(&memory, &reads, &orders).await;

    // Updates; and one decided on a version that is no more, with what was decided on top of it.
    let stale = learn(&mut sagas[2].clone(), vec![Fact::Reserved], at, None);
    let changes = [
        learn(&mut sagas[0], vec![Fact::Reserved], at, None),
        learn(&mut sagas[2], vec![Fact::Reserved], at, None),
        stale.clone(),
        Change { expected: stale.expected + 1, ..stale },
    ];
    let (outcomes, _) = on_both(&Order, &memory, &sqlite, &changes, at).await;
    assert_eq!(outcomes, [written(), written(), Outcome::Refused, Outcome::Refused]);
    compare(&memory, &reads, &orders).await;

    // Overdue orders are claimed once, for a while.
    let late = at + Duration::from_secs(3_600);
    let until = late + Duration::from_secs(15);
    for expected in [3, 0] {
        let mut claimed = reads.claim(late, until, 10).await.unwrap();
        let mut modelled = memory.claim(late, until, 10).await.unwrap();
        claimed.sort_unstable();
        modelled.sort_unstable();
        assert_eq!((claimed.len(), claimed), (expected, modelled));
    }
    assert_eq!(reads.forget_claims(late).await.unwrap(), 1);
    assert_eq!(memory.forget_claims(late).await.unwrap(), 1);

    reads.0.close().await;
    drop((sqlite, reads));
    let database = Database::open(&scratch.open(), "order", &MIGRATIONS).await.unwrap();
    compare(&memory, &OrderDatabase(database), &orders).await;
}
