//! Questions about payments, over the in-process broker.

use super::*;
use crate::broker::LocalBroker;
use crate::payment::rpc_server::RpcServer;
use crate::ports::ReadError;
use crate::runtime::supervisor::Supervisor;
use crate::runtime::tree::{Status, Tree};
use crate::testing::world;
use chrono::DateTime;
use ordermill_domain::messages::{Flow, Origin, PaymentProcess, Plan};
use ordermill_domain::payment::{
    Attention, GatewayAnswer, GatewayError, GatewayPayment, Now, Page, PaymentInput, PaymentPolicy,
    PaymentRow, PaymentTry, Reference, decide,
};
use ractor::Actor;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tokio::time::sleep;
use uuid::Uuid;

const PATIENCE: Duration = Duration::from_secs(2);

fn order(number: u128) -> OrderId {
    OrderId(Uuid::from_u128(number))
}

fn at(seconds: i64) -> Timestamp {
    DateTime::from_timestamp(seconds, 250_000_000).unwrap()
}

/// A payment to which these inputs came in turn; the latest request's answers are among them.
fn row(number: u128, currency: &str, inputs: &[PaymentInput]) -> PaymentRow {
    let policy = PaymentPolicy::default();
    let origin = Origin::new(order(number), Flow::Orchestrated, Plan::ReserveFirst);
    let total = Money { minor: 4_990, currency: Currency::parse(currency).unwrap() };
    let (method, customer_id) = ("credit_card".to_owned(), "ada".to_owned());
    let intent = PaymentProcess { total, method, customer_id, placed_at: at(0) };
    let begun = PaymentInput::Process(origin.clone(), intent);
    let mut payment = None;
    for input in std::iter::once(&begun).chain(inputs) {
        let now = Now { at: at(1), policy: &policy };
        payment = decide(payment.as_ref(), input, now).payment.or(payment);
    }
    let payment = Arc::new(payment.unwrap());
    PaymentRow { order_id: order(number), version: 3, payment }
}

fn answered(attempt: u32, stands: GatewayPayment) -> PaymentInput {
    PaymentInput::Answered(GatewayAnswer { attempt, result: Ok(stands) })
}

/// Payments in each of their states; a database that is away for orders over 1000.
struct Rows(BTreeMap<OrderId, PaymentRow>);

impl Rows {
    fn of_every_state() -> Self {
        let captured = || GatewayPayment {
            captured_minor: 4_990,
            credited_minor: 4_990,
            closed: true,
            reference: Reference { page: None, payment: Some("txn-1".to_owned()) },
            ..GatewayPayment::default()
        };
        let page = Page { url: "https://pay.example/1".to_owned(), expires_at: at(9) };
        let denied = PaymentTry { method: "qris".to_owned(), denied: Some("05".to_owned()) };
        let open = GatewayPayment {
            page: Some(page),
            last_try: Some(denied),
            ..GatewayPayment::default()
        };
        let refused = GatewayPayment {
            refused: Some("card_expired".to_owned()),
            closed: true,
            ..GatewayPayment::default()
        };
        let undo = |number| {
            PaymentInput::Undo(Origin::new(order(number), Flow::default(), Plan::default()))
        };
        let given_back = GatewayPayment { refunded_minor: 4_990, ..captured() };
        let by_hand = PaymentInput::Answered(GatewayAnswer {
            attempt: 2,
            result: Err(GatewayError::NotSupported),
        });
        let rows = [
            row(1, "USD", &[]),
            row(2, "USD", &[answered(1, captured())]),
            row(3, "JPY", &[answered(1, captured())]),
            row(4, "USD", &[answered(1, refused)]),
            row(5, "USD", &[undo(5)]),
            row(6, "USD", &[answered(1, captured()), undo(6), answered(2, given_back)]),
            row(7, "USD", &[answered(1, open)]),
            row(8, "USD", &[answered(1, captured()), undo(8), by_hand]),
        ];
        Self(rows.into_iter().map(|row| (row.order_id, row)).collect())
    }
}

#[async_trait]
impl PaymentReads for Rows {
    async fn payment(&self, order_id: OrderId) -> Result<Option<PaymentRow>, ReadError> {
        if order_id > order(1_000) {
            return Err(ReadError::Away("away".to_owned()));
        }
        Ok(self.0.get(&order_id).cloned())
    }

    async fn due(
        &self,
        _: Timestamp,
        _: Option<OrderId>,
        _: u32,
    ) -> Result<Vec<OrderId>, ReadError> {
        Ok(Vec::new())
    }

