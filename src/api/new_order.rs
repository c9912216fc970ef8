//! POST /orders: both forms of the request, read strictly and checked whole.

use crate::api::body::Fields;
use crate::api::problem::{FieldError, Problem};
use crate::api::scalar::{Amount, Count, Id};
use crate::api::{limits, validate};
use ordermill_domain::ids::ProductId;
use ordermill_domain::messages::{Address, Contact, Line, OrderDetails, Priority};
use ordermill_domain::money::{AMOUNT_MAX_MINOR, Currency};
use ordermill_domain::payment::PaymentMethods;
use serde::Deserialize;
use std::collections::HashSet;

/// The method of an order that names none.
fn credit_card() -> String {
    "credit_card".to_owned()
}

/// The request as it is read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    customer_id: Option<Id>,
    payment_method: Option<String>,
    currency: Option<String>,
    items: Option<Vec<Fields<Item>>>,
    user_id: Option<Id>,
    product_id: Option<Id>,
    quantity: Option<Count>,
    total_amount: Option<Amount>,
    email: Option<String>,
    phone: Option<String>,
    address: Option<Fields<AddressRequest>>,
    priority: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Item {
    product_id: Id,
    quantity: Count,
    unit_price: Amount,
    /// Only to say that all lines share the order's.
    currency: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AddressRequest {
    name: Option<String>,
    street: Option<String>,
    city: Option<String>,
    postal_code: Option<String>,
    country: Option<String>,
}

/// Checks the request whole: every field at fault is named.
pub fn check(request: Request, methods: &PaymentMethods) -> Result<OrderDetails, Problem> {
    let mut errors = Vec::new();
    let details = Checker { errors: &mut errors, methods, currency: Currency::USD }.order(request);
    match details {
        Some(details) if errors.is_empty() => Ok(details),
        _ => Err(Problem::faulty("order", errors)),
    }
}

struct Checker<'a> {
    errors: &'a mut Vec<FieldError>,
    methods: &'a PaymentMethods,
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

    fn order(&mut self, request: Request) -> Option<OrderDetails> {
        if let Some(code) = &request.currency {
            match Currency::parse(code) {
                Ok(currency) => self.currency = currency,
                Err(error) => self.fault("currency", error.to_string()),
            }
        }
        let short = request.items.is_none()
            && (request.product_id.is_some() || request.total_amount.is_some());
        let customer_id = self.buyer(request.customer_id.clone(), request.user_id.clone());
        let payment_method = self.payment_method(request.payment_method.clone());
        let lines = if short {
            self.short_line(request.product_id, request.quantity, request.total_amount)
        } else {
            self.no_short_form(&request);
            self.lines(request.items)
        };
        let total_minor = self.total(&lines);
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
            priority: self.priority(request.priority.as_deref()),
        })
    }

    /// One that is on the list. What is refused is not quoted: it may be the number of a card.
    fn payment_method(&mut self, method: Option<String>) -> String {
        let is_missing = method.is_none();
        let method = method.unwrap_or_else(credit_card);
        if !self.methods.takes(&method) {
            let what = if is_missing { "is missing" } else { "is not accepted" };
            self.fault("payment_method", format!("{what}; accepted: {}", self.methods));
        }
        method
    }

    /// Who buys, by either name; both may be there when they say the same.
    fn buyer(&mut self, customer: Option<Id>, user: Option<Id>) -> String {
        let (customer, user) = (customer.map(Id::into_text), user.map(Id::into_text));
        let (field, id) = match (customer, user) {
            (Some(customer), Some(user)) if customer != user => {
                self.fault("user_id", "differs from customer_id; send only one of them");
                return customer;
            }
            (Some(id), _) => ("customer_id", id),
            (None, Some(id)) => ("user_id", id),
            (None, None) => {
                self.fault("customer_id", "is missing");
                return String::new();
            }
        };
        self.identifier(field, &id, limits::CUSTOMER_ID_MAX);
        id
    }

    fn no_short_form(&mut self, request: &Request) {
        let short = [
            ("product_id", request.product_id.is_some()),
            ("quantity", request.quantity.is_some()),
            ("total_amount", request.total_amount.is_some()),
        ];
        for (field, given) in short {
            if given {
                self.fault(
                    field,
                    "is only valid in the single-product form; it cannot be combined with items",
                );
            }
        }
    }

    fn lines(&mut self, items: Option<Vec<Fields<Item>>>) -> Vec<Line> {
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
            let product_id = item.product_id.into_text();
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
        product: Option<Id>,
        quantity: Option<Count>,
        total: Option<Amount>,
    ) -> Vec<Line> {
        let product_id = product.map(Id::into_text);
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

    fn quantity(&mut self, field: String, quantity: &Count) -> Option<u32> {
        let taken = quantity.whole().and_then(|quantity| u32::try_from(quantity).ok());
        let taken = taken.filter(|quantity| (1..=Line::QUANTITY_MAX).contains(quantity));
        if taken.is_none() {
            self.fault(field, format!("must be an integer from 1 to {}", Line::QUANTITY_MAX));
        }
        taken
    }

    /// An amount over 0.
    fn price(&mut self, field: &str, amount: &Amount) -> Option<i64> {
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

    fn email(&mut self, email: Option<String>) -> Option<String> {
        let email = email?;
        // It names somebody, as an identifier does.
        self.identifier("email", &email, limits::EMAIL_MAX);
        if email.parse::<lettre::Address>().is_err() {
            self.fault("email", "must be an e-mail address");
        }
        Some(email)
    }

    fn address(&mut self, address: AddressRequest) -> Address {
        let AddressRequest { name, street, city, postal_code, country } = address;
        let max = limits::ADDRESS_MAX;
        Address {
            name: self.optional("address.name", name, max),
            street: self.optional("address.street", street, max),
            city: self.optional("address.city", city, max),
            postal_code: self.optional("address.postal_code", postal_code, max),
            country: self.optional("address.country", country, max),
        }
    }

    fn priority(&mut self, name: Option<&str>) -> Priority {
        let Some(name) = name else { return Priority::default() };
        Priority::parse(name).unwrap_or_else(|| {
            let names: Vec<_> = Priority::ALL.iter().map(|priority| priority.as_str()).collect();
            self.fault("priority", format!("must be {}", names.join(" or ")));
            Priority::default()
        })
    }
}
