//! Which gateways are stopped because they do not accept our credentials.

use ordermill_domain::payment::Provider;
use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard};

/// Which gateways are stopped because they do not accept our credentials: what asks them notes it here, and `/ready`
/// names them.
#[derive(Debug, Default)]
pub struct GatewayHealth(Mutex<BTreeSet<Provider>>);

impl GatewayHealth {
    /// A gateway does not accept our credentials. True: it did until now.
    pub fn misconfigured(&self, provider: Provider) -> bool {
        self.stopped().insert(provider)
    }

    /// A gateway has answered. True: it did not accept our credentials until now.
    pub fn answered(&self, provider: Provider) -> bool {
        self.stopped().remove(&provider)
    }

    /// The gateways that do not accept our credentials.
    pub fn stopped_providers(&self) -> Vec<Provider> {
        self.stopped().iter().copied().collect()
    }

    fn stopped(&self) -> MutexGuard<'_, BTreeSet<Provider>> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_is_stopped_until_it_answers() {
        let health = GatewayHealth::default();
        assert!(health.misconfigured(Provider::Midtrans));
        assert!(!health.misconfigured(Provider::Midtrans), "it is known already");
        assert_eq!(health.stopped_providers(), [Provider::Midtrans]);
        assert!(!health.answered(Provider::Simulated));
        assert!(health.answered(Provider::Midtrans));
        assert!(health.stopped_providers().is_empty());
    }
}
