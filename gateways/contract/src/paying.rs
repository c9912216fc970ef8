//! What the customer does, and what a retrieval says of it.

use crate::payment::{PAGE_DOUBT, PAGE_LIFE};
use crate::{Act, Harness, Payment};

pub async fn what_is_paid_is_captured_and_credited(harness: &dyn Harness) {
    let (mut payment, page) = Payment::created(harness).await;
    assert!(payment.act(&page, Act::Pay).await);
    let found = payment.retrieve().await;
    let due = payment.due_minor();
    assert_eq!((found.captured_minor, found.credited_minor, found.refunded_minor), (due, due, 0));
    assert_eq!(found.held_minor, 0);
    assert!(!found.in_review && found.refused.is_none());
}

pub async fn retrieving_changes_nothing(harness: &dyn Harness) {
    let (mut payment, page) = Payment::created(harness).await;
    let unpaid = payment.retrieve().await;
    assert_eq!(payment.retrieve().await, unpaid);
    assert!(payment.act(&page, Act::Pay).await);
    let paid = payment.retrieve().await;
    assert_eq!(payment.retrieve().await, paid);
}

pub async fn a_method_that_is_chosen_is_a_pending_try(harness: &dyn Harness) {
    let (mut payment, page) = Payment::created(harness).await;
    assert!(payment.act(&page, Act::Choose).await);
    let found = payment.retrieve().await;
    assert_eq!(found.last_try.unwrap().denied, None);
    assert!(!found.closed && found.captured_minor == 0);
    assert!(payment.act(&page, Act::Pay).await);
    assert_eq!(payment.retrieve().await.captured_minor, payment.due_minor());
}

pub async fn a_method_that_is_chosen_ends_with_the_page(harness: &dyn Harness) {
    let (mut payment, page) = Payment::created(harness).await;
    assert!(payment.act(&page, Act::Choose).await);
    payment.retrieve().await;
    harness.advance(PAGE_LIFE + PAGE_DOUBT).await;
    assert!(!payment.act(&page, Act::Pay).await);
    let found = payment.retrieve().await;
    assert!(found.closed && found.captured_minor == 0, "{found:?}");
}

pub async fn a_denied_try_may_be_followed_by_a_payment(harness: &dyn Harness) {
    let (mut payment, page) = Payment::created(harness).await;
    assert!(payment.act(&page, Act::BeDenied).await);
    let found = payment.retrieve().await;
    assert!(found.last_try.unwrap().denied.is_some());
    assert!(!found.closed && found.refused.is_none() && found.captured_minor == 0);
    assert!(payment.act(&page, Act::Pay).await);
    assert_eq!(payment.retrieve().await.captured_minor, payment.due_minor());
}

pub async fn leaving_the_page_ends_nothing(harness: &dyn Harness) {
    let (mut payment, page) = Payment::created(harness).await;
    assert!(payment.act(&page, Act::Leave).await);
    let found = payment.retrieve().await;
    assert!(!found.closed && found.captured_minor == 0);
    assert!(payment.act(&page, Act::Pay).await);
}

pub async fn nothing_is_captured_twice(harness: &dyn Harness) {
    let (mut payment, page) = Payment::created(harness).await;
    assert!(payment.act(&page, Act::Pay).await);
    assert!(!payment.act(&page, Act::Pay).await, "the page took money twice");
    assert_eq!(payment.retrieve().await.captured_minor, payment.due_minor());
}
