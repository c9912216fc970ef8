//! POST /orders: the request in both forms, read strictly and checked whole.

use crate::api::body::Fields;
use crate::api::problem::{FieldError, Problem};
use crate::api::scalar::{AmountInput, Count, CustomerIdInput, ProductIdInput};
use crate::api::word::Word;
use crate::api::{limits, validate};
use ordermill_domain::ids::ProductId;
use ordermill_domain::messages::{Address, Contact, Line, OrderDetails, Priority};
use ordermill_domain::money::{AMOUNT_MAX_MINOR, Currency, Money};
use ordermill_domain::payment::{AcceptedPayments, Provider};
use poem_openapi::Object;
use serde::Deserialize;
use std::collections::HashSet;

/// The payment method of an order that names none.
const DEFAULT_METHOD: &str = "credit_card";

/// An order in one of two forms: with `items`, or the single-product form.
#[derive(Object, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewOrder {
    /// The customer. If `user_id` is sent as well, both must have the same value.
    customer_id: Option<CustomerIdInput>,
    /// An alias of `customer_id`. If both are sent, they must have the same value.
    user_id: Option<CustomerIdInput>,
    /// The order lines. Each product may appear once.
    #[oai(validator(min_items = 1, max_items = 100))]
    items: Option<Vec<Fields<NewLine>>>,
    /// The product.
    product_id: Option<ProductIdInput>,
    /// Number of units.
    #[oai(validator(minimum(value = "1"), maximum(value = "1000000")))]
    quantity: Option<Count<u32>>,
    /// The total amount.
    total_amount: Option<AmountInput>,
    /// The payment method. Default: `credit_card`. `ORDERMILL_PAYMENT_METHODS` lists the accepted
    /// methods. By default these are `credit_card`, `card`, `paypal`, `bank_transfer`, `ewallet`,
    /// `gopay`, and the test methods of the simulated gateway: `test_declined`,
    /// `test_timeout_charged`, `test_timeout_uncharged`, `test_slow`, `test_refund_fails`,
    /// `test_redirect`, `test_redirect_silent`, `test_redirect_late`, `test_review` and
    /// `test_refund_by_hand`. A
    /// currency that Midtrans takes has its methods instead: `credit_card`, `gopay`, `shopeepay`,
    /// `qris`, `bank_transfer`, `echannel` and `cstore`; the last three only if stock is reserved
    /// before the payment. Other methods are rejected with 422.
    payment_method: Option<String>,
    /// The currency of all amounts, an active ISO 4217 code that has a payment gateway
    /// (`ORDERMILL_GATEWAYS`). Default: `USD`.
    #[oai(validator(pattern = "^[A-Z]{3}$"))]
    currency: Option<String>,
    /// The e-mail address for notifications to the customer.
    #[oai(validator(max_length = 254))]
    email: Option<String>,
    /// The customer's telephone number.
    #[oai(validator(min_length = 1, max_length = 32))]
    phone: Option<String>,
    /// The delivery address.
    address: Option<Fields<NewAddress>>,
    /// The shipping priority. Default: `standard`.
    priority: Option<Word<Priority>>,
}

/// A form of a request: all members of its schema except some, of which some are required.
pub struct Form {
    /// The name of the form's own schema.
    pub name: &'static str,
    /// Its description.
    pub about: &'static str,
    /// The members that it must have.
    pub required: &'static [&'static str],
    /// The members that it cannot have.
    pub without: &'static [&'static str],
}

/// The forms of [`NewOrder`] in the document. [`Checker`] checks the same, so that an absent field is reported
/// together with all other faults.
pub const FORMS: [Form; 2] = [
    Form {
        name: "OrderOfItems",
        about: "An order of one or more products.",
        required: &["customer_id", "items"],
        without: &ONE_PRODUCT,
    },
    Form {
        name: "OrderOfOneProduct",
        about: "The single-product form: one product and a total amount.",
        required: &["user_id", "product_id", "quantity", "total_amount"],
        without: &["items"],
    },
];

/// The fields of the single-product form only.
const ONE_PRODUCT: [&str; 3] = ["product_id", "quantity", "total_amount"];

/// A line of an order.
#[derive(Object, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewLine {
    /// The product.
    product_id: ProductIdInput,
    /// Number of units.
    #[oai(validator(minimum(value = "1"), maximum(value = "1000000")))]
    quantity: Count<u32>,
    /// The price of one unit.
    unit_price: AmountInput,
    /// The currency of the price. Optional; it must be the currency of the order.
    #[oai(validator(pattern = "^[A-Z]{3}$"))]
    currency: Option<String>,
}

/// A delivery address.
#[derive(Object, Deserialize)]
#[serde(deny_unknown_fields)]
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

