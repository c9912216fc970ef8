//! What becomes of orders, as their sagas would hand it in; and how two stores of it are compared.

use crate::values::{at, order, origin};
use ordermill_actors::order::OrderFilter;
use ordermill_actors::registry::OrderData;
use ordermill_domain::clock::Timestamp;
use ordermill_domain::ids::OrderId;
use ordermill_domain::messages::{
    Failure, Origin, PaymentApproved, Refusal, ShipmentScheduled, Shortage,
};
use ordermill_domain::money::{Currency, Money};
use ordermill_domain::order::facts::Fact;
use ordermill_domain::order::record::record;
use ordermill_domain::order::service::Change;
use ordermill_domain::order::step_state::{AnswerData, StepChange};
use ordermill_domain::order::{OrderStatus, Saga, SagaPolicy, SagaStatus, Step};
use ordermill_domain::testing::order_of;
use std::sync::Arc;

/// Learns facts, as the saga's actor would, and asks for them to be written.
pub fn learn(saga: &mut Saga, facts: Vec<Fact>, at: Timestamp) -> Change {
    let expected = saga.version;
    let recorded = record(saga, facts, "test", at, &SagaPolicy::default());
    Change {
        order_id: saga.order_id(),
        expected,
        next: Some(Arc::new(saga.clone())),
        history: recorded.history,
        messages: recorded.messages,
        claim: None,
    }
}

/// The nth order, of which nothing is written yet.
pub fn placed(n: u128) -> Saga {
    placed_by(n, "anna")
}

/// The same, of some customer.
pub fn placed_by(n: u128, customer: &str) -> Saga {
    let origin = Origin { request_id: Some(format!("request-{n}").into()), ..origin(n) };
    let mut details = order_of(&[("MUG", 2)], "credit_card");
    details.customer_id = customer.to_owned();
    Saga::placed(origin, Arc::new(details), at(0))
}

fn paid() -> Fact {
    let total = Money { minor: 2_000, currency: Currency::USD };
    let payment = PaymentApproved { total, transaction_id: "sim-1".to_owned() };
    Fact::Step(Step::Payment, StepChange::Done(AnswerData::Payment(payment)))
}

fn scheduled() -> Fact {
    let shipment = ShipmentScheduled {
        tracking_code: "TRK-00000001".to_owned(),
        freight: Money { minor: 800, currency: Currency::USD },
        estimated_delivery: at(100_000),
    };
    Fact::Step(Step::Shipping, StepChange::Done(AnswerData::Shipment(shipment)))
}

fn refused(step: Step) -> Fact {
    let short = Shortage { product_id: "MUG".into(), requested: 2, available: Some(1) };
    let refusal = Refusal { reason: "no".to_owned(), shortages: vec![short] };
    Fact::Step(step, StepChange::Refused(refusal))
}

fn undone(step: Step) -> Fact {
    Fact::Step(step, StepChange::Undone)
}

fn cancelled() -> Fact {
    let (step, reason) = ("customer".to_owned(), "requested".to_owned());
    Fact::CancelAsked { failure: Failure { step, reason, shortages: Vec::new() } }
}

/// Orders that go every way there is, one fact of each in a batch.
pub fn scenarios() -> Vec<Vec<Change>> {
    use Step::{Commit, Delivery, Dispatch, Inventory, Payment, Shipping};
    let scenarios = [
        vec![
            Fact::done(Inventory),
            paid(),
            scheduled(),
            Fact::Step(Dispatch, StepChange::Requested),
            Fact::done(Dispatch),
            Fact::done(Commit),
            Fact::Step(Delivery, StepChange::Requested),
            Fact::done(Delivery),
        ],
        vec![refused(Inventory)],
        vec![Fact::done(Inventory), refused(Payment), undone(Inventory)],
        vec![Fact::done(Inventory), paid(), refused(Shipping), undone(Payment), undone(Inventory)],
        vec![
            Fact::done(Inventory),
            cancelled(),
            Fact::Stuck { reason: "no consumer for the request".to_owned() },
            undone(Payment),
            undone(Inventory),
        ],
    ];
    let mut sagas: Vec<Saga> = (0..scenarios.len() as u128).map(placed).collect();
    let mut batches = vec![
        sagas.iter_mut().map(|saga| learn(saga, vec![Fact::Placed], at(0))).collect::<Vec<_>>(),
    ];
    let longest = scenarios.iter().map(Vec::len).max().unwrap();
    for step in 0..longest {
        let told = sagas.iter_mut().zip(&scenarios).filter_map(|(saga, scenario)| {
            Some(learn(saga, vec![scenario.get(step)?.clone()], at(step as u64 + 1)))
        });
        batches.push(told.collect());
    }
    batches
}

fn filters(some: OrderId) -> Vec<OrderFilter> {
    let everything = OrderFilter::default();
    let mut filters = vec![
        everything.clone(),
        OrderFilter { customer_id: Some("anna".to_owned()), ..everything.clone() },
        OrderFilter { customer_id: Some("nobody".to_owned()), ..everything.clone() },
        OrderFilter { before: Some(some), ..everything.clone() },
        OrderFilter { before: Some(order(0)), ..everything.clone() },
    ];
    filters.extend(
        OrderStatus::ALL
            .iter()
            .map(|status| OrderFilter { status: Some(*status), ..everything.clone() }),
    );
    filters.extend(
        SagaStatus::ALL
            .iter()
            .map(|status| OrderFilter { saga_status: Some(*status), ..everything.clone() }),
    );
    filters
}

/// Both must read the same of these orders, and list the same.
pub async fn compare(model: &dyn OrderData, store: &dyn OrderData, orders: &[OrderId]) {
    for order in orders {
        assert_eq!(store.order(*order).await.unwrap(), model.order(*order).await.unwrap());
        for from in [0, 1, 5] {
            let since = [(*order, from)];
            let history = store.history(&since, 100).await.unwrap();
            assert_eq!(history, model.history(&since, 100).await.unwrap());
        }
    }
    for filter in filters(orders[1]) {
        for limit in [1, 100] {
            let listed = store.orders(&filter, limit).await.unwrap();
            assert_eq!(listed, model.orders(&filter, limit).await.unwrap(), "{filter:?}");
        }
    }
    for seconds in [0, 5, 1_000, 100_000] {
        let now = at(seconds);
        assert_eq!(store.counts(now).await.unwrap(), model.counts(now).await.unwrap());
    }
}
