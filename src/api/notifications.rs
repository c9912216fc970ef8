//! /notifications: what customers were told.

use crate::api::body::{Optional, Raw};
use crate::api::group::Group;
use crate::api::orders::id;
use crate::api::preconditions::{PreconditionOutcome, Preconditions, quoted};
use crate::api::problem::{FieldError, Problem};
use crate::api::state::State;
use crate::api::time::Time;
use crate::api::word::Word;
use crate::api::{cursor, validate};
use ordermill_actors::notification::{MarkError, NotificationFilter};
use ordermill_domain::notification::{Notification, NotificationId, Scope, Topic};
use poem_openapi::param::{Header, Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object, OpenApi};
use serde::Deserialize;
use std::time::Duration;
use uuid::Uuid;

/// A notification to a customer about an event of an order.
#[derive(Object)]
struct NotificationView {
    /// Its identifier, for `PATCH /notifications/{id}`.
    id: String,
    /// The order.
    order_id: Uuid,
    /// The customer it is for.
    customer_id: String,
    /// The event that it is about.
    #[oai(rename = "type")]
    topic: Word<Topic>,
    /// Its subject line.
    title: String,
    /// Its text.
    body: String,
    /// Whether it is marked as read.
    is_read: bool,
    /// The time of the event.
    created_at: Time,
}

impl From<&Notification> for NotificationView {
    fn from(entry: &Notification) -> Self {
        Self {
            id: entry.id.to_string(),
            order_id: entry.id.order_id.0,
            customer_id: entry.customer_id.clone(),
            topic: entry.id.topic.into(),
            title: entry.title.clone(),
            body: entry.body.clone(),
            is_read: entry.is_read,
            created_at: entry.created_at.into(),
        }
    }
}

/// Notifications, those of the newest order first.
#[derive(Object)]
struct NotificationList {
    /// The notifications of this page.
    notifications: Vec<NotificationView>,
    /// The cursor of the next page; null on the last page.
    next_cursor: Option<String>,
}

/// A notification, or that it is as it was.
#[derive(ApiResponse)]
enum Shown {
    /// The notification.
    #[oai(status = 200)]
    Notification(
        Json<NotificationView>,
        /// `"read"` or `"unread"`: no other part of a notification changes.
        #[oai(header = "ETag")]
        String,
    ),
    /// The notification matches `If-None-Match`.
    #[oai(status = 304)]
    NotModified(
        /// `"read"` or `"unread"`.
        #[oai(header = "ETag")]
        String,
    ),
}

/// The read status to set.
#[derive(Object, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mark {
    /// `true`: read; `false`: unread.
    is_read: bool,
}

/// Selects the notifications of one customer, of one order, or all notifications.
#[derive(Default, Object, Deserialize)]
#[serde(deny_unknown_fields)]
struct MarkAll {
    /// Notifications of this customer.
    customer_id: Option<String>,
    /// Notifications of this order.
    order_id: Option<Uuid>,
    /// `true`: all notifications.
    all: Option<bool>,
}

/// The result of marking notifications.
#[derive(Object)]
struct Marked {
    /// Number of notifications that were unread before.
    updated: u64,
}

/// The routes.
pub struct NotificationsApi(pub State);

#[OpenApi(tag = "Group::Records")]
impl NotificationsApi {
    /// List notifications
    ///
    /// Notifications of the newest order first.
    #[oai(path = "/notifications", method = "get")]
    #[allow(clippy::too_many_arguments, reason = "each is a query parameter")]
    async fn list(
        &self,
        /// Only notifications of this order.
        order_id: Query<Option<String>>,
        /// Only those of this customer.
        customer_id: Query<Option<String>>,
        /// Only notifications of this type, for example `order.shipped`.
        #[oai(name = "type")]
        topic: Query<Option<String>>,
        /// `true`: only read notifications; `false`: only unread ones.
        is_read: Query<Option<bool>>,
        /// Entries per page: 1 to 200. Default: 50.
        limit: Query<Option<u32>>,
        /// The `next_cursor` of the previous page.
        cursor: Query<Option<String>>,
    ) -> Result<Json<NotificationList>, Problem> {
        let limit = validate::page(limit.0)?;
        let filter = NotificationFilter {
            order_id: order_id.0.as_deref().map(id).transpose()?,
            customer_id: validate::filter("customer_id", customer_id.0)?,
            topic: topic.0.as_deref().map(parse_topic).transpose()?,
            is_read: is_read.0,
            after: cursor::read(cursor.0.as_deref(), |key| key.parse().ok())?,
        };
        let entries = self.0.services.notification()?.reads.notifications(&filter, limit).await?;
        let last = entries.last().filter(|_| entries.len() == limit as usize);
        let next_cursor = last.map(|entry| cursor::write(&entry.id.to_string()));
        let notifications = entries.iter().map(NotificationView::from).collect();
        Ok(Json(NotificationList { notifications, next_cursor }))
    }

