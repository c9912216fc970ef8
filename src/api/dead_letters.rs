//! /admin/dead-letters: messages that nobody could handle, over all services of this process; and those of
//! them that were discarded.

use crate::api::body::Raw;
use crate::api::group::Group;
use crate::api::problem::Problem;
use crate::api::state::State;
use crate::api::time::Time;
use crate::api::word::Word;
use crate::api::{cursor, limits, validate};
use crate::app::ServiceNotLocal;
use ordermill_actors::ports::DeadLetterFilter;
use ordermill_actors::runtime::dead_letters::{DeadLetterService, DiscardError, RedriveError};
use ordermill_domain::ids::ServiceName;
use ordermill_domain::messages::{Queue, hide_links};
use ordermill_domain::service::{DeadLetter, DiscardedLetter};
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::types::Any;
use poem_openapi::{ApiResponse, Object, OpenApi};
use serde::Deserialize;
use serde_json::Value;
use std::time::Duration;
use uuid::Uuid;

/// Bytes of a message that a list shows: most are below 2 KiB, and a page of them stays readable.
const LISTED_BYTES_MAX: usize = 16 * 1024;

/// Characters that an answer says of what is wrong with a message.
const ERROR_CHARS_MAX: usize = 200;

/// When it is worth another try after a database was away.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// A message that could not be handled.
#[derive(Object)]
struct DeadLetterView {
    /// Its identifier.
    id: Uuid,
    /// The service that failed to handle it.
    service: Word<ServiceName>,
    /// The queue in which handling failed; redriving returns the message to it.
    queue: Word<Queue>,
    /// The cause.
    cause: String,
    /// Number of attempts.
    attempts: u32,
    /// The time of its first failure.
    first_failed_at: Time,
    /// The time at which it became a dead letter.
    died_at: Time,
    /// The order, if it is readable.
    order_id: Option<Uuid>,
    /// The name of the message, if it is readable.
    event_type: Option<String>,
    /// The identifier of the message, if it is readable.
    event_id: Option<Uuid>,
    /// The message: as JSON, or as text if it is not valid JSON. Links of payment pages are hidden.
    message: Any<Value>,
    /// Its length in bytes.
    message_bytes: u64,
    /// `true`: the list shows only the beginning of the message, as text.
    message_cut: bool,
}

impl DeadLetterView {
    /// A dead letter, with so much of its message.
    fn of(letter: DeadLetter, bytes_max: usize) -> Self {
        let message_bytes = letter.body.len();
        let body = match letter.body.contains("://") {
            true => hide_links(&letter.body),
            false => letter.body,
        };
        let message: Option<Value> = serde_json::from_str(&body).ok();
        let word = |name: &str| message.as_ref()?.get(name)?.as_str().map(str::to_owned);
        let id = |name: &str| word(name).and_then(|text| Uuid::try_parse(&text).ok());
        let (order_id, event_id) = (letter.order_id.or_else(|| id("order_id")), id("event_id"));
        let event_type = letter.event_type.or_else(|| word("event_type"));
        let message_cut = message_bytes > bytes_max;
        let text = || Value::String(beginning(&body, bytes_max).to_owned());
        let message = message.filter(|_| !message_cut).unwrap_or_else(text);
        Self {
            id: letter.id,
            service: letter.queue.service().into(),
            queue: letter.queue.into(),
            cause: letter.cause,
            attempts: letter.attempts,
            first_failed_at: letter.first_failed_at.into(),
            died_at: letter.died_at.into(),
            order_id,
            event_type,
            event_id,
            message: Any(message),
            message_bytes: message_bytes as u64,
            message_cut,
        }
    }
}

/// A text's beginning, whole characters only.
fn beginning(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}

/// A discarded dead letter.
#[derive(Object)]
struct DiscardedView {
    /// The dead letter before it was discarded.
    dead_letter: DeadLetterView,
    /// The reason given for discarding it.
    reason: String,
    /// The time at which it was discarded.
    discarded_at: Time,
}

/// Discarded dead letters, newest first by their ids.
#[derive(Object)]
struct DiscardedList {
    /// The discarded dead letters of this page.
    discarded: Vec<DiscardedView>,
    /// The cursor of the next page; null on the last page.
    next_cursor: Option<String>,
}

