//! PostgreSQL and RabbitMQ killed, restarted, cut off and short of memory, while two processes take orders:
//! nothing is lost or doubled, and the system goes on by itself. Prints how soon.

use super::customers::{CustomerResults, Customers, Request, request, stock_up};
use super::final_checks;
use super::processes::Processes;
use super::random::Random;
use super::setup::Setup;
use super::shop::{Order, Shop};
use super::stack::{Stack, Which};
use reqwest::{Method, StatusCode};
use std::time::{Duration, Instant};

const PROCESSES: usize = 2;
const CUSTOMERS: u64 = 12;
const PAUSE: Duration = Duration::from_millis(200);
/// How long a server stays away, besides the time that its start takes.
const AWAY: Duration = Duration::from_secs(2);
/// A quorum queue that is killed within a second of its declaration loses what it had confirmed.
const SETTLING: Duration = Duration::from_secs(3);
/// The longest until it is noticed that a server is away.
const NOTICED: Duration = Duration::from_secs(20);
/// The longest until orders go through again once it is back.
const RECOVERED: Duration = Duration::from_secs(60);

/// What happens to the servers.
#[derive(Clone, Copy, Debug)]
enum Outage {
    Killed(Which),
    Restarted(Which),
    /// Every connection to the broker is closed by an operator.
    Disconnected,
    /// Every session of the database is ended by an operator.
    SessionsEnded,
    /// The broker is short of memory and takes no messages.
    Blocked,
}

const TROUBLES: [Outage; 7] = [
    Outage::Killed(Which::RabbitMq),
    Outage::Killed(Which::Postgres),
    Outage::Restarted(Which::RabbitMq),
    Outage::Restarted(Which::Postgres),
    Outage::Disconnected,
    Outage::SessionsEnded,
    Outage::Blocked,
];

/// A customer who looks at the watch.
struct Tester {
    shop: Shop,
    random: Random,
    placed: Vec<(Request, String)>,
}

impl Tester {
    /// A plain order, taken sooner or later.
    async fn place(&mut self) -> String {
        let key = format!("tester-{}", self.placed.len());
        let mut request = request(key, &mut self.random);
        request.body = super::shop::order(&request.key, &[("A", 1)], "credit_card");
        let key = Some(request.key.as_str());
        loop {
            let answer = self.shop.once(Method::POST, "/orders", Some(&request.body), key).await;
            if let Ok((StatusCode::CREATED, body)) = answer {
                let id = body["order_id"].as_str().unwrap().to_owned();
                self.placed.push((request.clone(), id.clone()));
                return id;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn confirmed(&self, id: &str) {
        let confirmed = |order: &Order| order.status == "CONFIRMED";
        self.shop.until(id, RECOVERED, confirmed).await;
    }

    /// What /ready says is missing has this word in it.
    async fn is_told_of(&self, word: &str) {
        let begun = Instant::now();
        loop {
            let (status, body) = self.shop.once(Method::GET, "/ready", None, None).await.unwrap();
            if status == StatusCode::SERVICE_UNAVAILABLE
                && body["missing"].to_string().contains(word)
            {
                return;
            }
            assert!(begun.elapsed() < NOTICED, "/ready does not speak of the {word}: {body}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Outage {
    /// Makes it, and has it over: when it was over.
    async fn happens(self, stack: &Stack, setup: &Setup, tester: &Tester) -> Instant {
        match self {
            Self::Killed(which) | Self::Restarted(which) => {
                if matches!(self, Self::Killed(_)) {
                    stack.kill9(which);
                } else {
                    stack.stop(which);
                }
                tester
                    .is_told_of(match which {
                        Which::Postgres => "database",
                        Which::RabbitMq => "broker",
                    })
                    .await;
                tokio::time::sleep(AWAY).await;
                stack.bring_back(which);
            }
            Self::Disconnected => {
                let closed = setup.on_servers().management.close_connections().await;
                assert!(closed >= PROCESSES, "only {closed} connections were there");
            }
            Self::SessionsEnded => stack.psql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                 WHERE datname LIKE 'ordermill_test_%'",
            ),
            Self::Blocked => {
                stack.rabbitmqctl(&["set_vm_memory_high_watermark", "absolute", "1MB"]);
                tester.is_told_of("broker").await;
                tokio::time::sleep(AWAY).await;
                stack.rabbitmqctl(&["set_vm_memory_high_watermark", "absolute", "512MB"]);
            }
        }
        Instant::now()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs ./scripts/stack"]
async fn outages_of_the_servers_lose_nothing() {
    let stack = Stack::start("outages");
    let setup = Setup::on(&stack.servers).with("ORDERMILL_STEP_TIMEOUT", "2s");
    let setup = setup.with("PAYMENT_TIMEOUT", "500ms");
    let crew = Processes::alike(&setup, PROCESSES);
    let servers = crew.shops();
    stock_up(&servers[0]).await;
    tokio::time::sleep(SETTLING).await;

    let mut random = Random(0x0DA6);
    let crowd = Customers::comes(&servers, CUSTOMERS, PAUSE, &mut random);
    let mut tester = Tester { shop: servers[0].clone(), random, placed: Vec::new() };
    for trouble in TROUBLES {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let begun = Instant::now();
        let over = trouble.happens(&stack, &setup, &tester).await;
        let away = over - begun;
        let id = tester.place().await;
        let taken = over.elapsed();
        tester.confirmed(&id).await;
        println!(
            "{trouble:?}: over after {away:.1?}; then an order was taken within {taken:.1?} and confirmed \
             within {:.1?}, {:.1?} after the beginning",
            over.elapsed(),
            begun.elapsed(),
        );
    }
    let mut results = crowd.leaves().await;
    results.extend(CustomerResults { accepted: tester.placed, open: Vec::new() });
    final_checks::all_is_well(&servers[0], &results).await;
    crew.terminate().await;
    final_checks::all_messages_were_consumed(&setup).await;
}