    /// Get a notification
    ///
    /// The text of the notification, and whether it is marked as read.
    #[oai(path = "/notifications/:id", method = "get")]
    async fn notification(
        &self,
        request: &poem::Request,
        id: Path<String>,
        /// Respond only if the notification matches one of these entity tags (412 otherwise).
        #[oai(name = "If-Match")]
        _if_match: Header<Option<String>>,
        /// Respond only if the notification matches none of these entity tags (304 otherwise).
        #[oai(name = "If-None-Match")]
        _if_none_match: Header<Option<String>>,
    ) -> Result<Shown, Problem> {
        let preconditions = Preconditions::of(request)?;
        let id = known(&id.0)?;
        let entry = self.0.services.notification()?.reads.notification(id).await?;
        let entry = entry.ok_or(MarkError::NotFound)?;
        let tag = quoted(tag(entry.is_read));
        match preconditions.of_reading(self::tag(entry.is_read)) {
            PreconditionOutcome::Proceed => {
                Ok(Shown::Notification(Json(NotificationView::from(&entry)), tag))
            }
            PreconditionOutcome::NotModified => Ok(Shown::NotModified(tag)),
            PreconditionOutcome::Failed => Err(MarkError::Stale { is_read: entry.is_read }.into()),
        }
    }

    /// Mark a notification as read or unread
    ///
    /// Idempotent.
    #[oai(path = "/notifications/:id", method = "patch")]
    async fn mark(
        &self,
        request: &poem::Request,
        id: Path<String>,
        body: Raw<Mark>,
        /// Mark the notification only if it matches one of these entity tags (412 otherwise).
        #[oai(name = "If-Match")]
        _if_match: Header<Option<String>>,
        /// Mark the notification only if it matches none of these entity tags (412 otherwise).
        #[oai(name = "If-None-Match")]
        _if_none_match: Header<Option<String>>,
    ) -> Result<Json<NotificationView>, Problem> {
        let expected = Preconditions::of(request)?.of_writing(state_of);
        let Mark { is_read } = body.parse()?;
        let id = known(&id.0)?;
        let service = self.0.services.notification()?;
        service.notifications.mark_read(id, is_read, expected).await?;
        let entry = service.reads.notification(id).await?;
        Ok(Json(NotificationView::from(&entry.ok_or(MarkError::NotFound)?)))
    }

    /// Mark all notifications as read
    ///
    /// The body selects the notifications of one customer, of one order, or all notifications.
    #[oai(path = "/notifications/mark-all-read", method = "post")]
    async fn mark_all(&self, body: Optional<MarkAll>) -> Result<Json<Marked>, Problem> {
        let request = body.parse()?;
        let named = request.customer_id.is_some() || request.order_id.is_some();
        if named == (request.all == Some(true)) {
            let message =
                "is missing; send customer_id or order_id, or `\"all\": true` without them";
            return Err(Problem::faulty("request", vec![FieldError::new("customer_id", message)]));
        }
        let scope = Scope {
            customer_id: validate::filter("customer_id", request.customer_id)?,
            order_id: request.order_id.map(ordermill_domain::ids::OrderId),
        };
        let updated = self.0.services.notification()?.notifications.mark_all_read(scope).await?;
        Ok(Json(Marked { updated }))
    }
}

/// The notification of a path; one whose id cannot be is not there.
fn known(id: &str) -> Result<NotificationId, Problem> {
    id.parse().map_err(|_| MarkError::NotFound.into())
}

/// What tells the states of a notification apart.
const fn tag(is_read: bool) -> &'static str {
    if is_read { "read" } else { "unread" }
}

fn state_of(tag: &str) -> Option<bool> {
    [true, false].into_iter().find(|is_read| self::tag(*is_read) == tag)
}

fn parse_topic(word: &str) -> Result<Topic, Problem> {
    Topic::parse(word).ok_or_else(|| {
        let words: Vec<_> = Topic::ALL.iter().map(|topic| topic.as_str()).collect();
        Problem::bad_parameter("type", format!("must be one of {}", words.join(", ")))
    })
}

impl From<MarkError> for Problem {
    fn from(error: MarkError) -> Self {
        match error {
            MarkError::NotFound => Self::not_found(error.to_string()),
            MarkError::Stale { .. } => {
                Self::precondition_failed(format!("{error}; read it again and retry"))
            }
            MarkError::Impossible(_) => Self::impossible(&error),
            MarkError::Unavailable => Self::unavailable(error.to_string(), Duration::from_secs(1)),
        }
    }
}
