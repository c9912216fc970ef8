//! Refunds of lines, of an amount and of the rest, and by hand.

use super::bench::*;
use crate::ids::ProductId;
use crate::messages::{Kind, Line, StockLine};
use crate::payment::*;
use proptest::prelude::*;
use uuid::Uuid;

fn ordered() -> Vec<Line> {
    let line = |product: &str, quantity, amount_minor| Line {
        product_id: ProductId::from(product),
        quantity,
        unit_price_minor: None,
        amount_minor,
    };
    vec![line("MUG", 3, 10_000_000), line("TEA", 1, 4_500_000)]
}

fn ask(name: &str, what: RefundWhat) -> PaymentInput {
    let refund_id = Uuid::new_v5(&Uuid::nil(), name.as_bytes());
    let reason = "broken".to_owned();
    let request = RefundRequest { refund_id, what, ordered: ordered(), reason };
    PaymentInput::Requested(PaymentRequest::Refund(request))
}

pub fn rest(name: &str) -> PaymentInput {
    ask(name, RefundWhat::Rest)
}

fn lines(name: &str, product: &str, quantity: u32) -> PaymentInput {
    let line = StockLine { product_id: ProductId::from(product), quantity };
    ask(name, RefundWhat::Lines(vec![line]))
}

fn approved() -> Bench {
    let mut bench = Bench::begun();
    bench.answered(open()).notified(DUE).answered(captured(DUE));
    assert_eq!(bench.status(), PaymentStatus::Approved);
    bench
}

/// The gateway has done all refunds that were asked for.
fn done(bench: &Bench) -> GatewayPayment {
    let payment = bench.payment();
    let counts = |refund: &&Refund| refund.status != RefundStatus::Refused;
    let refunds: Vec<_> = payment
        .refunds
        .iter()
        .filter(counts)
        .map(|refund| GatewayRefund {
            key: refund.key(payment.key()),
            amount_minor: refund.amount_minor,
            progress: RefundProgress::Done,
        })
        .collect();
    let refunded_minor = refunds.iter().map(|refund| refund.amount_minor).sum();
    GatewayPayment { refunds, refunded_minor, ..captured(DUE) }
}

fn amount(bench: &Bench) -> Option<i64> {
    match &bench.reply {
        PaymentReply::Refund(refund) => Some(refund.amount_minor),
        _ => None,
    }
}

#[test]
fn lines_then_the_rest_are_the_whole() {
    let mut bench = approved();
    bench.take(&lines("1", "MUG", 1));
    assert_eq!((bench.asked(), amount(&bench)), ("refund", Some(3_333_300)), "whole rupiah");
    bench.answered(done(&bench));
    assert_eq!(bench.status(), PaymentStatus::PartiallyRefunded);
    assert_eq!(bench.kinds()[0], Kind::PaymentRefunded);
    bench.take(&lines("2", "MUG", 2));
    assert_eq!(amount(&bench), Some(6_666_700), "the last unit takes the rest");
    bench.answered(done(&bench)).take(&rest("3"));
    assert_eq!(amount(&bench), Some(4_500_000));
    bench.answered(done(&bench));
    assert_eq!(bench.status(), PaymentStatus::Refunded);
    bench.take(&rest("4"));
    assert!(matches!(bench.reply, PaymentReply::Refused(RequestRefused::Invalid { .. })));
}

#[test]
fn a_request_twice_is_one_refund_and_another_under_its_key_is_refused() {
    let mut bench = approved();
    bench.take(&lines("1", "MUG", 1)).take(&lines("1", "MUG", 1));
    assert_eq!((bench.payment().refunds.len(), amount(&bench)), (1, Some(3_333_300)));
    bench.take(&lines("1", "MUG", 2));
    assert!(matches!(&bench.reply, PaymentReply::Refused(RequestRefused::Invalid { field, .. })
        if field == "Idempotency-Key"));
}

#[test]
fn what_is_asked_but_not_done_counts() {
    let mut bench = approved();
    bench.take(&lines("1", "MUG", 3)).take(&lines("2", "MUG", 1));
    assert!(matches!(bench.reply, PaymentReply::Refused(RequestRefused::Invalid { .. })));
    bench.take(&ask("3", RefundWhat::Amount(DUE - 10_000_000 + 100)));
    assert!(matches!(bench.reply, PaymentReply::Refused(RequestRefused::Invalid { .. })));
    bench.take(&ask("4", RefundWhat::Amount(150)));
    assert!(matches!(bench.reply, PaymentReply::Refused(RequestRefused::Invalid { .. })), "cents");
    bench.take(&lines("5", "CUP", 1));
    assert!(matches!(bench.reply, PaymentReply::Refused(RequestRefused::Invalid { .. })));
}

#[test]
fn a_refused_refund_is_said_falls_out_of_the_sums_and_may_be_asked_for_again() {
    let mut bench = approved();
    bench.take(&rest("1")).failed(GatewayError::NotSupported);
    assert_eq!(bench.payment().refunds[0].status, RefundStatus::Refused);
    assert_eq!(bench.status(), PaymentStatus::Approved);
    assert_eq!(bench.outcomes(), ["payment.attention refund_refused"]);
    bench.take(&rest("2"));
    assert_eq!((amount(&bench), bench.payment().attention), (Some(DUE), None));
}

