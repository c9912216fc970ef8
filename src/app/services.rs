//! Wires the services that run in this process to their databases.

use crate::app::boot::Boot;
use crate::app::databases::{
    AuditDatabase, Databases, GatewayDatabase, InventoryDatabase, NotificationDatabase, Opened,
    OrderDatabase, PaymentDatabase, ShippingDatabase,
};
use crate::config::Config;
use ordermill_actors::audit::AuditReads;
use ordermill_actors::gateway::GatewayReads;
use ordermill_actors::inventory::{InventoryReads, Stock};
use ordermill_actors::notification::{Messengers, NotificationReads, Notifications};
use ordermill_actors::order::{OrderReads, Orders, SagaObserver};
use ordermill_actors::payment::PaymentReads;
use ordermill_actors::ports::{Outbox, ReadError};
use ordermill_actors::reconciliation::Sources;
use ordermill_actors::runtime::service_builder::Process;
use ordermill_actors::runtime::supervisor::ChildSpec;
use ordermill_actors::services::{self, InventorySettings, OrderSettings};
use ordermill_actors::shipping::ShipmentReads;
use ordermill_domain::audit::AuditService;
use ordermill_domain::clock::Timestamp;
use ordermill_domain::gateway::{GatewayPolicy, SimulatedGateway};
use ordermill_domain::ids::{OrderId, ServiceName};
use ordermill_domain::inventory::Inventory;
use ordermill_domain::notification::NotificationService;
use ordermill_domain::order::{Order, SagaPolicy};
use ordermill_domain::outbox::OutboxRow;
use ordermill_domain::payment::{PaymentPolicy, PaymentService};
use ordermill_domain::shipping::{Shipping, ShippingPolicy};
use std::collections::BTreeSet;
use std::sync::Arc;
use thiserror::Error;
use uuid::Uuid;

/// What was asked for needs a service that another process runs.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("the {0} service does not run in this process")]
pub struct ServiceNotLocal(pub ServiceName);

/// What the API asks of the order service.
pub struct OrderParts {
    /// Takes orders.
    pub orders: Orders,
    /// Shows them.
    pub reads: Arc<dyn OrderReads>,
}

/// What the API asks of the inventory service.
pub struct InventoryParts {
    /// Sets stock.
    pub stock: Stock,
    /// Shows it.
    pub reads: Arc<dyn InventoryReads>,
}

/// What the API asks of the payment service.
pub struct PaymentParts {
    /// Shows payments.
    pub reads: Arc<dyn PaymentReads>,
    /// Shows the simulated gateway's ledger.
    pub ledger: Arc<dyn GatewayReads>,
}

/// What the API asks of the notification service.
pub struct NotificationParts {
    /// Marks notifications.
    pub notifications: Notifications,
    /// Shows them.
    pub reads: Arc<dyn NotificationReads>,
}

/// What the API asks of the services that run in this process.
#[derive(Default)]
pub struct Services {
    order: Option<OrderParts>,
    inventory: Option<InventoryParts>,
    payment: Option<PaymentParts>,
    shipping: Option<Arc<dyn ShipmentReads>>,
    notification: Option<NotificationParts>,
    audit: Option<Arc<dyn AuditReads>>,
    sources: Sources,
}

impl Services {
    /// The order service.
    pub fn order(&self) -> Result<&OrderParts, ServiceNotLocal> {
        self.order.as_ref().ok_or(ServiceNotLocal(ServiceName::Order))
    }

    /// The inventory service.
    pub fn inventory(&self) -> Result<&InventoryParts, ServiceNotLocal> {
        self.inventory.as_ref().ok_or(ServiceNotLocal(ServiceName::Inventory))
    }

    /// The payment service.
    pub fn payment(&self) -> Result<&PaymentParts, ServiceNotLocal> {
        self.payment.as_ref().ok_or(ServiceNotLocal(ServiceName::Payment))
    }

    /// The shipping service.
    pub fn shipping(&self) -> Result<&dyn ShipmentReads, ServiceNotLocal> {
        self.shipping.as_deref().ok_or(ServiceNotLocal(ServiceName::Shipping))
    }

    /// The notification service.
    pub fn notification(&self) -> Result<&NotificationParts, ServiceNotLocal> {
        self.notification.as_ref().ok_or(ServiceNotLocal(ServiceName::Notification))
    }

