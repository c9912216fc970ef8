//! The gateway: one request, the calls that it takes, and one answer.

use crate::client::{Answer, Call, Client, ClientError};
use crate::settings::MidtransSettings;
use crate::transaction::is_id;
use async_trait::async_trait;
use ordermill_actors::payment::PaymentGateway;
use ordermill_domain::clock::{Clock, Timestamp};
use ordermill_domain::payment::{GatewayError, GatewayPayment, GatewayRequest, Operation, Subject};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// How long after its end a page may still take a try: for clocks that differ, and for an answer that is under way.
const PAGE_OVER_AFTER: Duration = Duration::from_mins(2);

/// Midtrans Snap, asked over HTTP.
pub struct Midtrans {
    pub(crate) settings: MidtransSettings,
    client: Client,
    clock: Arc<dyn Clock>,
}

impl Midtrans {
    /// A gateway with these settings. Opens no connection.
    ///
    /// # Errors
    /// When there can be no HTTP client.
    pub fn new(settings: MidtransSettings, clock: Arc<dyn Clock>) -> Result<Self, ClientError> {
        let client = Client::new(&settings)?;
        Ok(Self { settings, client, clock })
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Midtrans' name of the order.
    pub(crate) fn name(&self, subject: &Subject) -> String {
        self.settings.order_prefix.name(subject.order_id)
    }

    /// True when the page that was asked for last takes no further try, for its time is over.
    pub(crate) fn is_page_over(&self, subject: &Subject) -> bool {
        subject.page_ends_at.is_some_and(|end| self.now() > end + PAGE_OVER_AFTER)
    }

    /// Asks the Snap API.
    pub(crate) async fn post_snap(
        &self,
        subject: &Subject,
        operation: &'static str,
        path: &str,
        body: Value,
    ) -> Result<Answer, GatewayError> {
        let url = self.settings.snap_url.join(path);
        let call = Call { operation, key: subject.key, url, body: Some(body), idempotency: None };
        self.client.call(call).await
    }

    /// Asks the Core API for the status of an order's name or of a transaction.
    pub(crate) async fn get_status(
        &self,
        subject: &Subject,
        id: &str,
    ) -> Result<Answer, GatewayError> {
        let url = self.settings.api_url.join(&format!("/v2/{id}/status"));
        let call =
            Call { operation: "status", key: subject.key, url, body: None, idempotency: None };
        self.client.call(call).await
    }

    /// Asks the Core API to do something.
    pub(crate) async fn post_api(
        &self,
        subject: &Subject,
        operation: &'static str,
        path: &str,
        body: Value,
        idempotency: Option<Uuid>,
    ) -> Result<Answer, GatewayError> {
        let url = self.settings.api_url.join(path);
        let call = Call { operation, key: subject.key, url, body: Some(body), idempotency };
        self.client.call(call).await
    }
}

/// References are kept in rows and stand in the paths of addresses: a malformed one must not become another path.
fn check_reference(subject: &Subject) -> Result<(), GatewayError> {
    let known = [&subject.reference.page, &subject.reference.payment];
    if known.into_iter().flatten().all(|id| is_id(id)) {
        return Ok(());
    }
    Err(GatewayError::Invalid("a reference that is known of the payment is malformed".into()))
}

#[async_trait]
impl PaymentGateway for Midtrans {
    async fn ask(&self, request: GatewayRequest) -> Result<GatewayPayment, GatewayError> {
        let subject = &request.subject;
        check_reference(subject)?;
        match &request.operation {
            Operation::Create(terms) => self.create(subject, *terms).await,
            Operation::Retrieve => self.retrieve(subject).await,
            Operation::Capture(part) => self.capture(subject, part).await,
            Operation::Cancel => self.cancel(subject).await,
            Operation::Refund(part) => self.refund(subject, part).await,
            Operation::Review(ruling) => self.review(subject, *ruling).await,
        }
    }
}
