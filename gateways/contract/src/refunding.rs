//! Refund: a part is given back, once a key.

use crate::{Act, Harness, Payment};
use ordermill_domain::payment::{GatewayError, GatewayPayment, Operation, RefundProgress};

/// What of a payment was given back, in tenths of what is due.
fn tenths(payment: &Payment<'_>, found: &GatewayPayment) -> i64 {
    found.refunded_minor / (payment.due_minor() / 10)
}

pub async fn a_part_is_given_back_once_a_key(harness: &dyn Harness) {
    let mut payment = Payment::paid(harness).await;
    for _ in 0..2 {
        let answer = payment.refund("one", 3).await.unwrap();
        assert_eq!(tenths(&payment, &answer), 3);
    }
    let found = payment.retrieve().await;
    assert_eq!((tenths(&payment, &found), found.captured_minor), (3, payment.due_minor()));
    assert_eq!(found.refunds.len(), 1);
    let part = payment.part("one", 3);
    assert_eq!(
        (found.refunds[0].key, found.refunds[0].amount_minor),
        (part.key, part.amount.minor)
    );
    assert!(!matches!(found.refunds[0].progress, RefundProgress::Refused { .. }));
}

pub async fn requests_at_once_under_one_key_are_one_refund(harness: &dyn Harness) {
    let mut payment = Payment::paid(harness).await;
    let ask = || payment.ask_and_forget(Operation::Refund(payment.part("one", 3)));
    let (one, other) = futures::future::join(ask(), ask()).await;
    assert!(one.is_ok() || other.is_ok(), "{one:?}, {other:?}");
    let found = payment.retrieve().await;
    assert_eq!((tenths(&payment, &found), found.refunds.len()), (3, 1));
}

pub async fn parts_add_up(harness: &dyn Harness) {
    let mut payment = Payment::paid(harness).await;
    let first = payment.refund("one", 3).await.unwrap();
    assert_eq!(tenths(&payment, &first), 3);
    let second = payment.refund("two", 4).await.unwrap();
    assert_eq!(tenths(&payment, &second), 7);
    let found = payment.retrieve().await;
    assert_eq!((tenths(&payment, &found), found.captured_minor), (7, payment.due_minor()));
    let mut keys: Vec<_> = found.refunds.iter().map(|refund| refund.key).collect();
    let mut expected = vec![payment.part("one", 3).key, payment.part("two", 4).key];
    keys.sort();
    expected.sort();
    assert_eq!(keys, expected);
}

pub async fn all_is_given_back(harness: &dyn Harness) {
    let mut payment = Payment::paid(harness).await;
    payment.refund("all", 10).await.unwrap();
    let found = payment.retrieve().await;
    let due = payment.due_minor();
    assert_eq!((found.captured_minor, found.refunded_minor), (due, due));
}

pub async fn more_than_was_captured_is_not_given_back(harness: &dyn Harness) {
    let mut payment = Payment::paid(harness).await;
    payment.refund("one", 8).await.unwrap();
    assert!(payment.refund("two", 3).await.is_err());
    let found = payment.retrieve().await;
    assert_eq!(tenths(&payment, &found), 8);
}

pub async fn what_was_not_paid_is_not_given_back(harness: &dyn Harness) {
    let (mut payment, page) = Payment::created(harness).await;
    assert!(payment.refund("one", 3).await.is_err());
    assert!(payment.act(&page, Act::Pay).await);
    let found = payment.retrieve().await;
    assert_eq!((found.captured_minor, found.refunded_minor), (payment.due_minor(), 0));
}

pub async fn a_method_without_refunds_says_so(harness: &dyn Harness) {
    let Some(method) = harness.method_without_refunds() else { return };
    let mut payment = Payment::new(harness, method);
    let page = payment.create().await;
    assert!(payment.act(&page, Act::Pay).await);
    assert_eq!(payment.retrieve().await.captured_minor, payment.due_minor());
    for tenths in [3, 10] {
        let refused = payment.refund("one", tenths).await;
        assert_eq!(refused, Err(GatewayError::NotSupported));
    }
    let found = payment.retrieve().await;
    assert_eq!((found.captured_minor, found.refunded_minor), (payment.due_minor(), 0));
}
