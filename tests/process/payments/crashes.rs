//! The server is killed between the steps of payments: every order has one page, and its money goes back once.

use super::till::{LIMIT, TOTAL, Till};
use crate::process::fake_midtrans::{FakeMidtrans, FakePage};
use crate::process::random::Random;
use crate::process::server::Server;
use crate::process::setup::Setup;
use crate::process::shop::Shop;
use futures::future::join_all;
use ordermill_actors::faults::Point;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::os::unix::process::ExitStatusExt;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// The points on a payment's way, from the request that comes to the answer that goes.
const POINTS: [Point; 9] = [
    Point::Delivered,
    Point::Gathered,
    Point::Written,
    Point::Committed,
    Point::Offered,
    Point::Published,
    Point::Confirmed,
    Point::Unacked,
    Point::GatewayAnswered,
];
/// Those on servers, where a start takes seconds: the points at which something other than the process may have gone on.
const POINTS_ON_SERVERS: [Point; 4] =
    [Point::Committed, Point::Published, Point::Unacked, Point::GatewayAnswered];
/// Customers at a time.
const CUSTOMERS: usize = 4;
/// A payment passes each point a few times; these are the payments of all customers.
const PASSAGES: u32 = 40;
/// The longest until a process comes to its point.
const COMES_WITHIN: Duration = Duration::from_secs(30);
/// Before a customer tries again.
const AGAIN_AFTER: Duration = Duration::from_millis(50);
/// What a gateway could not tell is told again so often.
const RESENT_EVERY: Duration = Duration::from_millis(500);
const SIGKILL: i32 = 9;

/// What a customer does after having paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// Asks for the money of one line.
    Refund,
    /// Cancels the order.
    Cancel,
}

impl Then {
    /// What goes back, in rupiah.
    fn goes_back(self) -> i64 {
        match self {
            Self::Refund => 45_000,
            Self::Cancel => TOTAL,
        }
    }
}

/// The process ends at each point, at any of these passages, and is started again.
async fn is_killed(setup: &Setup, points: &[Point], passages: u64) -> Server {
    let mut random = Random(0x9A1D);
    for point in points {
        let plan = format!("{}:{}", point.name(), random.within(1, passages + 1));
        let mut server = setup.clone().with("ORDERMILL_CRASH", &plan).launch();
        let begun = Instant::now();
        while server.runs() {
            assert!(begun.elapsed() < COMES_WITHIN, "it never comes to {plan}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let status = server.ended(COMES_WITHIN).await;
        assert_eq!(status.signal(), Some(SIGKILL), "it has ended by itself, told of {plan}");
    }
    tokio::task::block_in_place(|| setup.start())
}

/// A customer who does not give up while the server is away.
struct Customer<'a> {
    shop: Shop,
    fake: &'a FakeMidtrans,
    name: String,
}

impl Customer<'_> {
    /// Asks until the answer is what is waited for.
    async fn until<T>(
        &self,
        (method, path): (Method, &str),
        body: Option<&Value>,
        key: Option<&str>,
        found: impl Fn(StatusCode, &Value) -> Option<T>,
    ) -> T {
        let begun = Instant::now();
        let mut last = None;
        loop {
            let answer = self.shop.once(method.clone(), path, body, key).await;
            if let Ok((status, body)) = answer {
                if let Some(found) = found(status, &body) {
                    return found;
                }
                last = Some((status, body));
            }
            assert!(begun.elapsed() < 2 * LIMIT, "{}: {path}: {last:#?}", self.name);
            tokio::time::sleep(AGAIN_AFTER).await;
        }
    }

    /// Places an order, pays, and has the money of it back.
    async fn lives(&self, number: u32, then: Then) -> String {
        let key = format!("{}-{number}", self.name);
        let items = json!([
            {"product_id": "A", "quantity": 2, "unit_price": 50_000},
            {"product_id": "B", "quantity": 1, "unit_price": 45_000},
        ]);
        let order = json!({
            "customer_id": key, "payment_method": "gopay", "currency": "IDR", "items": items,
        });
        let id = |status: StatusCode, body: &Value| {
            assert!(status == StatusCode::CREATED || status.is_server_error(), "{status}: {body}");
            body["order_id"].as_str().map(str::to_owned)
        };
        let id = self.until((Method::POST, "/orders"), Some(&order), Some(&key), id).await;
        let path = format!("/orders/{id}");
        self.pays(&path).await;
        let (asked, body, key) = match then {
            Then::Refund => {
                let line = json!({"lines": [{"product_id": "B", "quantity": 1}]});
                (format!("{path}/refunds"), Some(line), Some(key))
            }
            Then::Cancel => (format!("{path}/cancel"), None, None),
        };
        let taken = |status: StatusCode, body: &Value| {
            assert!(status == StatusCode::ACCEPTED || status.is_server_error(), "{status}: {body}");
            (status == StatusCode::ACCEPTED).then_some(())
        };
        self.until((Method::POST, &asked), body.as_ref(), key.as_deref(), taken).await;
        let is_back = |_, order: &Value| {
            let back = order["payment"]["refunded"].as_f64()?;
            (back == then.goes_back() as f64).then_some(())
        };
        self.until((Method::GET, &path), None, None, is_back).await;
        id
    }

    /// Pays at the page that the order shows: at another one when the first was replaced meanwhile.
    async fn pays(&self, path: &str) {
        let with_page = format!("{path}?wait=payment_url&timeout=5s");
        let url = |_, order: &Value| {
            let is_confirmed = order["status"] == "CONFIRMED";
            let url = order["payment"]["payment_url"].as_str();
            (is_confirmed || url.is_some()).then(|| url.map(str::to_owned))
        };
        loop {
            let url = self.until((Method::GET, &with_page), None, None, url).await;
            let Some(url) = url else { break };
            let page: FakePage = self.fake.page_at(&url);
            if self.fake.customer(&page, "pay", "gopay").await {
                break;
            }
            tokio::time::sleep(AGAIN_AFTER).await;
        }
        let is_confirmed = |_, order: &Value| (order["status"] == "CONFIRMED").then_some(());
        self.until((Method::GET, path), None, None, is_confirmed).await;
    }
}