#[test]
fn nobody_has_to_know_of_a_refused_refund_once_the_money_is_given_back_otherwise() {
    let refused = || {
        let mut bench = approved();
        bench.take(&rest("1")).failed(GatewayError::NotSupported);
        assert_eq!(bench.payment().attention, Some(Attention::RefundRefused));
        bench
    };
    let mut dashboard = refused();
    dashboard.notified(0).answered(given_back(DUE, DUE));
    assert_eq!(dashboard.payment().attention, None);
    let mut cancelled = refused();
    cancelled.undo().answered(given_back(DUE, DUE));
    assert_eq!(cancelled.payment().attention, None);
}

#[test]
fn an_undo_gives_back_what_is_left() {
    let mut bench = approved();
    bench.take(&lines("1", "TEA", 1));
    bench.answered(done(&bench)).undo();
    let request = bench.request().unwrap();
    assert!(
        matches!(&request.operation, Operation::Refund(part) if part.amount.minor == 10_000_000)
    );
    bench.answered(given_back(DUE, DUE));
    assert_eq!(bench.outcomes(), ["payment.reversed"]);
}

#[test]
fn an_undo_repeated_after_a_rejection_looks_first_and_asks_for_what_is_left() {
    let rejected = || GatewayError::Rejected { code: "414".to_owned(), text: String::new() };
    let mut bench = approved();
    bench.take(&lines("1", "TEA", 1));
    // The gateway gives this part back; its answer has not come when the order is cancelled.
    let part_given_back = done(&bench);
    bench.undo().failed(rejected());
    for _ in 0..PaymentPolicy::REJECTIONS_MAX {
        bench.undo();
        assert_eq!(bench.asked(), "retrieve");
    }
    bench.answered(part_given_back).later();
    let request = bench.request().unwrap();
    assert!(
        matches!(&request.operation, Operation::Refund(part) if part.amount.minor == 10_000_000)
    );
    bench.answered(given_back(DUE, DUE));
    assert_eq!(bench.outcomes(), ["payment.reversed"]);
    assert_eq!(bench.payment().attention, None);
}

#[test]
fn what_cannot_be_refunded_by_api_is_a_task_for_a_person_and_never_asked_again() {
    let mut bench = approved();
    bench.undo().failed(GatewayError::NotSupported);
    assert_eq!(bench.outcomes(), ["payment.attention refund_by_hand"]);
    assert_eq!((bench.effect, bench.payment().due_at), (None, None), "nothing is asked any more");
    let by_hand = |note: &str| {
        PaymentInput::Requested(PaymentRequest::RefundedByHand { note: note.to_owned() })
    };
    bench.take(&by_hand("BCA transfer #88"));
    assert_eq!(bench.outcomes(), ["payment.reversed"]);
    assert_eq!(bench.payment().attention, None);
    bench.take(&by_hand("BCA transfer #88"));
    assert!(matches!(bench.reply, PaymentReply::Refused(RequestRefused::Conflict(_))));
}

#[test]
fn a_refund_in_the_gateway_s_dashboard_is_noted() {
    let mut bench = approved();
    bench.notified(0).answered(given_back(DUE, 4_500_000));
    assert_eq!(bench.status(), PaymentStatus::PartiallyRefunded);
    assert_eq!(bench.outcomes(), ["payment.refunded"]);
}

#[test]
fn what_is_captured_twice_goes_back_once() {
    let mut bench = approved();
    bench.notified(2 * DUE).answered(captured(2 * DUE));
    assert_eq!(bench.asked(), "refund");
    assert_eq!(bench.outcomes(), ["payment.attention captured_twice"]);
    let request = bench.request().unwrap();
    assert!(matches!(&request.operation, Operation::Refund(part) if part.amount.minor == DUE));
}

proptest! {
    #[test]
    fn never_more_than_was_paid_and_never_more_units_than_were_ordered(
        steps in prop::collection::vec((0..4_u8, 1..4_u32, 1..80_i64, 0..3_u8), 1..30),
    ) {
        let mut bench = approved();
        for (n, (what, quantity, hundreds, answer)) in steps.into_iter().enumerate() {
            let name = n.to_string();
            match what {
                0 => bench.take(&lines(&name, "MUG", quantity)),
                1 => bench.take(&lines(&name, "TEA", quantity)),
                2 => bench.take(&ask(&name, RefundWhat::Amount(hundreds * 250_000))),
                _ => bench.take(&rest(&name)),
            };
            match answer {
                0 => bench.answered(done(&bench)),
                1 => bench.failed(GatewayError::NotSupported),
                _ => &mut bench,
            };
            let counts = |refund: &&Refund| refund.status != RefundStatus::Refused;
            let refunds: Vec<_> = bench.payment().refunds.iter().filter(counts).collect();
            let sum: i64 = refunds.iter().map(|refund| refund.amount_minor).sum();
            prop_assert!(sum <= DUE);
            let mugs: u32 = refunds.iter().map(|refund| match &refund.what {
                RefundWhat::Lines(lines) => lines.iter()
                    .filter(|line| line.product_id == ProductId::from("MUG"))
                    .map(|line| line.quantity).sum(),
                RefundWhat::Amount(_) | RefundWhat::Rest => 0,
            }).sum();
            prop_assert!(mugs <= 3);
        }
    }
}

#[test]
fn a_refund_that_the_gateway_never_took_ends_with_the_payment() {
    let mut bench = approved();
    bench.take(&lines("first", "MUG", 1)).undo();
    bench.answered(given_back(DUE, DUE));
    let refund = &bench.payment().refunds[0];
    assert_eq!((bench.status(), refund.status), (PaymentStatus::Reversed, RefundStatus::Refused));
}
