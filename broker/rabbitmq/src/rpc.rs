//! Questions and answers: `reply_to` and `correlation_id`, answered straight to the channel that asked
//! (RabbitMQ's direct reply-to), so that no queue is made for an answer.

use crate::error::LinkError;
use crate::link::{ANSWERED_WITHIN, Link, Live, RETRY, answer};
use crate::publisher::{Content, PendingPublish, Publisher};
use futures::StreamExt;
use lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Consumer};
use ordermill_actors::ports::Responder;
use ordermill_actors::runtime::linked_task::catch_panic;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, oneshot};
use tokio_util::sync::CancellationToken;

/// The queue that stands for the channel itself.
const DIRECT: &str = "amq.rabbitmq.reply-to";

/// Questions that one process answers at a time.
const QUESTIONS_MAX: u16 = 64;

/// Bytes of a question at the most. The largest carries a gateway's notification of 64 KiB, each byte of which JSON
/// writes with six at the worst.
const QUESTION_BYTES_MAX: usize = 512 * 1024;

/// Answers the questions that come to one address.
pub struct RpcServer {
    pub link: Link,
    pub address: &'static str,
    pub responder: Arc<dyn Responder>,
    /// Where answers are published.
    pub replies: Publisher,
    pub stop: CancellationToken,
}

impl RpcServer {
    /// Answers until nobody wants it any more.
    pub async fn run(self) {
        let mut failures = 0;
        while let Some(Some(live)) = self.stop.run_until_cancelled(self.link.live()).await {
            let served = live.unless_ended(self.serve(&live));
            let ended = self.stop.run_until_cancelled(served).await;
            let Some(ended) = ended.filter(|_| !self.stop.is_cancelled()) else { return };
            if let Err(error) = ended {
                tracing::warn!(address = self.address, cause = %error, "RPC server interrupted");
                if error.is_missing()
                    && let Err(error) = live.declare().await
                {
                    tracing::error!(%error, "declaring the topology again failed");
                }
            }
            self.stop.run_until_cancelled(tokio::time::sleep(RETRY.delay(failures))).await;
            failures += 1;
        }
    }

    async fn serve(&self, live: &Live) -> Result<(), LinkError> {
        let channel = live.channel().await?;
        answer(ANSWERED_WITHIN, channel.basic_qos(QUESTIONS_MAX, BasicQosOptions::default()))
            .await?;
        let consumed = channel.basic_consume(
            self.address.into(),
            "".into(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        );
        let mut consumer = answer(ANSWERED_WITHIN, consumed).await?;
        while let Some(question) = consumer.next().await {
            let question = question?;
            let (responder, replies) = (self.responder.clone(), self.replies.clone());
            let channel = channel.clone();
            tokio::spawn(async move {
                let tag = question.delivery_tag;
                // Answered or not: whoever asked asks again, and has given up before this does.
                let replied = catch_panic(reply(&*responder, &replies, question));
                let _ = tokio::time::timeout(ANSWERED_WITHIN, replied).await;
                let _ = channel.basic_ack(tag, BasicAckOptions::default()).await;
            });
        }
        Err(LinkError::Cancelled)
    }
}

async fn reply(responder: &dyn Responder, replies: &Publisher, question: lapin::message::Delivery) {
    let Some(to) = question.properties.reply_to().clone() else { return };
    if question.data.len() > QUESTION_BYTES_MAX {
        return;
    }
    let Ok(text) = String::from_utf8(question.data) else { return };
    let Some(answer) = responder.answer(&text).await else { return };
    let mut properties = BasicProperties::default().with_content_type("application/json".into());
    if let Some(id) = question.properties.correlation_id() {
        properties = properties.with_correlation_id(id.clone());
    }
    replies.send(PendingPublish {
        exchange: "".into(),
        key: to.as_str().to_owned().into(),
        mandatory: false,
        properties,
        content: Content::Raw(Arc::new(answer.into_bytes())),
        void: None,
        done: Box::new(|_| {}),
    });
}

/// Asks questions.
pub struct RpcClient {
    link: Link,
    replies: Mutex<Option<ReplyChannel>>,
}

type PendingReplies = Arc<std::sync::Mutex<BTreeMap<String, oneshot::Sender<Vec<u8>>>>>;

/// A channel, and who waits for an answer by it.
#[derive(Clone)]
struct ReplyChannel {
    live: Arc<Live>,
    channel: Channel,
    waiting: PendingReplies,
    asked: u64,
}

impl RpcClient {
    /// An asker on a connection that is kept.
    pub fn new(link: Link) -> Self {
        Self { link, replies: Mutex::new(None) }
    }

