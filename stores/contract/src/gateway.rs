//! The simulated gateway's ledger: the witness of every other test's money.

use crate::backend::Backend;
use crate::batches::on_both;
use crate::records;
use crate::values::{AWKWARD, at, finer};
use ordermill_actors::gateway::memory::GatewayTables;
use ordermill_actors::gateway::{GatewayReads, Sums};
use ordermill_actors::registry::Opened;
use ordermill_actors::testing::MemoryStore;
use ordermill_domain::gateway::{
    EntryStatus, GatewayChange, GatewayResponse, LedgerAnswer, Review, SimulatedGateway, Visit,
};
use ordermill_domain::ids::OrderId;
use ordermill_domain::money::{AMOUNT_MAX_MINOR, Currency, Money};
use ordermill_domain::payment::{
    GatewayKey, GatewayRequest, Operation, PaymentPart, Reference, Ruling, Subject, Terms,
};
use ordermill_domain::service::Outcome;
use uuid::Uuid;

fn key(n: u128) -> GatewayKey {
    GatewayKey(Uuid::from_u128(n))
}

fn ask(n: u128, order: u128, due: Money, method: &str, operation: Operation) -> GatewayChange {
    let subject = Subject {
        key: key(n),
        order_id: OrderId(Uuid::from_u128(order)),
        due,
        method: method.to_owned(),
        reference: Reference::default(),
        page_ends_at: None,
    };
    GatewayChange::Ask(GatewayRequest { subject, operation })
}

fn create(n: u128, order: u128, due: Money, method: &str) -> GatewayChange {
    let terms = Terms { at: at(0), expires_at: finer(3_600), refundable_only: false };
    ask(n, order, due, method, Operation::Create(terms))
}

fn cancel(n: u128) -> GatewayChange {
    ask(n, n + 100, usd(1), "credit_card", Operation::Cancel)
}

fn refund(n: u128, name: &str, amount: Money) -> GatewayChange {
    let (key, reason) = (key(n).part(name), AWKWARD.to_owned());
    let part = PaymentPart { key, amount, asked_at: at(0), reason };
    ask(n, n + 100, amount, "credit_card", Operation::Refund(part))
}

fn usd(minor: i64) -> Money {
    Money { minor, currency: Currency::USD }
}

fn yen(minor: i64) -> Money {
    Money { minor, currency: Currency::parse("JPY").unwrap() }
}

struct Stores {
    model: MemoryStore<GatewayTables>,
    opened: Opened<SimulatedGateway>,
}

impl Stores {
    async fn open(backend: &dyn Backend) -> Self {
        Self { model: MemoryStore::default(), opened: backend.gateway().await.unwrap() }
    }

    async fn commit(
        &self,
        second: u64,
        changes: &[GatewayChange],
    ) -> Vec<Outcome<GatewayResponse>> {
        let gateway = SimulatedGateway::default();
        let (outcomes, said) =
            on_both(&gateway, &self.model, &*self.opened.store, changes, finer(second)).await;
        assert!(said.is_empty(), "a gateway says nothing by itself");
        outcomes
    }

    async fn compare(&self, keys: std::ops::Range<u128>) {
        for n in keys {
            let entry = self.opened.reads.entry(key(n)).await.unwrap();
            assert_eq!(entry, self.model.entry(key(n)).await.unwrap());
        }
        let totals = self.opened.reads.totals().await.unwrap();
        assert_eq!(totals, self.model.totals().await.unwrap());
    }
}

pub async fn the_ledger_is_the_same_as_in_memory_and_after_a_restart(backend: &dyn Backend) {
    let mut stores = Stores::open(backend).await;
    assert_eq!(stores.opened.reads.totals().await.unwrap(), Default::default());
    let calls = [
        create(0, 100, usd(500), "credit_card"),
        create(1, 101, usd(700), "test_declined"),
        create(2, 102, usd(11), "test_timeout_uncharged"),
        create(3, 103, yen(120), "test_refund_fails"),
        cancel(4),
        create(5, 105, usd(13), AWKWARD),
    ];
    stores.commit(1, &calls).await;
    stores.compare(0..10).await;
    let more = [
        create(0, 100, usd(500), "credit_card"),
        cancel(2),
        refund(3, "all", yen(120)),
        create(4, 104, usd(1), "credit_card"),
        refund(5, "all", usd(13)),
        create(6, 106, yen(7), "test_slow"),
        refund(6, "all", yen(7)),
    ];
    stores.commit(2, &more).await;
    stores.compare(0..10).await;

    let reads = &stores.opened.reads;
    let totals = reads.totals().await.unwrap();
    assert_eq!((totals.captures, totals.orders), (4, 4));
    let sums = Sums { captured_minor: 513, refunded_minor: 13 };
    assert_eq!(totals.sums[&Currency::USD], sums);
    let mut statuses = Vec::new();
    for n in 0..7 {
        statuses.push(reads.entry(key(n)).await.unwrap().unwrap().status);
    }
    use EntryStatus::{Cancelled, Charged, Declined, Refunded};
    assert_eq!(statuses, [Charged, Declined, Cancelled, Charged, Cancelled, Refunded, Refunded]);
    let entry = reads.entry(key(5)).await.unwrap().unwrap();
    assert_eq!((entry.created_at, entry.changed_at), (at(1), at(2)), "whole microseconds");
    assert_eq!(reads.entry(key(9)).await.unwrap(), None);

    backend.close().await;
    stores.opened = backend.gateway().await.unwrap();
    stores.compare(0..10).await;
    records::same(&stores.model, backend.sources().await.ledger).await;
}

