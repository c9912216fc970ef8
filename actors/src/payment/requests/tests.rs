//! Notifications and requests, asked of the payments of this process and, over the broker, of those of another.

use super::*;
use crate::broker::LocalBroker;
use crate::gateway;
use crate::payment::{NotificationLog, PaymentReads, PaymentSettings, wire};
use crate::ports::{Broker, Responder, Rpc};
use crate::runtime::retention::FORGET_EVERY;
use crate::runtime::service_builder::Process;
use crate::testing::CommitFault;
use crate::testing::stores::{Plain, ShopStores};
use ordermill_domain::clock::Timestamp;
use ordermill_domain::gateway::GatewayPolicy;
use ordermill_domain::messages::{
    Message, Origin, Payload, PaymentMessage, PaymentProcess, RPC_PAYMENT_REQUESTS,
};
use ordermill_domain::money::{Currency, Money};
use ordermill_domain::outbox::OutboxRow;
use ordermill_domain::payment::{
    NOTIFICATIONS_MAX, Notification, PaymentPolicy, RefundRequest, RefundWhat, Ruling,
};
use ractor::{Actor, ActorCell};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

/// How long notifications are kept here: a few looks of the one who forgets them.
const KEPT: Duration = Duration::from_secs(3_600);

const PROVIDER: Provider = Provider::Midtrans;

fn order(number: u128) -> OrderId {
    OrderId(Uuid::from_u128(number))
}

/// Reads `paid <order>`, and a word for each other result, whatever follows.
struct FakeReader;

impl NotificationReader for FakeReader {
    fn read(&self, body: &[u8]) -> Result<Notification, NotificationError> {
        let body = str::from_utf8(body).expect("only text is read");
        let mut words = body.split(' ');
        let notification = |reference: &str, order_id, is_test| Notification {
            provider: PROVIDER,
            reference: reference.to_owned(),
            order_id,
            is_test,
            claimed_minor: 4_990,
            text: body.chars().take(20).collect(),
        };
        match (words.next(), words.next()) {
            (Some("paid"), Some(number)) => {
                Ok(notification(number, Some(order(number.parse().unwrap())), false))
            }
            (Some("foreign"), _) => Ok(notification("shop-2", None, false)),
            (Some("test"), _) => Ok(notification("payment_notif_test", None, true)),
            (Some("forged"), _) => Err(NotificationError::Forged),
            (Some("other"), _) => Err(NotificationError::OtherMerchant),
            _ => Err(NotificationError::Malformed("expected `paid`".to_owned())),
        }
    }
}

/// A process with the payment service, and one without.
struct Bench {
    broker: LocalBroker,
    stores: ShopStores,
    local: Arc<dyn PaymentRequests>,
    process: Process,
    root: ActorCell,
}

impl Bench {
    async fn start() -> Self {
        let (stores, broker) = (ShopStores::default(), LocalBroker::default());
        let mut process = Process::new(stores.world.clone(), Arc::new(broker.clone()));
        process.rpc = Some(Arc::new(broker.clone()));
        let databases = stores.databases(&Plain);
        let (ledger, payment) = (databases.gateway.unwrap(), databases.payment.unwrap());
        let policy = GatewayPolicy::default();
        let (gateway, one) = gateway::wire(&mut process, ledger.store, ledger.reads, policy);
        let reader: Arc<dyn NotificationReader> = Arc::new(FakeReader);
        let settings = PaymentSettings {
            gateways: crate::payment::Gateways::default(),
            policy: PaymentPolicy::default(),
            idle_after: Duration::from_secs(60),
            alone: true,
            readers: [(PROVIDER, reader)].into(),
            notifications_kept: KEPT,
        };
        let (reads, log) = (payment.reads.clone(), payment.reads);
        let (handles, two) =
            wire(&mut process, payment.store, reads, log, Arc::new(gateway), settings);
        let (root, _) = Actor::spawn(None, process.supervisor(vec![one, two]), ()).await.unwrap();
        Self { broker, stores, local: handles.requests, process, root: root.get_cell() }
    }

    /// The requests of this process, and of the other.
    fn both(&self) -> [Arc<dyn PaymentRequests>; 2] {
        let remote = RemotePaymentRequests::new(Arc::new(self.broker.clone()));
        [self.local.clone(), Arc::new(remote)]
    }

