//! The broker's promises (`ports.rs`), kept by RabbitMQ.

use crate::address::Address;
use crate::consumer::{ConsumerTask, Purpose};
use crate::critical_tasks::CriticalTasks;
use crate::error::{BrokerOpenError, LinkError};
use crate::link::{self, Link};
use crate::probe::{Probe, QueueDepth};
use crate::publisher::{ConfirmOutcome, Content, PendingPublish, Publisher};
use crate::rpc::{RpcClient, RpcServer};
use crate::topology::Claim;
use crate::{topology, wire};
use async_trait::async_trait;
use ordermill_actors::ports::{
    Broker, BrokerError, BrokerTraffic, ConfirmCallback, DeliverySink, Depth, Health,
    PublishOutcome, Responder, Rpc, RpcError, Subscription,
};
use ordermill_domain::messages::Queue;
use ordermill_domain::outbox::OutboundMessage;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Dead letters of a queue that are stored at a time.
const DEAD_LETTERS_AT_A_TIME: u16 = 64;

/// At the end, acks and confirms that are under way are waited for this long.
const HEARD_WITHIN: Duration = Duration::from_secs(5);

/// After that, both connections are closed within this time.
const CLOSED_WITHIN: Duration = Duration::from_secs(2);

/// How often the end looks whether everything is confirmed.
const CHECK_EVERY: Duration = Duration::from_millis(10);

/// RabbitMQ. Cheap to clone.
#[derive(Clone)]
pub struct RabbitBroker(Arc<Inner>);

struct Inner {
    publishing: Link,
    consuming: Link,
    messages: Publisher,
    copies: Publisher,
    probe: Probe,
    client: RpcClient,
    unacked: BTreeMap<Queue, Arc<AtomicU64>>,
    /// Subscriptions, while they last.
    consumer_tasks: TaskTracker,
    /// No consumer is wanted any more.
    leave: CancellationToken,
    /// Everything else.
    critical_tasks: CriticalTasks,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.leave.cancel();
        self.critical_tasks.stop();
    }
}

impl RabbitBroker {
    /// Connects to the broker at `url`, claims its vhost for the databases of this process, and declares everything
    /// that is not there. `name` is what the connections are called on the broker's management page.
    ///
    /// # Errors
    /// A sentence for whoever must mend it, which does not repeat the URL's password. Where
    /// [`BrokerOpenError::may_pass`] says so, another try later is worth it. Once connected, a lost connection is
    /// opened again for as long as it takes.
    pub async fn connect(url: &str, name: &str, claims: &[Claim]) -> Result<Self, BrokerOpenError> {
        let address = Address { claims: claims.into(), ..Address::parse(url, name)? };
        link::verify_version(&address).await?;
        let critical_tasks = CriticalTasks::default();
        // What was opened goes again when the rest cannot be.
        let guard = critical_tasks.stops_when_dropped();
        let consuming = Link::open(&address, "consuming", &critical_tasks).await?;
        let publishing = Link::open(&address, "publishing", &critical_tasks).await?;
        guard.disarm();
        let post = || Publisher::open(publishing.clone(), &critical_tasks);
        Ok(Self(Arc::new(Inner {
            messages: post(),
            copies: post(),
            probe: Probe::new(consuming.clone()),
            client: RpcClient::new(publishing.clone()),
            publishing,
            consuming,
            unacked: Queue::ALL.iter().map(|queue| (*queue, Arc::default())).collect(),
            consumer_tasks: TaskTracker::new(),
            leave: CancellationToken::new(),
            critical_tasks,
        })))
    }

    /// Leaves the broker: takes no more, waits some seconds for acks and confirms that are under way, and closes both
    /// connections. To be called before the runtime ends. What is not heard by then comes again.
    pub async fn close(&self) {
        let Inner { consumer_tasks, leave, critical_tasks, messages, copies, .. } = &*self.0;
        let stopping = critical_tasks.stops_when_dropped();
        leave.cancel();
        consumer_tasks.close();
        let until = Instant::now() + HEARD_WITHIN;
        if tokio::time::timeout_at(until, consumer_tasks.wait()).await.is_err() {
            tracing::warn!("some deliveries are not acknowledged; the broker redelivers them");
        }
        while messages.pending_publishes() + copies.pending_publishes() > 0
            && Instant::now() < until
        {
            tokio::time::sleep(CHECK_EVERY).await;
        }
        drop(stopping);
        if !critical_tasks.ended(CLOSED_WITHIN).await {
            tracing::warn!("closing the connections to the broker timed out");
        }
    }

    /// Completes when its own work has failed: it takes and brings nothing any more, and another must be made.
    pub async fn failed(&self) {
        self.0.critical_tasks.failed().await;
    }

    /// How full every queue is that Ordermill declares: work queues, their dead letters, retries, and what nobody takes.
    ///
    /// # Errors
    /// When the broker does not answer.
    pub async fn all_depths(&self) -> Result<Vec<QueueDepth>, BrokerError> {
        let names: Vec<_> = topology::queues().into_iter().map(|queue| queue.name).collect();
        self.0.probe.depths(&names).await.map_err(away)
    }
}

fn away(error: LinkError) -> BrokerError {
    BrokerError(error.to_string())
}

