//! Latencies in a histogram of constant size, and what is told of them.

use hdrhistogram::Histogram;
use serde::Serialize;

/// The longest latency that is told apart, in microseconds: an hour.
const MICROS_MAX: u64 = 3_600_000_000;
/// Significant digits.
const DIGITS: u8 = 3;

/// How long something took, many times over.
#[derive(Clone, Debug)]
pub struct Latencies(Histogram<u64>);

impl Default for Latencies {
    fn default() -> Self {
        let histogram = Histogram::new_with_bounds(1, MICROS_MAX, DIGITS);
        Self(histogram.expect("the bounds and the digits are allowed"))
    }
}

/// What is told of latencies, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Percentiles {
    /// How many there were.
    pub count: u64,
    /// Half took no longer.
    pub p50_ms: f64,
    /// 95 of 100 took no longer.
    pub p95_ms: f64,
    /// 99 of 100 took no longer.
    pub p99_ms: f64,
    /// 999 of 1,000 took no longer.
    pub p999_ms: f64,
    /// None took longer.
    pub max_ms: f64,
}

impl Latencies {
    /// One more, in microseconds.
    pub fn record(&mut self, micros: i64) {
        self.0.saturating_record(u64::try_from(micros).unwrap_or(0).max(1));
    }

    /// What is told of them.
    pub fn percentiles(&self) -> Percentiles {
        let ms = |micros: u64| micros as f64 / 1e3;
        let at = |share| ms(self.0.value_at_quantile(share));
        Percentiles {
            count: self.0.len(),
            p50_ms: at(0.5),
            p95_ms: at(0.95),
            p99_ms: at(0.99),
            p999_ms: at(0.999),
            max_ms: ms(self.0.max()),
        }
    }
}

impl FromIterator<i64> for Latencies {
    fn from_iter<I: IntoIterator<Item = i64>>(micros: I) -> Self {
        let mut latencies = Self::default();
        micros.into_iter().for_each(|micros| latencies.record(micros));
        latencies
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_all_that_was_recorded() {
        let told = Latencies::from_iter((1..=1_000).map(|ms| ms * 1_000)).percentiles();
        let near = |told: f64, ms: f64| (told - ms).abs() / ms < 0.002;
        assert!(near(told.p50_ms, 500.0) && near(told.p99_ms, 990.0), "{told:?}");
        assert!(near(told.p999_ms, 999.0) && near(told.max_ms, 1_000.0), "{told:?}");
        assert_eq!(told.count, 1_000);
        assert_eq!(Latencies::default().percentiles().max_ms, 0.0);
    }
}
