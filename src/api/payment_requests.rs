//! /admin/payments: what a person decides about a payment.

use crate::api::body::Raw;
use crate::api::group::Group;
use crate::api::limits::{NOTE_MAX, NOTE_MIN};
use crate::api::orders::id;
use crate::api::problem::{FieldError, Problem};
use crate::api::refunds::refused;
use crate::api::state::State;
use crate::api::validate;
use ordermill_actors::payment::RequestError;
use ordermill_domain::ids::OrderId;
use ordermill_domain::payment::{PaymentRequest, RequestRefused, Ruling};
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Enum, Object, OpenApi};
use serde::Deserialize;
use std::time::Duration;
use uuid::Uuid;

/// When it is worth another try after the payment service was away.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// What was done by hand.
#[derive(Clone, Copy, Deserialize, Enum)]
#[oai(rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
enum Done {
    /// The customer has the money back.
    Refund,
}

/// A refund that a person made.
#[derive(Object, Deserialize)]
#[serde(deny_unknown_fields)]
struct ByHand {
    /// `refund`: the customer has the money back.
    done: Done,
    /// How and when it was done, with the number of the transfer: the only evidence.
    #[oai(validator(min_length = 8, max_length = 200))]
    note: String,
}

/// Whether a payment is accepted.
#[derive(Clone, Copy, Deserialize, Enum)]
#[oai(rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
enum RulingWord {
    /// The money counts, and the order goes on.
    Accept,
    /// The money is released, and the order is cancelled.
    Deny,
}

/// A ruling on a payment in review.
#[derive(Object, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewRuling {
    /// `accept`: the money counts; `deny`: it is released, and the order is cancelled.
    ruling: RulingWord,
}

/// A payment of which something is asked.
#[derive(Object)]
struct AskedPayment {
    /// The order of the payment.
    order_id: Uuid,
}

/// What was asked of a payment.
#[derive(ApiResponse)]
enum Acknowledged {
    /// Accepted: it is recorded, and will be done.
    #[oai(status = 202)]
    Accepted(Json<AskedPayment>),
}

/// The routes.
pub struct PaymentRequestsApi(pub State);

#[OpenApi(tag = "Group::Admin")]
impl PaymentRequestsApi {
    /// Record a refund made by hand
    ///
    /// For a payment with the attention `refund_by_hand`: its gateway cannot refund it. Closes the
    /// matter for good, and continues the cancellation of the order.
    #[oai(path = "/admin/payments/:order_id/by-hand", method = "post")]
    async fn by_hand(
        &self,
        order_id: Path<String>,
        body: Raw<ByHand>,
    ) -> Result<Acknowledged, Problem> {
        let order = id(&order_id.0)?;
        let ByHand { done: Done::Refund, note } = body.parse()?;
        let mut errors = Vec::new();
        validate::text(&mut errors, "note", &note, NOTE_MAX);
        if errors.is_empty() && note.trim().chars().count() < NOTE_MIN {
            let message = format!("must have {NOTE_MIN} to {NOTE_MAX} characters");
            errors.push(FieldError::new("note", message));
        }
        if !errors.is_empty() {
            return Err(Problem::faulty("request", errors));
        }
        self.ask(order, PaymentRequest::RefundedByHand { note }).await
    }

    /// Rule on a payment in review
    ///
    /// The gateway has the money and doubts the customer: nothing goes on before somebody accepts
    /// or denies it, here or in the gateway's dashboard.
    #[oai(path = "/admin/payments/:order_id/review", method = "post")]
    async fn review(
        &self,
        order_id: Path<String>,
        body: Raw<NewRuling>,
    ) -> Result<Acknowledged, Problem> {
        let order = id(&order_id.0)?;
        let ruling = match body.parse()?.ruling {
            RulingWord::Accept => Ruling::Accept,
            RulingWord::Deny => Ruling::Deny,
        };
        self.ask(order, PaymentRequest::Review(ruling)).await
    }
}

impl PaymentRequestsApi {
    async fn ask(&self, order: OrderId, request: PaymentRequest) -> Result<Acknowledged, Problem> {
        match self.0.payment_requests.request(order, request).await {
            Ok(_) => Ok(Acknowledged::Accepted(Json(AskedPayment { order_id: order.0 }))),
            // Whether there is such an order is not known here.
            Err(RequestError::Refused(RequestRefused::NotFound)) => {
                Err(Problem::not_found("there is no payment of this order"))
            }
            Err(error) => Err(error.into()),
        }
    }
}

impl From<RequestError> for Problem {
    fn from(error: RequestError) -> Self {
        match error {
            RequestError::Refused(why) => refused(why),
            RequestError::Unavailable => {
                Self::unavailable(format!("{error}; retry later"), RETRY_AFTER)
            }
        }
    }
}