    async fn needing_attention(
        &self,
        _: Option<Attention>,
        _: Option<OrderId>,
        _: u32,
    ) -> Result<Vec<PaymentRow>, ReadError> {
        Ok(Vec::new())
    }

    async fn attention_counts(&self) -> Result<Vec<(Attention, u64)>, ReadError> {
        Ok(Vec::new())
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_the_payment_as_it_is_shown() {
    let (broker, rows) = (LocalBroker::default(), Rows::of_every_state());
    let shown: Vec<_> = rows.0.values().map(PaymentRow::view).collect();
    let responder = Arc::new(PaymentResponder::new(Arc::new(rows)));
    let _serving = broker.serve(RPC_PAYMENT, responder.clone()).await.unwrap();
    assert_eq!(shown.len(), 8);
    for view in shown {
        let answer = PaymentConfirmation::ask(&broker, view.order_id, PATIENCE).await;
        assert_eq!(answer, Ok(Some(view)));
    }
    assert_eq!(PaymentConfirmation::ask(&broker, order(99), PATIENCE).await, Ok(None));
    let away = PaymentConfirmation::ask(&broker, order(2_000), PATIENCE).await;
    assert_eq!(away, Err(ConfirmationError::Unavailable));

    let answer = async |question: &str| -> Value {
        serde_json::from_str(&responder.answer(question).await.unwrap()).unwrap()
    };
    let approved = answer(&json!({ "order_id": order(2) }).to_string()).await;
    assert_eq!(approved["order_id"], order(2).to_string());
    assert_eq!((&approved["status"], &approved["currency"]), (&json!("APPROVED"), &json!("USD")));
    assert_eq!(
        (&approved["amount"], &approved["transaction_id"]),
        (&json!(49.90), &json!("txn-1"))
    );
    let yen = answer(&json!({ "order_id": order(3), "more": 1 }).to_string()).await;
    assert_eq!((&yen["amount"], &yen["currency"]), (&json!(4990), &json!("JPY")));
    let nobody = answer(&json!({ "order_id": order(99) }).to_string()).await;
    assert_eq!(nobody, json!({ "error": "not_found" }));
    for bad in ["", "{}", "null", "{\"order_id\": 7}", "\u{1}"] {
        assert_eq!(answer(bad).await, json!({ "error": "bad_question" }), "{bad}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_never_comes_or_makes_no_sense_is_an_error() {
    struct Says(Option<&'static str>);

    #[async_trait]
    impl Responder for Says {
        async fn answer(&self, _: &str) -> Option<String> {
            self.0.map(str::to_owned)
        }
    }

    let broker = LocalBroker::default();
    let ask = || PaymentConfirmation::ask(&broker, order(1), PATIENCE);
    assert_eq!(ask().await, Err(ConfirmationError::Rpc(RpcError::Nobody)));
    let _serving = broker.serve(RPC_PAYMENT, Arc::new(Says(None))).await.unwrap();
    assert_eq!(ask().await, Err(ConfirmationError::Rpc(RpcError::Late(PATIENCE))));
    for nonsense in ["", "null", "{}", "{\"error\":\"on_fire\"}", "{\"error\":\"bad_question\"}"] {
        let _serving = broker.serve(RPC_PAYMENT, Arc::new(Says(Some(nonsense)))).await.unwrap();
        let answer = ask().await;
        assert!(matches!(answer, Err(ConfirmationError::Unreadable(_))), "{nonsense}: {answer:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_server_answers_while_it_lives_and_is_started_again() {
    let (broker, world) = (LocalBroker::default(), world());
    let tree = Tree::new(world.clock.clone());
    let (root, node) =
        (tree.part(None, "supervisor", "root"), tree.part(Some("root"), "responder", RPC_PAYMENT));
    let responder = Arc::new(PaymentResponder::new(Arc::new(Rows::of_every_state())));
    let server =
        RpcServer::child_spec(node.clone(), Arc::new(broker.clone()), RPC_PAYMENT, responder);
    let supervisor = Supervisor::new(root, tree.clone(), Arc::new(vec![server]));
    let (root, ended) = Actor::spawn(None, supervisor, ()).await.unwrap();
    let ask = || PaymentConfirmation::ask(&broker, order(1), PATIENCE);
    assert!(ask().await.is_ok());
    assert!(tree.restart(RPC_PAYMENT));
    sleep(Duration::from_secs(1)).await;
    assert_eq!(node.view(world.now()).status, Status::Running);
    assert!(ask().await.is_ok());
    root.stop(None);
    ended.await.unwrap();
    assert_eq!(ask().await, Err(ConfirmationError::Rpc(RpcError::Nobody)));
}
