//! /orders/…/refunds: money that goes back while the order goes on.

use crate::api::body::{Fields, Raw};
use crate::api::decimal::Decimal;
use crate::api::group::Group;
use crate::api::limits::{LINES_MAX, REASON_MAX};
use crate::api::orders::{id, idempotency_key};
use crate::api::problem::{FieldError, Problem};
use crate::api::scalar::{AmountInput, Count, ProductIdInput};
use crate::api::state::State;
use crate::api::time::Time;
use crate::api::validate;
use crate::api::word::Word;
use ordermill_actors::order::AskError;
use ordermill_domain::ids::{OrderId, ProductId};
use ordermill_domain::messages::StockLine;
use ordermill_domain::money::{Currency, Money};
use ordermill_domain::order::{OrderStatus, Saga, SagaStatus};
use ordermill_domain::payment::{
    PaymentRequest, Refund, RefundRequest, RefundStatus, RefundWhat, RequestRefused,
};
use poem_openapi::param::{Header, Path};
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object, OpenApi};
use serde::Deserialize;
use std::collections::HashSet;
use uuid::Uuid;

/// A refund: exactly one of `lines`, `amount` and `rest`.
#[derive(Object, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewRefund {
    /// Units of order lines, at their price. Each product may appear once.
    #[oai(validator(min_items = 1, max_items = 100))]
    lines: Option<Vec<Fields<NewRefundLine>>>,
    /// An amount in the currency of the order.
    amount: Option<AmountInput>,
    /// `true`: everything that is not refunded yet.
    rest: Option<bool>,
    /// The reason, recorded with the refund and sent to the payment gateway.
    #[oai(validator(min_length = 1, max_length = 200))]
    reason: Option<String>,
}

/// Units of an order line to refund.
#[derive(Object, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewRefundLine {
    /// The product.
    product_id: ProductIdInput,
    /// Number of units.
    #[oai(validator(minimum(value = "1"), maximum(value = "1000000")))]
    quantity: Count<u32>,
}

/// Refunded units of an order line.
#[derive(Object)]
pub struct RefundLineView {
    /// The product.
    product_id: String,
    /// Number of units.
    quantity: u32,
}

/// A refund of an order.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
pub struct RefundView {
    /// The refund. A repeated request with the same `Idempotency-Key` has the same.
    refund_id: Uuid,
    /// The order.
    order_id: Uuid,
    /// The status.
    status: Word<RefundStatus>,
    /// The amount.
    amount: Decimal,
    /// The currency of the amount, an ISO 4217 code.
    currency: String,
    /// The units that are refunded, if the request named lines.
    lines: Option<Vec<RefundLineView>>,
    /// The reason, if the request named one.
    reason: Option<String>,
    /// Why the payment gateway refused it, if it did.
    refused: Option<String>,
    /// When it was requested.
    asked_at: Time,
    /// When it came to its status.
    changed_at: Time,
}

impl RefundView {
    /// A refund of an order, whose amounts are in this currency.
    pub fn of(order: OrderId, currency: Currency, refund: Refund) -> Self {
        let lines = match refund.what {
            RefundWhat::Lines(lines) => Some(lines),
            RefundWhat::Amount(_) | RefundWhat::Rest => None,
        };
        let line = |line: StockLine| RefundLineView {
            product_id: line.product_id.to_string(),
            quantity: line.quantity,
        };
        Self {
            refund_id: refund.refund_id,
            order_id: order.0,
            status: refund.status.into(),
            amount: Decimal(Money { minor: refund.amount_minor, currency }),
            currency: currency.to_string(),
            lines: lines.map(|lines| lines.into_iter().map(line).collect()),
            reason: Some(refund.reason).filter(|reason| !reason.is_empty()),
            refused: refund.refused,
            asked_at: refund.asked_at.into(),
            changed_at: refund.changed_at.into(),
        }
    }
}

/// The refunds of an order, oldest first.
#[derive(Object)]
struct RefundList {
    /// The refunds.
    refunds: Vec<RefundView>,
}

/// A refund that is taken.
#[derive(ApiResponse)]
enum Asked {
    /// Accepted: the payment gateway is asked for it.
    #[oai(status = 202)]
    Accepted(Json<RefundView>),
}

/// The routes.
pub struct RefundsApi(pub State);

#[OpenApi(tag = "Group::Orders")]
impl RefundsApi {
    /// Refund a part of an order
    ///
    /// The order goes on, and its stock does not come back. Possible once the order is `CONFIRMED`;
    /// before, cancel it instead. Never more is refunded than was paid, and of no line more units
    /// than were ordered. `Idempotency-Key` is required: a repeated request is the same refund.
    #[oai(path = "/orders/:order_id/refunds", method = "post")]
    async fn refund(
        &self,
        request: &poem::Request,
        order_id: Path<String>,
        body: Raw<NewRefund>,
        /// A key that identifies this refund: 1 to 255 visible ASCII characters. Required.
        #[oai(name = "Idempotency-Key")]
        _key: Header<Option<String>>,
    ) -> Result<Asked, Problem> {
        let key = idempotency_key(request)?.ok_or_else(|| {
            Problem::bad_parameter("Idempotency-Key", "is missing: a refund must not be made twice")
        })?;
        let order = id(&order_id.0)?;
        let asked = body.parse()?;
        let saga = self.order(order).await?;
        let what = check(&asked, &saga)?;
        let refund_id = RefundRequest::id_of(order, &key);
        if let Some(conflict) = conflict(&saga) {
            // A repeated request is answered as the first, whatever became of the order since.
            let earlier = self.0.payment_requests.refunds(order).await?;
            if !earlier.iter().any(|refund| refund.refund_id == refund_id) {
                return Err(conflict);
            }
        }
        let ordered = saga.details.lines.clone();
        let reason = asked.reason.unwrap_or_default();
        let request = RefundRequest { refund_id, what, ordered, reason };
        let request = PaymentRequest::Refund(request);
        let refund = self.0.payment_requests.request(order, request).await?;
        // Every refund that is taken is answered with it.
        let refund = refund.ok_or(AskError::Unavailable)?;
        Ok(Asked::Accepted(Json(RefundView::of(order, saga.details.currency, refund))))
    }

