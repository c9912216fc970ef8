//! Questions and answers: `reply_to` and `correlation_id`, answered straight to the channel that asked
//! (RabbitMQ's direct reply-to), so that no queue is made for an answer.

use crate::error::Trouble;
use crate::link::{ANSWERED_WITHIN, Backoff, Link, Live, answer};
use crate::post::{Content, Letter, Post};
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

/// Bytes of a question at the most.
const QUESTION_BYTES_MAX: usize = 64 * 1024;

/// Answers the questions that come to one address.
pub struct Counter {
    pub link: Link,
    pub address: &'static str,
    pub responder: Arc<dyn Responder>,
    /// Where answers are posted.
    pub replies: Post,
    pub stop: CancellationToken,
}

impl Counter {
    /// Answers until nobody wants it any more.
    pub async fn run(self) {
        let mut backoff = Backoff::new();
        while let Some(Some(live)) = self.stop.run_until_cancelled(self.link.live()).await {
            let served = live.unless_ended(self.serve(&live));
            let ended = self.stop.run_until_cancelled(served).await;
            let Some(ended) = ended.filter(|_| !self.stop.is_cancelled()) else { return };
            if let Err(trouble) = ended {
                tracing::warn!(address = self.address, cause = %trouble, "answering is interrupted");
                if trouble.is_missing()
                    && let Err(error) = live.declare().await
                {
                    tracing::error!(%error, "the topology cannot be declared again");
                }
            }
            self.stop.run_until_cancelled(tokio::time::sleep(backoff.next())).await;
        }
    }

    async fn serve(&self, live: &Live) -> Result<(), Trouble> {
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
        Err(Trouble::Cancelled)
    }
}

async fn reply(responder: &dyn Responder, replies: &Post, question: lapin::message::Delivery) {
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
    replies.send(Letter {
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
pub struct Asker {
    link: Link,
    desk: Mutex<Option<Desk>>,
}

type Waiting = Arc<std::sync::Mutex<BTreeMap<String, oneshot::Sender<Vec<u8>>>>>;

/// A channel, and who waits for an answer by it.
#[derive(Clone)]
struct Desk {
    live: Arc<Live>,
    channel: Channel,
    waiting: Waiting,
    asked: u64,
}

impl Asker {
    /// An asker on a connection that is kept.
    pub fn new(link: Link) -> Self {
        Self { link, desk: Mutex::new(None) }
    }

    /// Puts a question that is of no use after `patience`, and waits for its answer for as long as it is
    /// let.
    pub async fn ask(
        &self,
        address: &str,
        question: &str,
        patience: Duration,
    ) -> Result<Vec<u8>, Trouble> {
        let (desk, id) = self.desk().await?;
        let (sender, receiver) = oneshot::channel();
        let _waits = Waits::new(&desk.waiting, id.clone(), sender);
        let properties = BasicProperties::default()
            .with_content_type("application/json".into())
            .with_correlation_id(id.into())
            .with_reply_to(DIRECT.into())
            .with_expiration(patience.as_millis().to_string().into());
        let asked = async {
            let options = BasicPublishOptions::default();
            let bytes = question.as_bytes();
            desk.channel
                .basic_publish("".into(), address.into(), options, bytes, properties)
                .await?;
            receiver.await.map_err(|_| Trouble::Gone)
        };
        desk.live.unless_ended(asked).await
    }

    async fn desk(&self) -> Result<(Desk, String), Trouble> {
        let live = self.link.now()?;
        let mut kept = self.desk.lock().await;
        let mut desk = match kept.take() {
            Some(desk) if Arc::ptr_eq(&desk.live, &live) && desk.channel.status().connected() => {
                desk
            }
            Some(_) | None => open(live).await?,
        };
        desk.asked += 1;
        let id = desk.asked.to_string();
        *kept = Some(desk.clone());
        Ok((desk, id))
    }
}

async fn open(live: Arc<Live>) -> Result<Desk, Trouble> {
    let channel = live.channel().await?;
    let options = BasicConsumeOptions { no_ack: true, ..BasicConsumeOptions::default() };
    let consumed = channel.basic_consume(DIRECT.into(), "".into(), options, FieldTable::default());
    let consumer = live.unless_ended(answer(ANSWERED_WITHIN, consumed)).await?;
    let waiting = Waiting::default();
    tokio::spawn(listen(live.clone(), consumer, waiting.clone()));
    Ok(Desk { live, channel, waiting, asked: 0 })
}

/// Hands answers to those who wait for them.
async fn listen(live: Arc<Live>, mut consumer: Consumer, waiting: Waiting) {
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
struct Waits {
    waiting: Waiting,
    id: String,
}

impl Waits {
    fn new(waiting: &Waiting, id: String, sender: oneshot::Sender<Vec<u8>>) -> Self {
        let mut queue = waiting.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        queue.insert(id.clone(), sender);
        drop(queue);
        Self { waiting: waiting.clone(), id }
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        let mut queue = self.waiting.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        queue.remove(&self.id);
    }
}
