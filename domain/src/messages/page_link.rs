//! Keeps the links of payment pages out of what is recorded and shown.
//!
//! Whoever has the link of a page can pay there and sees what is paid. The messages that carry one go to those who
//! need it; audit's copies and everything that people list are without it.

use super::envelope::Message;
use super::payload::{OrderMessage, Payload, PaymentMessage};
use serde_json::Value;
use std::sync::Arc;

/// In the place of a link.
const HIDDEN: &str = "[hidden]";

impl Message {
    /// The same message without the link of a payment page; itself, if it has none.
    pub fn without_page(self: &Arc<Self>) -> Arc<Self> {
        let mut payload = match &self.payload {
            Payload::Payment(PaymentMessage::ActionRequired(_))
            | Payload::Order(OrderMessage::PaymentRequired(_)) => self.payload.clone(),
            _ => return self.clone(),
        };
        match &mut payload {
            Payload::Payment(PaymentMessage::ActionRequired(page)) => page.url.clear(),
            Payload::Order(OrderMessage::PaymentRequired(notice)) => notice.payment = None,
            _ => {}
        }
        self.with_payload(payload)
    }
}

/// Hides every link in a text that may be, or contain, a message: in JSON each text under `url`, in anything else what
/// follows `http://` or `https://`.
pub fn hide_links(text: &str) -> String {
    match serde_json::from_str::<Value>(text) {
        Ok(mut value) => {
            hide_in(&mut value);
            value.to_string()
        }
        Err(_) => hide_in_text(text),
    }
}

fn hide_in(value: &mut Value) {
    match value {
        Value::Object(fields) => fields.iter_mut().for_each(|(name, value)| match value {
            Value::String(text) if name == "url" => HIDDEN.clone_into(text),
            _ => hide_in(value),
        }),
        Value::Array(values) => values.iter_mut().for_each(hide_in),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn hide_in_text(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = ["https://", "http://"].into_iter().filter_map(|s| rest.find(s)).min() {
        let (before, link) = rest.split_at(at);
        let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '<' | '>');
        shown.push_str(before);
        shown.push_str(HIDDEN);
        rest = link.find(ends).map_or("", |end| &link[end..]);
    }
    shown.push_str(rest);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn links_are_hidden_at_any_depth_and_in_text_that_is_not_json() {
        let message =
            json!({"messages": [{"data": {"page": {"url": "https://pay/x"}, "to": "a"}}]});
        let shown = hide_links(&message.to_string());
        assert!(!shown.contains("pay/x") && shown.contains("\"to\":\"a\""), "{shown}");
        let cut = r#"{"data":{"url":"https://pay/x?y=1","expires_at":"2"#;
        assert_eq!(hide_links(cut), r#"{"data":{"url":"[hidden]","expires_at":"2"#);
        assert_eq!(hide_links("see http://pay/x now"), "see [hidden] now");
        assert_eq!(hide_links("nothing here"), "nothing here");
    }
}
