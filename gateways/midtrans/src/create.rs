//! Create: a page at which the customer can pay.
//!
//! While no method was chosen there, the same order's name again gives a new page and revokes the old one. After that
//! Midtrans says that the name is taken: then there is a transaction, which is retrieved.

use crate::client::Answer;
use crate::fields::whole_rupiah;
use crate::gateway::Midtrans;
use crate::methods::enabled_payments;
use crate::transaction::{is_id, jakarta};
use chrono::TimeDelta;
use ordermill_domain::clock::Timestamp;
use ordermill_domain::payment::{GatewayError, GatewayPayment, Page, Subject, Terms};
use serde_json::{Value, json};
use url::Url;

/// The shortest life of a page that Midtrans takes.
const MINUTES_MIN: i64 = 5;
/// Characters of a page's address: above what Midtrans uses, and few enough for a row.
const URL_CHARS_MAX: usize = 2000;

/// What Midtrans answers to the request for a page.
pub(crate) enum Created {
    /// A page.
    Page {
        /// Its token.
        token: String,
        /// Its address.
        url: String,
    },
    /// The customer has chosen a method: there is a transaction.
    Taken,
}

impl Midtrans {
    pub(crate) async fn create(
        &self,
        subject: &Subject,
        terms: Terms,
    ) -> Result<GatewayPayment, GatewayError> {
        match self.create_page(subject, terms).await? {
            Created::Taken => self.retrieve(subject).await,
            Created::Page { token, url } => {
                let mut reference = subject.reference.clone();
                reference.page = Some(token);
                let page = Some(Page { url, expires_at: terms.expires_at });
                let status_text = "page open".into();
                Ok(GatewayPayment { reference, page, status_text, ..GatewayPayment::default() })
            }
        }
    }

    /// Asks for a page that replaces every page before it.
    pub(crate) async fn create_page(
        &self,
        subject: &Subject,
        terms: Terms,
    ) -> Result<Created, GatewayError> {
        let body = request(subject, terms, self.name(subject))?;
        let answer = self.post_snap(subject, "create", "/snap/v1/transactions", body).await?;
        match answer.code {
            200 | 201 => self.created(&answer),
            400 if is_taken(&answer.text) => Ok(Created::Taken),
            _ => Err(answer.error()),
        }
    }

    fn created(&self, answer: &Answer) -> Result<Created, GatewayError> {
        let missing = |name| GatewayError::Unknown(format!("a page without `{name}`"));
        let token = answer.body.text("token").ok_or_else(|| missing("token"))?;
        let url = answer.body.text("redirect_url").ok_or_else(|| missing("redirect_url"))?;
        if !is_id(token) {
            return Err(GatewayError::Invalid("the page's token is malformed".into()));
        }
        if !self.is_midtrans(url) {
            return Err(GatewayError::Invalid("the page is not at Midtrans' server".into()));
        }
        Ok(Created::Page { token: token.to_owned(), url: url.to_owned() })
    }

    /// True for an address at the environment's own server, or at the one that the settings name: the customer is sent
    /// there to pay.
    fn is_midtrans(&self, url: &str) -> bool {
        let Ok(parsed) = Url::parse(url) else { return false };
        let is_bare = parsed.username().is_empty() && parsed.password().is_none();
        let own = self.settings.environment.snap_url();
        let is_there = own.serves(&parsed) || self.settings.snap_url.serves(&parsed);
        // A parser is tolerant where a browser may read something else.
        let is_plain = url.len() <= URL_CHARS_MAX
            && url.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        is_bare && is_there && is_plain
    }
}

fn request(subject: &Subject, terms: Terms, name: String) -> Result<Value, GatewayError> {
    let rejected = |code: &str, text: String| GatewayError::Rejected { code: code.into(), text };
    let amount = whole_rupiah(subject.due).ok_or_else(|| {
        rejected("amount", format!("{} is not an amount of whole rupiah", subject.due))
    })?;
    let methods = enabled_payments(&subject.method, terms.refundable_only);
    if methods.is_empty() {
        let text = format!("the method `{}` is not offered", subject.method);
        return Err(rejected("method", text));
    }
    Ok(json!({
        "transaction_details": { "order_id": name, "gross_amount": amount },
        "credit_card": { "secure": true },
        "enabled_payments": methods,
        "expiry": expiry(terms.at, terms.expires_at),
    }))
}

