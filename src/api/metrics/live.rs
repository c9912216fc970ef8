//! What is read of the process's own memory when the page is asked for.

use crate::api::state::State;
use crate::metrics::Page;
use crate::output::STDERR;
use ordermill_actors::ports::Health;
use std::sync::atomic::Ordering::Relaxed;

const fn bit(is_so: bool) -> f64 {
    if is_so { 1.0 } else { 0.0 }
}

/// Reads it all.
pub fn read(state: &State, page: &mut Page) {
    admission(state, page);
    services(state, page);
    consumers(state, page);
    broker(state, page);
    let help = "Event streams that are followed, of the process";
    page.gauge("ordermill_http_streams_open", help).set([], state.streams() as f64);
    let help = "1 when the process is ready to take orders: what GET /ready says";
    page.gauge("ordermill_ready", help).set([], bit(state.missing().is_empty()));
    if let Some(stats) = &state.trace_stats {
        let help = "Spans of sampled traces, by the process";
        let family = page.counter("ordermill_trace_spans", help);
        family.set([("outcome", "exported")], stats.exported.load(Relaxed) as f64);
        family.set([("outcome", "dropped")], stats.dropped.load(Relaxed) as f64);
    }
    let help = "Log lines that standard error did not take in time";
    page.counter("ordermill_log_lines_dropped", help).set([], STDERR.dropped() as f64);
}

fn admission(state: &State, page: &mut Page) {
    let help = "How far behind the process is, by what it comes from";
    let family = page.gauge("ordermill_admission_lag_seconds", help);
    for (source, lag) in state.admission.lags() {
        family.set([("source", source)], lag.as_secs_f64());
    }
    let help = "1 when a new order would be admitted now, by the process";
    page.gauge("ordermill_admission_open", help).set([], bit(state.admission.is_open()));
}

/// Journals and outboxes.
fn services(state: &State, page: &mut Page) {
    let help = "Changes that wait for a transaction, of the process";
    let family = page.gauge("ordermill_journal_pending_changes", help);
    for health in &state.journals {
        family.set([("service", health.service())], health.pending_changes() as f64);
    }
    let help = "1 when the service's database is available to the process";
    let family = page.gauge("ordermill_database_up", help);
    for health in &state.journals {
        family.set([("service", health.service())], bit(!health.is_down()));
    }
    let help = "Messages that are committed and not yet confirmed by the broker, of the process";
    let family = page.gauge("ordermill_outbox_pending_messages", help);
    for backlog in &state.backlogs {
        family.set([("service", backlog.service)], backlog.open() as f64);
    }
    let help =
        "Age of the oldest message under way to the broker, of the process; 0: there is none";
    let family = page.gauge("ordermill_outbox_oldest_seconds", help);
    for backlog in &state.backlogs {
        family.set([("service", backlog.service)], backlog.oldest().as_secs_f64());
    }
    let help = "Dead letters sent back to their queues by the process";
    let family = page.counter("ordermill_dead_letters_redriven", help);
    for letters in &state.dead_letters {
        family.set([("service", letters.service().as_str())], letters.redriven_count() as f64);
    }
    let help = "Dead letters discarded over the process";
    let family = page.counter("ordermill_dead_letters_discarded", help);
    for letters in &state.dead_letters {
        family.set([("service", letters.service().as_str())], letters.discarded_count() as f64);
    }
}

fn consumers(state: &State, page: &mut Page) {
    let help = "Deliveries that the process has received, a bundle as one, those that the broker gives up included";
    let family = page.counter("ordermill_consumer_deliveries", help);
    for consumer in &state.consumers {
        family.set([("queue", consumer.queue().as_str())], consumer.received() as f64);
    }
    let help = "Messages that the process has handled";
    let family = page.counter("ordermill_consumer_messages", help);
    for consumer in &state.consumers {
        for (outcome, messages) in consumer.outcomes() {
            let labels = [("queue", consumer.queue().as_str()), ("outcome", outcome)];
            family.set(labels, messages as f64);
        }
    }
    let help = "Deliveries received and not acknowledged, of the process";
    let family = page.gauge("ordermill_consumer_deliveries_in_flight", help);
    for consumer in &state.consumers {
        family.set([("queue", consumer.queue().as_str())], consumer.open() as f64);
    }
}

fn broker(state: &State, page: &mut Page) {
    let health = state.broker.health();
    let help = "1 when the process is connected to the broker";
    let is_away = matches!(health, Health::Away(_));
    page.gauge("ordermill_broker_connected", help).set([], bit(!is_away));
    let help = "1 when the broker refuses what the process publishes: a memory or disk alarm";
    let is_blocked = matches!(health, Health::Blocked(_));
    page.gauge("ordermill_broker_blocked", help).set([], bit(is_blocked));
    let traffic = state.broker.traffic();
    let help =
        "Connections to the broker that were opened after they had been lost, by the process";
    page.counter("ordermill_broker_reconnects", help).set([], traffic.reconnects as f64);
    let help = "Messages published and not yet confirmed by the broker, of the process";
    let family = page.gauge("ordermill_broker_unconfirmed_messages", help);
    family.set([], traffic.unconfirmed as f64);
}
