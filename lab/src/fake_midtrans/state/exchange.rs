//! A request, from its authorisation to its answer, with what the script has go wrong.

use super::State;
use super::request::{BODY_BYTES_MAX, KeptAnswer, RecordedRequest, Request};
use crate::fake_midtrans::answer::ApiAnswer;
use crate::fake_midtrans::fault::{Call, Fault};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ordermill_domain::clock::Timestamp;
use serde_json::{Value, json};
use std::time::Duration;

/// How long an answer is kept under its idempotency key.
pub const IDEMPOTENT_FOR: Duration = Duration::from_secs(5 * 60);

/// A longer idempotency key is ignored.
const IDEMPOTENCY_KEY_CHARS_MAX: usize = 46;

/// Bytes of the answer of [`Fault::Huge`].
const HUGE_BYTES: usize = 2 * 1024 * 1024;

/// What comes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reaction {
    /// It is answered.
    Answer(ApiAnswer),
    /// It is answered after this time of the real clock.
    AnswerAfter(Duration, ApiAnswer),
    /// It is answered when the test releases what hangs.
    Hang(ApiAnswer),
    /// The connection is closed.
    Close,
}

impl State {
    /// Takes a request.
    pub fn react(&mut self, now: Timestamp, request: Request) -> Reaction {
        self.tick(now);
        let reaction = self.reaction(now, &request);
        let code = match &reaction {
            Reaction::Close => None,
            Reaction::Answer(answer)
            | Reaction::AnswerAfter(_, answer)
            | Reaction::Hang(answer) => Some(answer.code()),
        };
        self.requests.push(RecordedRequest {
            at: now,
            target: request.target,
            authorization: request.authorization,
            idempotency_key: request.idempotency_key,
            body: serde_json::from_slice(&request.body).unwrap_or(Value::Null),
            code,
        });
        reaction
    }

    fn reaction(&mut self, now: Timestamp, request: &Request) -> Reaction {
        let call = request.target.call;
        let fault = self.script.next_of_call(call);
        if fault == Some(Fault::ResetBefore) {
            return Reaction::Close;
        }
        if let Some(Fault::Status { http, retry_after }) = fault {
            return Reaction::Answer(ApiAnswer { retry_after, ..failed(call, http) });
        }
        if !self.is_authorized(request) {
            return Reaction::Answer(unauthorized(call));
        }
        let answer = self.answer_once(now, request, fault);
        faulty(answer, call, fault)
    }

    fn is_authorized(&self, request: &Request) -> bool {
        let token = BASE64_STANDARD.encode(format!("{}:", self.account.server_key));
        request.authorization.as_deref() == Some(&format!("Basic {token}"))
    }

    /// Answers, or repeats the success that is kept under the idempotency key, whatever the body and the endpoint.
    fn answer_once(
        &mut self,
        now: Timestamp,
        request: &Request,
        fault: Option<Fault>,
    ) -> ApiAnswer {
        let key = request.idempotency_key.as_ref().filter(|key| {
            (1..=IDEMPOTENCY_KEY_CHARS_MAX).contains(&key.chars().count())
                && request.target.call != Call::Status
        });
        match key.and_then(|key| self.idempotent.get(key)) {
            Some(kept) if kept.is_in_process => return in_process(),
            Some(kept) => return kept.answer.clone(),
            None => {}
        }
        let answer = self.answer(now, request, fault);
        // 202 is a denial of the bank, and no success.
        let is_success = matches!(answer.code().as_str(), "200" | "201");
        if let Some(key) = key.filter(|_| is_success) {
            let is_in_process = matches!(fault, Some(Fault::Hang | Fault::Slow(_)));
            let kept = KeptAnswer { at: now, answer: answer.clone(), is_in_process };
            self.idempotent.insert(key.clone(), kept);
        }
        answer
    }

    fn answer(&mut self, now: Timestamp, request: &Request, fault: Option<Fault>) -> ApiAnswer {
        let id = request.target.id.as_str();
        if request.body.len() > BODY_BYTES_MAX && request.target.call != Call::Create {
            return ApiAnswer::core("413", "request body exceeds 16 kB");
        }
        let body = || serde_json::from_slice::<Value>(&request.body).ok();
        let malformed = || {
            ApiAnswer::core(
                "413",
                "The request cannot be processed due to malformed syntax in the request body",
            )
        };
        match request.target.call {
            Call::Create => self.create(now, &request.body),
            Call::CancelPage => self.cancel_page(now, id, fault),
            Call::Status => self.status(now, id, lag(fault)),
            Call::Cancel => self.cancel(now, id),
            Call::Expire => self.expire(now, id),
            Call::Capture => match body() {
                Some(body) => self.capture(now, &body, fault),
                None => malformed(),
            },
            Call::Refund => match body() {
                Some(body) => self.refund(now, id, &body, fault),
                None => malformed(),
            },
            Call::Approve => self.approve(now, id),
            Call::Deny => self.deny_review(now, id),
        }
    }

