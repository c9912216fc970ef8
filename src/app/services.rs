//! The services that run in this process, as the API reaches them, and their settings.

use crate::config::Config;
use ordermill_actors::audit::AuditReads;
use ordermill_actors::gateway::{GatewayHandle, GatewayReads, NotificationListener};
use ordermill_actors::inventory::{InventoryReads, InventorySettings, Stock};
use ordermill_actors::notification::{Messengers, NotificationReads, Notifications};
use ordermill_actors::order::{OrderReads, OrderSettings, Orders};
use ordermill_actors::payment::{
    Gateways, NOTIFICATIONS_KEPT, NotificationLog, NotificationReaders, PaymentReads,
    PaymentRequests, PaymentSettings, RemotePaymentRequests,
};
use ordermill_actors::ports::Rpc;
use ordermill_actors::reconciliation::Sources;
use ordermill_actors::registry::{
    self, DirectLine, ServiceDatabases, ServiceSettings, WiredServices,
};
use ordermill_actors::runtime::service_builder::Process;
use ordermill_actors::runtime::supervisor::ChildSpec;
use ordermill_actors::shipping::ShipmentReads;
use ordermill_domain::gateway::GatewayPolicy;
use ordermill_domain::ids::ServiceName;
use ordermill_domain::order::SagaPolicy;
use ordermill_domain::payment::PaymentPolicy;
use ordermill_domain::shipping::ShippingPolicy;
use std::sync::Arc;
use thiserror::Error;

/// What was asked for needs a service that another process runs.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("the {0} service does not run in this process")]
pub struct ServiceNotLocal(pub ServiceName);

/// What the API asks of the order service.
pub struct OrderParts<'a> {
    /// Takes orders.
    pub orders: &'a Orders,
    /// Shows them.
    pub reads: &'a dyn OrderReads,
}

/// What the API asks of the inventory service.
pub struct InventoryParts<'a> {
    /// Sets stock.
    pub stock: &'a Stock,
    /// Shows it.
    pub reads: &'a dyn InventoryReads,
}

/// What the API asks of the payment service.
pub struct PaymentParts<'a> {
    /// Shows payments.
    pub reads: &'a dyn PaymentReads,
    /// Decides what people and gateways ask for.
    pub requests: &'a Arc<dyn PaymentRequests>,
    /// Shows the notifications of gateways.
    pub log: &'a dyn NotificationLog,
    /// Shows the simulated gateway's ledger.
    pub ledger: &'a dyn GatewayReads,
}

/// What the API asks of the notification service.
pub struct NotificationParts<'a> {
    /// Marks notifications.
    pub notifications: &'a Notifications,
    /// Shows them.
    pub reads: &'a dyn NotificationReads,
}

/// The services that run in this process, as the API reaches them.
pub struct Services {
    databases: ServiceDatabases,
    orders: Option<Orders>,
    stock: Option<Stock>,
    payments: Option<Arc<dyn PaymentRequests>>,
    notifications: Option<Notifications>,
    gateway: Option<GatewayHandle>,
    _listener: Option<NotificationListener>,
    sources: Sources,
}

fn local<T>(part: Option<T>, service: ServiceName) -> Result<T, ServiceNotLocal> {
    part.ok_or(ServiceNotLocal(service))
}

