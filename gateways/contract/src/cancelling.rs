//! Cancel: no more money can come, and what came stays.

use crate::{Act, Harness, Payment};
use ordermill_domain::payment::Operation;

pub async fn a_cancelled_page_cannot_be_paid(harness: &dyn Harness) {
    let (mut payment, page) = Payment::created(harness).await;
    let answer = payment.cancel().await;
    assert!(answer.closed && answer.captured_minor == 0, "{answer:?}");
    assert!(!payment.act(&page, Act::Pay).await);
    assert_eq!(payment.retrieve().await.captured_minor, 0);
}

pub async fn cancelling_again_answers_the_same(harness: &dyn Harness) {
    let (mut payment, page) = Payment::created(harness).await;
    for _ in 0..2 {
        let answer = payment.cancel().await;
        assert!(answer.closed && answer.captured_minor == 0, "{answer:?}");
    }
    assert!(!payment.act(&page, Act::Pay).await);
}

pub async fn a_pending_try_is_cancelled_with_its_page(harness: &dyn Harness) {
    let (mut payment, page) = Payment::created(harness).await;
    assert!(payment.act(&page, Act::Choose).await);
    let answer = payment.cancel().await;
    assert!(answer.closed && answer.captured_minor == 0, "{answer:?}");
    for act in [Act::Pay, Act::Choose] {
        assert!(!payment.act(&page, act).await, "{act:?} is possible after the cancel");
    }
    assert_eq!(payment.retrieve().await.captured_minor, 0);
}

pub async fn what_was_captured_stays(harness: &dyn Harness) {
    let mut payment = Payment::paid(harness).await;
    for _ in 0..2 {
        let answer = payment.cancel().await;
        assert_eq!((answer.captured_minor, answer.refunded_minor), (payment.due_minor(), 0));
        assert!(answer.closed);
    }
    assert_eq!(payment.retrieve().await.captured_minor, payment.due_minor());
}

pub async fn a_payment_that_was_never_created_is_closed(harness: &dyn Harness) {
    let mut payment = Payment::new(harness, harness.method());
    let answer = payment.cancel().await;
    assert!(answer.closed && answer.captured_minor == 0, "{answer:?}");
}

pub async fn a_page_whose_address_was_lost_is_closed_too(harness: &dyn Harness) {
    let mut payment = Payment::new(harness, harness.method());
    let terms = payment.terms();
    let page = payment.ask_and_forget(Operation::Create(terms)).await.unwrap().page.unwrap();
    let answer = payment.cancel().await;
    assert!(answer.closed && answer.captured_minor == 0, "{answer:?}");
    assert!(!payment.act(&page, Act::Pay).await);
}
