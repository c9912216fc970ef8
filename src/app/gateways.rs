//! The payment gateways that this process asks, and the readers of their notifications.

use crate::config::GatewayConfig;
use anyhow::Context;
use ordermill_actors::payment::PaymentGateway;
use ordermill_domain::clock::World;
use ordermill_domain::payment::{NotificationReader, Provider};
use ordermill_midtrans::{Midtrans, MidtransReader};
use std::collections::HashMap;
use std::sync::Arc;

/// The gateways that are reached over HTTP: each that is set up, routed or not, since payments finish with the
/// gateway that they began with. The simulated gateway is a part of the payment service.
pub fn gateways(
    config: &GatewayConfig,
    world: &World,
) -> anyhow::Result<HashMap<Provider, Arc<dyn PaymentGateway>>> {
    let mut gateways: HashMap<_, Arc<dyn PaymentGateway>> = HashMap::new();
    if let Some(settings) = &config.midtrans {
        let midtrans = Midtrans::new(settings.clone(), world.clock.clone());
        gateways.insert(Provider::Midtrans, Arc::new(midtrans.context("Midtrans")?));
    }
    Ok(gateways)
}

/// The readers of notifications of the same gateways.
pub fn readers(config: &GatewayConfig) -> HashMap<Provider, Arc<dyn NotificationReader>> {
    let midtrans = config.midtrans.iter().map(|settings| {
        let reader: Arc<dyn NotificationReader> = Arc::new(MidtransReader::new(settings));
        (Provider::Midtrans, reader)
    });
    midtrans.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::world;
    use ordermill_midtrans::{Environment, MidtransSettings, ServerKey};

    #[test]
    fn a_gateway_that_is_set_up_is_asked_and_read() {
        let none = GatewayConfig::default();
        assert!(gateways(&none, &world::real()).unwrap().is_empty() && readers(&none).is_empty());
        let key = ServerKey::parse("SB-Mid-server-test").unwrap();
        let midtrans = Some(MidtransSettings::new(Environment::Sandbox, key));
        let config = GatewayConfig { midtrans, ..GatewayConfig::default() };
        assert!(gateways(&config, &world::real()).unwrap().contains_key(&Provider::Midtrans));
        assert!(readers(&config).contains_key(&Provider::Midtrans));
    }
}
