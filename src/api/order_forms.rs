//! POST /orders, as the document describes its body. It is read by [`new_order`](super::new_order).

use crate::api::scalar::{AmountInput, CustomerIdInput, ProductIdInput};
use crate::api::word::Word;
use ordermill_domain::messages::Priority;
use poem_openapi::{Object, Union};

/// An order in one of two forms: with `items`, or the single-product form.
#[derive(Union)]
#[oai(one_of)]
pub enum NewOrder {
    Items(OrderOfItems),
    Product(OrderOfOneProduct),
}

/// An order of one or more products.
#[derive(Object)]
pub struct OrderOfItems {
    /// The customer.
    customer_id: CustomerIdInput,
    /// An alias of `customer_id`. Optional; it must have the same value.
    user_id: Option<CustomerIdInput>,
    /// The order lines. Each product may appear once.
    #[oai(validator(min_items = 1, max_items = 100))]
    items: Vec<NewLine>,
    #[oai(flatten)]
    terms: OrderTerms,
}

/// The single-product form: one product and a total amount.
#[derive(Object)]
pub struct OrderOfOneProduct {
    /// The customer.
    user_id: CustomerIdInput,
    /// An alias of `user_id`. Optional; it must have the same value.
    customer_id: Option<CustomerIdInput>,
    /// The product.
    product_id: ProductIdInput,
    /// Number of units.
    #[oai(validator(minimum(value = "1"), maximum(value = "1000000")))]
    quantity: u32,
    /// The total amount.
    total_amount: AmountInput,
    #[oai(flatten)]
    terms: OrderTerms,
}

/// What both forms may say.
#[derive(Object)]
struct OrderTerms {
    /// The payment method. Default: `credit_card`. `ORDERMILL_PAYMENT_METHODS` lists the accepted
    /// methods. By default these are `credit_card`, `card`, `paypal`, `bank_transfer`, `ewallet`,
    /// `gopay`, and the test methods of the simulated gateway: `test_declined`,
    /// `test_timeout_charged`, `test_timeout_uncharged`, `test_slow` and `test_refund_fails`. Other
    /// methods are rejected with 422.
    payment_method: Option<String>,
    /// The currency of all amounts, an active ISO 4217 code. Default: `USD`.
    #[oai(validator(pattern = "^[A-Z]{3}$"))]
    currency: Option<String>,
    /// The e-mail address for notifications to the customer.
    #[oai(validator(max_length = 254))]
    email: Option<String>,
    /// The customer's telephone number.
    #[oai(validator(min_length = 1, max_length = 32))]
    phone: Option<String>,
    /// The delivery address.
    address: Option<NewAddress>,
    /// The shipping priority. Default: `standard`.
    priority: Option<Word<Priority>>,
}

/// A line of an order.
#[derive(Object)]
struct NewLine {
    /// The product.
    product_id: ProductIdInput,
    /// Number of units.
    #[oai(validator(minimum(value = "1"), maximum(value = "1000000")))]
    quantity: u32,
    /// The price of one unit.
    unit_price: AmountInput,
    /// The currency of the price. Optional; it must be the currency of the order.
    #[oai(validator(pattern = "^[A-Z]{3}$"))]
    currency: Option<String>,
}

/// A delivery address.
#[derive(Object)]
struct NewAddress {
    /// Name of the recipient.
    #[oai(validator(min_length = 1, max_length = 200))]
    name: Option<String>,
    /// Street and number.
    #[oai(validator(min_length = 1, max_length = 200))]
    street: Option<String>,
    /// City.
    #[oai(validator(min_length = 1, max_length = 200))]
    city: Option<String>,
    /// Postal code. The simulated carrier refuses `TEST-UNDELIVERABLE`.
    #[oai(validator(min_length = 1, max_length = 200))]
    postal_code: Option<String>,
    /// Country, in free form.
    #[oai(validator(min_length = 1, max_length = 200))]
    country: Option<String>,
}
