//! Which traces are sampled, by `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG`. Decided once, where an order is
//! accepted; all processes honour the flag that the order's messages carry.

use anyhow::bail;
use ordermill_actors::traces::SampledBy;

/// The sampler of new traces, and whether a client's decision goes before it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sampler {
    parent_based: bool,
    ratio: f64,
}

/// The names that `OTEL_TRACES_SAMPLER` may have.
const NAMES: &str = "`parentbased_always_on` (the default), `parentbased_always_off`, `parentbased_traceidratio`, \
     `always_on`, `always_off` or `traceidratio`";

impl Sampler {
    pub(super) fn from_env(variable: impl Fn(&str) -> Option<String>) -> anyhow::Result<Self> {
        let name = variable("OTEL_TRACES_SAMPLER");
        let name = name.as_deref().unwrap_or("parentbased_always_on");
        let (parent_based, root) = match name.strip_prefix("parentbased_") {
            Some(root) => (true, root),
            None => (false, name),
        };
        let ratio = match root {
            "always_on" => 1.0,
            "always_off" => 0.0,
            "traceidratio" => {
                let given = variable("OTEL_TRACES_SAMPLER_ARG").unwrap_or_else(|| "1".to_owned());
                match given.parse::<f64>() {
                    Ok(ratio) if (0.0..=1.0).contains(&ratio) => ratio,
                    _ => bail!(
                        "OTEL_TRACES_SAMPLER_ARG=`{given}` must be a number from 0 to 1, such as 0.05"
                    ),
                }
            }
            _ => bail!("OTEL_TRACES_SAMPLER=`{name}` is unknown; expected {NAMES}"),
        };
        Ok(Self { parent_based, ratio })
    }

    pub(super) fn samples(self, trace: SampledBy) -> bool {
        let random = match trace {
            SampledBy::Client(client) if self.parent_based => return client.sampled,
            // As other SDKs do it, so that all of them take the same traces.
            SampledBy::Client(client) => client.trace_id as u64,
            // Of our own ids only the last 32 bits are random: before them are time, version, variant and a counter.
            SampledBy::OwnId(id) => u64::from(id.as_u128() as u32) << 32,
        };
        self.ratio >= 1.0 || ((random >> 1) as f64) < self.ratio * (1_u64 << 63) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ordermill_domain::messages::TraceContext;

    fn sampler(name: &str, ratio: &str) -> anyhow::Result<Sampler> {
        Sampler::from_env(|variable| {
            let value = if variable.ends_with("ARG") { ratio } else { name };
            Some(value.to_owned()).filter(|value| !value.is_empty())
        })
    }

    fn client(trace_id: u128, sampled: bool) -> SampledBy {
        SampledBy::Client(TraceContext { trace_id, span_id: 1, sampled, random: false })
    }

    #[test]
    fn a_share_of_our_own_ids_is_sampled() {
        let world = crate::app::world::real();
        const IDS: usize = 100_000;
        for (ratio, share) in [("0.05", 0.05), ("0.5", 0.5), ("0", 0.0), ("1", 1.0)] {
            let sampler = sampler("parentbased_traceidratio", ratio).unwrap();
            let sampled = (0..IDS).filter(|_| sampler.samples(SampledBy::OwnId(world.new_id())));
            // Six standard deviations.
            let (count, expected) = (sampled.count() as f64, share * IDS as f64);
            let tolerance = 6.0 * (expected * (1.0 - share)).sqrt();
            assert!((count - expected).abs() <= tolerance, "{ratio}: {count} of {IDS}");
        }
    }

    #[test]
    fn ids_of_one_moment_are_decided_apart() {
        let world = crate::app::world::real();
        let sampler = sampler("parentbased_traceidratio", "0.5").unwrap();
        let decided: Vec<_> =
            (0..10_000).map(|_| sampler.samples(SampledBy::OwnId(world.new_id()))).collect();
        let changes = decided.windows(2).filter(|pair| pair[0] != pair[1]).count();
        assert!((4_500..5_500).contains(&changes), "{changes} changes among 10,000");
    }

    #[test]
    fn a_clients_decision_stands_where_the_sampler_is_parent_based() {
        for name in ["", "parentbased_always_on", "parentbased_always_off"] {
            let sampler = sampler(name, "").unwrap();
            assert!(sampler.samples(client(1, true)), "{name}");
            assert!(!sampler.samples(client(1, false)), "{name}");
        }
        assert!(sampler("always_on", "").unwrap().samples(client(1, false)));
        assert!(!sampler("always_off", "").unwrap().samples(client(1, true)));
        let half = sampler("traceidratio", "0.5").unwrap();
        assert!(half.samples(client(0x7fff_ffff_0000_0000, false)));
        assert!(!half.samples(client(0x8000_0000_0000_0000, true)));
    }

    #[test]
    fn a_wrong_setting_is_explained() {
        let error = sampler("sometimes", "").unwrap_err().to_string();
        assert!(error.contains("parentbased_traceidratio"), "{error}");
        for ratio in ["5%", "1.5", "-1", "NaN"] {
            let error = sampler("traceidratio", ratio).unwrap_err().to_string();
            assert!(error.contains("from 0 to 1"), "{error}");
        }
    }
}
