//! What the script has go wrong.

use super::{MINUTE, ORDER, Rig, page_request};
use crate::fake_midtrans::answer::ApiAnswer;
use crate::fake_midtrans::fault::{Call, Fault, NotifyFault, PayFault};
use crate::fake_midtrans::payment_type::PaymentType;
use crate::fake_midtrans::state::Reaction;
use serde_json::{Value, json};
use std::time::Duration;

fn create(rig: &mut Rig, fault: Fault) -> Reaction {
    rig.state.script.call(Call::Create, fault);
    rig.react(Rig::request(Call::Create, "", &page_request()))
}

fn answer(reaction: Reaction) -> ApiAnswer {
    match reaction {
        Reaction::Answer(answer) => answer,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_fault_is_taken_once_by_its_call_only() {
    let mut rig = Rig::new();
    rig.state.script.call(Call::Create, Fault::Empty);
    assert_eq!(rig.status(ORDER), "404");
    assert_eq!(answer(rig.react(Rig::request(Call::Create, "", &page_request()))).body, "");
    assert_eq!(rig.create_with(json!({})).0, 201);
}

#[test]
fn some_faults_book_and_some_do_not() {
    for (fault, pages) in [
        (Fault::ResetBefore, 0),
        (Fault::ResetAfter, 1),
        (Fault::Hang, 1),
        (Fault::Slow(MINUTE), 1),
        (Fault::Status { http: 500, retry_after: None }, 0),
        (Fault::BookedError, 1),
        (Fault::Html, 1),
        (Fault::HalfJson, 1),
        (Fault::Empty, 1),
        (Fault::Huge, 1),
    ] {
        let mut rig = Rig::new();
        create(&mut rig, fault);
        assert_eq!(rig.state.pages().len(), pages, "{fault:?}");
        assert_eq!(rig.state.requests().len(), 1);
    }
}

#[test]
fn answers_are_lost_late_or_unreadable() {
    let mut rig = Rig::new();
    assert_eq!(create(&mut rig, Fault::ResetBefore), Reaction::Close);
    assert_eq!(create(&mut rig, Fault::ResetAfter), Reaction::Close);
    assert!(matches!(create(&mut rig, Fault::Hang), Reaction::Hang(_)));
    assert!(matches!(create(&mut rig, Fault::Slow(MINUTE)), Reaction::AnswerAfter(MINUTE, _)));
    let busy = answer(create(&mut rig, Fault::Status { http: 429, retry_after: Some(5) }));
    assert_eq!((busy.http, busy.retry_after), (429, Some(5)));
    assert_eq!(answer(create(&mut rig, Fault::BookedError)).http, 500);
    assert_eq!(answer(create(&mut rig, Fault::Html)).content_type, "text/html");
    let half = answer(create(&mut rig, Fault::HalfJson)).body;
    assert!(serde_json::from_str::<Value>(&half).is_err());
    assert!(answer(create(&mut rig, Fault::Huge)).body.len() > 2_000_000);
}

#[test]
fn a_look_may_lag_behind() {
    let mut rig = Rig::new();
    rig.paid_by(PaymentType::Gopay);
    let lag = Fault::StaleLook(Duration::from_secs(20));
    rig.state.script.call(Call::Status, lag);
    assert_eq!(rig.status(ORDER), "404");
    assert_eq!(rig.status(ORDER), "settlement");
    rig.advance(Duration::from_secs(20));
    rig.state.script.call(Call::Status, lag);
    assert_eq!(rig.status(ORDER), "settlement");
}

#[test]
fn an_answer_may_be_untrue() {
    let mut rig = Rig::new();
    rig.paid_by(PaymentType::Gopay);
    for (fault, field, value) in [
        (Fault::WrongAmount, "gross_amount", "144000.00"),
        (Fault::WrongCurrency, "currency", "USD"),
        (Fault::OtherOrder, "order_id", "om-00000000-0000-7000-8000-000000000000"),
        (Fault::NewWord, "transaction_status", "awaiting_clearance"),
    ] {
        rig.state.script.call(Call::Status, fault);
        assert_eq!(rig.core(Call::Status, ORDER, &Value::Null).1[field], value);
    }
}

#[test]
fn a_page_may_be_on_progress_when_it_is_cancelled() {
    let mut rig = Rig::new();
    let token = rig.page();
    rig.state.script.call(Call::CancelPage, Fault::OnProgress);
    let (_, body) = rig.snap(Call::CancelPage, &token, &json!({}));
    assert_eq!(body["error_messages"][0], "Transaction is on progress");
    assert!(rig.state.pay(rig.now, &token, PaymentType::Gopay).is_ok());
}

#[test]
fn faults_are_written_as_text() {
    assert_eq!("reset_after".parse(), Ok(Fault::ResetAfter));
    assert_eq!("slow:200".parse(), Ok(Fault::Slow(Duration::from_millis(200))));
    assert_eq!("status:503".parse(), Ok(Fault::Status { http: 503, retry_after: None }));
    assert_eq!("status:429:5".parse(), Ok(Fault::Status { http: 429, retry_after: Some(5) }));
    assert_eq!("stale_look:20".parse(), Ok(Fault::StaleLook(Duration::from_secs(20))));
    assert_eq!("fee:71".parse(), Ok(PayFault::Fee(71)));
    assert_eq!("late:60".parse(), Ok(NotifyFault::Late(MINUTE)));
    for wrong in ["", "slow", "status:42", "status:9999", "magic"] {
        assert!(wrong.parse::<Fault>().is_err(), "{wrong}");
    }
}

#[test]
fn requests_are_recorded_with_what_they_were_answered() {
    let mut rig = Rig::new();
    create(&mut rig, Fault::ResetAfter);
    rig.page();
    rig.status(ORDER);
    let codes: Vec<_> = rig.state.requests().iter().map(|one| one.code.as_deref()).collect();
    assert_eq!(codes, [None, Some("201"), Some("404")]);
    let first = &rig.state.requests()[0];
    assert_eq!(first.body["transaction_details"]["gross_amount"], 145_000);
    assert!(first.authorization.as_ref().unwrap().starts_with("Basic "));
}