    /// List the refunds of an order
    ///
    /// Oldest first. `ASKED`: the payment gateway has not answered yet; `PENDING`: the gateway took
    /// it, the bank has not confirmed it; `DONE`; `REFUSED`: the gateway does not refund in this way.
    #[oai(path = "/orders/:order_id/refunds", method = "get")]
    async fn refunds(&self, order_id: Path<String>) -> Result<Json<RefundList>, Problem> {
        let order = id(&order_id.0)?;
        let currency = self.order(order).await?.details.currency;
        let refunds = self.0.payment_requests.refunds(order).await?;
        let refunds = refunds.into_iter().map(|refund| RefundView::of(order, currency, refund));
        Ok(Json(RefundList { refunds: refunds.collect() }))
    }
}

impl RefundsApi {
    async fn order(&self, order: OrderId) -> Result<Saga, Problem> {
        let saga = self.0.services.order()?.reads.order(order).await?;
        Ok(saga.ok_or(AskError::NotFound)?)
    }
}

/// Why an order has no refunds as it stands; None: it may have.
fn conflict(saga: &Saga) -> Option<Problem> {
    let status = saga.status();
    let goes_on = matches!(saga.saga_status(), SagaStatus::InProgress | SagaStatus::Completed);
    let is_confirmed =
        matches!(status, OrderStatus::Confirmed | OrderStatus::Shipped | OrderStatus::Completed);
    let word = status.as_str();
    if !goes_on {
        let detail =
            format!("the order is {word} and is being cancelled: its payment goes back as a whole");
        return Some(Problem::conflict(detail));
    }
    (!is_confirmed).then(|| {
        Problem::conflict(format!("the order is {word} and not yet confirmed; cancel it instead"))
    })
}

/// Checks a refund whole: every field at fault is named.
fn check(asked: &NewRefund, saga: &Saga) -> Result<RefundWhat, Problem> {
    let mut errors = Vec::new();
    if let Some(reason) = &asked.reason {
        validate::text(&mut errors, "reason", reason, REASON_MAX);
    }
    let what = match (&asked.lines, &asked.amount, asked.rest) {
        (Some(lines), None, None) => lines_of(&mut errors, lines, saga).map(RefundWhat::Lines),
        (None, Some(amount), None) => match amount.more_than_nothing(saga.details.currency) {
            Ok(minor) => Some(RefundWhat::Amount(minor)),
            Err(fault) => {
                errors.push(FieldError::new("amount", fault));
                None
            }
        },
        (None, None, Some(true)) => Some(RefundWhat::Rest),
        (None, None, Some(false)) => {
            errors.push(FieldError::new("rest", "must be true, or left out"));
            None
        }
        (None, None, None) => {
            errors.push(FieldError::new("lines", "is missing; expected lines, amount or rest"));
            None
        }
        _ => {
            let names = [
                ("lines", asked.lines.is_some()),
                ("amount", asked.amount.is_some()),
                ("rest", asked.rest.is_some()),
            ];
            let given = names.into_iter().filter(|(_, given)| *given);
            let message = "cannot be combined; expected exactly one of lines, amount and rest";
            errors.extend(given.map(|(name, _)| FieldError::new(name, message)));
            None
        }
    };
    what.filter(|_| errors.is_empty()).ok_or_else(|| Problem::faulty("refund", errors))
}

/// The units of each line. That they are not refunded already is decided by the payment service.
fn lines_of(
    errors: &mut Vec<FieldError>,
    lines: &[Fields<NewRefundLine>],
    saga: &Saga,
) -> Option<Vec<StockLine>> {
    if !(1..=LINES_MAX).contains(&lines.len()) {
        errors.push(FieldError::new("lines", format!("must have 1 to {LINES_MAX} entries")));
        return None;
    }
    let mut seen = HashSet::new();
    let mut taken = Vec::with_capacity(lines.len());
    for (index, Fields(line)) in lines.iter().enumerate() {
        let product_id = ProductId::from(line.product_id.0.as_str());
        let ordered = saga.details.lines.iter().find(|known| known.product_id == product_id);
        let mut fault = |field: &str, message: String| {
            errors.push(FieldError::new(format!("lines[{index}].{field}"), message));
        };
        let Some(ordered) = ordered else {
            fault("product_id", "is not a product of the order".to_owned());
            continue;
        };
        if !seen.insert(product_id.clone()) {
            fault("product_id", "is a duplicate of an earlier line".to_owned());
        }
        let most = ordered.quantity;
        match line.quantity.whole().filter(|quantity| (1..=most).contains(quantity)) {
            Some(quantity) => taken.push(StockLine { product_id, quantity }),
            None => fault("quantity", format!("must be an integer from 1 to {most}, as ordered")),
        }
    }
    Some(taken)
}

/// What the payment service says of a request of an order that exists.
pub fn refused(refused: RequestRefused) -> Problem {
    match refused {
        // The order is known: its payment is not begun.
        RequestRefused::NotFound => Problem::conflict(refused.to_string()),
        RequestRefused::Conflict(detail) => Problem::conflict(detail),
        RequestRefused::Invalid { field, text } => {
            Problem::faulty("request", vec![FieldError::new(field, text)])
        }
    }
}
