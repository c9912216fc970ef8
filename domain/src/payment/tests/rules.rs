//! Single rules of the decider.

use super::bench::*;
use crate::messages::{
    Flow, InventoryMessage, Kind, Message, OrderMessage, Origin, Payload, Plan, Refusal,
};
use crate::payment::*;
use crate::testing::order_of;
use std::sync::Arc;
use std::time::Duration;

fn unknown() -> GatewayError {
    GatewayError::Unknown("no answer".to_owned())
}

fn seconds(bench: &Bench) -> i64 {
    (bench.at - at(0)).num_seconds()
}

#[test]
fn the_key_is_the_orders_and_never_an_attempts() {
    let mut bench = Bench::begun();
    let key = GatewayKey::of(origin().order_id);
    for _ in 0..3 {
        bench.failed(unknown()).later();
        assert_eq!(bench.asked(), "create");
        assert_eq!(bench.request().unwrap().subject.key, key);
    }
}

#[test]
fn a_request_without_an_answer_is_made_again_after_a_pause_that_doubles_up_to_a_bound() {
    let mut bench = Bench::new(PaymentPolicy::default());
    bench.take(&bench.process());
    let mut pauses = Vec::new();
    for attempt in 1..=12 {
        let before = bench.payment().clone();
        bench.failed(unknown());
        assert_eq!(*bench.payment(), before, "an answer that does not come writes nothing");
        assert_eq!(bench.payment().attempts, attempt);
        let Some(Effect::Rest(pause)) = bench.effect else { panic!("{:?}", bench.effect) };
        pauses.push(u64::try_from(pause.as_millis()).unwrap());
        // The row is not taken for lost before the answer, the pause and some time more have passed.
        assert!(bench.payment().due_at.unwrap() >= bench.at + pause + PaymentPolicy::LOST_AFTER);
        bench.later();
    }
    let doubling =
        [100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000, 30_000];
    assert_eq!(pauses, doubling);
    // Undoing it begins with short pauses again.
    bench.undo().failed(unknown());
    assert_eq!(bench.effect, Some(Effect::Rest(Duration::from_millis(100))));
}

#[test]
fn silence_to_an_earlier_request_or_a_pause_after_it_means_nothing() {
    let mut bench = Bench::begun();
    bench.take(&PaymentInput::Resume).answer_to(1, Err(unknown()));
    assert_eq!(bench.effect, None);
    bench.take(&PaymentInput::PauseElapsed(1));
    assert_eq!(bench.effect, None);
}

#[test]
fn an_undo_before_any_command_is_reversed_at_once_and_never_asked() {
    let mut bench = Bench::new(midtrans());
    bench.undo();
    assert_eq!(bench.kinds(), [Kind::PaymentReversed]);
    let said = bench.published[0].json().to_owned();
    bench.take(&bench.process());
    assert_eq!(bench.published[0].json(), said);
    assert_eq!(bench.payment().attempts, 0, "the gateway never hears of it");
}

#[test]
fn a_customer_is_sent_to_a_page_and_pays() {
    let mut bench = Bench::begun();
    let request = bench.request().unwrap();
    let Operation::Create(terms) = request.operation else { panic!() };
    assert_eq!(terms.expires_at, at(12 * 60), "3 minutes before the order's deadline");
    bench.answered(open());
    assert_eq!(bench.kinds(), [Kind::PaymentActionRequired, Kind::PaymentUpdated]);
    assert_eq!(bench.status(), PaymentStatus::AwaitingCustomer);
    let page = bench.published[0].json().to_owned();
    bench.take(&bench.process());
    assert_eq!(bench.published[0].json(), page, "asked again, it tells its page again");
    bench.notified(DUE);
    assert_eq!((bench.asked(), bench.outcomes().is_empty()), ("retrieve", true));
    bench.answered(captured(DUE));
    assert_eq!(bench.outcomes(), ["payment.approved"]);
}

