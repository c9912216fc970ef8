//! Checks of texts, identifiers and pages in requests.

use crate::api::limits::{CUSTOMER_ID_MAX, PAGE_DEFAULT, PAGE_MAX, page_message};
use crate::api::problem::{FieldError, Problem};
use crate::characters;

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
        Some("must not contain control characters".to_owned())
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
