//! Dead letters through a service's components: a message that fails for now is tried four times over 36 seconds,
//! kept, and goes back whole.

use async_trait::async_trait;
use chrono::TimeDelta;
use ordermill_actors::broker::LocalBroker;
use ordermill_actors::notification::{self, Messengers, NotificationMemory};
use ordermill_actors::ports::{
    Broker, ChannelError, DeadLetterFilter, Messenger, Outbox, PublishOutcome,
};
use ordermill_actors::runtime::dead_letters::{
    DEAD_LETTERS_KEPT, DeadLetterService, RedriveError, Redriven,
};
use ordermill_actors::runtime::retention::FORGET_EVERY;
use ordermill_actors::runtime::service_builder::Process;
use ordermill_actors::testing::{CommitFault, MemoryStore, world};
use ordermill_domain::clock::{Clock, Timestamp, World};
use ordermill_domain::ids::OrderId;
use ordermill_domain::messages::{
    Body, Bundle, ChannelMessage, Contact, Exchange, Flow, Message, OrderMessage, OrderNotice,
    Origin, Payload, Plan, Priority, Queue,
};
use ordermill_domain::money::{Currency, Money};
use ordermill_domain::outbox::OutboundMessage;
use ordermill_domain::service::DeadLetter;
use ractor::{Actor, ActorCell};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::sleep;
use uuid::Uuid;

/// All retry delays, and the relay's looks in between.
const ALL_RETRIES: Duration = Duration::from_secs(45);

/// A provider that is broken until somebody mends it.
#[derive(Default)]
struct Provider {
    mended: AtomicBool,
    asked: AtomicUsize,
    sent: Mutex<Vec<String>>,
}

#[async_trait]
impl Messenger for Provider {
    async fn send(&self, message: &ChannelMessage) -> Result<(), ChannelError> {
        self.asked.fetch_add(1, Relaxed);
        if !self.mended.load(Relaxed) {
            return Err(ChannelError::Transient("no line is free".to_owned()));
        }
        self.sent.lock().unwrap().push(message.to.clone());
        Ok(())
    }
}

/// A clock on which days pass without anybody waiting for them.
struct Calendar {
    clock: Arc<dyn Clock>,
    days: AtomicI64,
}

impl Clock for Calendar {
    fn now(&self) -> Timestamp {
        self.clock.now() + TimeDelta::days(self.days.load(Relaxed))
    }
}

/// The notification service alone, whose text messages go to a provider.
struct Bench {
    provider: Arc<Provider>,
    store: MemoryStore<NotificationMemory>,
    dead_letters: DeadLetterService,
    broker: LocalBroker,
    calendar: Arc<Calendar>,
    world: World,
    root: ActorCell,
}

impl Bench {
    async fn new() -> Self {
        let (World { clock, ids }, broker) = (world(), LocalBroker::default());
        let calendar = Arc::new(Calendar { clock, days: AtomicI64::new(0) });
        let world = World { clock: calendar.clone(), ids };
        let mut process = Process::new(world.clone(), Arc::new(broker.clone()));
        let (store, provider) = (MemoryStore::default(), Arc::new(Provider::default()));
        let messengers = Messengers { email: None, sms: Some(provider.clone()) };
        let (_, part) = notification::wire(&mut process, Arc::new(store.clone()), messengers);
        let dead_letters = process.dead_letters[0].clone();
        let (root, _) = Actor::spawn(None, process.supervisor(vec![part]), ()).await.unwrap();
        let root = root.get_cell();
        Self { provider, store, dead_letters, broker, calendar, world, root }
    }

    /// Tells the customers of so many orders.
    async fn tell(&self, orders: u128) {
        let events: Vec<_> = (1..=orders).map(|number| self.confirmed(number)).collect();
        for messages in events.chunks(Bundle::MESSAGES_MAX) {
            let body = Body::of(self.world.new_id(), messages.to_vec()).unwrap();
            let (confirm, confirmed) = tokio::sync::oneshot::channel();
            let confirm = Box::new(|how| confirm.send(how).unwrap());
            self.broker.publish(OutboundMessage::new(Exchange::Notification, body), confirm);
            assert_eq!(confirmed.await, Ok(PublishOutcome::Taken));
        }
    }

    fn confirmed(&self, number: u128) -> Arc<Message> {
        let order_id = OrderId(Uuid::from_u128(number));
        let notice = OrderNotice {
            customer_id: "ada".to_owned(),
            contact: Contact { email: None, phone: Some(number.to_string()) },
            total: Money { minor: 4_990, currency: Currency::USD },
            priority: Priority::Standard,
            tracking_code: None,
            failure: None,
            payment: None,
        };
        let origin = Origin::new(order_id, Flow::Orchestrated, Plan::ReserveFirst);
        Message::new(&origin, Payload::Order(OrderMessage::Confirmed(notice)), 0, self.world.now())
    }