#[test]
fn an_order_that_is_paid_at_once_tells_its_outcome_and_no_more() {
    let mut bench = Bench::new(PaymentPolicy::default());
    bench.take(&bench.process()).answered(captured(DUE));
    assert_eq!(bench.kinds(), [Kind::PaymentApproved]);
    bench.undo().answered(given_back(DUE, DUE));
    assert_eq!(bench.kinds(), [Kind::PaymentReversed]);
    let mut bench = Bench::new(PaymentPolicy::default());
    bench.take(&bench.process()).answered(refused());
    assert_eq!(bench.kinds(), [Kind::PaymentFailed]);
    assert_eq!((bench.effect, bench.payment().due_at), (None, None));
}

#[test]
fn without_a_notification_the_gateway_is_polled_and_the_page_is_given_up_after_its_end() {
    let mut bench = Bench::begun();
    bench.answered(open());
    let mut polls = Vec::new();
    while bench.asked() != "cancel" {
        bench.later();
        polls.push(seconds(&bench));
        bench.answered(open());
    }
    let expected: [(i64, i64); 5] = [(54, 66), (162, 198), (378, 462), (648, 762), (820, 820)];
    assert_eq!(polls.len(), expected.len(), "{polls:?}");
    for (poll, (from, to)) in polls.iter().zip(expected) {
        assert!((from..=to).contains(poll), "{polls:?}");
    }
    bench.answered(closed());
    assert_eq!(bench.outcomes(), ["payment.failed expired"]);
    assert_eq!(bench.status(), PaymentStatus::Expired);
}

#[test]
fn with_too_little_time_left_nobody_is_sent_to_a_page() {
    let mut bench = Bench::new(midtrans());
    bench.at = at(7 * 60 + 1);
    bench.take(&bench.process());
    assert_eq!(bench.outcomes(), ["payment.failed expired"]);
    assert_eq!(bench.payment().attempts, 0);
    // A page that may be there is closed first.
    let mut bench = Bench::begun();
    bench.failed(unknown());
    bench.at = at(7 * 60 + 1);
    bench.take(&PaymentInput::PauseElapsed(1));
    assert_eq!(bench.asked(), "cancel");
}

#[test]
fn a_notification_that_claims_more_than_is_shown_is_looked_after_a_few_times() {
    let mut bench = Bench::begun();
    bench.answered(open()).notified(DUE);
    let mut pauses = Vec::new();
    for _ in 0..4 {
        bench.answered(tried());
        let Some(Effect::Rest(pause)) = bench.effect else { panic!("{:?}", bench.effect) };
        pauses.push(pause.as_secs());
        bench.later();
        assert_eq!(bench.asked(), "retrieve");
    }
    assert_eq!(pauses, [2, 5, 15, 60]);
    bench.answered(tried());
    assert_eq!(bench.effect, None, "then it is polled as before");
    assert!(bench.payment().due_at.is_some());
    // The same claim again is one look.
    bench.at += Duration::from_secs(2);
    bench.notified(DUE).answered(tried());
    assert_eq!(bench.effect, None);
}

#[test]
fn notifications_without_end_are_one_look_a_second() {
    let mut bench = Bench::begun();
    bench.answered(open());
    let mut looks = 0;
    for _ in 0..1_000 {
        bench.notified(0);
        if bench.asked() == "retrieve" {
            looks += 1;
            bench.answered(open());
        }
    }
    assert_eq!(looks, 1);
    assert_eq!(bench.effect, None, "the look that follows is on its way already");
    bench.at += Duration::from_secs(1);
    bench.take(&PaymentInput::PauseElapsed(bench.payment().attempts));
    assert_eq!(bench.asked(), "retrieve");
}

#[test]
fn a_notification_while_the_gateway_is_asked_makes_it_be_asked_once_more() {
    let mut bench = Bench::begun();
    bench.notified(DUE);
    assert_eq!(bench.effect, None);
    bench.answered(open()).later();
    assert_eq!(bench.asked(), "retrieve");
    bench.answered(captured(DUE));
    assert_eq!(bench.outcomes(), ["payment.approved"]);
}

