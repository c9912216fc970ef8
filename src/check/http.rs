//! The records as running servers give them, over HTTP.

use super::checker::{ORDERS_PAGE, Scope, System, SystemState};
use crate::api::reconciliation::Kind;
use crate::key_arg::KeyArg;
use crate::print;
use async_trait::async_trait;
use ordermill_actors::ports::ReadError;
use ordermill_actors::reconciliation::{OrderRecords, ProductRecords, Sources};
use ordermill_client::{Client, Error, Overview};
use ordermill_domain::ids::{OrderId, ProductId};
use ordermill_domain::reconciliation::{PaymentRecord, ProductRecord, Record, Span};
use serde::de::DeserializeOwned;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

/// How often a question is asked that was not answered: a server may be busy, or its database away.
const TRIES: u32 = 5;
/// How long it is waited in between.
const PAUSE: Duration = Duration::from_secs(1);

/// Servers of one shop. Cheap to clone.
#[derive(Clone)]
pub struct Remote {
    servers: Arc<Vec<(Client, Overview)>>,
}

impl Remote {
    /// Asks each server what it can say.
    ///
    /// # Errors
    /// When one does not answer.
    pub async fn open(urls: &[String], key: &KeyArg) -> anyhow::Result<Self> {
        let mut servers = Vec::new();
        for url in urls {
            let server = key.client(url);
            let overview = server.overview().await?;
            servers.push((server, overview));
        }
        Ok(Self { servers: Arc::new(servers) })
    }

    /// What they can say.
    pub fn sources(&self) -> Sources {
        Sources {
            order: self.records(Kind::Orders),
            reservation: self.records(Kind::Reservations),
            payment: self.records(Kind::Payments),
            ledger: self.records(Kind::Ledger),
            shipment: self.records(Kind::Shipments),
            audit: self.records(Kind::Audit),
            notifications: self.records(Kind::Notifications),
            products: self
                .server_of(Kind::Products)
                .map(|server| Arc::new(Of(server, Kind::Products)) as _),
        }
    }

    fn records<T: DeserializeOwned + Send + 'static>(
        &self,
        kind: Kind,
    ) -> Option<Arc<dyn OrderRecords<T>>> {
        self.server_of(kind).map(|server| Arc::new(Of(server, kind)) as _)
    }

    fn server_of(&self, kind: Kind) -> Option<Client> {
        let has = |overview: &Overview| overview.records.iter().any(|of| of == kind.as_str());
        let mut servers = self.servers.iter();
        servers.find(|(_, overview)| has(overview)).map(|(server, _)| server.clone())
    }

    /// The payments of the orders in scope.
    ///
    /// # Errors
    /// When a server does not answer.
    pub async fn payments(&self, scope: &Scope) -> anyhow::Result<Vec<PaymentRecord>> {
        let Some(payments) = self.sources().payment else { return Ok(Vec::new()) };
        let Some(mut span) = scope.span(None) else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        loop {
            let page = payments.records(span).await?;
            let (count, last) = (page.len(), page.last().map(|record| record.order_id));
            let covered = page.into_iter().filter(|record| scope.covers(record.order_id));
            found.extend(covered.filter_map(|record| record.says.ok()));
            match last.filter(|_| count >= ORDERS_PAGE as usize) {
                Some(last) => span.after = last,
                None => return Ok(found),
            }
        }
    }

    /// Has these orders restated.
    ///
    /// # Errors
    /// When no server runs the order service, or it does not answer.
    pub async fn restate(&self, orders: Vec<OrderId>) -> anyhow::Result<()> {
        let server = self.server_of(Kind::Orders);
        let server = server
            .ok_or_else(|| anyhow::anyhow!("none of the given servers runs the order service"))?;
        let orders: Vec<_> = orders.iter().map(|order| order.0).collect();
        Ok(server.republish(&orders).await?)
    }
}

#[async_trait]
impl System for Remote {
    async fn state(&self) -> Result<SystemState, ReadError> {
        let mut state: Option<SystemState> = None;
        for (server, _) in self.servers.iter() {
            let overview = repeated(|| server.overview()).await?;
            let lag = Duration::from_millis(overview.lag_ms);
            state = Some(match state {
                // The earliest clock, and the longest lag.
                Some(other) => {
                    SystemState { now: overview.now.min(other.now), lag: lag.max(other.lag) }
                }
                None => SystemState { now: overview.now, lag },
            });
        }
        state.ok_or_else(|| ReadError::Away("no server is given".to_owned()))
    }
}

/// One kind of record at a server.
struct Of(Client, Kind);

impl Of {
    async fn read<T: DeserializeOwned>(&self, query: &[(&str, &str)]) -> Result<Vec<T>, ReadError> {
        repeated(|| self.0.records(self.1.as_str(), query)).await
    }
}

#[async_trait]
impl<T: DeserializeOwned + Send + 'static> OrderRecords<T> for Of {
    async fn records(&self, span: Span) -> Result<Vec<Record<T>>, ReadError> {
        let [after, until] = [span.after, span.until].map(|order| order.to_string());
        let limit = span.limit.min(ORDERS_PAGE).to_string();
        self.read(&[("after", &after), ("until", &until), ("limit", &limit)]).await
    }
}

#[async_trait]
impl ProductRecords for Of {
    async fn products(
        &self,
        after: Option<&ProductId>,
        limit: u32,
    ) -> Result<Vec<ProductRecord>, ReadError> {
        let limit = limit.to_string();
        let mut query = vec![("limit", limit.as_str())];
        query.extend(after.map(|product| ("after", product.as_str())));
        self.read(&query).await
    }
}

/// Asks a few times.
async fn repeated<T, F: Future<Output = Result<T, Error>>>(
    ask: impl Fn() -> F,
) -> Result<T, ReadError> {
    let mut tries = 0;
    loop {
        tries += 1;
        match ask().await {
            Ok(answer) => return Ok(answer),
            Err(error) if tries == TRIES || !error.may_pass() => {
                return Err(ReadError::Away(print::told(&error.into())));
            }
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}
