//! Notifications: their signature, what is done wrong to them, and when they are sent again.

use super::fault::NotifyFault;
use ordermill_domain::clock::Timestamp;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha512};
use std::fmt::Write as _;
use std::time::Duration;

/// The pauses before the attempts after the first, as documented.
const RETRY_MINUTES: [u64; 5] = [2, 10, 30, 90, 210];

/// By how much a reversed notification follows the one that it should have preceded.
const REVERSED_BY: Duration = Duration::from_millis(1);

/// A notification: what is or would be posted.
#[derive(Clone, Debug)]
pub struct SentNotification {
    /// The transaction that it is about.
    pub transaction_id: String,
    /// The body as it is posted.
    pub body: String,
    /// When it is posted next. None: it is delivered or given up, or waits for another.
    pub due: Option<Timestamp>,
    /// The HTTP status of each attempt; None: there was no answer.
    pub answers: Vec<Option<u16>>,
    /// It is sent after the transaction's next one.
    is_reversed: bool,
}

/// `hex(SHA512(order_id + status_code + gross_amount + key))`, each as its text in the body.
pub fn signature(order_id: &str, status_code: &str, gross_amount: &str, key: &str) -> String {
    let digest = Sha512::digest(format!("{order_id}{status_code}{gross_amount}{key}"));
    digest.iter().fold(String::with_capacity(128), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("a String takes all that is written");
        hex
    })
}

/// A body with its signature.
pub fn signed(mut body: Map<String, Value>, key: &str) -> String {
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    let signature = signature(text("order_id"), text("status_code"), text("gross_amount"), key);
    body.insert("signature_key".to_owned(), json!(signature));
    Value::Object(body).to_string()
}

/// All notifications of a fake, oldest first.
#[derive(Debug, Default)]
pub struct Notifications {
    all: Vec<SentNotification>,
}

impl Notifications {
    /// Adds one about a change, with what is done wrong to it.
    pub fn add(
        &mut self,
        now: Timestamp,
        transaction_id: &str,
        body: Map<String, Value>,
        key: &str,
        fault: Option<NotifyFault>,
    ) {
        let due = match fault {
            Some(NotifyFault::Late(by)) => Some(now + by),
            Some(NotifyFault::Reversed) => None,
            _ => Some(now),
        };
        let copies = match fault {
            Some(NotifyFault::Never) => 0,
            Some(NotifyFault::Twice) => 2,
            _ => 1,
        };
        self.release_reversed(now, transaction_id);
        let sent = SentNotification {
            transaction_id: transaction_id.to_owned(),
            body: written(body, key, fault),
            due,
            answers: Vec::new(),
            is_reversed: fault == Some(NotifyFault::Reversed),
        };
        self.all.extend(std::iter::repeat_n(sent, copies));
    }

    fn release_reversed(&mut self, now: Timestamp, transaction_id: &str) {
        for waiting in &mut self.all {
            if waiting.is_reversed && waiting.transaction_id == transaction_id {
                waiting.is_reversed = false;
                waiting.due = Some(now + REVERSED_BY);
            }
        }
    }

    /// All of them.
    pub fn all(&self) -> &[SentNotification] {
        &self.all
    }

    /// The one that is due first, if its time has come: its number and body.
    pub fn due(&self, now: Timestamp) -> Option<(usize, String)> {
        let due = self.all.iter().enumerate().filter_map(|(number, one)| Some((one.due?, number)));
        let (at, number) = due.min()?;
        (at <= now).then(|| (number, self.all[number].body.clone()))
    }

    /// Has everything posted again at once that the merchant did not take, as the dashboard can.
    pub fn resend(&mut self, now: Timestamp) {
        for one in &mut self.all {
            let is_taken = one.answers.iter().flatten().any(|http| (200..300).contains(http));
            if !one.answers.is_empty() && !is_taken {
                one.due = Some(now);
            }
        }
    }

    /// Notes the answer to an attempt, and when the next one is due.
    pub fn answered(&mut self, now: Timestamp, number: usize, answer: Option<u16>) {
        if let Some(one) = self.all.get_mut(number) {
            one.answers.push(answer);
            one.due = retry_after(answer, one.answers.len()).map(|pause| now + pause);
        }
    }
}

/// The pause before the next attempt, by the latest answer and the number of attempts. None: it is not sent again.
pub fn retry_after(answer: Option<u16>, attempts: usize) -> Option<Duration> {
    let retries_max = match answer {
        Some(200..=299 | 301..=303) => 0,
        Some(500) => 1,
        Some(400 | 404) => 2,
        Some(503) => 4,
        _ => RETRY_MINUTES.len(),
    };
    let minutes = RETRY_MINUTES[..retries_max].get(attempts.saturating_sub(1))?;
    Some(Duration::from_secs(minutes * 60))
}

fn written(mut body: Map<String, Value>, key: &str, fault: Option<NotifyFault>) -> String {
    match fault {
        Some(NotifyFault::Forged) => {
            body.insert("signature_key".to_owned(), json!("0".repeat(128)));
            Value::Object(body).to_string()
        }
        Some(NotifyFault::OtherKey) => signed(body, "SB-Mid-server-another-merchant"),
        Some(NotifyFault::Tampered) => {
            let is_settled = body.get("transaction_status") == Some(&json!("settlement"));
            let other = if is_settled { "deny" } else { "settlement" };
            body.insert("transaction_status".to_owned(), json!(other));
            signed(body, key)
        }
        _ => signed(body, key),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_the_documented_one() {
        let settled = signature(
            "om-0198c2f4-7a31-7c55-9d02-3b6f8e1a4c77",
            "200",
            "145000.00",
            "SB-Mid-server-ordermill-test-0001",
        );
        assert!(
            settled.starts_with("fcf737368d4d36a2ad22153120fa8c44c42ef5d57638d73bfe560af30c86")
        );
        assert_eq!(settled.len(), 128);
    }

    #[test]
    fn a_notification_is_sent_again_as_its_answer_asks() {
        let pauses = |answer| {
            let pauses = (1..9).map_while(|attempts| retry_after(answer, attempts));
            pauses.map(|pause| pause.as_secs() / 60).collect::<Vec<_>>()
        };
        assert_eq!(pauses(Some(200)), [0; 0]);
        assert_eq!(pauses(Some(302)), [0; 0]);
        assert_eq!(pauses(Some(500)), [2]);
        assert_eq!(pauses(Some(404)), [2, 10]);
        assert_eq!(pauses(Some(503)), [2, 10, 30, 90]);
        assert_eq!(pauses(Some(403)), [2, 10, 30, 90, 210]);
        assert_eq!(pauses(None), [2, 10, 30, 90, 210]);
    }
}
