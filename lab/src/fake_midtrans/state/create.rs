//! `POST /snap/v1/transactions`: a page is created, by the documented rules.

use super::request::BODY_BYTES_MAX;
use super::{Page, PageState, State};
use crate::fake_midtrans::answer::ApiAnswer;
use crate::fake_midtrans::transaction::Status;
use chrono::{DateTime, Utc};
use ordermill_domain::clock::Timestamp;
use serde_json::{Value, json};
use std::time::Duration;

/// Characters of an order id at most.
const ORDER_ID_CHARS_MAX: usize = 50;

/// Characters of an item's name at most.
const ITEM_NAME_CHARS_MAX: usize = 50;

/// How long a page or a method lives when the merchant does not say.
const LIFE: Duration = Duration::from_secs(24 * 3600);

/// The shortest life that the merchant may ask for.
const LIFE_MIN: Duration = Duration::from_secs(5 * 60);

/// The longest.
const LIFE_MAX: Duration = Duration::from_secs(7 * 24 * 3600);

/// What is wrong with a request.
type Errors = Vec<String>;

impl State {
    /// `POST /snap/v1/transactions`.
    pub(super) fn create(&mut self, now: Timestamp, body: &[u8]) -> ApiAnswer {
        if body.len() > BODY_BYTES_MAX {
            return ApiAnswer::snap_errors(400, &["request body exceeds 16 kB".to_owned()]);
        }
        let Ok(body) = serde_json::from_slice::<Value>(body) else {
            return ApiAnswer::snap_errors(400, &["request body is not valid JSON".to_owned()]);
        };
        let token = self.new_id().to_string();
        let page = match read_page(now, &body, token) {
            Ok(page) => page,
            Err(errors) => return ApiAnswer::snap_errors(400, &errors),
        };
        if self.is_taken(&page.order_id) {
            let text = "transaction_details.order_id has already been taken";
            return ApiAnswer::snap_errors(400, &[text.to_owned()]);
        }
        for older in &mut self.pages {
            if older.order_id == page.order_id && older.state == PageState::Open {
                older.state = PageState::Revoked;
            }
        }
        let url = self.page_url(&page.token);
        let answer = ApiAnswer::json(201, &json!({"token": page.token, "redirect_url": url}));
        self.pages.push(page);
        answer
    }

    /// Where a page is shown.
    pub fn page_url(&self, token: &str) -> String {
        format!("{}/snap/v4/redirection/{token}", self.account.url)
    }

    /// True when the customer has chosen a method, and that transaction was neither cancelled nor has expired.
    fn is_taken(&self, order_id: &str) -> bool {
        self.latest_of_order(order_id).is_some_and(|index| {
            let status = self.transactions[index].current().status;
            !matches!(status, Status::Cancel | Status::Expire)
        })
    }
}

fn read_page(now: Timestamp, body: &Value, token: String) -> Result<Page, Errors> {
    let mut errors = Errors::new();
    let details = &body["transaction_details"];
    let order_id = read_order_id(&details["order_id"], &mut errors);
    let gross_amount = read_gross_amount(&details["gross_amount"], &mut errors);
    check_items(&body["item_details"], gross_amount, &mut errors);
    let methods_expire_at = read_expiry(now, "expiry", &body["expiry"], &mut errors);
    let page_expires_at = read_expiry(now, "page_expiry", &body["page_expiry"], &mut errors);
    let enabled_payments = read_enabled(&body["enabled_payments"], &mut errors);
    if !errors.is_empty() {
        return Err(errors);
    }
    Ok(Page {
        token,
        order_id,
        gross_amount,
        state: PageState::Open,
        expires_at: page_expires_at.or(methods_expire_at).unwrap_or(now + LIFE),
        methods_expire_at: methods_expire_at.unwrap_or(now + LIFE),
        enabled_payments,
        is_authorize: body["credit_card"]["type"] == "authorize",
    })
}

