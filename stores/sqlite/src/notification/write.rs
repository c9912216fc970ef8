//! Bulk statements: one for new entries, one for marks.

use crate::columns::micros;
use crate::error::Error;
use crate::script::{Script, checked};
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
    let sql = checked!(
        "INSERT INTO notifications
             (order_id, topic, customer_id, title, body, is_read, created_at)
         SELECT unhex(value ->> 'order_id', '-'), value ->> 'topic', value ->> 'customer_id',
                value ->> 'title', value ->> 'body', value ->> 'is_read', value ->> 'created_at'
         FROM jsonb_each(?)"
    );
    script.insert("notification", entries.iter().map(InsertedNotification::from), sql)
}

pub fn mark(script: &mut Script, marks: &[(NotificationId, bool)]) -> Result<(), Error> {
    let mark = |(id, is_read): &(NotificationId, bool)| {
        (id.order_id, id.topic.number(), u8::from(*is_read))
    };
    let sql = checked!(
        "UPDATE notifications SET is_read = v.value ->> 2
         FROM jsonb_each(?) AS v
         WHERE order_id = unhex(v.value ->> 0, '-') AND topic = v.value ->> 1"
    );
    script.update("notification", marks.iter().map(mark), sql)
}