/// Checks the request whole: every field at fault is named.
pub fn check(request: NewOrder, payments: &AcceptedPayments) -> Result<OrderDetails, Problem> {
    let mut errors = Vec::new();
    let details = Checker { errors: &mut errors, payments, currency: Currency::USD }.order(request);
    match details {
        Some(details) if errors.is_empty() => Ok(details),
        _ => Err(Problem::faulty("order", errors)),
    }
}

struct Checker<'a> {
    errors: &'a mut Vec<FieldError>,
    payments: &'a AcceptedPayments,
    currency: Currency,
}

impl Checker<'_> {
    fn fault(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.errors.push(FieldError::new(field, message));
    }

    fn identifier(&mut self, field: &str, id: &str, max: usize) {
        validate::identifier(self.errors, field, id, max);
    }

    fn text(&mut self, field: &str, text: &str, max: usize) {
        validate::text(self.errors, field, text, max);
    }

    fn optional(&mut self, field: &str, text: Option<String>, max: usize) -> Option<String> {
        if let Some(text) = &text {
            self.text(field, text, max);
        }
        text
    }

    fn order(&mut self, request: NewOrder) -> Option<OrderDetails> {
        if let Some(code) = &request.currency {
            match Currency::parse(code) {
                Ok(currency) => self.currency = currency,
                Err(error) => self.fault("currency", error.to_string()),
            }
        }
        if let Some(fault) = self.payments.currency_fault(self.currency) {
            self.fault("currency", fault);
        }
        let short = request.items.is_none()
            && (request.product_id.is_some() || request.total_amount.is_some());
        let customer_id = self.buyer(&request);
        let payment_method = self.payment_method(&request);
        let lines = if short {
            self.short_line(request.product_id, request.quantity, request.total_amount)
        } else {
            self.no_short_form(&request);
            self.lines(request.items)
        };
        let total_minor = self.total(&lines);
        self.moveable(&lines, short);
        let email = self.email(request.email);
        Some(OrderDetails {
            customer_id,
            payment_method,
            currency: self.currency,
            lines,
            total_minor,
            contact: Contact {
                email,
                phone: self.optional("phone", request.phone, limits::PHONE_MAX),
            },
            address: request.address.map(|address| self.address(address.0)),
            priority: self.priority(request.priority.as_ref()),
        })
    }

    /// One that is on the list. What is refused is not quoted: it may be the number of a card.
    fn payment_method(&mut self, request: &NewOrder) -> String {
        let method = request.payment_method.as_deref();
        // A currency without a gateway is a fault of its own.
        let provider = self.payments.routes.provider(self.currency);
        let refused =
            |provider: &Provider| !self.payments.takes(*provider, method.unwrap_or(DEFAULT_METHOD));
        if let Some(provider) = provider.filter(refused) {
            let what = if method.is_none() { "is missing" } else { "is not accepted" };
            let accepted = self.payments.methods(provider);
            self.fault("payment_method", format!("{what}; accepted: {accepted}"));
        }
        method.unwrap_or(DEFAULT_METHOD).to_owned()
    }

    /// The customer by either name. Both may be sent if they are equal.
    fn buyer(&mut self, request: &NewOrder) -> String {
        let customer = request.customer_id.as_ref().map(|id| ("customer_id", &id.0));
        let user = request.user_id.as_ref().map(|id| ("user_id", &id.0));
        let Some((field, id)) = customer.or(user) else {
            self.fault("customer_id", "is missing");
            return String::new();
        };
        if user.is_some_and(|(_, user)| user != id) {
            self.fault("user_id", "differs from customer_id; send only one of them");
        } else {
            self.identifier(field, id, limits::CUSTOMER_ID_MAX);
        }
        id.clone()
    }

    fn no_short_form(&mut self, request: &NewOrder) {
        let NewOrder { product_id, quantity, total_amount, .. } = request;
        let given = [product_id.is_some(), quantity.is_some(), total_amount.is_some()];
        for (field, _) in ONE_PRODUCT.into_iter().zip(given).filter(|(_, given)| *given) {
            self.fault(
                field,
                "is only valid in the single-product form; it cannot be combined with items",
            );
        }
    }

    fn lines(&mut self, items: Option<Vec<Fields<NewLine>>>) -> Vec<Line> {
        let Some(items) = items else {
            self.fault("items", "is missing");
            return Vec::new();
        };
        if items.is_empty() || items.len() > limits::LINES_MAX {
            self.fault("items", format!("must have 1 to {} lines", limits::LINES_MAX));
            return Vec::new();
        }
        let mut seen = HashSet::new();
        let mut lines = Vec::with_capacity(items.len());
        for (index, Fields(item)) in items.into_iter().enumerate() {
            let field = |name: &str| format!("items[{index}].{name}");
            let product_id = item.product_id.0;
            self.identifier(&field("product_id"), &product_id, limits::PRODUCT_ID_MAX);
            if !seen.insert(product_id.clone()) {
                self.fault(
                    field("product_id"),
                    "is a duplicate of an earlier line; combine the quantities",
                );
            }
            if item.currency.is_some_and(|currency| currency != self.currency.code()) {
                let message = format!("must be the currency of the order, {}", self.currency);
                self.fault(field("currency"), message);
            }
            let quantity = self.quantity(field("quantity"), &item.quantity);
            let price = self.price(&field("unit_price"), &item.unit_price);
            let (Some(quantity), Some(price)) = (quantity, price) else { continue };
            // A price is below 10^15 and a quantity at most 10^6: the product may pass an i64.
            match price.checked_mul(i64::from(quantity)).filter(|sum| *sum <= AMOUNT_MAX_MINOR) {
                Some(amount_minor) => lines.push(Line {
                    product_id: ProductId::from(product_id.as_str()),
                    quantity,
                    unit_price_minor: Some(price),
                    amount_minor,
                }),
                None => {
                    self.fault(field("unit_price"), "times quantity exceeds the maximum amount")
                }
            }
        }
        lines
    }

    fn short_line(
        &mut self,
        product: Option<ProductIdInput>,
        quantity: Option<Count<u32>>,
        total: Option<AmountInput>,
    ) -> Vec<Line> {
        let product_id = product.map(|product| product.0);
        match &product_id {
            Some(id) => self.identifier("product_id", id, limits::PRODUCT_ID_MAX),
            None => self.fault("product_id", "is missing"),
        }
        let quantity = match quantity {
            Some(quantity) => self.quantity("quantity".to_owned(), &quantity),
            None => {
                self.fault("quantity", "is missing");
                None
            }
        };
        let amount = match total {
            Some(total) => self.price("total_amount", &total),
            None => {
                self.fault("total_amount", "is missing");
                None
            }
        };
        match (product_id, quantity, amount) {
            (Some(product_id), Some(quantity), Some(amount_minor)) => vec![Line {
                product_id: ProductId::from(product_id.as_str()),
                quantity,
                unit_price_minor: None,
                amount_minor,
            }],
            _ => Vec::new(),
        }
    }

    fn quantity(&mut self, field: String, quantity: &Count<u32>) -> Option<u32> {
        let taken = quantity.whole().filter(|quantity| (1..=Line::QUANTITY_MAX).contains(quantity));
        if taken.is_none() {
            self.fault(field, format!("must be an integer from 1 to {}", Line::QUANTITY_MAX));
        }
        taken
    }

    /// An amount over 0.
    fn price(&mut self, field: &str, amount: &AmountInput) -> Option<i64> {
        match amount.more_than_nothing(self.currency) {
            Ok(minor) => Some(minor),
            Err(fault) => {
                self.fault(field, fault);
                None
            }
        }
    }

    fn total(&mut self, lines: &[Line]) -> i64 {
        let total = lines.iter().try_fold(0_i64, |sum, line| sum.checked_add(line.amount_minor));
        total.filter(|total| *total <= AMOUNT_MAX_MINOR).unwrap_or_else(|| {
            self.fault("items", "have a total that exceeds the maximum amount");
            0
        })
    }

    /// Names the lines whose amounts the gateway cannot move: each may be refunded alone. Where another field is at
    /// fault, it is not known which lines there are.
    fn moveable(&mut self, lines: &[Line], short: bool) {
        if !self.errors.is_empty() {
            return;
        }
        let currency = self.currency;
        let fault =
            |line: &Line| self.payments.amount_fault(Money { minor: line.amount_minor, currency });
        let faults: Vec<_> = lines.iter().map(fault).collect();
        for (index, fault) in faults.into_iter().enumerate() {
            let field = || format!("items[{index}].unit_price");
            if let Some(fault) = fault {
                self.fault(if short { "total_amount".to_owned() } else { field() }, fault);
            }
        }
    }

    fn email(&mut self, email: Option<String>) -> Option<String> {
        let email = email?;
        // It names somebody, as an identifier does.
        self.identifier("email", &email, limits::EMAIL_MAX);
        if email.parse::<lettre::Address>().is_err() {
            self.fault("email", "must be an e-mail address");
        }
        Some(email)
    }

    fn address(&mut self, address: NewAddress) -> Address {
        let NewAddress { name, street, city, postal_code, country } = address;
        let max = limits::ADDRESS_MAX;
        Address {
            name: self.optional("address.name", name, max),
            street: self.optional("address.street", street, max),
            city: self.optional("address.city", city, max),
            postal_code: self.optional("address.postal_code", postal_code, max),
            country: self.optional("address.country", country, max),
        }
    }

    fn priority(&mut self, word: Option<&Word<Priority>>) -> Priority {
        let Some(word) = word else { return Priority::default() };
        Priority::parse(word.as_str()).unwrap_or_else(|| {
            let names: Vec<_> = Priority::ALL.iter().map(|priority| priority.as_str()).collect();
            self.fault("priority", format!("must be {}", names.join(" or ")));
            Priority::default()
        })
    }
}
