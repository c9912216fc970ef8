//! Text messages, written to the log: no provider of any can be reached from here. A real one is another
//! `Messenger` in this place.

use async_trait::async_trait;
use ordermill_actors::ports::{ChannelError, Messenger};
use ordermill_domain::messages::ChannelMessage;

/// Digits of a telephone number (E.164 has 15 at the most; short codes have 3).
const DIGITS: std::ops::RangeInclusive<usize> = 3..=15;

/// Digits of a number that the log may show: enough to tell customers apart, too few to call them.
const DIGITS_SHOWN: usize = 4;

/// Sends text messages nowhere, and says so in the log.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogSms;

#[async_trait]
impl Messenger for LogSms {
    async fn send(&self, message: &ChannelMessage) -> Result<(), ChannelError> {
        let to = masked(&message.to).ok_or_else(|| {
            ChannelError::Permanent("the address is not a telephone number".into())
        })?;
        let priority = message.priority;
        tracing::info!(
            service = "notification",
            channel = "sms",
            to,
            ?priority,
            "{}",
            message.body
        );
        Ok(())
    }
}

/// A telephone number with most of its digits hidden. None: it is no telephone number.
fn masked(number: &str) -> Option<String> {
    let digits = number.chars().filter(char::is_ascii_digit).count();
    let written = |c: char| c.is_ascii_digit() || matches!(c, ' ' | '-' | '.' | '/' | '(' | ')');
    let rest = number.strip_prefix('+').unwrap_or(number);
    if !DIGITS.contains(&digits) || !rest.chars().all(written) {
        return None;
    }
    let mut hidden = digits.saturating_sub(DIGITS_SHOWN);
    let show = |c: char| match c.is_ascii_digit() && hidden > 0 {
        true => {
            hidden -= 1;
            '*'
        }
        false => c,
    };
    Some(number.chars().map(show).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_shown_by_its_last_digits_only() {
        assert_eq!(masked("+62 812-3456-7890").as_deref(), Some("+** ***-****-7890"));
        assert_eq!(masked("(030) 1234/56").as_deref(), Some("(***) **34/56"));
        assert_eq!(masked("112").as_deref(), Some("112"));
    }

    #[test]
    fn a_malformed_phone_number_is_refused() {
        for text in
            ["", "+", "12", "call me", "0171 CALL-ME-1", "1234567890123456", "12+34", "１２３４"]
        {
            assert_eq!(masked(text), None, "{text}");
        }
    }
}