impl Services {
    /// The order service.
    pub fn order(&self) -> Result<OrderParts<'_>, ServiceNotLocal> {
        let parts = self.orders.as_ref().zip(self.databases.order.as_ref());
        let (orders, opened) = local(parts, ServiceName::Order)?;
        Ok(OrderParts { orders, reads: &*opened.reads })
    }

    /// The inventory service.
    pub fn inventory(&self) -> Result<InventoryParts<'_>, ServiceNotLocal> {
        let parts = self.stock.as_ref().zip(self.databases.inventory.as_ref());
        let (stock, opened) = local(parts, ServiceName::Inventory)?;
        Ok(InventoryParts { stock, reads: &*opened.reads })
    }

    /// The payment service.
    pub fn payment(&self) -> Result<PaymentParts<'_>, ServiceNotLocal> {
        let parts = self.databases.payment.as_ref().zip(self.databases.gateway.as_ref());
        let ((payment, gateway), requests) =
            local(parts.zip(self.payments.as_ref()), ServiceName::Payment)?;
        let reads = &*payment.reads;
        Ok(PaymentParts { reads, requests, log: reads, ledger: &*gateway.reads })
    }

    /// Asks the payment service: this process's own, or that of another one.
    pub fn payment_requests(&self, rpc: &Arc<dyn Rpc>) -> Arc<dyn PaymentRequests> {
        match &self.payments {
            Some(local) => local.clone(),
            None => Arc::new(RemotePaymentRequests::new(rpc.clone())),
        }
    }

    /// The simulated gateway. None: the payment service does not run in this process.
    pub fn simulated_gateway(&self) -> Option<&GatewayHandle> {
        self.gateway.as_ref()
    }

    /// The shipping service.
    pub fn shipping(&self) -> Result<&dyn ShipmentReads, ServiceNotLocal> {
        Ok(&*local(self.databases.shipping.as_ref(), ServiceName::Shipping)?.reads)
    }

    /// The notification service.
    pub fn notification(&self) -> Result<NotificationParts<'_>, ServiceNotLocal> {
        let parts = self.notifications.as_ref().zip(self.databases.notification.as_ref());
        let (notifications, opened) = local(parts, ServiceName::Notification)?;
        Ok(NotificationParts { notifications, reads: &*opened.reads })
    }

    /// The audit service.
    pub fn audit(&self) -> Result<&dyn AuditReads, ServiceNotLocal> {
        Ok(&*local(self.databases.audit.as_ref(), ServiceName::Audit)?.reads)
    }

    /// The records that reconciliation compares.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }
}

/// The payment gateways as this process reaches them.
pub struct Outside {
    /// Those that are reached over HTTP.
    pub gateways: Gateways,
    /// Read their notifications.
    pub readers: NotificationReaders,
    /// Base address of the simulated gateway's pages.
    pub pages_url: String,
}

/// Wires the services whose databases are open, in the order in which they start: what takes messages before what
/// sends them, so that little waits in between.
pub fn wire(
    process: &mut Process,
    databases: ServiceDatabases,
    config: &Config,
    messengers: Messengers,
    outside: Outside,
    alone: bool,
) -> (Services, Vec<ChildSpec>) {
    let settings = ServiceSettings {
        order: order_settings(config),
        inventory: InventorySettings { movements_kept: config.inventory.movements_kept },
        gateway: GatewayPolicy {
            failure_rate: config.payment.failure_rate,
            latency: config.payment.latency,
            pages_url: outside.pages_url.into(),
        },
        line: Box::new(DirectLine),
        payment: PaymentSettings {
            policy: PaymentPolicy {
                timeout: config.payment.timeout,
                window: config.gateways.payment_window,
                order_timeout: config.order.order_timeout,
                routes: config.gateways.routes.clone(),
                ..PaymentPolicy::default()
            },
            idle_after: config.idle_after,
            alone,
            gateways: outside.gateways,
            readers: outside.readers,
            notifications_kept: NOTIFICATIONS_KEPT,
        },
        shipping: ShippingPolicy {
            base_cost_hundredths: config.shipping.base_cost_hundredths,
            failure_rate: config.shipping.failure_rate,
        },
        messengers,
    };
    let start_order = ServiceName::ALL.iter().rev();
    let WiredServices {
        orders,
        stock,
        payments,
        notifications,
        gateway,
        listener: _listener,
        parts,
    } = registry::wire(process, &databases, start_order, &settings);
    let sources = databases.sources();
    (
        Services { databases, orders, stock, payments, notifications, gateway, _listener, sources },
        parts,
    )
}

fn order_settings(config: &Config) -> OrderSettings {
    OrderSettings {
        policy: SagaPolicy {
            step_timeout: config.order.step_timeout,
            order_timeout: config.order.order_timeout,
            compensation_timeout: config.order.compensation_timeout,
            dispatch_after: config.order.dispatch_after,
        },
        flow: config.order.flow,
        plan: config.order.plan,
        sweep_every: config.order.sweep_interval,
        idle_after: config.idle_after,
    }
}