/// Lives one order after the other until it is enough.
async fn customer(
    till: (&Setup, &FakeMidtrans),
    number: usize,
    enough: &AtomicBool,
) -> Vec<(String, Then)> {
    let shop = Shop::at(&format!("http://{}", till.0.listen()));
    let customer = Customer { shop, fake: till.1, name: format!("customer-{number}") };
    let mut orders = Vec::new();
    for order in 0.. {
        let then = if order % 2 == 0 { Then::Refund } else { Then::Cancel };
        orders.push((customer.lives(order, then).await, then));
        if enough.load(Relaxed) {
            break;
        }
    }
    orders
}

/// The gateway tells again what nobody was there to hear.
async fn resends(fake: &FakeMidtrans, all_paid: &AtomicBool) {
    while !all_paid.load(Relaxed) {
        fake.resend().await;
        tokio::time::sleep(RESENT_EVERY).await;
    }
}

async fn one_page_and_one_refund_whenever_it_is_killed(setup: Setup) {
    let mut till = Till::open(&setup, &[("ORDERMILL_STEP_TIMEOUT", "1s")]).await;
    till.server.take().expect("it runs").kill9();
    let (enough, all_paid) = (AtomicBool::new(false), AtomicBool::new(false));
    let (setup, fake) = (&till.setup, &till.fake);
    let points = if setup.slowness() == 1 { &POINTS[..] } else { &POINTS_ON_SERVERS };
    let killing = async {
        let server = is_killed(setup, points, u64::from(PASSAGES / setup.slowness())).await;
        enough.store(true, Relaxed);
        server
    };
    let buying = async {
        let customers = (0..CUSTOMERS).map(|number| customer((setup, fake), number, &enough));
        let orders = join_all(customers).await;
        all_paid.store(true, Relaxed);
        orders.concat()
    };
    let (server, orders, ()) = tokio::join!(killing, buying, resends(fake, &all_paid));
    till.server = Some(server);
    println!("{} kills, {} orders", points.len(), orders.len());
    for (id, then) in &orders {
        let pages = till.fake.of_order("pages", id).await;
        let payable = pages.iter().filter(|page| page["state"] == "open").count();
        assert_eq!(payable, 1, "{id}: {pages:#?}");
        let transactions = till.fake.of_order("transactions", id).await;
        assert_eq!(transactions.len(), 1, "{id} was paid once: {transactions:#?}");
        let refunds = transactions[0]["refunds"].as_array().unwrap();
        assert_eq!(refunds.len(), 1, "{id}: {transactions:#?}");
        assert_eq!(refunds[0]["amount"], then.goes_back(), "{id}: {transactions:#?}");
        let status = till.shop().until(id, LIMIT, |order| order.is_at_rest()).await.status;
        assert_eq!(status, if *then == Then::Refund { "CONFIRMED" } else { "CANCELLED" });
    }
    till.close().await;
}

everywhere! { one_page_and_one_refund_whenever_it_is_killed }
