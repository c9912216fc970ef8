//! Pages of unread entries. Each kind of scope has a statement of its own, so that each finds its
//! rows by the right index.

use crate::error::Error;
use ordermill_domain::notification::{NotificationId, Scope, UNREAD_PAGE, UnreadPage};
use ordermill_rows::notification::{StoredNotificationId, above};
use sqlx::PgConnection;

/// The unread entries of a page, in the order of their keys.
///
/// They are not locked: a row that is marked by somebody else while its lock is waited for would be
/// missing in the page, and a short page is the end of the list. Marking one twice does no harm.
pub async fn page(
    conn: &mut PgConnection,
    page: &UnreadPage,
) -> Result<Vec<NotificationId>, Error> {
    let UnreadPage { scope: Scope { customer_id, order_id }, after } = page;
    let (order, topic) = above(*after);
    let limit = UNREAD_PAGE as i64;
    let keys = match (order_id, customer_id) {
        (Some(of), customer) => {
            sqlx::query_as!(
                StoredNotificationId,
                "SELECT order_id, topic FROM notifications
                 WHERE order_id = $1 AND ($2::text IS NULL OR customer_id = $2) AND NOT is_read
                   AND (order_id, topic) > ($3, $4)
                 ORDER BY order_id, topic LIMIT $5",
                of.0,
                customer.as_deref(),
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
                "SELECT order_id, topic FROM notifications
                 WHERE customer_id = $1 AND NOT is_read AND (order_id, topic) > ($2, $3)
                 ORDER BY order_id, topic LIMIT $4",
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
                "SELECT order_id, topic FROM notifications
                 WHERE NOT is_read AND (order_id, topic) > ($1, $2)
                 ORDER BY order_id, topic LIMIT $3",
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
