//! The page that a customer sees, and the list of pages, as HTML.
//!
//! Nothing here needs escaping: an order id has letters, digits and `-_~.` only, everything else is ours.

use super::payment_type::PaymentType;
use super::state::{Page, PageState};
use super::transaction::Transaction;
use ordermill_domain::clock::Timestamp;

/// A page with what the customer can do there.
pub(super) fn page(page: &Page, latest: Option<&Transaction>, now: Timestamp) -> String {
    let token = &page.token;
    let status = latest.map_or("not paid yet", |transaction| transaction.status.as_str());
    let is_pending = latest.is_some_and(|one| one.status.as_str() == "pending");
    let may_pay = page.is_open(now) && latest.is_none_or(|one| one.status.has_ended_unpaid());
    let actions = match latest {
        Some(chosen) if is_pending => of_chosen(token, chosen.payment_type),
        _ if may_pay => of_open(page),
        _ => String::new(),
    };
    let state = match page.state {
        PageState::Revoked => "replaced by a newer page",
        PageState::Canceled => "cancelled by the shop",
        PageState::Open if page.is_open(now) => "open",
        PageState::Open => "expired",
    };
    let text = format!(
        "<h1>Rp {amount}</h1><p>Order {order}</p><p>Page: {state}. Payment: {status}.</p>{actions}\
         <p>Can be paid until {until}.</p>",
        amount = page.gross_amount,
        order = page.order_id,
        until = page.expires_at.format("%Y-%m-%d %H:%M:%S UTC"),
    );
    document("Pay", &text)
}

/// The list of all pages, newest first.
pub(super) fn list(pages: &[Page]) -> String {
    let row = |page: &Page| {
        format!(
            "<li><a href=\"/snap/v4/redirection/{}\">{}</a>: Rp {}</li>",
            page.token, page.order_id, page.gross_amount
        )
    };
    let rows: String = pages.iter().rev().map(row).collect();
    let list =
        if rows.is_empty() { "<p>No page yet.</p>".to_owned() } else { format!("<ul>{rows}</ul>") };
    document("Pages", &format!("<h1>Pages</h1>{list}"))
}

/// A page that only says something.
pub(super) fn message(text: &str) -> String {
    document("Fake Midtrans", &format!("<p>{text}</p>"))
}

fn of_open(page: &Page) -> String {
    let token = &page.token;
    let mut forms = String::new();
    for method in PaymentType::ALL {
        if !method.is_enabled_by(&page.enabled_payments) {
            continue;
        }
        let name = method.as_str();
        forms += &button(token, "pay", name, &format!("Pay by {name}"));
        forms += &button(token, "choose", name, &format!("Choose {name}, pay later"));
        forms += "<br>";
    }
    if PaymentType::CreditCard.is_enabled_by(&page.enabled_payments) {
        forms += &button(token, "deny", "credit_card", "Card denied");
        forms += &button(token, "challenge", "credit_card", "Card in review");
    }
    forms
}

fn of_chosen(token: &str, method: PaymentType) -> String {
    let name = method.as_str();
    button(token, "pay", name, &format!("Pay by {name}"))
        + &button(token, "deny", name, &format!("{name} denied"))
}

fn button(token: &str, action: &str, method: &str, label: &str) -> String {
    format!(
        "<form method=\"post\" action=\"/_test/pages/{token}/{action}?type={method}\">\
         <button>{label}</button></form>"
    )
}

fn document(title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\
         <style>body{{font-family:sans-serif;max-width:40rem;margin:2rem auto;padding:0 1rem}}\
         form{{display:inline-block;margin:.2rem}}</style></head><body>{body}</body></html>"
    )
}
