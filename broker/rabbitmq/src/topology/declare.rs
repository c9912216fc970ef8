//! Telling the broker.

use super::claim::claim;
use super::{ExchangePlan, QueuePlan, bindings, exchanges, queues, table};
use crate::address::Address;
use crate::error::{BrokerOpenError, LinkError};
use crate::link::answer;
use futures::future::{join_all, try_join_all};
use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::{Channel, Connection};
use ordermill_domain::messages::ExchangeKind;
use std::time::Duration;

/// How long one declaration may take. A quorum queue that is new is several writes to disk, one after the
/// other, and all of them are made at once: half a second on an idle disk, a minute where each sync takes
/// 300 ms. Who gives up sooner begins anew and adds to it. A broker that is dead is noticed by its heartbeat.
const DECLARED_WITHIN: Duration = Duration::from_secs(120);

/// Channels that declare side by side: what is new is declared some times faster, because the broker
/// forms the queues at the same time.
const CHANNELS: usize = 8;

/// Declares everything that is not there, and checks what is.
pub async fn declare(connection: &Connection, address: &Address) -> Result<(), BrokerOpenError> {
    let open = || async { answer(DECLARED_WITHIN, connection.create_channel()).await };
    let channels = try_join_all((0..CHANNELS).map(|_| open())).await;
    let channels = channels.map_err(|error| BrokerOpenError::Unusable {
        place: address.to_string(),
        cause: error.to_string(),
    })?;
    // First of all: nothing is declared or used in another installation's vhost.
    claim(&channels[0], address).await?;
    for exchange in exchanges() {
        let declared = declare_exchange(&channels[0], &exchange).await;
        declared
            .map_err(|error| BrokerOpenError::declaring(address, exchange.declared(), &error))?;
    }
    let queues = queues();
    let declared = join_all(channels.iter().enumerate().map(|(first, channel)| {
        let mine = queues.iter().skip(first).step_by(CHANNELS);
        async move {
            for queue in mine {
                let declared = declare_queue(channel, queue).await;
                declared.map_err(|error| {
                    BrokerOpenError::declaring(address, queue.declared(), &error)
                })?;
            }
            Ok(())
        }
    }));
    // All of them are waited for, also when one fails. RabbitMQ 3.10 suffers for good when a queue is deleted
    // while it is being declared, as somebody may do who sees us fail: no queue that dead-letters at least
    // once can be declared any more until the node is restarted (rabbitmq/rabbitmq-server#16652).
    declared.await.into_iter().collect::<Result<(), BrokerOpenError>>()?;
    for binding in bindings() {
        let bound = channels[0].queue_bind(
            binding.queue.as_str().into(),
            binding.exchange.as_str().into(),
            binding.key.into(),
            QueueBindOptions::default(),
            table(&binding.arguments),
        );
        answer(DECLARED_WITHIN, bound)
            .await
            .map_err(|error| BrokerOpenError::declaring(address, binding.declared(), &error))?;
    }
    for channel in channels {
        // It has done its work: how it ends is of no matter.
        let _ = answer(DECLARED_WITHIN, channel.close(200, "OK".into())).await;
    }
    Ok(())
}

pub(super) async fn declare_exchange(
    channel: &Channel,
    plan: &ExchangePlan,
) -> Result<(), LinkError> {
    let kind = match plan.kind {
        ExchangeKind::Direct => lapin::ExchangeKind::Direct,
        ExchangeKind::Topic => lapin::ExchangeKind::Topic,
        ExchangeKind::Fanout => lapin::ExchangeKind::Fanout,
        ExchangeKind::Headers => lapin::ExchangeKind::Headers,
    };
    let options = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    let declared =
        channel.exchange_declare(plan.name.as_str().into(), kind, options, table(&plan.arguments));
    answer(DECLARED_WITHIN, declared).await
}

async fn declare_queue(channel: &Channel, plan: &QueuePlan) -> Result<(), LinkError> {
    let declared = channel.queue_declare(
        plan.name.as_str().into(),
        QueueDeclareOptions::durable(),
        table(&plan.arguments),
    );
    answer(DECLARED_WITHIN, declared).await.map(drop)
}