    /// Has an order paid, and waits until its payment rests.
    async fn pay(&self, number: u128) {
        let process = PaymentProcess {
            total: Money { minor: 4_990, currency: Currency::USD },
            method: "credit_card".to_owned(),
            customer_id: "ada".to_owned(),
            placed_at: Timestamp::UNIX_EPOCH,
        };
        let origin = Origin::new(order(number), Default::default(), Default::default());
        let payload = Payload::Payment(PaymentMessage::Process(process));
        let command = Message::new(&origin, payload, 0, self.stores.world.now());
        let row = OutboxRow::fresh(self.stores.world.new_id(), vec![command]);
        for message in row.messages() {
            self.broker.publish(message, Box::new(|_| ()));
        }
        sleep(Duration::from_secs(60)).await;
        assert!(self.stores.payment.payment(order(number)).await.unwrap().is_some());
    }

    /// How many notifications are stored with these references, and how often they came.
    fn stored(&self, reference: &str) -> (usize, u32) {
        self.stores.payment.with(|tables| {
            let rows = tables.notifications().map(|stored| &stored.row);
            let times: Vec<_> =
                rows.filter(|row| row.reference == reference).map(|row| row.times).collect();
            (times.len(), times.iter().sum())
        })
    }

    /// The actors that live, payments among them.
    fn actors(&self) -> usize {
        self.process.tree.totals().actors
    }
}

fn requests() -> [PaymentRequest; 3] {
    let refund = RefundRequest {
        refund_id: RefundRequest::id_of(order(1), "key"),
        what: RefundWhat::Rest,
        ordered: Vec::new(),
        reason: "broken".to_owned(),
    };
    [
        PaymentRequest::Refund(refund),
        PaymentRequest::Review(Ruling::Accept),
        PaymentRequest::RefundedByHand { note: "BCA transfer".to_owned() },
    ]
}

#[tokio::test(start_paused = true)]
async fn a_genuine_notification_is_stored_once_and_told_to_its_payment() {
    let bench = Bench::start().await;
    for (number, requests) in (1..).zip(bench.both()) {
        bench.pay(number).await;
        let reference = number.to_string();
        let tell = async |variant: usize| {
            let body = format!("paid {number} {variant}");
            requests.notification(PROVIDER, body.as_bytes()).await
        };
        assert_eq!(tell(0).await, Ok(NotificationTaken::Stored));
        assert_eq!(tell(0).await, Ok(NotificationTaken::Repeated));
        assert_eq!(bench.stored(&reference), (1, 2));
        for variant in 1..NOTIFICATIONS_MAX {
            assert_eq!(tell(variant).await, Ok(NotificationTaken::Stored));
        }
        assert_eq!(tell(NOTIFICATIONS_MAX).await, Ok(NotificationTaken::OverLimit));
        assert_eq!(tell(0).await, Ok(NotificationTaken::Repeated));
        assert_eq!(bench.stored(&reference), (NOTIFICATIONS_MAX, NOTIFICATIONS_MAX as u32 + 2));
        let rows = bench.stores.payment.notifications(Some(order(number)), None, 100).await;
        assert_eq!(rows.unwrap().len(), NOTIFICATIONS_MAX);
    }
}

