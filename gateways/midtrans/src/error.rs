//! From what Midtrans answers, or does not, to why there is no answer.

use ordermill_domain::payment::GatewayError;
use std::error::Error;
use std::time::Duration;

/// The longest pause that Midtrans can ask for: longer ones would stop payments for a mistake in a header.
const BUSY_MAX: Duration = Duration::from_mins(10);
/// The pause when Midtrans is busy and does not say for how long.
const BUSY_DEFAULT: Duration = Duration::from_secs(5);
/// Characters of a text of Midtrans that are kept.
const TEXT_CHARS_MAX: usize = 200;

/// Midtrans is busy.
pub(crate) fn busy(after: Option<Duration>) -> GatewayError {
    GatewayError::Busy { after: after.unwrap_or(BUSY_DEFAULT).min(BUSY_MAX) }
}

/// Why a request has no answer. Without a connection nothing was sent; all else may have arrived.
pub(crate) fn transport(error: &(dyn Error + 'static), was_connected: bool) -> GatewayError {
    // The innermost error says what happened; it does not quote the address, which can contain a page's token.
    let mut root = error;
    while let Some(source) = root.source() {
        root = source;
    }
    let text = printable(&root.to_string());
    if was_connected { GatewayError::Unknown(text) } else { GatewayError::Unreachable(text) }
}

/// What a code says that its operation has no other meaning for.
pub(crate) fn of_code(code: u16, text: &str, retry_after: Option<Duration>) -> GatewayError {
    let deactivated = || text.to_ascii_lowercase().contains("deactivated");
    match code {
        401 => GatewayError::Misconfigured(text.to_owned()),
        410 if deactivated() => GatewayError::Misconfigured(text.to_owned()),
        429 => busy(retry_after),
        503 if retry_after.is_some() => busy(retry_after),
        400..=499 => GatewayError::Rejected { code: code.to_string(), text: text.to_owned() },
        _ => GatewayError::Unknown(format!("it answers with {code}: {text}")),
    }
}

/// A text of Midtrans as it may be shown: bounded, and without control characters.
pub(crate) fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(TEXT_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stop_the_gateway_and_access_fails_one_payment() {
        let misconfigured =
            |code, text: &str| matches!(of_code(code, text, None), GatewayError::Misconfigured(_));
        assert!(misconfigured(401, "unknown key") && misconfigured(410, "Account Deactivated"));
        for code in [400, 402, 403, 406, 410, 411, 412, 414] {
            let error = of_code(code, "no", None);
            assert!(matches!(error, GatewayError::Rejected { .. }), "{code}: {error}");
        }
    }

    #[test]
    fn a_pause_is_bounded() {
        let after = Duration::from_secs(7);
        assert_eq!(of_code(429, "", Some(after)), GatewayError::Busy { after });
        assert_eq!(of_code(503, "", Some(after)), GatewayError::Busy { after });
        let day = Some(Duration::from_hours(24));
        assert_eq!(of_code(429, "", day), GatewayError::Busy { after: BUSY_MAX });
        assert_eq!(of_code(429, "", None), GatewayError::Busy { after: BUSY_DEFAULT });
        for code in [302, 500, 502, 503, 504, 505, 900] {
            assert!(matches!(of_code(code, "", None), GatewayError::Unknown(_)), "{code}");
        }
    }
}