#[test]
fn money_that_comes_after_the_end_goes_back_and_nobody_is_told_another_outcome() {
    let mut bench = Bench::begun();
    bench.answered(open()).later().answered(closed());
    assert_eq!(bench.outcomes(), ["payment.failed expired"]);
    let outcome = bench.payment().outcome().unwrap().json().to_owned();
    bench.notified(DUE).answered(captured(DUE));
    assert_eq!(
        (bench.asked(), bench.outcomes()),
        ("refund", vec!["payment.attention late_money".to_owned()])
    );
    bench.answered(given_back(DUE, DUE));
    assert_eq!((bench.status(), bench.outcomes()), (PaymentStatus::Expired, vec![]));
    assert_eq!(bench.payment().attention, Some(Attention::LateMoney));
    bench.take(&bench.process());
    assert_eq!(bench.published[0].json(), outcome, "one event id, one content");
}

#[test]
fn an_end_is_looked_at_twice_more_for_money_that_no_notification_tells_of() {
    let mut bench = Bench::begun();
    bench.answered(open()).later().answered(closed());
    let ended = bench.at;
    for minutes in [30, 24 * 60] {
        bench.later();
        assert_eq!((bench.at - ended).num_minutes(), minutes);
        assert_eq!(bench.asked(), "retrieve");
        bench.answered(closed());
    }
    assert_eq!(bench.payment().due_at, None);
}

#[test]
fn an_answer_to_a_cancel_that_was_asked_before_the_capture_was_known_is_no_end() {
    let mut bench = Bench::begun();
    bench.answered(open()).undo();
    let cancel = bench.payment().attempts;
    // The look that was under way comes first: the customer has paid.
    bench.answer_to(1, Ok(captured(DUE)));
    assert_eq!(bench.asked(), "refund");
    bench.answer_to(cancel, Ok(closed()));
    assert_eq!((bench.status(), bench.outcomes()), (PaymentStatus::Reversing, vec![]));
    bench.answered(given_back(DUE, DUE));
    assert_eq!(bench.outcomes(), ["payment.reversed"]);
}

#[test]
fn a_denied_try_is_no_end_while_the_page_is_open() {
    let mut bench = Bench::begun();
    bench.answered(open()).notified(0).answered(denied());
    assert_eq!((bench.status(), bench.outcomes()), (PaymentStatus::AwaitingCustomer, vec![]));
    bench.at += Duration::from_secs(9);
    bench.notified(DUE).answered(captured(DUE));
    assert_eq!(bench.outcomes(), ["payment.approved"]);
}

#[test]
fn a_review_is_decided_by_a_person_or_by_the_order_s_end() {
    let ruling = |ruling| PaymentInput::Requested(PaymentRequest::Review(ruling));
    let mut bench = Bench::begun();
    bench.answered(in_review());
    assert_eq!((bench.status(), bench.outcomes()), (PaymentStatus::InReview, vec![]));
    bench.take(&ruling(Ruling::Accept));
    assert_eq!(bench.asked(), "review");
    bench.answered(captured(DUE));
    assert_eq!(bench.outcomes(), ["payment.approved"]);

    let mut bench = Bench::begun();
    bench.answered(in_review()).take(&ruling(Ruling::Deny)).answered(closed());
    assert_eq!(bench.outcomes(), ["payment.failed review"]);

    // The page would take another try: nobody waits for one after a person has denied the customer.
    let mut bench = Bench::begun();
    bench.answered(in_review()).take(&ruling(Ruling::Deny)).answered(denied());
    assert_eq!((bench.asked(), bench.outcomes()), ("cancel", vec![]));
    bench.answered(closed());
    assert_eq!(bench.outcomes(), ["payment.failed review"]);

    let mut bench = Bench::begun();
    bench.answered(in_review()).undo();
    assert_eq!(bench.asked(), "review", "what is in review is denied");
}

#[test]
fn a_wrong_amount_goes_back_and_the_payment_fails() {
    let mut bench = Bench::begun();
    bench.answered(open()).notified(DUE).answered(captured(DUE - 100));
    assert_eq!(
        (bench.asked(), bench.outcomes()),
        ("refund", vec!["payment.attention wrong_amount".to_owned()])
    );
    bench.answered(given_back(DUE - 100, DUE - 100));
    assert_eq!(bench.outcomes(), ["payment.failed wrong_amount"]);
}