/// The expiry of page and methods, to the second: it is counted in whole minutes from a start that we name, which is a
/// little earlier than now.
fn expiry(at: Timestamp, expires_at: Timestamp) -> Value {
    let seconds = (expires_at - at).num_seconds();
    let minutes = seconds.saturating_add(59).div_euclid(60).max(MINUTES_MIN);
    let start = (expires_at - TimeDelta::minutes(minutes)).with_timezone(&jakarta());
    json!({
        "start_time": start.format("%Y-%m-%d %H:%M:%S %z").to_string(),
        "unit": "minutes",
        "duration": minutes,
    })
}

/// Midtrans says it in either language.
fn is_taken(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    text.contains("already been taken") || text.contains("sudah digunakan")
}

#[cfg(test)]
mod tests {
    use super::*;
    use ordermill_domain::ids::OrderId;
    use ordermill_domain::money::Money;
    use ordermill_domain::payment::{GatewayKey, Reference};
    use uuid::Uuid;

    fn body(minor: i64, method: &str, refundable_only: bool) -> Result<Value, GatewayError> {
        let order_id = OrderId(Uuid::from_u128(7));
        let subject = Subject {
            key: GatewayKey::of(order_id),
            order_id,
            due: Money { minor, currency: crate::fields::rupiah() },
            method: method.into(),
            reference: Reference::default(),
            page_ends_at: None,
        };
        let at: Timestamp = "2026-11-30T20:00:00.5Z".parse().unwrap();
        let terms = Terms { at, expires_at: at + TimeDelta::minutes(12), refundable_only };
        request(&subject, terms, "om-7".into())
    }

    #[test]
    fn a_page_is_asked_for_with_whole_rupiah_and_an_exact_end() {
        let body = body(14_500_000, "credit_card", false).unwrap();
        let expected = json!({
            "transaction_details": { "order_id": "om-7", "gross_amount": 145_000 },
            "credit_card": { "secure": true },
            "enabled_payments": ["credit_card"],
            "expiry": { "start_time": "2026-12-01 03:00:00 +0700", "unit": "minutes", "duration": 12 },
        });
        assert_eq!(body, expected);
    }

    #[test]
    fn the_end_of_a_page_is_never_later_than_it_was_asked_for() {
        let at: Timestamp = "2026-11-30T20:00:00Z".parse().unwrap();
        for (seconds, minutes, start) in [
            (719, 12, "02:59:59"),
            (721, 13, "02:59:01"),
            (300, 5, "03:00:00"),
            (10, 5, "02:55:10"),
        ] {
            let expiry = expiry(at, at + TimeDelta::seconds(seconds));
            let start = format!("2026-12-01 {start} +0700");
            assert_eq!(expiry["duration"], minutes, "{seconds}");
            assert_eq!(expiry["start_time"], start, "{seconds}");
        }
    }

    #[test]
    fn what_midtrans_cannot_take_is_rejected_before_it_is_asked() {
        let code = |result| match result {
            Err(GatewayError::Rejected { code, .. }) => code,
            other => panic!("{other:?}"),
        };
        assert_eq!(code(body(14_500_050, "qris", false)), "amount");
        assert_eq!(code(body(14_500_000, "paypal", false)), "method");
        assert_eq!(code(body(14_500_000, "bank_transfer", true)), "method");
    }

    #[test]
    fn a_name_that_is_taken_is_told_in_two_languages() {
        assert!(is_taken("transaction_details.order_id has already been taken"));
        assert!(is_taken("transaction_details.order_id sudah digunakan"));
        assert!(!is_taken("transaction_details.order_id is required"));
    }
}
