//! What the routes ask of the process.

use crate::access::Keys;
use crate::api::followers::Followers;
use crate::api::problem::Problem;
use crate::app::Services;
use crate::backup::Backups;
use crate::check::System;
use metrics_exporter_prometheus::PrometheusHandle;
use ordermill_actors::payment::{GatewayHealth, PaymentRequests};
use ordermill_actors::ports::{Broker, Health, Rpc};
use ordermill_actors::runtime::admission::Admission;
use ordermill_actors::runtime::consumer_handle::ConsumerHandle;
use ordermill_actors::runtime::dead_letters::DeadLetterService;
use ordermill_actors::runtime::tree::Tree;
use ordermill_domain::clock::World;
use ordermill_domain::payment::AcceptedPayments;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// What the process hands to the API.
pub struct Parts {
    /// The services of this process.
    pub services: Services,
    /// Whether the pages of the simulated gateway are served, where it runs.
    pub serves_simulated_pages: bool,
    /// The payments that new orders may ask for.
    pub payments: AcceptedPayments,
    /// Asks the payment service, wherever it runs.
    pub payment_requests: Arc<dyn PaymentRequests>,
    /// The gateways that do not accept our credentials.
    pub gateway_health: Arc<GatewayHealth>,
    /// What lives here.
    pub tree: Tree,
    /// Admission of new orders.
    pub admission: Arc<Admission>,
    /// The broker.
    pub broker: Arc<dyn Broker>,
    /// Questions to other processes.
    pub rpc: Arc<dyn Rpc>,
    /// The dead letters of the services of this process.
    pub dead_letters: Vec<DeadLetterService>,
    /// The consumers of this process.
    pub consumers: Vec<ConsumerHandle>,
    /// Takes backups; None: the data are on servers.
    pub backups: Option<Backups>,
    /// The metrics.
    pub metrics: PrometheusHandle,
    /// Time and ids.
    pub world: World,
    /// The API keys.
    pub keys: Arc<Keys>,
    /// How the system stands, for a reconciliation.
    pub system: Arc<dyn System>,
    /// Ends streams.
    pub stop: CancellationToken,
}

/// Everything that a route may need. Cheap to clone.
#[derive(Clone)]
pub struct State(Arc<Inner>);

struct Inner {
    parts: Parts,
    followers: Followers,
}

impl State {
    /// A state over its parts.
    pub fn new(parts: Parts, followers: Followers) -> Self {
        Self(Arc::new(Inner { parts, followers }))
    }

    /// Lets an order in, or says what is to blame that it is not taken.
    pub async fn admit(&self) -> Result<(), Problem> {
        self.admission.admit().await.map_err(|busy| {
            let problem = self.broker_problem();
            Problem::not_admitted(busy, problem, &self.admission.unconsumed_queues())
        })
    }

    /// The reason why the broker takes no messages, for people. None: it takes them.
    pub fn broker_problem(&self) -> Option<String> {
        match self.broker.health() {
            Health::Connected => None,
            Health::Blocked(why) => {
                Some(format!("the broker has blocked publishing (memory or disk alarm): {why}"))
            }
            Health::Away(why) => Some(format!("the broker is unavailable: {why}")),
        }
    }

    /// How the system stands.
    pub fn system(&self) -> &dyn System {
        &*self.system
    }

    /// Who follows an order.
    pub fn followers(&self) -> &Followers {
        &self.0.followers
    }
}

impl std::ops::Deref for State {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0.parts
    }
}