#[tokio::test(start_paused = true)]
async fn a_notification_of_no_known_payment_is_stored_and_makes_no_payment() {
    let bench = Bench::start().await;
    for (number, requests) in (7..).zip(bench.both()) {
        let before = bench.actors();
        for body in [format!("paid {number}"), format!("foreign {number}")] {
            for _ in 0..2 {
                let taken = requests.notification(PROVIDER, body.as_bytes()).await;
                assert_eq!(taken, Ok(NotificationTaken::Unmatched), "{body}");
            }
        }
        assert_eq!(bench.stored(&number.to_string()), (1, 2));
        assert_eq!(bench.stores.payment.payment(order(number)).await.unwrap(), None);
        assert_eq!(bench.actors(), before, "nor an actor");
        let test = requests.notification(PROVIDER, b"test").await;
        assert_eq!(test, Ok(NotificationTaken::Test));
    }
    assert_eq!(bench.stored("shop-2"), (2, 4));
    assert_eq!(bench.stored("payment_notif_test"), (0, 0));
    let unmatched = bench.stores.payment.notifications(None, None, 100).await.unwrap();
    assert_eq!(unmatched.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_genuine_changes_nothing() {
    let bench = Bench::start().await;
    bench.pay(1).await;
    let commits = bench.stores.payment.commits();
    let large = "paid 1 ".repeat(NOTIFICATION_BODY_MAX);
    for requests in bench.both() {
        let refused = async |body: &[u8]| requests.notification(PROVIDER, body).await.unwrap_err();
        assert_eq!(refused(b"forged").await, NotificationError::Forged.into());
        assert_eq!(refused(b"other").await, NotificationError::OtherMerchant.into());
        for body in
            ["", "{}", large.as_str()].map(str::as_bytes).into_iter().chain([&b"paid \xFF"[..]])
        {
            let refused = refused(body).await;
            let malformed =
                NotificationRefused::NotGenuine(NotificationError::Malformed(String::new()));
            let same = std::mem::discriminant(&refused) == std::mem::discriminant(&malformed);
            assert!(same && refused.to_string().contains("malformed"), "{refused}");
        }
        let unknown = requests.notification(Provider::Simulated, b"paid 1").await;
        assert_eq!(unknown, Err(NotificationRefused::NotConfigured(Provider::Simulated)));
    }
    assert_eq!(bench.stores.payment.commits(), commits);
}

#[tokio::test(start_paused = true)]
async fn a_request_reaches_a_payment_and_never_makes_one() {
    let bench = Bench::start().await;
    bench.pay(1).await;
    for requests_of in bench.both() {
        let before = bench.actors();
        for request in requests() {
            let nobody = requests_of.request(order(9), request.clone()).await;
            assert_eq!(nobody, Err(RequestRefused::NotFound.into()));
            let decided = requests_of.request(order(1), request).await;
            let unreached = [Err(RequestRefused::NotFound.into()), Err(RequestError::Unavailable)];
            assert!(!unreached.contains(&decided), "{decided:?}");
        }
        assert_eq!(requests_of.refunds(order(9)).await, Ok(Vec::new()));
        assert!(requests_of.refunds(order(1)).await.is_ok());
        assert_eq!(bench.stores.payment.payment(order(9)).await.unwrap(), None);
        sleep(Duration::from_secs(120)).await;
        assert_eq!(bench.actors(), before);
    }
}

#[tokio::test(start_paused = true)]
async fn what_nobody_decides_in_time_is_unavailable_and_may_be_sent_again() {
    let bench = Bench::start().await;
    for (number, requests) in (1..).zip(bench.both()) {
        bench.pay(number).await;
        bench.stores.payment.fail([CommitFault::Unavailable; 100]);
        for body in [format!("paid {number}"), format!("foreign {number}")] {
            let begun = Instant::now();
            let answer = requests.notification(PROVIDER, body.as_bytes()).await;
            assert_eq!(answer, Err(NotificationRefused::Unavailable));
            assert!(begun.elapsed() < PATIENCE + Duration::from_millis(100));
        }
        sleep(Duration::from_secs(3_600)).await;
        let again = requests.notification(PROVIDER, format!("paid {number}").as_bytes()).await;
        assert_eq!(again, Ok(NotificationTaken::Repeated), "it was stored meanwhile");
    }
    let [_, remote] = bench.both();
    bench.root.stop_and_wait(None, None).await.unwrap();
    let unavailable = async || {
        let request = remote.request(order(1), requests()[1].clone()).await;
        assert_eq!(request, Err(RequestError::Unavailable));
        assert_eq!(remote.refunds(order(1)).await, Err(RequestError::Unavailable));
        let notification = remote.notification(PROVIDER, b"paid 1").await;
        assert_eq!(notification, Err(NotificationRefused::Unavailable));
    };
    unavailable().await;

    struct Says(&'static str);

    #[async_trait]
    impl Responder for Says {
        async fn answer(&self, _: &str) -> Option<String> {
            Some(self.0.to_owned())
        }
    }

    for nonsense in ["", "null", "\"bad_question\"", "{\"refund\":7}", "{\"refunds\":{\"Ok\":[7]}}"]
    {
        let says = Arc::new(Says(nonsense));
        let _serving = bench.broker.serve(RPC_PAYMENT_REQUESTS, says).await.unwrap();
        unavailable().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_question_that_cannot_be_read_is_answered_so() {
    let bench = Bench::start().await;
    let responder = RequestResponder::new(bench.local.clone());
    for question in ["", "{}", "null", "{\"refunds\":{}}", "{\"request\":{\"order_id\":1}}"] {
        let answer = responder.answer(question).await;
        assert_eq!(answer.as_deref(), Some("\"bad_question\""), "{question}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_notification_is_forgotten_after_the_time_that_it_is_kept() {
    let bench = Bench::start().await;
    bench.local.notification(PROVIDER, b"foreign").await.unwrap();
    sleep(KEPT - FORGET_EVERY).await;
    assert_eq!(bench.stored("shop-2"), (1, 1));
    sleep(3 * FORGET_EVERY).await;
    assert_eq!(bench.stored("shop-2"), (0, 0));
}