    /// Puts a question that is of no use after `patience`, and waits for its answer for as long as it is
    /// let.
    pub async fn ask(
        &self,
        address: &str,
        question: &str,
        patience: Duration,
    ) -> Result<Vec<u8>, LinkError> {
        let (replies, id) = self.replies().await?;
        let (sender, receiver) = oneshot::channel();
        let _waits = PendingReply::new(&replies.waiting, id.clone(), sender);
        let properties = BasicProperties::default()
            .with_content_type("application/json".into())
            .with_correlation_id(id.into())
            .with_reply_to(DIRECT.into())
            .with_expiration(patience.as_millis().to_string().into());
        let asked = async {
            let options = BasicPublishOptions::default();
            let bytes = question.as_bytes();
            replies
                .channel
                .basic_publish("".into(), address.into(), options, bytes, properties)
                .await?;
            receiver.await.map_err(|_| LinkError::Gone)
        };
        replies.live.unless_ended(asked).await
    }

    async fn replies(&self) -> Result<(ReplyChannel, String), LinkError> {
        let live = self.link.now()?;
        let mut kept = self.replies.lock().await;
        let mut replies = match kept.take() {
            Some(replies)
                if Arc::ptr_eq(&replies.live, &live) && replies.channel.status().connected() =>
            {
                replies
            }
            Some(_) | None => open(live).await?,
        };
        replies.asked += 1;
        let id = replies.asked.to_string();
        *kept = Some(replies.clone());
        Ok((replies, id))
    }
}

async fn open(live: Arc<Live>) -> Result<ReplyChannel, LinkError> {
    let channel = live.channel().await?;
    let options = BasicConsumeOptions { no_ack: true, ..BasicConsumeOptions::default() };
    let consumed = channel.basic_consume(DIRECT.into(), "".into(), options, FieldTable::default());
    let consumer = live.unless_ended(answer(ANSWERED_WITHIN, consumed)).await?;
    let waiting = PendingReplies::default();
    tokio::spawn(listen(live.clone(), consumer, waiting.clone()));
    Ok(ReplyChannel { live, channel, waiting, asked: 0 })
}

/// Hands answers to those who wait for them.
async fn listen(live: Arc<Live>, mut consumer: Consumer, waiting: PendingReplies) {
    loop {
        let answer = tokio::select! {
            biased;
            () = live.ended() => break,
            answer = consumer.next() => answer,
        };
        let Some(Ok(answer)) = answer else { break };
        let id = answer.properties.correlation_id().as_ref().map(|id| id.as_str().to_owned());
        let mut waiting = waiting.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(asked) = id.and_then(|id| waiting.remove(&id)) {
            // Whoever asked may have gone away.
            let _ = asked.send(answer.data);
        }
    }
    // Nobody waits in vain.
    waiting.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clear();
}

/// A place among those who wait, left when it is dropped.
struct PendingReply {
    waiting: PendingReplies,
    id: String,
}

impl PendingReply {
    fn new(waiting: &PendingReplies, id: String, sender: oneshot::Sender<Vec<u8>>) -> Self {
        let mut queue = waiting.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        queue.insert(id.clone(), sender);
        drop(queue);
        Self { waiting: waiting.clone(), id }
    }
}

impl Drop for PendingReply {
    fn drop(&mut self) {
        let mut queue = self.waiting.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        queue.remove(&self.id);
    }
}