#[async_trait]
impl Broker for RabbitBroker {
    fn publish(&self, message: OutboundMessage, confirm: ConfirmCallback) {
        let OutboundMessage { exchange, body, only, failures } = message;
        body.debug_assert_described();
        let properties = wire::properties(exchange, &body, failures);
        let publish = |exchange: &'static str, key: Cow<'static, str>, done| PendingPublish {
            exchange: exchange.into(),
            key,
            mandatory: true,
            properties: properties.clone(),
            content: Content::Body(body.clone()),
            void: None,
            done,
        };
        let Some(queues) = only else {
            let key = wire::key(exchange, &body).to_owned();
            let done = Box::new(move |outcome| confirm(confirmed(outcome)));
            return self.0.messages.send(publish(exchange.as_str(), key.into(), done));
        };
        if queues.is_empty() {
            return confirm(PublishOutcome::Unroutable);
        }
        let receipt = PublishReceipt::new(queues.len(), confirm);
        for queue in queues {
            let receipt = receipt.clone();
            let done = Box::new(move |outcome| receipt.confirm_one(confirmed(outcome)));
            self.0.messages.send(publish("", queue.as_str().into(), done));
        }
    }

    async fn subscribe(
        &self,
        queue: Queue,
        prefetch: usize,
        sink: Arc<dyn DeliverySink>,
    ) -> Result<Box<dyn Subscription>, BrokerError> {
        let stop = self.0.leave.child_token();
        let unacked = self.0.unacked.get(&queue).cloned().unwrap_or_default();
        let prefetch = u16::try_from(prefetch).unwrap_or(u16::MAX).max(1);
        for (purpose, prefetch, unacked) in [
            (Purpose::Work, prefetch, unacked),
            (Purpose::DeadLetters, DEAD_LETTERS_AT_A_TIME, Arc::default()),
        ] {
            let consumer_task = ConsumerTask {
                link: self.0.consuming.clone(),
                queue,
                purpose,
                prefetch,
                sink: sink.clone(),
                copies: self.0.copies.clone(),
                unacked,
                stop: stop.clone(),
            };
            self.0.consumer_tasks.spawn(consumer_task.run());
        }
        Ok(Box::new(Held(stop)))
    }

    async fn depths(&self) -> Result<Vec<Depth>, BrokerError> {
        let names: Vec<_> = Queue::ALL.iter().map(|queue| queue.as_str().to_owned()).collect();
        let depths = self.0.probe.depths(&names).await.map_err(away)?;
        let depth = |(queue, depth): (&Queue, QueueDepth)| Depth {
            queue: *queue,
            ready: depth.ready,
            unacked: self.0.unacked.get(queue).map_or(0, |count| count.load(Relaxed)),
            consumers: depth.consumers,
        };
        Ok(Queue::ALL.iter().zip(depths).map(depth).collect())
    }

    fn health(&self) -> Health {
        match (self.0.consuming.health(), self.0.publishing.health()) {
            (Health::Away(why), _) | (_, Health::Away(why)) => Health::Away(why),
            (_, health) => health,
        }
    }

    fn traffic(&self) -> BrokerTraffic {
        let links = [&self.0.consuming, &self.0.publishing];
        BrokerTraffic {
            reconnects: links.iter().map(|link| link.reconnects()).sum(),
            unconfirmed: (self.0.messages.pending_publishes() + self.0.copies.pending_publishes())
                as u64,
        }
    }
}

#[async_trait]
impl Rpc for RabbitBroker {
    async fn serve(
        &self,
        address: &'static str,
        responder: Arc<dyn Responder>,
    ) -> Result<Box<dyn Subscription>, BrokerError> {
        let stop = self.0.leave.child_token();
        let server = RpcServer {
            link: self.0.consuming.clone(),
            address,
            responder,
            replies: self.0.copies.clone(),
            stop: stop.clone(),
        };
        self.0.consumer_tasks.spawn(server.run());
        Ok(Box::new(Held(stop)))
    }

    async fn ask(
        &self,
        address: &'static str,
        question: String,
        patience: Duration,
    ) -> Result<String, RpcError> {
        let away = |error: LinkError| RpcError::Away(error.to_string());
        let asked = async {
            let depths = self.0.probe.depths(&[address.to_owned()]).await.map_err(away)?;
            if depths.iter().all(|depth| depth.consumers == 0) {
                return Err(RpcError::Nobody);
            }
            self.0.client.ask(address, &question, patience).await.map_err(away)
        };
        let answer = tokio::time::timeout(patience, asked).await;
        let answer = answer.map_err(|_| RpcError::Late(patience))??;
        String::from_utf8(answer)
            .map_err(|_| RpcError::Away("a reply is not valid UTF-8".to_owned()))
    }
}

fn confirmed(outcome: ConfirmOutcome) -> PublishOutcome {
    match outcome {
        ConfirmOutcome::Taken => PublishOutcome::Taken,
        ConfirmOutcome::Returned => PublishOutcome::Unroutable,
        ConfirmOutcome::Refused | ConfirmOutcome::Late => PublishOutcome::Lost,
    }
}

/// What a message for several queues still waits for.
struct PublishReceipt(Mutex<Open>);

struct Open {
    open: usize,
    worst: PublishOutcome,
    confirm: Option<ConfirmCallback>,
}

impl PublishReceipt {
    fn new(open: usize, confirm: ConfirmCallback) -> Arc<Self> {
        let worst = PublishOutcome::Taken;
        Arc::new(Self(Mutex::new(Open { open, worst, confirm: Some(confirm) })))
    }

    fn confirm_one(&self, how: PublishOutcome) {
        let mut open = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if how != PublishOutcome::Taken {
            open.worst = how;
        }
        open.open -= 1;
        if open.open > 0 {
            return;
        }
        let (confirm, worst) = (open.confirm.take(), open.worst.clone());
        drop(open);
        if let Some(confirm) = confirm {
            confirm(worst);
        }
    }
}

/// A subscription: ends when it is dropped.
struct Held(CancellationToken);

impl Subscription for Held {}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.cancel();
    }
}