pub async fn pages_reviews_and_partial_refunds_are_the_same_as_in_memory(backend: &dyn Backend) {
    let mut stores = Stores::open(backend).await;
    let calls = [
        create(0, 100, usd(500), "test_redirect"),
        create(1, 101, usd(500), "test_redirect_late"),
        create(2, 102, usd(500), "test_review"),
        create(3, 103, usd(500), "test_review"),
        create(4, 104, usd(500), "credit_card"),
        create(5, 105, usd(500), "test_redirect_silent"),
        create(6, 106, usd(500), "test_redirect"),
    ];
    stores.commit(1, &calls).await;
    stores.compare(0..10).await;
    let rule = |n, ruling| ask(n, n + 100, usd(500), "test_review", Operation::Review(ruling));
    let more = [
        GatewayChange::Visit(key(0), Visit::Pay),
        cancel(1),
        rule(2, Ruling::Accept),
        rule(3, Ruling::Deny),
        refund(4, "one", usd(200)),
        refund(4, "two", usd(100)),
        GatewayChange::Visit(key(5), Visit::Decline),
        GatewayChange::Visit(key(6), Visit::Choose),
    ];
    stores.commit(2, &more).await;
    stores.compare(0..10).await;
    let late = ask(1, 101, usd(500), "test_redirect_late", Operation::Retrieve);
    let outcomes = stores.commit(9, &[late, refund(4, "one", usd(200))]).await;
    for (outcome, captured) in outcomes.into_iter().zip([500, 500]) {
        let Outcome::Done(GatewayResponse { answer: LedgerAnswer::Asked(Ok(payment)), .. }) =
            outcome
        else {
            panic!("expected an answer: {outcome:?}")
        };
        assert_eq!(payment.captured_minor, captured);
    }

    backend.close().await;
    stores.opened = backend.gateway().await.unwrap();
    stores.compare(0..10).await;
    let reads = &stores.opened.reads;
    let entry = reads.entry(key(4)).await.unwrap().unwrap();
    assert_eq!((entry.refunded_minor, entry.details.refunds.len()), (300, 2));
    let entry = reads.entry(key(2)).await.unwrap().unwrap();
    assert_eq!(entry.details.review, Some(Review::Accepted));
    let entry = reads.entry(key(5)).await.unwrap().unwrap();
    assert_eq!(entry.details.page_ends_at, Some(at(3_600)), "whole microseconds");
    records::same(&stores.model, backend.sources().await.ledger).await;
}

pub async fn an_order_that_paid_twice_shows_in_the_totals(backend: &dyn Backend) {
    let stores = Stores::open(backend).await;
    let twice = [create(1, 7, usd(5), "credit_card"), create(2, 7, yen(5), "credit_card")];
    stores.commit(1, &twice).await;
    let totals = stores.opened.reads.totals().await.unwrap();
    assert_eq!((totals.captures, totals.orders), (2, 1));
    stores.compare(0..4).await;
}

pub async fn the_ledger_holds_more_than_one_largest_amount(backend: &dyn Backend) {
    let stores = Stores::open(backend).await;
    let calls: Vec<_> =
        (0..900).map(|n| create(n, n, usd(AMOUNT_MAX_MINOR), "credit_card")).collect();
    stores.commit(1, &calls).await;
    stores.commit(2, &[refund(5, "all", usd(AMOUNT_MAX_MINOR))]).await;
    let totals = stores.opened.reads.totals().await.unwrap();
    let captured_minor = 900 * AMOUNT_MAX_MINOR;
    let sums = Sums { captured_minor, refunded_minor: AMOUNT_MAX_MINOR };
    assert_eq!(totals.sums[&Currency::USD], sums);
    stores.compare(0..10).await;
}

pub async fn five_hundred_charges_are_one_batch(backend: &dyn Backend) {
    let stores = Stores::open(backend).await;
    let charges: Vec<_> = (0..500).map(|n| create(n, n, usd(10), "credit_card")).collect();
    stores.commit(1, &charges).await;
    let mixed: Vec<_> = (250..750)
        .map(|n| match n % 2 {
            0 => refund(n, "all", usd(10)),
            _ => create(n, n, usd(10), "credit_card"),
        })
        .collect();
    stores.commit(2, &mixed).await;
    stores.compare(0..800).await;
    let totals = stores.opened.reads.totals().await.unwrap();
    assert_eq!(totals.captures, 625);
    let sums = Sums { captured_minor: 6_250, refunded_minor: 1_250 };
    assert_eq!(totals.sums[&Currency::USD], sums);
}
