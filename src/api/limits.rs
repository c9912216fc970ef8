//! The bounds of what is taken. Everything has one.

use crate::api::problem::{FieldError, Problem};
use crate::characters;

/// Bytes of a request's body: a hundred lines with long ids and an address, four times over.
pub const BODY_BYTES_MAX: usize = 64 * 1024;
/// Bytes of an import of adjustments: a thousand of them with the longest ids and reasons that are in
/// ASCII, three times over.
pub const IMPORT_BYTES_MAX: usize = 1024 * 1024;
/// Adjustments of an import: one transaction of some thousand rows, a second's work at the most.
pub const ADJUSTMENTS_MAX: usize = 1_000;
/// Characters of the reason of an adjustment, or of a dead letter's discard: a sentence, with the number of a
/// delivery note or a ticket.
pub const REASON_MAX: usize = 200;
/// Lines of an order: a family's monthly shopping; more is an import, not a checkout.
pub const LINES_MAX: usize = 100;
/// Characters of a product's id: a UUID is 36, a SKU fewer.
pub const PRODUCT_ID_MAX: usize = 64;
/// Characters of a customer's id.
pub const CUSTOMER_ID_MAX: usize = 128;
/// Characters of an e-mail address (RFC 5321).
pub const EMAIL_MAX: usize = 254;
/// Characters of a telephone number.
pub const PHONE_MAX: usize = 32;
/// Characters of a field of an address.
pub const ADDRESS_MAX: usize = 200;
/// Characters of an `Idempotency-Key`.
pub const IDEMPOTENCY_KEY_MAX: usize = 255;
/// Entries of a page, when none is asked for.
pub const PAGE_DEFAULT: u32 = 50;
/// Entries of a page at the most.
pub const PAGE_MAX: u32 = 200;
/// Event streams open at a time.
pub const STREAMS_MAX: usize = 1_000;

/// How many bytes of a body are taken at an address.
pub fn body_bytes_max(path: &str) -> usize {
    match path {
        "/inventory/adjustments" => IMPORT_BYTES_MAX,
        _ => BODY_BYTES_MAX,
    }
}

/// Checks a text's length and characters, as of a person's name; collects what is wrong.
pub fn text(errors: &mut Vec<FieldError>, field: &str, text: &str, max: usize) {
    errors.extend(fault(text, max).map(|message| FieldError::new(field, message)));
}

/// Checks an identifier that is new here: a text, and none that looks like another one but is not equal to it.
/// An identifier to look for is only a text: an earlier version may have taken it.
pub fn identifier(errors: &mut Vec<FieldError>, field: &str, id: &str, max: usize) {
    let message = fault(id, max).or_else(|| characters::mistakable(id));
    errors.extend(message.map(|message| FieldError::new(field, message)));
}

/// What is wrong with a text.
fn fault(text: &str, max: usize) -> Option<String> {
    let length = text.chars().count();
    if length == 0 || length > max {
        Some(format!("must have 1 to {max} characters"))
    } else if text.chars().any(characters::is_control) {
        Some("must not have control characters".to_owned())
    } else if characters::is_blank(text) {
        Some("must not be blank".to_owned())
    } else {
        None
    }
}

/// A customer's id to look for: one that no order can have is no search.
pub fn filter(name: &str, customer_id: Option<String>) -> Result<Option<String>, Problem> {
    let mut errors = Vec::new();
    if let Some(id) = &customer_id {
        text(&mut errors, name, id, CUSTOMER_ID_MAX);
    }
    match errors.pop() {
        None => Ok(customer_id),
        Some(error) => Err(Problem::bad_parameter(name, error.message)),
    }
}

/// The size of a page that was asked for.
pub fn page(limit: Option<u32>) -> Result<u32, Problem> {
    match limit.unwrap_or(PAGE_DEFAULT) {
        limit @ 1..=PAGE_MAX => Ok(limit),
        _ => Err(Problem::bad_parameter("limit", page_message())),
    }
}

/// What is taken for the size of a page.
pub fn page_message() -> String {
    format!("must be a whole number, 1 to {PAGE_MAX}")
}
