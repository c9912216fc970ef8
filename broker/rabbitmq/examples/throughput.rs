//! How fast the broker is: messages published, confirmed, consumed and acked.
//!
//! ```sh
//! eval "$(./scripts/stack start rabbitmq)"
//! cargo run --release -p ordermill-rabbitmq --example throughput -- 200000
//! ```

#![expect(clippy::print_stdout, reason = "an example prints its result")]

use ordermill_actors::ports::{Broker, DeadMessage, Delivery, DeliverySink, PublishOutcome};
use ordermill_broker_contract::samples::message;
use ordermill_domain::messages::{Body, Exchange, Kind, Queue};
use ordermill_domain::outbox::OutboundMessage;
use ordermill_rabbitmq::RabbitBroker;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

const PREFETCH: usize = 2_000;
/// Published and not confirmed at a time, as by a relay.
const WINDOW: usize = 16_384;
/// For the latency: one at a time.
const SINGLES: usize = 500;

#[derive(Default)]
struct Counter(AtomicUsize);

impl DeliverySink for Counter {
    fn deliver(&self, delivery: Delivery) {
        delivery.channel.ack(delivery.tag);
        self.0.fetch_add(1, Relaxed);
    }

    fn store_dead_letter(&self, dead: DeadMessage) {
        panic!("failed: {}", dead.cause);
    }
}

fn publish(broker: &RabbitBroker, order: u32, confirmed: &Arc<AtomicUsize>) {
    let confirmed = confirmed.clone();
    let message = OutboundMessage::new(
        Exchange::SagaEvents,
        Body::One(message(Kind::PaymentApproved, order)),
    );
    let confirm = Box::new(move |how| {
        assert_eq!(how, PublishOutcome::Taken);
        confirmed.fetch_add(1, Relaxed);
    });
    broker.publish(message, confirm);
}

async fn until(holds: impl Fn() -> bool) {
    while !holds() {
        tokio::time::sleep(Duration::from_micros(200)).await;
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let messages: usize = std::env::args().nth(1).map_or(Ok(100_000), |text| text.parse())?;
    let begun = Instant::now();
    let broker = RabbitBroker::connect(&std::env::var("AMQP_URL")?, "throughput", &[]).await?;
    println!("connected and declared within {:.2?}", begun.elapsed());
    let (confirmed, counter) = (Arc::new(AtomicUsize::new(0)), Arc::new(Counter::default()));
    let held = broker.subscribe(Queue::OrderEvents, PREFETCH, counter.clone()).await?;
    let begun = Instant::now();
    for sent in 0..messages {
        if sent % 256 == 0 {
            until(|| sent < confirmed.load(Relaxed) + WINDOW).await;
        }
        publish(&broker, u32::try_from(sent)?, &confirmed);
    }
    until(|| confirmed.load(Relaxed) == messages).await;
    let published = begun.elapsed();
    until(|| counter.0.load(Relaxed) >= messages).await;
    let consumed = begun.elapsed();
    let rate = |time: Duration| messages as f64 / time.as_secs_f64();
    println!(
        "{messages} messages: confirmed {:.0}/s, confirmed, consumed and acked {:.0}/s",
        rate(published),
        rate(consumed)
    );
    let mut times = Vec::new();
    for number in 1..=SINGLES {
        let begun = Instant::now();
        publish(&broker, 0, &confirmed);
        until(|| counter.0.load(Relaxed) >= messages + number).await;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    println!(
        "one by one, published to delivered: p50 {:.2?}, p99 {:.2?}",
        times[SINGLES / 2],
        times[SINGLES * 99 / 100]
    );
    drop(held);
    broker.close().await;
    Ok(())
}
