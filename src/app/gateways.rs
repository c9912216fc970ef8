//! The payment gateways that this process asks, and the readers of their notifications.

use crate::config::GatewayConfig;
use anyhow::Context;
use ordermill_actors::payment::{GatewayHealth, Gateways, NotificationReaders};
use ordermill_domain::clock::World;
use ordermill_domain::payment::{NotificationReader, Provider};
use ordermill_midtrans::{Midtrans, MidtransReader};
use std::sync::Arc;

/// The gateways that are reached over HTTP: each that is set up, routed or not, since payments finish with the
/// gateway that they began with. The simulated gateway is a part of the payment service.
///
/// # Errors
/// When a client cannot be made.
pub fn gateways(
    config: &GatewayConfig,
    world: &World,
    health: Arc<GatewayHealth>,
) -> anyhow::Result<Gateways> {
    let gateways = Gateways::new(health);
    Ok(match &config.midtrans {
        None => gateways,
        Some(settings) => {
            let midtrans = Midtrans::new(settings.clone(), world.clock.clone());
            gateways.with(Provider::Midtrans, Arc::new(midtrans.context("Midtrans")?))
        }
    })
}

/// The readers of notifications of the same gateways.
pub fn readers(config: &GatewayConfig) -> NotificationReaders {
    let midtrans = config.midtrans.iter().map(|settings| {
        let reader: Arc<dyn NotificationReader> = Arc::new(MidtransReader::new(settings));
        (Provider::Midtrans, reader)
    });
    midtrans.collect()
}
