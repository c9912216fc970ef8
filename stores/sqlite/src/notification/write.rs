//! Bulk statements: one for new entries, one for marks.

use crate::columns::{json_rows, micros};
use crate::error::Error;
use crate::script::{Script, statement};
use ordermill_domain::notification::{Notification, NotificationId};
use serde::Serialize;
use uuid::Uuid;

#[derive(Serialize)]
struct InsertedNotification<'a> {
    order_id: Uuid,
    topic: u8,
    customer_id: &'a str,
    title: &'a str,
    body: &'a str,
    is_read: u8,
    created_at: i64,
}

impl<'a> From<&'a Notification> for InsertedNotification<'a> {
    fn from(entry: &'a Notification) -> Self {
        Self {
            order_id: entry.id.order_id.0,
            topic: entry.id.topic.number(),
            customer_id: &entry.customer_id,
            title: &entry.title,
            body: &entry.body,
            is_read: u8::from(entry.is_read),
            created_at: micros(entry.created_at),
        }
    }
}

pub fn insert(script: &mut Script, entries: &[Notification]) -> Result<(), Error> {
    if entries.is_empty() {
        return Ok(());
    }
    let rows = json_rows("notifications", entries.iter().map(InsertedNotification::from))?;
    statement!(
        script,
        "INSERT INTO notifications
             (order_id, topic, customer_id, title, body, is_read, created_at)
         SELECT unhex(value ->> 'order_id', '-'), value ->> 'topic', value ->> 'customer_id',
                value ->> 'title', value ->> 'body', value ->> 'is_read', value ->> 'created_at'
         FROM jsonb_each(?)",
        rows
    );
    Ok(())
}

pub fn mark(script: &mut Script, marks: &[(NotificationId, bool)]) -> Result<(), Error> {
    if marks.is_empty() {
        return Ok(());
    }
    let mark = |(id, is_read): &(NotificationId, bool)| {
        (id.order_id, id.topic.number(), u8::from(*is_read))
    };
    let rows = json_rows("marks", marks.iter().map(mark))?;
    statement!(
        script,
        "UPDATE notifications SET is_read = v.value ->> 2
         FROM jsonb_each(?) AS v
         WHERE order_id = unhex(v.value ->> 0, '-') AND topic = v.value ->> 1",
        rows
    )
    .must_meet("notification", marks.len());
    Ok(())
}
