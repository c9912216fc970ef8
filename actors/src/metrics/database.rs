//! What is timed of reads of databases. Commits are timed by journals.

use super::{Histograms, ServiceLabel, short};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::time::Duration;

/// The families of all databases.
#[derive(Clone, Debug)]
pub struct DatabaseFamilies {
    wait: Histograms<ServiceLabel>,
    read: Histograms<ServiceLabel>,
    failed: Family<ServiceLabel, Counter>,
    in_flight: Family<ServiceLabel, Gauge>,
}

impl Default for DatabaseFamilies {
    fn default() -> Self {
        let short = short as fn() -> Histogram;
        Self {
            wait: Family::new_with_constructor(short),
            read: Family::new_with_constructor(short),
            failed: Family::default(),
            in_flight: Family::default(),
        }
    }
}

impl DatabaseFamilies {
    pub(super) fn register(&self, registry: &mut Registry) {
        let help = "Time that a read waited for a session; SQLite: in the time of the read";
        registry.register("ordermill_database_wait_seconds", help, self.wait.clone());
        let help = "Duration of a read of a database";
        registry.register("ordermill_database_read_seconds", help, self.read.clone());
        let help = "Reads that the database did not answer, to the process";
        registry.register("ordermill_database_read_failures", help, self.failed.clone());
        let help = "Reads that have a session, of the process";
        registry.register("ordermill_database_reads_in_flight", help, self.in_flight.clone());
    }

    /// Those of a service's database.
    pub fn of(&self, service: &'static str) -> DatabaseMetrics {
        let label = ServiceLabel { service };
        DatabaseMetrics {
            wait: self.wait.get_or_create_owned(&label),
            read: self.read.get_or_create_owned(&label),
            failed: self.failed.get_or_create_owned(&label),
            in_flight: self.in_flight.get_or_create_owned(&label),
        }
    }
}

/// What is timed of one database.
#[derive(Clone, Debug)]
pub struct DatabaseMetrics {
    wait: Histogram,
    read: Histogram,
    failed: Counter,
    in_flight: Gauge,
}

/// Not shown by anybody.
impl Default for DatabaseMetrics {
    fn default() -> Self {
        DatabaseFamilies::default().of("unnamed")
    }
}

impl DatabaseMetrics {
    /// A read has waited so long for its session.
    pub fn waited(&self, wait: Duration) {
        self.wait.observe(wait.as_secs_f64());
    }

    /// Times a read.
    pub async fn read<T, E>(&self, read: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        let begun = tokio::time::Instant::now();
        self.in_flight.inc();
        let answer = read.await;
        self.in_flight.dec();
        self.read.observe(begun.elapsed().as_secs_f64());
        if answer.is_err() {
            self.failed.inc();
        }
        answer
    }

    /// A read was given up before it had a session.
    pub fn gave_up(&self) {
        self.failed.inc();
    }
}