    /// The audit service.
    pub fn audit(&self) -> Result<&dyn AuditReads, ServiceNotLocal> {
        self.audit.as_deref().ok_or(ServiceNotLocal(ServiceName::Audit))
    }

    /// What reconciliation compares.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }
}

/// The databases of the services that run here.
#[derive(Default)]
pub struct Stores {
    order: Option<Opened<Order, dyn OrderDatabase>>,
    inventory: Option<Opened<Inventory, dyn InventoryDatabase>>,
    payment: Option<PaymentStores>,
    shipping: Option<Opened<Shipping, dyn ShippingDatabase>>,
    notification: Option<Opened<NotificationService, dyn NotificationDatabase>>,
    audit: Option<Opened<AuditService, dyn AuditDatabase>>,
}

struct PaymentStores {
    payment: Opened<PaymentService, dyn PaymentDatabase>,
    ledger: Opened<SimulatedGateway, dyn GatewayDatabase>,
}

impl Stores {
    /// Opens them, each brought up to date.
    pub async fn open(config: &Config, databases: &Databases, boot: &Boot) -> anyhow::Result<Self> {
        let mut stores = Self::default();
        for service in &config.services {
            match service {
                ServiceName::Order => stores.order = Some(databases.order(boot).await?),
                ServiceName::Inventory => stores.inventory = Some(databases.inventory(boot).await?),
                ServiceName::Payment => {
                    let ledger = databases.gateway(boot).await?;
                    let payment = databases.payment(boot).await?;
                    stores.payment = Some(PaymentStores { payment, ledger });
                }
                ServiceName::Shipping => stores.shipping = Some(databases.shipping(boot).await?),
                ServiceName::Notification => {
                    stores.notification = Some(databases.notification(boot).await?);
                }
                ServiceName::Audit => stores.audit = Some(databases.audit(boot).await?),
            }
        }
        Ok(stores)
    }

    /// The identities of their databases, by service.
    pub fn identities(&self) -> Vec<(ServiceName, Uuid)> {
        let Self { order, inventory, payment, shipping, notification, audit } = self;
        let identities = [
            (ServiceName::Order, order.as_ref().and_then(|opened| opened.identity)),
            (ServiceName::Inventory, inventory.as_ref().and_then(|opened| opened.identity)),
            (ServiceName::Payment, payment.as_ref().and_then(|opened| opened.payment.identity)),
            (ServiceName::Shipping, shipping.as_ref().and_then(|opened| opened.identity)),
            (ServiceName::Notification, notification.as_ref().and_then(|opened| opened.identity)),
            (ServiceName::Audit, audit.as_ref().and_then(|opened| opened.identity)),
        ];
        let known = |(service, identity): (_, Option<Uuid>)| Some((service, identity?));
        identities.into_iter().filter_map(known).collect()
    }

    /// What reconciliation compares of them.
    pub fn sources(&self) -> Sources {
        let Self { order, inventory, payment, shipping, notification, audit } = self;
        let inventory = inventory.as_ref().map(|opened| opened.reads.clone());
        let payment = payment.as_ref();
        Sources {
            order: order.as_ref().map(|opened| opened.reads.clone() as _),
            reservation: inventory.clone().map(|reads| reads as _),
            payment: payment.map(|stores| stores.payment.reads.clone() as _),
            ledger: payment.map(|stores| stores.ledger.reads.clone() as _),
            shipment: shipping.as_ref().map(|opened| opened.reads.clone() as _),
            audit: audit.as_ref().map(|opened| opened.reads.clone() as _),
            notifications: notification.as_ref().map(|opened| opened.reads.clone() as _),
            products: inventory.map(|reads| reads as _),
        }
    }