#[test]
fn a_fee_on_top_is_paid_by_the_customer_and_goes_back_with_the_rest() {
    let mut bench = Bench::begun();
    bench.answered(GatewayPayment { captured_minor: DUE + 7_100, ..captured(DUE) });
    assert_eq!(bench.outcomes(), ["payment.approved"]);
    bench.undo();
    let request = bench.request().unwrap();
    assert!(
        matches!(&request.operation, Operation::Refund(part) if part.amount.minor == DUE + 7_100)
    );
}

#[test]
fn a_bank_that_takes_its_money_back_lapses_the_payment() {
    let mut bench = Bench::begun();
    bench.answered(open()).notified(DUE);
    let by_transfer = GatewayPayment { last_try: tried().last_try, ..captured(DUE) };
    bench.answered(by_transfer);
    let approved = bench.at;
    bench.later();
    assert_eq!((bench.at - approved).num_minutes(), 6);
    bench.answered(closed());
    assert_eq!(bench.outcomes(), ["payment.lapsed reverted"]);
}

#[test]
fn a_cancel_that_is_rejected_is_left_to_a_person_and_looked_at_later() {
    let rejected = || GatewayError::Rejected { code: "412".to_owned(), text: String::new() };
    let mut bench = Bench::begun();
    bench.answered(open()).undo();
    for _ in 0..2 {
        bench.failed(rejected()).later().answered(open()).later();
        assert_eq!(bench.asked(), "cancel");
    }
    bench.failed(rejected());
    assert_eq!(bench.outcomes(), ["payment.attention cancel_rejected"]);
    bench.undo().failed(rejected());
    assert_eq!((bench.effect, bench.outcomes()), (None, vec![]));
    bench.later();
    assert_eq!(bench.asked(), "retrieve");
    bench.answered(closed());
    assert_eq!(bench.outcomes(), ["payment.reversed"]);
    assert_eq!(bench.payment().attention, None);
}

#[test]
fn money_that_is_taken_back_while_the_page_is_open_closes_the_page() {
    let approved = || {
        let mut bench = Bench::begun();
        let by_transfer = GatewayPayment { last_try: tried().last_try, ..captured(DUE) };
        bench.answered(open()).notified(DUE).answered(by_transfer).later();
        bench
    };
    let of = |transaction: &str| Reference { page: None, payment: Some(transaction.to_owned()) };
    let mut bench = approved();
    bench.answered(GatewayPayment { reference: of("t-1"), ..denied() });
    assert_eq!((bench.asked(), bench.status()), ("cancel", PaymentStatus::Reversing));
    bench.answered(closed());
    assert_eq!(bench.outcomes().last().unwrap(), "payment.lapsed reverted");

    // An earlier try, by a status that lags behind.
    let mut bench = approved();
    bench.answered(GatewayPayment { reference: of("t-0"), ..denied() });
    assert_eq!(bench.status(), PaymentStatus::Approved);
}

#[test]
fn wrong_credentials_decline_no_order() {
    let mut bench = Bench::begun();
    for _ in 0..20 {
        bench.failed(GatewayError::Misconfigured("401".to_owned()));
        assert_eq!(bench.effect, Some(Effect::Rest(Duration::from_secs(30))));
        bench.at = at(0);
        bench.take(&PaymentInput::PauseElapsed(bench.payment().attempts));
    }
    bench.answered(open());
    assert_eq!(bench.status(), PaymentStatus::AwaitingCustomer);
}

#[test]
fn a_rejected_payment_fails_alone_and_one_that_may_have_a_page_is_closed_first() {
    let rejected = || GatewayError::Rejected { code: "402".to_owned(), text: String::new() };
    let mut bench = Bench::begun();
    bench.failed(rejected());
    assert_eq!(bench.outcomes(), ["payment.failed 402"]);
    let mut bench = Bench::begun();
    bench.failed(unknown()).later().failed(rejected());
    assert_eq!(bench.asked(), "cancel");
    bench.answered(closed());
    assert_eq!(bench.outcomes(), ["payment.failed 402"]);
}

