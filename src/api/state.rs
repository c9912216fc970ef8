//! What the routes ask of the process.

use crate::access::Keys;
use crate::api::followers::Followers;
use crate::api::problem::Problem;
use crate::app::Services;
use crate::backup::Backups;
use crate::check::System;
use crate::metrics::ServerMetrics;
use crate::telemetry::TraceStats;
use ordermill_actors::payment::{GatewayHealth, PaymentRequests};
use ordermill_actors::ports::{Broker, Health, Rpc};
use ordermill_actors::runtime::admission::{Admission, LAG_TARGET};
use ordermill_actors::runtime::consumer_handle::ConsumerHandle;
use ordermill_actors::runtime::dead_letters::DeadLetterService;
use ordermill_actors::runtime::journal::JournalHealth;
use ordermill_actors::runtime::relay::RelayBacklog;
use ordermill_actors::runtime::tree::Tree;
use ordermill_actors::traces::Tracer;
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
    /// The journals of this process.
    pub journals: Vec<Arc<JournalHealth>>,
    /// What the outboxes of this process have to say.
    pub backlogs: Vec<Arc<RelayBacklog>>,
    /// The consumers of this process.
    pub consumers: Vec<ConsumerHandle>,
    /// Takes backups; None: the data are on servers.
    pub backups: Option<Backups>,
    /// The metrics.
    pub metrics: Arc<ServerMetrics>,
    /// Where spans are recorded.
    pub tracer: Tracer,
    /// What became of them. None: none are recorded.
    pub trace_stats: Option<Arc<TraceStats>>,
    /// Time and ids.
    pub world: World,
    /// The API keys.
    pub keys: Arc<Keys>,
    /// How the system stands, for a reconciliation.
    pub system: Arc<dyn System>,
    /// Ends streams.
    pub stop: CancellationToken,
    /// The process was asked to stop, and is not ready any more.
    pub leaving: CancellationToken,
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

    /// What keeps the process from taking orders, for people. Empty: it is ready.
    pub fn missing(&self) -> Vec<String> {
        let mut missing = Vec::new();
        for (service, cause) in self.admission.down() {
            missing.push(format!("the {service} database is unavailable: {cause}"));
        }
        missing.extend(self.broker_problem());
        if self.leaving.is_cancelled() {
            missing.push("the process is shutting down".to_owned());
        }
        if self.admission.lag() >= LAG_TARGET {
            missing.push("overloaded: new orders are rejected".to_owned());
            missing.extend(self.admission.unconsumed_queues().iter().map(ToString::to_string));
        }
        missing
    }

    /// Event streams that are open: of orders, and of actors.
    pub fn streams(&self) -> usize {
        self.followers().open().len() + self.tree.lifecycle().listeners()
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