    /// Notes that the answer to a request that was held up goes out.
    pub fn answered(&mut self, idempotency_key: Option<&str>) {
        if let Some(kept) = idempotency_key.and_then(|key| self.idempotent.get_mut(key)) {
            kept.is_in_process = false;
        }
    }

    /// Forgets answers that were kept long enough.
    pub(super) fn forget_answers(&mut self, now: Timestamp) {
        self.idempotent.retain(|_, kept| now < kept.at + IDEMPOTENT_FOR);
    }
}

const fn lag(fault: Option<Fault>) -> Duration {
    match fault {
        Some(Fault::StaleLook(lag)) => lag,
        _ => Duration::ZERO,
    }
}

const fn is_snap(call: Call) -> bool {
    matches!(call, Call::Create | Call::CancelPage)
}

fn unauthorized(call: Call) -> ApiAnswer {
    if is_snap(call) {
        let texts = [
            "Access denied due to unauthorized transaction, please check client or server key",
            "Visit https://snap-docs.midtrans.com/#request-headers for more details",
        ];
        return ApiAnswer::snap_errors(401, &texts.map(str::to_owned));
    }
    let text = "Transaction cannot be authorized with the current client/server key.";
    let body = json!({"status_code": "401", "status_message": text});
    ApiAnswer::json(401, &body)
}

fn in_process() -> ApiAnswer {
    let text = "The request with this Idempotency-Key is still being processed";
    ApiAnswer::json(202, &json!({"status_code": "202", "status_message": text}))
}

fn failed(call: Call, http: u16) -> ApiAnswer {
    let text = "Sorry, we encountered an internal server error. We will fix this soon.";
    if is_snap(call) {
        return ApiAnswer::snap_errors(http, &[text.to_owned()]);
    }
    let body = json!({"status_code": http.to_string(), "status_message": text});
    ApiAnswer::json(http, &body)
}

/// Does to an answer what the script says.
fn faulty(answer: ApiAnswer, call: Call, fault: Option<Fault>) -> Reaction {
    let Some(fault) = fault else { return Reaction::Answer(answer) };
    let with = |body: String, content_type| ApiAnswer { body, content_type, ..answer.clone() };
    Reaction::Answer(match fault {
        Fault::ResetAfter => return Reaction::Close,
        Fault::Hang => return Reaction::Hang(answer),
        Fault::Slow(time) => return Reaction::AnswerAfter(time, answer),
        Fault::BookedError => failed(call, 500),
        Fault::Html => with("<html><body>Under maintenance</body></html>".to_owned(), "text/html"),
        Fault::HalfJson => {
            let half = answer.body.len() / 2;
            with(answer.body.chars().take(half).collect(), answer.content_type)
        }
        Fault::Empty => with(String::new(), answer.content_type),
        Fault::Huge => {
            let padding = "x".repeat(HUGE_BYTES);
            edited(&answer, |body| body["padding"] = json!(padding))
        }
        Fault::WrongAmount => about_transaction(&answer, |body| {
            let gross = body["gross_amount"].as_str().and_then(|text| text.strip_suffix(".00"));
            if let Some(rupiah) = gross.and_then(|text| text.parse::<i64>().ok()) {
                body["gross_amount"] = json!(format!("{}.00", rupiah - 1000));
            }
        }),
        Fault::WrongCurrency => about_transaction(&answer, |body| body["currency"] = json!("USD")),
        Fault::OtherOrder => about_transaction(&answer, |body| {
            body["order_id"] = json!("om-00000000-0000-7000-8000-000000000000");
        }),
        Fault::NewWord => about_transaction(&answer, |body| {
            body["transaction_status"] = json!("awaiting_clearance");
        }),
        // What changes the answer itself has done so already.
        Fault::ResetBefore
        | Fault::Status { .. }
        | Fault::StaleLook(_)
        | Fault::OnProgress
        | Fault::DeniedByBank => answer,
    })
}

/// An answer with another body if it is about a transaction, else the same.
fn about_transaction(answer: &ApiAnswer, edit: impl FnOnce(&mut Value)) -> ApiAnswer {
    edited(answer, |body| {
        if body.get("transaction_id").is_some() {
            edit(body);
        }
    })
}

/// An answer with another body.
fn edited(answer: &ApiAnswer, edit: impl FnOnce(&mut Value)) -> ApiAnswer {
    let Ok(mut body) = serde_json::from_str::<Value>(&answer.body) else { return answer.clone() };
    edit(&mut body);
    ApiAnswer { body: body.to_string(), ..answer.clone() }
}
