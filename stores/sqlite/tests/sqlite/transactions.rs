//! What becomes of a batch that fails, and who may write.

use crate::backend::Scratch;
use crate::notes::{batch, open};
use ordermill_actors::ports::{CommitError, Store};
use ordermill_domain::service::Outcome;

#[tokio::test]
async fn a_batch_that_fails_leaves_nothing() {
    let scratch = Scratch::new();
    let store = open(&scratch.open()).await;
    store.commit(&batch([1])).await.unwrap();

    let negative = store.commit(&batch([2, -1])).await;
    assert!(matches!(negative, Err(CommitError::Data(_))), "the data is at fault");
    let taken = store.commit(&batch([3, 1])).await;
    assert!(matches!(taken, Err(CommitError::Contended(_))), "somebody was first: read again");

    let next = store.commit(&batch([4])).await.unwrap();
    assert_eq!(next.outcomes, [Outcome::Done(1)], "the store goes on");
}

#[tokio::test]
async fn a_full_disk_is_waited_for() {
    let scratch = Scratch::new();
    let store = open(&scratch.open()).await;
    let full = store.write(|pool| async move {
        sqlx::query("PRAGMA max_page_count = 1").execute(&pool).await?;
        Ok(())
    });
    full.await.unwrap();
    let refused = store.commit(&batch(0..10_000)).await;
    assert!(matches!(refused, Err(CommitError::Unavailable(_))), "{:?}", refused.err());
    // The connection that failed was given up, and its limit with it: there is space again.
    store.commit(&batch(0..10_000)).await.unwrap();
}

#[tokio::test]
async fn reads_cannot_write() {
    let scratch = Scratch::new();
    let store = open(&scratch.open()).await;
    let written = store.read(|pool| async move {
        sqlx::query("INSERT INTO notes (note) VALUES (9)").execute(&pool).await?;
        Ok(())
    });
    assert!(written.await.is_err());
}
