//! What Midtrans can do wrong, or differently: an answer that cannot be true is none, and what was booked without an
//! answer is booked once.

use super::midtrans::{MidtransHarness, midtrans};
use ordermill_domain::payment::{GatewayError, Operation, Ruling};
use ordermill_gateway_contract::{Act, Harness as _, Payment};
use ordermill_lab::fake_midtrans::{Call, Fault, PayFault, PaymentType};
use std::time::Duration;

/// The token of the newest page.
fn token(harness: &MidtransHarness) -> String {
    harness.fake.pages().pop().unwrap().token
}

#[tokio::test]
async fn a_lost_unreadable_or_untrue_look_is_no_answer() {
    let harness = midtrans().await;
    let mut payment = Payment::paid(&harness).await;
    for fault in [
        Fault::ResetBefore,
        Fault::ResetAfter,
        Fault::Hang,
        Fault::Status { http: 500, retry_after: None },
        Fault::Status { http: 502, retry_after: None },
        Fault::BookedError,
        Fault::Html,
        Fault::HalfJson,
        Fault::Empty,
        Fault::Huge,
        Fault::NewWord,
    ] {
        harness.fake.fault(Call::Status, &[fault]);
        let answer = payment.ask(Operation::Retrieve).await;
        assert!(matches!(answer, Err(GatewayError::Unknown(_))), "{fault:?}: {answer:?}");
    }
    for fault in [Fault::WrongCurrency, Fault::OtherOrder] {
        harness.fake.fault(Call::Status, &[fault]);
        let answer = payment.ask(Operation::Retrieve).await;
        assert!(matches!(answer, Err(GatewayError::Invalid(_))), "{fault:?}: {answer:?}");
    }
    harness.fake.fault(Call::Status, &[Fault::Status { http: 429, retry_after: Some(7) }]);
    let busy = payment.ask(Operation::Retrieve).await;
    assert_eq!(busy, Err(GatewayError::Busy { after: Duration::from_secs(7) }));
    harness.fake.fault(Call::Status, &[Fault::Slow(Duration::from_millis(50))]);
    assert_eq!(payment.retrieve().await.captured_minor, payment.due_minor());
}

#[tokio::test]
async fn a_port_that_is_closed_is_unreachable() {
    let harness = midtrans().await;
    let (mut payment, _) = Payment::created(&harness).await;
    harness.fake.close_port().await;
    let answer = payment.ask(Operation::Retrieve).await;
    assert!(matches!(answer, Err(GatewayError::Unreachable(_))), "{answer:?}");
    harness.fake.open_port().await.unwrap();
    assert_eq!(payment.retrieve().await.captured_minor, 0);
}

#[tokio::test]
async fn a_wrong_key_is_a_misconfiguration() {
    let harness = midtrans().await;
    harness.fake.state().account.server_key = "SB-Mid-server-another".to_owned();
    let mut payment = Payment::new(&harness, "gopay");
    let terms = payment.terms();
    for operation in [Operation::Create(terms), Operation::Retrieve] {
        let answer = payment.ask(operation).await;
        assert!(matches!(answer, Err(GatewayError::Misconfigured(_))), "{answer:?}");
    }
    assert!(harness.fake.pages().is_empty());
}

#[tokio::test]
async fn a_page_whose_answer_was_lost_is_replaced() {
    let harness = midtrans().await;
    let mut payment = Payment::new(&harness, "gopay");
    harness.fake.fault(Call::Create, &[Fault::ResetAfter]);
    let terms = payment.terms();
    let lost = payment.ask(Operation::Create(terms)).await;
    assert!(matches!(lost, Err(GatewayError::Unknown(_))), "{lost:?}");
    let page = payment.create().await;
    let first = harness.fake.pages().remove(0).token;
    assert!(harness.fake.pay(&first, PaymentType::Gopay).is_err());
    assert!(payment.act(&page, Act::Pay).await);
    assert_eq!(harness.fake.count(Call::Create), 2);
}

#[tokio::test]
async fn a_refund_whose_answer_was_lost_is_made_once() {
    for fault in [Fault::ResetAfter, Fault::BookedError, Fault::HalfJson] {
        let harness = midtrans().await;
        let mut payment = Payment::paid(&harness).await;
        harness.fake.fault(Call::Refund, &[fault]);
        let lost = payment.refund("one", 3).await;
        assert!(matches!(lost, Err(GatewayError::Unknown(_))), "{fault:?}: {lost:?}");
        payment.refund("one", 3).await.unwrap();
        assert_eq!(harness.fake.transactions()[0].refunded(), 43_500, "{fault:?}");
    }
}