    /// The orders of which messages wait to be sent.
    ///
    /// # Errors
    /// When an outbox cannot be read.
    pub async fn pending(&self) -> Result<BTreeSet<OrderId>, ReadError> {
        let Self { order, inventory, payment, shipping, notification, audit } = self;
        let mut outboxes: Vec<&dyn Outbox> = Vec::new();
        outboxes.extend(order.as_ref().map(|opened| &*opened.store as &dyn Outbox));
        outboxes.extend(inventory.as_ref().map(|opened| &*opened.store as &dyn Outbox));
        outboxes.extend(payment.as_ref().map(|stores| &*stores.payment.store as &dyn Outbox));
        outboxes.extend(shipping.as_ref().map(|opened| &*opened.store as &dyn Outbox));
        outboxes.extend(notification.as_ref().map(|opened| &*opened.store as &dyn Outbox));
        outboxes.extend(audit.as_ref().map(|opened| &*opened.store as &dyn Outbox));
        let mut orders = BTreeSet::new();
        for outbox in outboxes {
            let mut after = None;
            loop {
                let rows = outbox.waiting(after, OUTBOX_PAGE).await?;
                let Some(last) = rows.last() else { break };
                after = Some(last.id);
                orders.extend(rows.iter().flat_map(orders_of));
            }
            let parked = outbox.due(Timestamp::MAX_UTC, u32::MAX).await?;
            orders.extend(parked.iter().flat_map(orders_of));
        }
        Ok(orders)
    }
}

/// Rows of an outbox that are read at a time.
const OUTBOX_PAGE: u32 = 1_000;

fn orders_of(row: &OutboxRow) -> Vec<OrderId> {
    let outbound = row.messages();
    let messages = outbound.iter().flat_map(|message| message.body.messages());
    messages.map(|message| message.order_id()).collect()
}

/// Who is told what happens to orders, beside the services.
pub struct Notifiers {
    /// Counts sagas.
    pub observer: Arc<dyn SagaObserver>,
    /// Reach customers.
    pub messengers: Messengers,
}

/// Wires the services to their stores, in the order in which they start: what takes messages before what
/// sends them, so that little waits in between.
pub fn wire(
    process: &mut Process,
    stores: Stores,
    config: &Config,
    notifiers: Notifiers,
    alone: bool,
) -> (Services, Vec<ChildSpec>) {
    let mut wired = Services { sources: stores.sources(), ..Services::default() };
    let Stores { order, inventory, payment, shipping, notification, audit } = stores;
    let mut parts = Vec::new();
    if let Some(Opened { store, reads, .. }) = audit {
        parts.push(services::audit(process, store));
        wired.audit = Some(reads);
    }
    if let Some(Opened { store, reads, .. }) = notification {
        let (notifications, part) = services::notification(process, store, notifiers.messengers);
        parts.push(part);
        wired.notification = Some(NotificationParts { notifications, reads });
    }
    if let Some(Opened { store, reads, .. }) = shipping {
        parts.push(services::shipping(process, store, shipping_policy(config)));
        wired.shipping = Some(reads);
    }
    if let Some(stores) = payment {
        let (payment, its_parts) = wire_payment(process, stores, config, alone);
        parts.extend(its_parts);
        wired.payment = Some(payment);
    }
    if let Some(Opened { store, reads, .. }) = inventory {
        let settings = InventorySettings { movements_kept: config.inventory.movements_kept };
        let (stock, part) = services::inventory(process, store, reads.clone(), settings);
        parts.push(part);
        wired.inventory = Some(InventoryParts { stock, reads });
    }
    if let Some(Opened { store, reads, .. }) = order {
        let (settings, due) = (order_settings(config), reads.clone());
        let looks: Arc<dyn OrderReads> = reads;
        let (orders, part) =
            services::order(process, store, looks.clone(), due, settings, notifiers.observer);
        parts.push(part);
        wired.order = Some(OrderParts { orders, reads: looks });
    }
    (wired, parts)
}

fn wire_payment(
    process: &mut Process,
    stores: PaymentStores,
    config: &Config,
    alone: bool,
) -> (PaymentParts, [ChildSpec; 2]) {
    let PaymentStores { payment, ledger } = stores;
    let policy = GatewayPolicy {
        failure_rate: config.payment.failure_rate,
        latency: config.payment.latency,
    };
    let (gateway, ledger_part) =
        services::gateway(process, ledger.store, ledger.reads.clone(), policy);
    let settings = services::PaymentSettings {
        policy: PaymentPolicy { timeout: config.payment.timeout, ..PaymentPolicy::default() },
        idle_after: config.idle_after,
        alone,
    };
    let reads = payment.reads.clone();
    let part = services::payment(process, payment.store, reads, gateway, settings);
    (PaymentParts { reads: payment.reads, ledger: ledger.reads }, [ledger_part, part])
}

fn shipping_policy(config: &Config) -> ShippingPolicy {
    ShippingPolicy {
        base_cost_hundredths: config.shipping.base_cost_hundredths,
        failure_rate: config.shipping.failure_rate,
    }
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
