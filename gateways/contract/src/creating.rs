//! Create: a page for the customer.

use crate::payment::{PAGE_DOUBT, PAGE_LIFE};
use crate::{Act, Harness, Payment};
use ordermill_domain::payment::Operation;

pub async fn an_unpaid_payment_has_a_page(harness: &dyn Harness) {
    let mut payment = Payment::new(harness, harness.method());
    let terms = payment.terms();
    let answer = payment.ask(Operation::Create(terms)).await.unwrap();
    assert_eq!(answer.page.as_ref().unwrap().expires_at, terms.expires_at);
    assert_eq!((answer.held_minor, answer.captured_minor), (0, 0));
    assert!(!answer.closed && answer.refused.is_none());
    let found = payment.retrieve().await;
    assert!(!found.closed && found.captured_minor == 0);
}

pub async fn a_second_page_replaces_the_first(harness: &dyn Harness) {
    let (mut payment, first) = Payment::created(harness).await;
    let second = payment.create().await;
    // A gateway that keeps one page has given it a new end.
    if first.url != second.url {
        assert!(!payment.act(&first, Act::Pay).await, "the page that was replaced took money");
    }
    assert!(payment.act(&second, Act::Pay).await);
    assert_eq!(payment.retrieve().await.captured_minor, payment.due_minor());
}

pub async fn two_requests_at_once_take_no_money_twice(harness: &dyn Harness) {
    let mut payment = Payment::new(harness, harness.method());
    let terms = payment.terms();
    let ask = || payment.ask_and_forget(Operation::Create(terms));
    let (one, other) = futures::future::join(ask(), ask()).await;
    let mut paid = 0;
    for page in [one, other].into_iter().filter_map(|answer| answer.unwrap().page) {
        paid += usize::from(payment.act(&page, Act::Pay).await);
    }
    assert_eq!(paid, 1);
    assert_eq!(payment.retrieve().await.captured_minor, payment.due_minor());
}

pub async fn creating_after_paying_moves_no_money(harness: &dyn Harness) {
    let (mut payment, page) = Payment::created(harness).await;
    assert!(payment.act(&page, Act::Pay).await);
    let terms = payment.terms();
    let again = payment.ask(Operation::Create(terms)).await.unwrap();
    assert_eq!(again.captured_minor, payment.due_minor());
    assert_eq!(again.page, None);
    assert_eq!(payment.retrieve().await.captured_minor, payment.due_minor());
}

pub async fn a_page_ends_at_its_time(harness: &dyn Harness) {
    let (mut payment, page) = Payment::created(harness).await;
    harness.advance(PAGE_LIFE + PAGE_DOUBT).await;
    assert!(!payment.act(&page, Act::Pay).await);
    let found = payment.retrieve().await;
    assert!(found.closed && found.captured_minor == 0, "{found:?}");
}
