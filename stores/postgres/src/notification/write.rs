//! Bulk statements: one for new entries, one for marks.

use crate::columns::{self, column, time};
use crate::error::Error;
use ordermill_domain::notification::{Notification, NotificationId};
use sqlx::PgConnection;

pub async fn insert(conn: &mut PgConnection, entries: &[Notification]) -> Result<(), Error> {
    let statement = sqlx::query!(
        "INSERT INTO notifications
             (order_id, topic, customer_id, title, body, is_read, created_at)
         SELECT * FROM UNNEST($1::uuid[], $2::smallint[], $3::text[], $4::text[], $5::text[],
                              $6::boolean[], $7::timestamptz[])",
        &column(entries, |entry| entry.id.order_id.0),
        &column(entries, |entry| i16::from(entry.id.topic.number())),
        &column(entries, |entry| entry.customer_id.as_str()) as _,
        &column(entries, |entry| entry.title.as_str()) as _,
        &column(entries, |entry| entry.body.as_str()) as _,
        &column(entries, |entry| entry.is_read),
        &column(entries, |entry| time(entry.created_at))
    );
    columns::insert(conn, entries.len(), statement).await
}

pub async fn mark(conn: &mut PgConnection, marks: &[(NotificationId, bool)]) -> Result<(), Error> {
    let statement = sqlx::query!(
        "UPDATE notifications SET is_read = v.is_read
         FROM UNNEST($1::uuid[], $2::smallint[], $3::boolean[]) AS v (order_id, topic, is_read)
         WHERE notifications.order_id = v.order_id AND notifications.topic = v.topic",
        &column(marks, |(id, _)| id.order_id.0),
        &column(marks, |(id, _)| i16::from(id.topic.number())),
        &column(marks, |(_, is_read)| *is_read)
    );
    columns::update(conn, "notification", marks.len(), statement).await
}