#[test]
fn a_refund_that_is_rejected_again_and_again_is_a_task_for_a_person_however_often_it_is_asked_for()
{
    let rejected = || GatewayError::Rejected { code: "414".to_owned(), text: String::new() };
    let mut bench = Bench::begun();
    bench.answered(captured(DUE)).undo();
    for _ in 0..2 {
        bench.failed(rejected()).later();
        assert_eq!(bench.asked(), "retrieve", "the gateway may have moved on");
        bench.answered(captured(DUE)).later();
        assert_eq!(bench.asked(), "refund");
    }
    bench.failed(rejected());
    assert_eq!(bench.outcomes(), ["payment.attention refund_by_hand"]);
    assert_eq!(bench.effect, None);
    bench.undo();
    assert_eq!((bench.effect, bench.payment().attention), (None, Some(Attention::RefundByHand)));
}

#[test]
fn a_newer_request_s_page_replaces_an_older_one_s() {
    let mut bench = Bench::begun();
    bench.take(&PaymentInput::Resume).answer_to(2, Ok(open()));
    let second = GatewayPayment { page: Some(page("https://pay.example/2")), ..open() };
    bench.answer_to(1, Ok(second));
    assert_eq!(bench.kinds(), [], "the page of the earlier request is dead");
    assert!(matches!(&bench.payment().state, State::AwaitingCustomer { page: Some(page), .. }
        if page.url.ends_with("/1")));
}

#[test]
fn a_payment_survives_being_stored() {
    let mut bench = Bench::begun();
    let check = |bench: &Bench| {
        let json = serde_json::to_string(bench.payment()).unwrap();
        assert_eq!(serde_json::from_str::<Payment>(&json).unwrap(), *bench.payment(), "{json}");
    };
    check(&bench);
    check(bench.answered(tried()));
    check(bench.notified(DUE));
    check(bench.answered(captured(DUE)));
    check(bench.take(&super::refunds::rest("r")));
    check(bench.undo());
    check(bench.failed(GatewayError::NotSupported));
    check(bench.answered(given_back(DUE, DUE)));
}

/// The input that an event is for a choreographed payment.
fn heard(payload: Payload) -> PaymentInput {
    let origin = Origin { flow: Flow::Choreographed, ..origin() };
    input(&Message::new(&origin, payload, 0, at(0))).unwrap()
}

fn created() -> PaymentInput {
    heard(Payload::Order(OrderMessage::Created(Arc::new(order_of(&[("MUG", 2)], "credit_card")))))
}

#[test]
fn choreographed_an_approval_says_what_was_ordered_and_nothing_else_does() {
    let told = |inputs: &[PaymentInput], answers: Vec<GatewayPayment>| {
        let mut bench = Bench::new(PaymentPolicy::default());
        for (input, answer) in inputs.iter().zip(answers) {
            bench.take(input).answered(answer);
        }
        let message = bench.payment().outcome().unwrap();
        assert_eq!(message.origin.flow, Flow::Choreographed);
        (message.kind(), message.origin.order.is_some())
    };
    let refused_stock = || {
        heard(Payload::Inventory(InventoryMessage::Failed(Refusal::because("insufficient_stock"))))
    };
    assert_eq!(told(&[created()], vec![captured(2_000)]), (Kind::PaymentApproved, true));
    assert_eq!(told(&[created()], vec![refused()]), (Kind::PaymentFailed, false));
    let answers = vec![captured(2_000), given_back(2_000, 2_000)];
    assert_eq!(told(&[created(), refused_stock()], answers), (Kind::PaymentReversed, false));
}

#[test]
fn a_page_offers_only_methods_that_can_be_refunded_where_the_stock_is_taken_later() {
    for (plan, flow, refundable_only) in [
        (Plan::ReserveFirst, Flow::Orchestrated, false),
        (Plan::PaymentFirst, Flow::Orchestrated, true),
        (Plan::ReserveFirst, Flow::Choreographed, true),
    ] {
        let mut bench = Bench::new(midtrans());
        let PaymentInput::Process(origin, intent) = bench.process() else { panic!() };
        bench.take(&PaymentInput::Process(Origin { plan, flow, ..origin }, intent));
        let request = bench.request().unwrap();
        assert!(matches!(request.operation, Operation::Create(terms)
            if terms.refundable_only == refundable_only));
    }
}
