//! The in-process broker, held to the contract.

use async_trait::async_trait;
use ordermill_actors::broker::LocalBroker;
use ordermill_actors::ports::{Broker, Rpc};
use ordermill_broker_contract::Backend;
use std::sync::Arc;

struct Local(LocalBroker);

#[async_trait]
impl Backend for Local {
    fn broker(&self) -> Arc<dyn Broker> {
        Arc::new(self.0.clone())
    }

    fn rpc(&self) -> Arc<dyn Rpc> {
        Arc::new(self.0.clone())
    }

    async fn close(&self) {}
}

async fn local() -> Local {
    Local(LocalBroker::default())
}

ordermill_broker_contract::contract!(
    #[tokio::test(start_paused = true)]
    crate::local
);

mod only_here {
    //! What the in-process broker promises beyond: its durable side is the outbox of whoever publishes.

    use super::local;
    use ordermill_actors::ports::{Broker, PublishOutcome};
    use ordermill_broker_contract::consumer_of;
    use ordermill_broker_contract::samples::{at, message};
    use ordermill_domain::failures::Failures;
    use ordermill_domain::messages::{Body, Exchange, Kind, Queue, RETRY_DELAYS};
    use ordermill_domain::outbox::OutboundMessage;
    use tokio::sync::oneshot;

    fn publish(broker: &dyn Broker, attempt: u32) -> oneshot::Receiver<PublishOutcome> {
        let (sender, receiver) = oneshot::channel();
        let failures = Failures { count: attempt, since: (attempt > 0).then(at) };
        let body = Body::One(message(Kind::PaymentReversed, 1));
        let message =
            OutboundMessage { failures, ..OutboundMessage::new(Exchange::SagaEvents, body) };
        broker.publish(message, Box::new(move |how| drop(sender.send(how))));
        receiver
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_is_confirmed_by_its_ack_and_not_before() {
        let backend = local().await;
        let mut confirm = publish(&backend.0, 0);
        let consumer = consumer_of(&backend, Queue::OrderEvents, 10).await;
        let delivery = consumer.one().await;
        assert!(confirm.try_recv().is_err());
        delivery.channel.ack(delivery.tag);
        assert_eq!(confirm.await, Ok(PublishOutcome::Taken));
    }

    #[tokio::test(start_paused = true)]
    async fn a_failing_message_is_deferred_longer_each_time_then_dead_lettered() {
        let backend = local().await;
        let consumer = consumer_of(&backend, Queue::OrderEvents, 10).await;
        for (attempt, delay) in (0..).zip(RETRY_DELAYS) {
            let confirm = publish(&backend.0, attempt);
            let delivery = consumer.one().await;
            delivery.channel.retry(delivery.tag, "it failed".to_owned(), at());
            let left = OutboundMessage {
                only: Some(vec![Queue::OrderEvents]),
                failures: Failures { count: attempt + 1, since: Some(at()) },
                ..OutboundMessage::new(Exchange::SagaEvents, delivery.content.unwrap())
            };
            assert_eq!(confirm.await, Ok(PublishOutcome::Deferred { left: vec![left], delay }));
        }
        let mut confirm = publish(&backend.0, 3);
        let delivery = consumer.one().await;
        delivery.channel.retry(delivery.tag, "it failed".to_owned(), at());
        let dead = consumer.dead().await;
        assert!(confirm.try_recv().is_err(), "not before the dead letter is stored");
        (dead.stored)();
        assert_eq!(confirm.await, Ok(PublishOutcome::Taken));
    }

    #[tokio::test(start_paused = true)]
    async fn a_late_ack_doubles_nothing() {
        let backend = local().await;
        let first = consumer_of(&backend, Queue::OrderEvents, 10).await;
        let mut confirm = publish(&backend.0, 0);
        let lost = first.one().await;
        drop(first.subscription);
        let second = consumer_of(&backend, Queue::OrderEvents, 10).await;
        let again = second.one().await;
        lost.channel.ack(lost.tag);
        assert!(confirm.try_recv().is_err(), "it is somebody else's now");
        again.channel.ack(again.tag);
        assert_eq!(confirm.await, Ok(PublishOutcome::Taken));
    }

    #[tokio::test(start_paused = true)]
    async fn an_unstored_dead_letter_keeps_its_outbox_row() {
        let backend = local().await;
        let first = consumer_of(&backend, Queue::OrderEvents, 10).await;
        let mut confirm = publish(&backend.0, 0);
        let delivery = first.one().await;
        delivery.channel.reject(delivery.tag, "impossible".to_owned(), at());
        // Its consumer dies with it in its mailbox.
        drop(first.dead().await);
        drop(first);
        assert!(confirm.try_recv().is_err());
        let second = consumer_of(&backend, Queue::OrderEvents, 10).await;
        let again = second.one().await;
        again.channel.ack(again.tag);
        assert_eq!(confirm.await, Ok(PublishOutcome::Taken));
    }
}
