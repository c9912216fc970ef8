//! Reads notifications: their form first, then their signature.
//!
//! What is signed is `order_id`, `status_code`, `gross_amount` and the key, as texts without separators. The form is
//! checked before anything is hashed: otherwise an order's name with one digit more and a code with one digit less
//! would have the same signature. Neither the status nor the transaction nor the time is signed, so what a
//! notification says of them is a reason to ask, and no more.

use crate::fields::Fields;
use crate::settings::{MidtransSettings, ServerKey};
use ordermill_domain::payment::{Notification, NotificationError, NotificationReader, Provider};
use serde_json::Value;
use sha2::{Digest, Sha512};
use subtle::{Choice, ConstantTimeEq};

/// Bytes of a notification: real ones have about two thousand.
const BODY_BYTES_MAX: usize = 64 * 1024;
/// Characters of an order's name at Midtrans.
const ORDER_ID_CHARS_MAX: usize = 50;
/// Digits of an amount before its point: what Ordermill takes at the most.
const AMOUNT_DIGITS_MAX: usize = 13;
/// Bytes of a signature: SHA-512.
const SIGNATURE_BYTES: usize = 64;
/// Characters of a word that is shown to people.
const WORD_CHARS_MAX: usize = 24;
/// The dashboard's test button sends orders of this name.
const TEST_PREFIX: &str = "payment_notif_test_";

/// Reads Midtrans' notifications.
#[derive(Clone, Debug)]
pub struct MidtransReader {
    settings: MidtransSettings,
}

impl MidtransReader {
    /// A reader that takes what is signed with a key of these settings.
    pub fn new(settings: &MidtransSettings) -> Self {
        Self { settings: settings.clone() }
    }

    fn is_genuine(&self, signed: &Signed<'_>) -> bool {
        let keys = self.settings.keys.get();
        let mut genuine = Choice::from(0);
        for key in keys.previous.iter().chain([&keys.current]) {
            // Every key is tried: how long it takes says nothing about which one fits.
            genuine |= signed.digest(key).ct_eq(&signed.signature);
        }
        genuine.into()
    }

    fn is_other_merchant(&self, body: &Fields) -> bool {
        let theirs = match body.get("merchant_id") {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => return false,
        };
        self.settings.merchant_id.as_ref().is_some_and(|ours| *ours != theirs)
    }
}

impl NotificationReader for MidtransReader {
    fn read(&self, body: &[u8]) -> Result<Notification, NotificationError> {
        if body.len() > BODY_BYTES_MAX {
            return Err(malformed("expected at most 64 KiB"));
        }
        let body = Fields::parse(body).ok_or_else(|| malformed("expected a JSON object"))?;
        let signed = Signed::read(&body)?;
        if !self.is_genuine(&signed) {
            return Err(NotificationError::Forged);
        }
        if self.is_other_merchant(&body) {
            return Err(NotificationError::OtherMerchant);
        }
        let status = word(&body, "transaction_status");
        let is_claim = matches!(status.as_deref(), Some("settlement" | "capture" | "authorize"));
        let is_test = signed.order_id.starts_with(TEST_PREFIX);
        let order_id = self.settings.order_prefix.order(signed.order_id);
        Ok(Notification {
            provider: Provider::Midtrans,
            reference: signed.order_id.to_owned(),
            order_id: order_id.filter(|_| !is_test),
            is_test,
            claimed_minor: if is_claim { signed.gross_minor()? } else { 0 },
            text: said(&body, status, signed.gross_amount),
        })
    }
}

/// A signature. It has no `==`, which takes the longer the more of a forged one is right.
struct Signature([u8; SIGNATURE_BYTES]);

impl ConstantTimeEq for Signature {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.0.ct_eq(&other.0)
    }
}

/// What is signed, and the signature. Their forms are right.
struct Signed<'a> {
    order_id: &'a str,
    status_code: &'a str,
    gross_amount: &'a str,
    signature: Signature,
}

impl<'a> Signed<'a> {
    fn read(body: &'a Fields) -> Result<Self, NotificationError> {
        let field = |name: &str| match body.get(name) {
            Some(Value::String(text)) => Ok(text.as_str()),
            Some(_) => Err(malformed(&format!("`{name}` is not a text"))),
            None => Err(malformed(&format!("`{name}` is missing"))),
        };
        let checked = |name: &'static str, is_right: fn(&str) -> bool, expected: &str| {
            let text = field(name)?;
            let wrong = || malformed(&format!("`{name}` has not the right form; {expected}"));
            if is_right(text) { Ok(text) } else { Err(wrong()) }
        };
        let signature = field("signature_key")?;
        Ok(Self {
            order_id: checked("order_id", is_order_id, "expected 1 to 50 characters")?,
            status_code: checked("status_code", is_status_code, "expected three digits")?,
            gross_amount: checked("gross_amount", is_amount, "expected, e.g., 145000.00")?,
            signature: decode_hex(signature).map(Signature).ok_or_else(|| {
                malformed("`signature_key` has not the right form; expected 128 hexadecimal digits")
            })?,
        })
    }

    fn digest(&self, key: &ServerKey) -> Signature {
        let hash = Sha512::new()
            .chain_update(self.order_id)
            .chain_update(self.status_code)
            .chain_update(self.gross_amount)
            .chain_update(key.expose());
        Signature(hash.finalize().into())
    }

    /// The amount in cents: its text without the point.
    fn gross_minor(&self) -> Result<i64, NotificationError> {
        let digits = self.gross_amount.replace('.', "");
        digits.parse().map_err(|_| malformed("`gross_amount` is not an amount"))
    }
}

fn malformed(what: &str) -> NotificationError {
    NotificationError::Malformed(what.to_owned())
}

fn is_order_id(text: &str) -> bool {
    (1..=ORDER_ID_CHARS_MAX).contains(&text.chars().count())
}

fn is_status_code(text: &str) -> bool {
    text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_amount(text: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    text.split_once('.').is_some_and(|(whole, cents)| {
        let is_whole = (1..=AMOUNT_DIGITS_MAX).contains(&whole.len());
        is_whole && cents.len() == 2 && digits(whole) && digits(cents)
    })
}

fn decode_hex(text: &str) -> Option<[u8; SIGNATURE_BYTES]> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut bytes = [0; SIGNATURE_BYTES];
    if text.len() != 2 * SIGNATURE_BYTES {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

/// A word of Midtrans, which is not signed: nobody knows what it contains. None: it is no word.
fn word(body: &Fields, name: &str) -> Option<String> {
    let text = body.text(name)?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let is_word = text.len() <= WORD_CHARS_MAX && text.chars().all(allowed);
    is_word.then(|| text.to_ascii_lowercase())
}

/// `settlement/accept 145000.00 IDR`.
fn said(body: &Fields, status: Option<String>, gross_amount: &str) -> String {
    let status = status.unwrap_or_else(|| "?".into());
    let fraud = word(body, "fraud_status").map(|fraud| format!("/{fraud}")).unwrap_or_default();
    let currency = word(body, "currency").filter(|code| code.len() == 3);
    let currency = currency.map(|code| format!(" {}", code.to_ascii_uppercase()));
    format!("{status}{fraud} {gross_amount}{}", currency.unwrap_or_default())
}

#[cfg(test)]
mod tests;