fn read_order_id(value: &Value, errors: &mut Errors) -> String {
    let id = value.as_str().unwrap_or_default();
    if id.is_empty() {
        errors.push("transaction_details.order_id is required".to_owned());
    }
    if id.chars().count() > ORDER_ID_CHARS_MAX {
        errors.push("transaction_details.order_id too long".to_owned());
    }
    if !id.chars().all(|char| char.is_ascii_alphanumeric() || "-_~.".contains(char)) {
        let text = "transaction_details.order_id has characters other than a-z A-Z 0-9 - _ ~ .";
        errors.push(text.to_owned());
    }
    id.to_owned()
}

fn read_gross_amount(value: &Value, errors: &mut Errors) -> i64 {
    match value.as_i64() {
        Some(amount) if amount >= 1 => amount,
        Some(_) => {
            let text = "transaction_details.gross_amount must be greater than or equal to 1";
            errors.push(text.to_owned());
            0
        }
        None => {
            errors.push("transaction_details.gross_amount is not an integer number".to_owned());
            0
        }
    }
}

fn check_items(items: &Value, gross_amount: i64, errors: &mut Errors) {
    if items.is_null() {
        return;
    }
    let Some(items) = items.as_array() else {
        errors.push("item_details is not an array".to_owned());
        return;
    };
    let mut sum: i64 = 0;
    for item in items {
        let (price, quantity) = (item["price"].as_i64(), item["quantity"].as_i64());
        match (price, quantity.filter(|quantity| *quantity >= 1)) {
            (Some(price), Some(quantity)) => {
                sum = sum.saturating_add(price.saturating_mul(quantity))
            }
            (None, _) => errors.push("item_details price is not an integer number".to_owned()),
            (_, None) => errors.push("item_details quantity must be at least 1".to_owned()),
        }
        let name_chars = item["name"].as_str().map_or(0, |name| name.chars().count());
        if !(1..=ITEM_NAME_CHARS_MAX).contains(&name_chars) {
            errors.push("item_details name must have 1 to 50 characters".to_owned());
        }
    }
    if sum != gross_amount {
        let text = "transaction_details.gross_amount is not equal to the sum of item_details";
        errors.push(text.to_owned());
    }
}

fn read_expiry(
    now: Timestamp,
    name: &str,
    value: &Value,
    errors: &mut Errors,
) -> Option<Timestamp> {
    if value.is_null() {
        return None;
    }
    let start = match &value["start_time"] {
        Value::Null => Some(now),
        text => text.as_str().and_then(|text| {
            let start = DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S %z").ok()?;
            Some(start.with_timezone(&Utc))
        }),
    };
    let Some(start) = start else {
        errors.push(format!("{name}.start_time is not of the form yyyy-MM-dd HH:mm:ss Z"));
        return None;
    };
    let unit_seconds = match value["unit"].as_str() {
        Some("minute" | "minutes") => 60,
        Some("hour" | "hours") => 3600,
        Some("day" | "days") => 24 * 3600,
        _ => {
            errors.push(format!("{name}.unit must be minutes, hours or days"));
            return None;
        }
    };
    let life =
        value["duration"].as_u64().map(|n| Duration::from_secs(n.saturating_mul(unit_seconds)));
    let Some(life) = life.filter(|life| (LIFE_MIN..=LIFE_MAX).contains(life)) else {
        errors.push(format!("{name}.duration must be from 5 minutes to 7 days"));
        return None;
    };
    let ends_at = start + life;
    if ends_at <= now {
        errors.push(format!("{name} is in the past"));
    }
    Some(ends_at)
}

fn read_enabled(value: &Value, errors: &mut Errors) -> Vec<String> {
    let texts = match value {
        Value::Null => Some(Vec::new()),
        value => value.as_array().and_then(|all| {
            all.iter().map(|one| one.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
        }),
    };
    texts.unwrap_or_else(|| {
        errors.push("enabled_payments is not an array of texts".to_owned());
        Vec::new()
    })
}