    async fn letters(&self) -> Vec<DeadLetter> {
        self.dead_letters.list(&DeadLetterFilter::default(), 1_000).await.unwrap()
    }

    /// Everything that was said has been heard; nothing is left in the outbox.
    async fn close(self) {
        assert!(self.store.waiting(None, 10).await.unwrap().is_empty());
        assert_eq!(self.store.parked().await.unwrap(), 0);
        self.root.kill();
    }
}

#[tokio::test(start_paused = true)]
async fn a_transient_failure_is_tried_four_times_then_dead_lettered() {
    let bench = Bench::new().await;
    bench.tell(1).await;
    sleep(ALL_RETRIES).await;
    let letter = bench.letters().await.remove(0);
    assert_eq!((letter.queue, letter.attempts), (Queue::NotificationSms, 4));
    assert_eq!(letter.cause, "no line is free");
    let tried_for = (letter.died_at - letter.first_failed_at).to_std().unwrap();
    assert!(tried_for >= Duration::from_secs(36), "{tried_for:?}");
    assert_eq!(bench.provider.asked.load(Relaxed), 4);
    let count = bench.dead_letters.counts().await.unwrap().remove(0);
    assert_eq!((count.queue, count.letters, count.oldest), (letter.queue, 1, letter.died_at));

    // Still broken: fresh attempts, and a dead letter again.
    bench.dead_letters.redrive(letter.id).await.unwrap();
    sleep(ALL_RETRIES).await;
    let again = bench.letters().await.remove(0);
    assert_ne!(again.id, letter.id);
    assert_eq!((again.attempts, bench.provider.asked.load(Relaxed)), (4, 8));
    assert_eq!(again.body, letter.body, "the same message, under its own id");
    assert!(again.first_failed_at > letter.died_at);

    bench.provider.mended.store(true, Relaxed);
    bench.dead_letters.redrive(again.id).await.unwrap();
    assert_eq!(bench.dead_letters.redrive(again.id).await, Err(RedriveError::NotFound));
    sleep(ALL_RETRIES).await;
    assert_eq!(*bench.provider.sent.lock().unwrap(), ["1"]);
    assert!(bench.letters().await.is_empty());
    bench.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_is_deleted_after_its_retention() {
    let bench = Bench::new().await;
    bench.tell(1).await;
    sleep(ALL_RETRIES).await;
    let kept = i64::try_from(DEAD_LETTERS_KEPT.as_secs() / 86_400).unwrap();
    for (days, left) in [(kept - 1, 1), (kept + 1, 0)] {
        bench.calendar.days.store(days, Relaxed);
        sleep(FORGET_EVERY).await;
        assert_eq!(bench.letters().await.len(), left, "after {days} days");
    }
    bench.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_whole_queue_goes_back_in_pages_each_message_once() {
    let bench = Bench::new().await;
    bench.tell(250).await;
    while bench.letters().await.len() < 250 {
        sleep(Duration::from_secs(10)).await;
    }
    bench.provider.mended.store(true, Relaxed);
    let queue = Queue::NotificationSms;
    let (one, other) = tokio::join!(
        bench.dead_letters.redrive_queue(queue),
        bench.dead_letters.redrive_queue(queue)
    );
    assert_eq!((one.unwrap().unreadable, other.unwrap().unreadable), (0, 0));
    sleep(ALL_RETRIES).await;
    let mut sent = bench.provider.sent.lock().unwrap().clone();
    sent.sort_by_key(|to| to.parse::<u32>().unwrap());
    assert_eq!(sent, (1..=250).map(|number| number.to_string()).collect::<Vec<_>>());
    assert_eq!(bench.dead_letters.redrive_queue(queue).await, Ok(Redriven::default()));
    bench.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_redrive_survives_a_database_that_is_away_and_a_commit_of_which_nobody_knows() {
    use CommitFault::{Unavailable, UnknownLost, UnknownWritten};
    let bench = Bench::new().await;
    bench.tell(3).await;
    sleep(ALL_RETRIES).await;
    bench.provider.mended.store(true, Relaxed);
    let letters = bench.letters().await;
    for (letter, fault) in letters[..2].iter().zip([UnknownWritten, UnknownLost]) {
        bench.store.fail([Unavailable, fault, Unavailable]);
        bench.dead_letters.redrive(letter.id).await.unwrap();
    }
    sleep(ALL_RETRIES).await;
    assert_eq!(bench.provider.sent.lock().unwrap().len(), 2);
    // Away for longer than anybody waits: it goes all the same, and asking again is safe.
    bench.store.fail([Unavailable; 20]);
    let last = letters[2].id;
    assert_eq!(bench.dead_letters.redrive(last).await, Err(RedriveError::Unavailable));
    let _ = bench.dead_letters.redrive(last).await;
    sleep(2 * ALL_RETRIES).await;
    assert_eq!(bench.dead_letters.redrive(last).await, Err(RedriveError::NotFound));
    assert_eq!(bench.provider.sent.lock().unwrap().len(), 3);
    bench.close().await;
}