/// The reason for discarding dead letters.
#[derive(Object, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewDiscard {
    /// 1 to 200 characters; stored with the discarded message.
    #[oai(validator(min_length = 1, max_length = 200))]
    reason: String,
}

/// The result of discarding a dead letter.
#[derive(Object)]
struct JustDiscarded {
    /// Its identifier.
    id: Uuid,
    /// The queue in which handling failed.
    queue: Word<Queue>,
    /// Why.
    reason: String,
}

/// The result of discarding the unreadable dead letters of a queue.
#[derive(Object)]
struct AllDiscarded {
    /// The queue.
    queue: Word<Queue>,
    /// Number of discarded dead letters.
    discarded: u64,
    /// Number of readable dead letters. They are kept: redrive them, or discard them by id.
    readable: u64,
}

/// Parked outbox rows of a service: messages that the broker has returned or rejected.
#[derive(Object)]
struct ParkedView {
    /// The service.
    service: Word<ServiceName>,
    /// Number of outbox rows that are retried with backoff.
    rows: u64,
}

/// Dead letters, newest first.
#[derive(Object)]
struct DeadLetterList {
    /// The dead letters of this page.
    dead_letters: Vec<DeadLetterView>,
    /// The cursor of the next page; null on the last page.
    next_cursor: Option<String>,
    /// Outbox rows that cannot be published, per service.
    parked: Vec<ParkedView>,
}

/// A dead letter is going back.
#[derive(ApiResponse)]
enum Redriven {
    /// The message is sent to its queue as if for the first time.
    #[oai(status = 202)]
    Accepted(Json<RedrivenView>),
}

/// The result of redriving a dead letter.
#[derive(Object)]
struct RedrivenView {
    /// Its identifier.
    id: Uuid,
    /// The queue to which it returns.
    queue: Word<Queue>,
}

/// All dead letters of a queue are going back.
#[derive(ApiResponse)]
enum AllRedriven {
    /// The readable dead letters are redriven.
    #[oai(status = 202)]
    Accepted(Json<AllRedrivenView>),
}

/// Result of redriving all dead letters of a queue.
#[derive(Object)]
struct AllRedrivenView {
    /// The queue.
    queue: Word<Queue>,
    /// Number of redriven dead letters.
    redriven: u64,
    /// Number of dead letters that are still unreadable. They are kept.
    unreadable: u64,
}

/// The routes.
pub struct DeadLettersApi(pub State);

#[OpenApi(tag = "Group::Admin")]
impl DeadLettersApi {
    /// List dead letters, newest first
    ///
    /// Dead letters of the services that run in this process.
    #[oai(path = "/admin/dead-letters", method = "get")]
    async fn list(
        &self,
        /// Only dead letters of this queue.
        queue: Query<Option<String>>,
        /// Only dead letters of this service.
        service: Query<Option<String>>,
        /// Entries per page: 1 to 200. Default: 50.
        limit: Query<Option<u32>>,
        /// The `next_cursor` of the previous page.
        cursor: Query<Option<String>>,
    ) -> Result<Json<DeadLetterList>, Problem> {
        let limit = validate::page(limit.0)?;
        let filter = filter(queue.0.as_deref(), cursor.0.as_deref())?;
        let (mut dead_letters, mut parked) = (Vec::new(), Vec::new());
        for dead_letter_service in self.asked(&filter, service.0.as_deref())? {
            let service = dead_letter_service.service().into();
            parked.push(ParkedView { service, rows: dead_letter_service.parked().await? });
            if filter.queue.is_none_or(|queue| queue.service() == dead_letter_service.service()) {
                // Cut at once: the long ones are not all in memory together.
                let letters = dead_letter_service.list(&filter, limit).await?.into_iter();
                dead_letters
                    .extend(letters.map(|letter| DeadLetterView::of(letter, LISTED_BYTES_MAX)));
            }
        }
        dead_letters.sort_by_key(|letter| std::cmp::Reverse(letter.id));
        dead_letters.truncate(limit as usize);
        let last = dead_letters.last().filter(|_| dead_letters.len() == limit as usize);
        let next_cursor = last.map(|letter| cursor::write(&letter.id.to_string()));
        Ok(Json(DeadLetterList { dead_letters, next_cursor, parked }))
    }

