//! Pages of unread entries. Each kind of scope has a statement of its own, so that each finds its
//! rows by the right index.

use crate::error::Error;
use ordermill_domain::notification::{NotificationId, Scope, UNREAD_PAGE, UnreadPage};
use ordermill_rows::notification::{StoredNotificationId, above};
use sqlx::SqliteConnection;
use uuid::Uuid;

/// The unread entries of a page, in the order of their keys.
pub async fn page(
    conn: &mut SqliteConnection,
    page: &UnreadPage,
) -> Result<Vec<NotificationId>, Error> {
    let UnreadPage { scope: Scope { customer_id, order_id }, after } = page;
    let (order, topic) = above(*after);
    let limit = UNREAD_PAGE as i64;
    let keys = match (order_id, customer_id) {
        (Some(of), customer) => {
            sqlx::query_as!(
                StoredNotificationId,
                r#"SELECT order_id AS "order_id: Uuid", topic AS "topic!" FROM notifications
                   WHERE order_id = ?1 AND (?2 IS NULL OR customer_id = ?2) AND is_read = 0
                     AND (order_id, topic) > (?3, ?4)
                   ORDER BY order_id, topic LIMIT ?5"#,
                of.0,
                customer,
                order,
                topic,
                limit
            )
            .fetch_all(conn)
            .await?
        }
        (None, Some(customer)) => {
            sqlx::query_as!(
                StoredNotificationId,
                r#"SELECT order_id AS "order_id: Uuid", topic AS "topic!" FROM notifications
                   WHERE customer_id = ?1 AND is_read = 0 AND (order_id, topic) > (?2, ?3)
                   ORDER BY order_id, topic LIMIT ?4"#,
                customer,
                order,
                topic,
                limit
            )
            .fetch_all(conn)
            .await?
        }
        (None, None) => {
            sqlx::query_as!(
                StoredNotificationId,
                r#"SELECT order_id AS "order_id: Uuid", topic AS "topic!" FROM notifications
                   WHERE is_read = 0 AND (order_id, topic) > (?1, ?2)
                   ORDER BY order_id, topic LIMIT ?3"#,
                order,
                topic,
                limit
            )
            .fetch_all(conn)
            .await?
        }
    };
    Ok(keys.into_iter().map(StoredNotificationId::id).collect::<Result<_, _>>()?)
}
