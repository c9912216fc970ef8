//! The bounds of what is taken. Everything has one.

/// Bytes of a request's body: a hundred lines with long ids and an address, four times over.
pub const BODY_BYTES_MAX: usize = 64 * 1024;
/// Bytes of a payment gateway's notification: Midtrans' have two thousand.
pub const NOTIFICATION_BYTES_MAX: usize = 64 * 1024;
/// Bytes of an import of adjustments: a thousand of them with the longest ids and reasons that are in
/// ASCII, three times over.
pub const IMPORT_BYTES_MAX: usize = 1024 * 1024;
/// Adjustments of an import: one transaction of some thousand rows, a second's work at the most.
pub const ADJUSTMENTS_MAX: usize = 1_000;
/// Characters of the reason of an adjustment, or of a dead letter's discard: a sentence, with the number of a
/// delivery note or a ticket.
pub const REASON_MAX: usize = 200;
/// Characters of the note on a refund by hand: `BCA #88`, with a date.
pub const NOTE_MIN: usize = 8;
/// The same at the most.
pub const NOTE_MAX: usize = 200;
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

/// What is taken for the size of a page.
pub fn page_message() -> String {
    format!("must be an integer from 1 to {PAGE_MAX}")
}