    /// List discarded dead letters, newest first
    ///
    /// Includes the reasons. Discarded dead letters are kept for 90 days.
    #[oai(path = "/admin/dead-letters/discarded", method = "get")]
    async fn discarded(
        &self,
        /// Only dead letters of this queue.
        queue: Query<Option<String>>,
        /// Only dead letters of this service.
        service: Query<Option<String>>,
        /// Entries per page: 1 to 200. Default: 50.
        limit: Query<Option<u32>>,
        /// The `next_cursor` of the previous page.
        cursor: Query<Option<String>>,
    ) -> Result<Json<DiscardedList>, Problem> {
        let limit = validate::page(limit.0)?;
        let filter = filter(queue.0.as_deref(), cursor.0.as_deref())?;
        let mut discarded = Vec::new();
        for dead_letter_service in self.asked(&filter, service.0.as_deref())? {
            discarded.extend(dead_letter_service.discarded(&filter, limit).await?);
        }
        discarded.sort_by_key(|discarded| std::cmp::Reverse(discarded.letter.id));
        discarded.truncate(limit as usize);
        let last = discarded.last().filter(|_| discarded.len() == limit as usize);
        let next_cursor = last.map(|discarded| cursor::write(&discarded.letter.id.to_string()));
        let view = |DiscardedLetter { letter, reason, discarded_at }| DiscardedView {
            dead_letter: DeadLetterView::of(letter, LISTED_BYTES_MAX),
            reason,
            discarded_at: discarded_at.into(),
        };
        let discarded = discarded.into_iter().map(view).collect();
        Ok(Json(DiscardedList { discarded, next_cursor }))
    }

