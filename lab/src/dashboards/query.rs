//! Queries in PromQL, by what they ask rather than letter by letter.
//!
//! A value of the process is summed over processes; a global value is the same in each, so its maximum is taken
//! (`docs/METRICS.md`).

/// A query in PromQL. `$__rate_interval` is Grafana's: at least four scrapes.
#[derive(Clone, Debug)]
pub(super) struct Query(pub(super) String);

impl Query {
    /// A query as it is.
    pub(super) fn raw(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Zero where nothing has been counted yet, for what is zero when all is well.
    pub(super) fn or_zero(self) -> Self {
        Self(format!("{} or vector(0)", self.0))
    }

    /// The part of it that another query is of the whole.
    pub(super) fn divided_by(self, whole: &Self) -> Self {
        Self(format!("{} / {}", self.0, whole.0))
    }
}

/// How often per second a counter is counted up, by these labels.
pub(super) fn rate(selector: &str, by: &str) -> Query {
    sum(&format!("rate({selector}[$__rate_interval])"), by)
}

/// How often a counter was counted up within a time such as `15m`.
pub(super) fn increase(selector: &str, within: &str, by: &str) -> Query {
    sum(&format!("increase({selector}[{within}])"), by)
}

/// A gauge of the process, summed over processes.
pub(super) fn of_process(selector: &str, by: &str) -> Query {
    sum(selector, by)
}

/// A gauge that each process reports alike.
pub(super) fn global(selector: &str, by: &str) -> Query {
    Query(format!("max{} ({selector})", clause(by)))
}

/// The quantile of a histogram: `metric` without `_bucket`, and `matchers` without braces.
pub(super) fn quantile(quantile: f64, metric: &str, matchers: &str, by: &str) -> Query {
    let by = if by.is_empty() { "le".to_owned() } else { format!("le, {by}") };
    let selector = selector(&format!("{metric}_bucket"), matchers);
    let buckets = sum(&format!("rate({selector}[$__rate_interval])"), &by);
    Query(format!("histogram_quantile({quantile}, {})", buckets.0))
}

/// The mean of a histogram.
pub(super) fn mean(metric: &str, matchers: &str, by: &str) -> Query {
    let part = |suffix: &str| rate(&selector(&format!("{metric}_{suffix}"), matchers), by);
    part("sum").divided_by(&part("count"))
}

fn selector(metric: &str, matchers: &str) -> String {
    if matchers.is_empty() { metric.to_owned() } else { format!("{metric}{{{matchers}}}") }
}

fn sum(inner: &str, by: &str) -> Query {
    Query(format!("sum{} ({inner})", clause(by)))
}

fn clause(by: &str) -> String {
    if by.is_empty() { String::new() } else { format!(" by ({by})") }
}
