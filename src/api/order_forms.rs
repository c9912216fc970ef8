//! POST /orders, as the document describes its body. It is read by [`new_order`](super::new_order).

use crate::api::scalar::{AmountInput, CustomerIdInput, ProductIdInput};
use crate::api::word::Word;
use ordermill_actors::messages::Priority;
use poem_openapi::{Object, Union};

/// An order, in one of two forms: with its `items`, or the short form for one product.
#[derive(Union)]
#[oai(one_of)]
pub enum NewOrder {
    Items(OrderOfItems),
    Product(OrderOfOneProduct),
}

/// An order of one or more products.
#[derive(Object)]
pub struct OrderOfItems {
    /// Who buys.
    customer_id: CustomerIdInput,
    /// The same customer by the name of the short form. It may be left out; it is refused where it differs.
    user_id: Option<CustomerIdInput>,
    /// What is bought, each product once.
    #[oai(validator(min_items = 1, max_items = 100))]
    items: Vec<NewLine>,
    #[oai(flatten)]
    terms: OrderTerms,
}

/// The short form: an order of one product, for a total.
#[derive(Object)]
pub struct OrderOfOneProduct {
    /// Who buys.
    user_id: CustomerIdInput,
    /// The same customer by the name of the long form. It may be left out; it is refused where it differs.
    customer_id: Option<CustomerIdInput>,
    /// What is bought.
    product_id: ProductIdInput,
    /// How many units.
    #[oai(validator(minimum(value = "1"), maximum(value = "1000000")))]
    quantity: u32,
    /// What it costs in all.
    total_amount: AmountInput,
    #[oai(flatten)]
    terms: OrderTerms,
}

/// What both forms may say.
#[derive(Object)]
struct OrderTerms {
    /// How it is paid; `credit_card` when it is left out. The server has a list of the methods that it
    /// takes (`ORDERMILL_PAYMENT_METHODS`); by default: `credit_card`, `card`, `paypal`, `bank_transfer`,
    /// `ewallet`, `gopay`, and the simulated gateway's `test_declined`, `test_timeout_charged`,
    /// `test_timeout_uncharged`, `test_slow` and `test_refund_fails`. Any other is refused with 422.
    payment_method: Option<String>,
    /// The currency of every amount, as an active code of ISO 4217; `USD` when it is left out.
    #[oai(validator(pattern = "^[A-Z]{3}$"))]
    currency: Option<String>,
    /// The customer is told by e-mail at this address.
    #[oai(validator(max_length = 254))]
    email: Option<String>,
    /// The customer's telephone number.
    #[oai(validator(min_length = 1, max_length = 32))]
    phone: Option<String>,
    /// Where the parcel goes.
    address: Option<NewAddress>,
    /// How fast the parcel is wanted; `standard` when it is left out.
    priority: Option<Word<Priority>>,
}

/// A line of an order.
#[derive(Object)]
struct NewLine {
    /// What is bought.
    product_id: ProductIdInput,
    /// How many units.
    #[oai(validator(minimum(value = "1"), maximum(value = "1000000")))]
    quantity: u32,
    /// The price of one unit.
    unit_price: AmountInput,
    /// The currency of the price. It may be left out; it is refused where it is not the order's.
    #[oai(validator(pattern = "^[A-Z]{3}$"))]
    currency: Option<String>,
}

/// Where a parcel goes.
#[derive(Object)]
struct NewAddress {
    /// The receiver's name.
    #[oai(validator(min_length = 1, max_length = 200))]
    name: Option<String>,
    /// Street and number.
    #[oai(validator(min_length = 1, max_length = 200))]
    street: Option<String>,
    /// Town.
    #[oai(validator(min_length = 1, max_length = 200))]
    city: Option<String>,
    /// Postal code. The simulated carrier refuses `TEST-UNDELIVERABLE`.
    #[oai(validator(min_length = 1, max_length = 200))]
    postal_code: Option<String>,
    /// Country, as the customer writes it.
    #[oai(validator(min_length = 1, max_length = 200))]
    country: Option<String>,
}
