//! The table: every state × every answer of a gateway and every other input. `table.txt` is what the decider does; a
//! difference is either a mistake or belongs into the file.

use super::bench::*;
use crate::payment::*;
use std::fmt::Write;
use std::time::Duration;

type Answered = (&'static str, fn() -> Result<GatewayPayment, GatewayError>);
type Given = (&'static str, fn(&mut Bench));
type Build = (&'static str, fn() -> Bench);

fn capturing() -> Bench {
    let mut bench = Bench::begun();
    bench.answered(held(DUE));
    bench
}

fn approved() -> Bench {
    let mut bench = Bench::begun();
    bench.answered(open()).notified(DUE).answered(captured(DUE));
    bench
}

fn expiring() -> Bench {
    let mut bench = Bench::begun();
    bench.answered(open());
    while !matches!(bench.payment().state, State::Cancelling { .. }) {
        bench.later();
        if bench.asked() == "retrieve" {
            bench.answered(open());
        }
    }
    bench
}

fn ended(end: fn(&mut Bench)) -> Bench {
    let mut bench = Bench::begun();
    end(&mut bench);
    bench
}

const STATES: &[Build] = &[
    ("Creating", Bench::begun),
    ("AwaitingCustomer", || {
        let mut bench = Bench::begun();
        bench.answered(open());
        bench
    }),
    ("InReview", || {
        let mut bench = Bench::begun();
        bench.answered(in_review());
        bench
    }),
    ("Authorized", || {
        let mut bench = capturing();
        bench.answered(held(DUE));
        bench
    }),
    ("Capturing", capturing),
    ("Approved", approved),
    ("Cancelling, undone", || {
        let mut bench = Bench::begun();
        bench.answered(open()).undo();
        bench
    }),
    ("Cancelling, expired", expiring),
    ("Refunding, undone", || {
        let mut bench = approved();
        bench.undo();
        bench
    }),
    ("Refunding, late", || {
        let mut bench = expiring();
        bench.answered(closed()).notified(DUE).answered(captured(DUE));
        bench
    }),
    ("Declined", || {
        ended(|bench| {
            bench.answered(refused());
        })
    }),
    ("Expired", || {
        ended(|bench| {
            bench.answered(open()).later().answered(closed());
        })
    }),
    ("Lapsed", || {
        let mut bench = approved();
        bench.at += Duration::from_secs(120);
        bench.notified(DUE).answered(closed());
        bench
    }),
    ("Reversed", || {
        ended(|bench| {
            bench.answered(open()).undo().answered(closed());
        })
    }),
    ("Tombstoned", || {
        let mut bench = Bench::new(midtrans());
        bench.undo();
        bench
    }),
];

const ANSWERS: &[Answered] = &[
    ("page open", || Ok(open())),
    ("another page", || Ok(GatewayPayment { page: Some(page("https://pay.example/2")), ..open() })),
    ("try pending", || Ok(tried())),
    ("try denied", || Ok(denied())),
    ("nothing known", || Ok(GatewayPayment::default())),
    ("in review", || Ok(in_review())),
    ("held = due", || Ok(held(DUE))),
    ("held, other amount", || Ok(held(DUE - 100))),
    ("captured = due", || Ok(captured(DUE))),
    ("captured, other amount", || Ok(captured(DUE - 100))),
    ("captured twice", || Ok(captured(2 * DUE))),
    ("captured with a fee", || Ok(GatewayPayment { captured_minor: DUE + 7_100, ..captured(DUE) })),
    ("all given back", || Ok(given_back(DUE, DUE))),
    ("part given back", || Ok(given_back(DUE, 100))),
    ("closed, no money", || Ok(closed())),
    ("refused", || Ok(refused())),
    ("unreachable", || Err(GatewayError::Unreachable(String::new()))),
    ("unknown", || Err(GatewayError::Unknown(String::new()))),
    ("busy", || Err(GatewayError::Busy { after: Duration::from_secs(60) })),
    ("rejected", || Err(GatewayError::Rejected { code: "412".to_owned(), text: String::new() })),
    ("not supported", || Err(GatewayError::NotSupported)),
    ("misconfigured", || Err(GatewayError::Misconfigured(String::new()))),
    ("invalid", || Err(GatewayError::Invalid(String::new()))),
];

const INPUTS: &[Given] = &[
    ("process again", |bench| {
        bench.take(&bench.process());
    }),
    ("undo", |bench| {
        bench.undo();
    }),
    ("notified", |bench| {
        bench.notified(DUE);
    }),
    ("refund asked", |bench| {
        bench.take(&super::refunds::rest("r"));
    }),
    ("accepted", |bench| {
        bench.take(&PaymentInput::Requested(PaymentRequest::Review(Ruling::Accept)));
    }),
    ("by hand", |bench| {
        let note = "BCA transfer #88".to_owned();
        let request = PaymentRequest::RefundedByHand { note };
        bench.take(&PaymentInput::Requested(request));
    }),
    ("resumed", |bench| {
        bench.take(&PaymentInput::Resume);
    }),
];

/// A payment in this state whose gateway is asked something now.
fn asking(build: fn() -> Bench) -> Bench {
    let mut bench = build();
    if bench.payment().asking.is_none() {
        bench.at += Duration::from_secs(120);
        bench.notified(0);
    }
    bench
}

/// What became of it, in a line.
fn outcome(bench: &Bench) -> String {
    let payment = bench.payment();
    let state = match &payment.state {
        State::Ended { end } => format!("{end:?}"),
        State::Cancelling { end, late } | State::Refunding { end, late } => {
            let name: &str = if matches!(payment.state, State::Cancelling { .. }) {
                "Cancelling"
            } else {
                "Refunding"
            };
            format!("{name} to {end:?}{}", if *late { ", late" } else { "" })
        }
        State::AwaitingCustomer { .. } => "AwaitingCustomer".to_owned(),
        state => format!("{state:?}"),
    };
    let mut line = state;
    let mut add = |text: &str| write!(line, "; {text}").unwrap();
    match (bench.asked(), bench.effect) {
        ("", Some(Effect::Rest(pause))) => add(&format!("rest {pause:?}")),
        ("", _) => {}
        (asked, _) => add(&format!("ask {asked}")),
    }
    for told in bench.outcomes() {
        add(&format!("tell {told}"));
    }
    if let PaymentReply::Refused(refused) = &bench.reply {
        let word = match refused {
            RequestRefused::NotFound => "not found",
            RequestRefused::Conflict(_) => "conflict",
            RequestRefused::Invalid { .. } => "invalid",
        };
        add(word);
    }
    line
}

fn table() -> String {
    let mut text = String::new();
    for (name, build) in STATES {
        writeln!(text, "# {name}").unwrap();
        for (answer, make) in ANSWERS {
            let mut bench = asking(*build);
            bench.answer_to(bench.payment().attempts, make());
            writeln!(text, "{answer:>24} │ {}", outcome(&bench)).unwrap();
        }
        for (input, give) in INPUTS {
            let mut bench = build();
            give(&mut bench);
            writeln!(text, "{input:>24} │ {}", outcome(&bench)).unwrap();
        }
        text.push('\n');
    }
    text
}

#[test]
fn every_state_takes_every_answer_as_the_table_says() {
    let (table, expected) = (table(), include_str!("table.txt"));
    for (now, known) in table.lines().zip(expected.lines()) {
        assert_eq!(now, known, "the whole table as it is now:\n{table}");
    }
    assert_eq!(table.lines().count(), expected.lines().count(), "{table}");
}

/// Laws over the whole table, whatever its cells say.
#[test]
fn what_is_told_as_the_end_is_closed_and_holds_no_money() {
    for (name, build) in STATES {
        for (answer, make) in ANSWERS {
            let mut bench = asking(*build);
            bench.answer_to(bench.payment().attempts, make());
            let says_end = bench.outcomes().iter().any(|told| {
                told.starts_with("payment.reversed") || told.starts_with("payment.failed")
            });
            let Ok(stands) = make() else { continue };
            if says_end {
                let left = stands.captured_minor - stands.refunded_minor + stands.held_minor;
                assert!(stands.closed && left == 0, "{name} × {answer}: {:?}", bench.outcomes());
            }
        }
    }
}
