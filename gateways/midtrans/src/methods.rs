//! The payment methods: Ordermill's names, those of Snap's pages, and what can be refunded by API.

/// The methods of a page for an order's method. Empty: none is offered.
pub(crate) fn enabled_payments(method: &str, refundable_only: bool) -> &'static [&'static str] {
    match method {
        "credit_card" => &["credit_card"],
        "gopay" => &["gopay"],
        "shopeepay" => &["shopeepay"],
        "qris" => &["other_qris"],
        // What follows can only be given back by hand.
        _ if refundable_only => &[],
        "bank_transfer" => &["bca_va", "bni_va", "bri_va", "permata_va", "cimb_va", "other_va"],
        "echannel" => &["echannel"],
        "cstore" => &["indomaret", "alfamart"],
        _ => &[],
    }
}

/// What of a payment can be refunded by API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refundable {
    /// Nothing.
    Nothing,
    /// All of it at once.
    Whole,
    /// Any part.
    Parts,
}

/// What of a payment by this method of Midtrans can be refunded by API. A method that is not known is tried.
pub(crate) fn refundable(payment_type: &str) -> Refundable {
    match payment_type {
        "bank_transfer" | "echannel" | "cstore" | "permata" => Refundable::Nothing,
        "bca_klikpay" | "bca_klikbca" | "cimb_clicks" | "danamon_online" => Refundable::Nothing,
        "shopeepay" | "ovo" => Refundable::Whole,
        _ => Refundable::Parts,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stock_that_may_be_sold_out_is_paid_by_refundable_methods_only() {
        for method in
            ["credit_card", "gopay", "shopeepay", "qris", "bank_transfer", "echannel", "cstore"]
        {
            assert!(!enabled_payments(method, false).is_empty(), "{method}");
            let is_offered = !enabled_payments(method, true).is_empty();
            assert_eq!(is_offered, refundable(method) != Refundable::Nothing, "{method}");
        }
        assert!(enabled_payments("paypal", false).is_empty());
    }
}