    /// Discard a dead letter
    ///
    /// Readable and unreadable dead letters can be discarded. A discarded message is never handled:
    /// an order that waits for it stays without it. The message and the reason are kept for 90
    /// days.
    #[oai(path = "/admin/dead-letters/:id/discard", method = "post")]
    async fn discard(
        &self,
        id: Path<String>,
        body: Raw<NewDiscard>,
    ) -> Result<Json<JustDiscarded>, Problem> {
        let id = parse_id(&id.0)?;
        let reason = reason(body.parse()?)?;
        for dead_letter_service in &self.0.dead_letters {
            match dead_letter_service.discard(id, &reason).await {
                Ok(letter) => {
                    let queue = letter.queue.into();
                    return Ok(Json(JustDiscarded { id, queue, reason }));
                }
                Err(DiscardError::NotFound) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(DiscardError::NotFound.into())
    }

    /// Discard all unreadable dead letters of a queue
    ///
    /// Readable dead letters are kept and counted.
    #[oai(path = "/admin/dead-letters/discard", method = "post")]
    async fn discard_all(
        &self,
        /// The queue.
        queue: Query<String>,
        body: Raw<NewDiscard>,
    ) -> Result<Json<AllDiscarded>, Problem> {
        let queue = parse_queue(&queue.0)?;
        let reason = reason(body.parse()?)?;
        let done =
            self.dead_letter_service(queue.service())?.discard_unreadable(queue, &reason).await?;
        Ok(Json(AllDiscarded {
            queue: queue.into(),
            discarded: done.discarded,
            readable: done.readable,
        }))
    }

    /// Get a dead letter with its complete message
    ///
    /// Lists truncate long messages; this response does not.
    #[oai(path = "/admin/dead-letters/:id", method = "get")]
    async fn letter(&self, id: Path<String>) -> Result<Json<DeadLetterView>, Problem> {
        let id = parse_id(&id.0)?;
        for dead_letter_service in &self.0.dead_letters {
            if let Some(letter) = dead_letter_service.get(id).await? {
                return Ok(Json(DeadLetterView::of(letter, usize::MAX)));
            }
        }
        Err(RedriveError::NotFound.into())
    }

    /// Redrive a dead letter
    ///
    /// The message keeps its id, and its attempts start again from 0. Idempotent: a repeated
    /// request does not send it twice.
    #[oai(path = "/admin/dead-letters/:id/redrive", method = "post")]
    async fn redrive(&self, id: Path<String>) -> Result<Redriven, Problem> {
        let id = parse_id(&id.0)?;
        for dead_letter_service in &self.0.dead_letters {
            match dead_letter_service.redrive(id).await {
                Ok(letter) => {
                    let queue = letter.queue.into();
                    return Ok(Redriven::Accepted(Json(RedrivenView { id, queue })));
                }
                Err(RedriveError::NotFound) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(RedriveError::NotFound.into())
    }

    /// Redrive all dead letters of a queue
    ///
    /// Dead letters that are still unreadable are kept and counted.
    #[oai(path = "/admin/dead-letters/redrive", method = "post")]
    async fn redrive_all(
        &self,
        /// The queue.
        queue: Query<String>,
    ) -> Result<AllRedriven, Problem> {
        let queue = parse_queue(&queue.0)?;
        let done = self.dead_letter_service(queue.service())?.redrive_queue(queue).await?;
        Ok(AllRedriven::Accepted(Json(AllRedrivenView {
            queue: queue.into(),
            redriven: done.redriven,
            unreadable: done.unreadable,
        })))
    }
}

impl DeadLettersApi {
    /// The dead-letter service of a service.
    fn dead_letter_service(
        &self,
        service: ServiceName,
    ) -> Result<&DeadLetterService, ServiceNotLocal> {
        let mut dead_letter_services = self.0.dead_letters.iter();
        dead_letter_services
            .find(|dead_letter_service| dead_letter_service.service() == service)
            .ok_or(ServiceNotLocal(service))
    }

    /// The dead-letter services that a list asks.
    fn asked(
        &self,
        filter: &DeadLetterFilter,
        service: Option<&str>,
    ) -> Result<Vec<&DeadLetterService>, Problem> {
        let service = service.map(parse_service).transpose()?;
        if let Some(queue) = filter.queue {
            self.dead_letter_service(queue.service())?;
        }
        Ok(self.dead_letter_services(service)?)
    }

    /// All dead-letter services, or that of one service.
    fn dead_letter_services(
        &self,
        service: Option<ServiceName>,
    ) -> Result<Vec<&DeadLetterService>, ServiceNotLocal> {
        match service {
            Some(service) => Ok(vec![self.dead_letter_service(service)?]),
            None => Ok(self.0.dead_letters.iter().collect()),
        }
    }
}

fn filter(queue: Option<&str>, cursor: Option<&str>) -> Result<DeadLetterFilter, Problem> {
    Ok(DeadLetterFilter {
        queue: queue.map(parse_queue).transpose()?,
        before: cursor::read(cursor, |key| Uuid::try_parse(key).ok())?,
    })
}

/// Why dead letters are discarded, as a person will read it later.
fn reason(request: NewDiscard) -> Result<String, Problem> {
    let mut errors = Vec::new();
    validate::text(&mut errors, "reason", &request.reason, limits::REASON_MAX);
    match errors.is_empty() {
        true => Ok(request.reason),
        false => Err(Problem::faulty("request", errors)),
    }
}

fn parse_id(text: &str) -> Result<Uuid, Problem> {
    Uuid::try_parse(text)
        .map_err(|_| Problem::bad_parameter("id", "must be a UUID, the id of a dead letter"))
}

fn parse_queue(name: &str) -> Result<Queue, Problem> {
    Queue::parse(name).ok_or_else(|| {
        Problem::bad_parameter("queue", "must be the name of a queue; GET /admin/queues lists them")
    })
}

fn parse_service(name: &str) -> Result<ServiceName, Problem> {
    ServiceName::ALL.iter().copied().find(|service| service.as_str() == name).ok_or_else(|| {
        let names: Vec<_> = ServiceName::ALL.iter().map(|service| service.as_str()).collect();
        Problem::bad_parameter("service", format!("must be one of {}", names.join(", ")))
    })
}

impl From<DiscardError> for Problem {
    fn from(error: DiscardError) -> Self {
        match error {
            DiscardError::NotFound => RedriveError::NotFound.into(),
            DiscardError::Unavailable => Self::unavailable(error.to_string(), RETRY_AFTER),
        }
    }
}

impl From<RedriveError> for Problem {
    fn from(error: RedriveError) -> Self {
        match error {
            RedriveError::NotFound => {
                Self::not_found("no service of this process has a dead letter with this id")
            }
            RedriveError::StillUnreadable { error } => {
                let error: String = error.chars().take(ERROR_CHARS_MAX).collect();
                Self::conflict(format!("the dead letter is still unreadable and is kept: {error}"))
            }
            RedriveError::Unavailable => Self::unavailable(error.to_string(), RETRY_AFTER),
        }
    }
}