#[tokio::test]
async fn a_refund_that_is_refused_can_be_asked_again() {
    let harness = midtrans().await;
    let mut payment = Payment::paid(&harness).await;
    let is_rejected = |answer: &Result<_, _>, expected: &str| matches!(answer, Err(GatewayError::Rejected { code, .. }) if code == expected);
    harness.fake.state().balance = Some(10_000);
    let refused = payment.refund("one", 3).await;
    assert!(is_rejected(&refused, "414"), "{refused:?}");
    harness.fake.state().balance = None;
    harness.fake.fault(Call::Refund, &[Fault::DeniedByBank]);
    let refused = payment.refund("one", 3).await;
    assert!(is_rejected(&refused, "202"), "{refused:?}");
    payment.refund("one", 3).await.unwrap();
    assert_eq!(harness.fake.transactions()[0].refunded(), 43_500);
}

#[tokio::test]
async fn a_page_on_progress_is_not_closed() {
    let harness = midtrans().await;
    let (mut payment, _) = Payment::created(&harness).await;
    harness.fake.fault(Call::CancelPage, &[Fault::OnProgress]);
    let answer = payment.ask(Operation::Cancel).await;
    assert!(matches!(answer, Err(GatewayError::Unknown(_))), "{answer:?}");
    assert!(payment.cancel().await.closed);
}

#[tokio::test]
async fn money_that_comes_after_the_end_is_seen() {
    let harness = midtrans().await;
    let (mut payment, page) = Payment::created(&harness).await;
    assert!(payment.cancel().await.closed);
    harness.fake.pay_fault(PayFault::Late);
    assert!(payment.act(&page, Act::Pay).await);
    assert_eq!(payment.retrieve().await.captured_minor, payment.due_minor());
}

#[tokio::test]
async fn a_fee_is_captured_and_not_credited() {
    let harness = midtrans().await;
    let (mut payment, page) = Payment::created(&harness).await;
    harness.fake.pay_fault(PayFault::Fee(71));
    assert!(payment.act(&page, Act::Pay).await);
    let found = payment.retrieve().await;
    let due = payment.due_minor();
    assert_eq!((found.captured_minor, found.credited_minor), (due + 7_100, due));
}

#[tokio::test]
async fn a_look_that_lags_shows_what_was() {
    let harness = midtrans().await;
    let (mut payment, page) = Payment::created(&harness).await;
    assert!(payment.act(&page, Act::Pay).await);
    harness.fake.fault(Call::Status, &[Fault::StaleLook(Duration::from_secs(20))]);
    assert_eq!(payment.retrieve().await.captured_minor, 0);
    assert_eq!(payment.retrieve().await.captured_minor, payment.due_minor());
}

#[tokio::test]
async fn a_reversed_transfer_is_no_money() {
    let harness = midtrans().await;
    let mut payment = Payment::new(&harness, "bank_transfer");
    let page = payment.create().await;
    assert!(payment.act(&page, Act::Pay).await);
    assert_eq!(payment.retrieve().await.captured_minor, payment.due_minor());
    harness.advance(Duration::from_secs(120)).await;
    let id = harness.fake.transactions()[0].transaction_id.clone();
    harness.fake.state().reverse(harness.now(), &id).unwrap();
    assert_eq!(payment.retrieve().await.captured_minor, 0);
}

#[tokio::test]
async fn a_challenged_card_counts_when_it_is_accepted() {
    for (ruling, tenths) in [(Ruling::Accept, 10), (Ruling::Deny, 0)] {
        let harness = midtrans().await;
        let mut payment = Payment::new(&harness, "credit_card");
        payment.create().await;
        harness.fake.challenge(&token(&harness)).unwrap();
        let found = payment.retrieve().await;
        assert!(found.in_review && found.captured_minor == 0, "{found:?}");
        payment.ask(Operation::Review(ruling)).await.unwrap();
        let found = payment.retrieve().await;
        let captured = payment.due_minor() / 10 * tenths;
        assert!(!found.in_review && found.captured_minor == captured, "{found:?}");
    }
}

#[tokio::test]
async fn a_refund_in_the_dashboard_is_seen() {
    let harness = midtrans().await;
    let mut payment = Payment::paid(&harness).await;
    let id = harness.fake.transactions()[0].transaction_id.clone();
    harness.fake.state().refund_in_dashboard(harness.now(), &id, 14_500).unwrap();
    let found = payment.retrieve().await;
    assert_eq!((found.refunded_minor, found.refunds.len()), (payment.due_minor() / 10, 0));
}
