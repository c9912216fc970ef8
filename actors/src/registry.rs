//! The services: one list of them with their databases, and how a process runs those that it is told to.
//!
//! ```text
//! each_database! ──▶ ServiceDatabases   what is open          (opened by a store: `OpenDatabases`)
//!                └─▶ ShopStores         the same in memory    (`testing/stores.rs`)
//! wire: databases, settings ──▶ the parts of the services, and what requests are handed to
//! ```
//!
//! A new service is an entry of the list and an arm of `wire_one`. Whatever is done with every database (opening,
//! closing, looking for waiting messages, settings) iterates over the list.

use crate::audit::{self, AuditReads};
use crate::gateway::{self, GatewayHandle, GatewayReads, NotificationListener};
use crate::inventory::{self, InventoryReads, InventorySettings, Stock};
use crate::notification::{self, Messengers, NotificationReads, Notifications};
use crate::order::{self, DueOrders, OrderReads, OrderSettings, Orders};
use crate::payment::{
    self, NotificationLog, PaymentGateway, PaymentReads, PaymentRequests, PaymentSettings,
};
use crate::ports::{Database, Outbox, ReadError};
use crate::reconciliation::{OrderRecords, ProductRecords, Sources};
use crate::runtime::service_builder::Process;
use crate::runtime::supervisor::ChildSpec;
use crate::shipping::{self, ShipmentReads};
use async_trait::async_trait;
use ordermill_domain::clock::Timestamp;
use ordermill_domain::gateway::GatewayPolicy;
use ordermill_domain::ids::{OrderId, ServiceName};
use ordermill_domain::outbox::OutboxRow;
use ordermill_domain::reconciliation::{
    AuditRecord, LedgerRecord, NotificationRecord, OrderRecord, PaymentRecord, ReservationRecord,
    ShipmentRecord,
};
use ordermill_domain::service::Service;
use ordermill_domain::shipping::ShippingPolicy;
use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;

/// Hands the list of databases to a macro: the name of each (of its file, and of the setting with its URL), whose it
/// is, what is read of it, and its tables in memory. The order is that of the settings.
macro_rules! each_database {
    ($callback:ident) => {
        $callback! {
            /// The order service's database.
            order: ordermill_domain::order::Order, crate::order::memory::OrderTables,
                OrderData(OrderReads, DueOrders, OrderRecords<OrderRecord>);
            /// The inventory service's database.
            inventory: ordermill_domain::inventory::Inventory, crate::inventory::InventoryTables,
                InventoryData(InventoryReads, OrderRecords<ReservationRecord>, ProductRecords);
            /// The payment service's database.
            payment: ordermill_domain::payment::PaymentService, crate::payment::memory::PaymentTables,
                PaymentData(PaymentReads, NotificationLog, OrderRecords<PaymentRecord>);
            /// The database of the simulated gateway, which belongs to the payment service.
            gateway: ordermill_domain::gateway::SimulatedGateway, crate::gateway::memory::GatewayTables,
                GatewayData(GatewayReads, OrderRecords<LedgerRecord>);
            /// The shipping service's database.
            shipping: ordermill_domain::shipping::Shipping, crate::shipping::ShippingMemory,
                ShippingData(ShipmentReads, OrderRecords<ShipmentRecord>);
            /// The notification service's database.
            notification: ordermill_domain::notification::NotificationService,
                crate::notification::NotificationMemory,
                NotificationData(NotificationReads, OrderRecords<NotificationRecord>);
            /// The audit service's database.
            audit: ordermill_domain::audit::AuditService, crate::audit::AuditMemory,
                AuditData(AuditReads, OrderRecords<AuditRecord>);
        }
    };
}

#[cfg(any(test, feature = "testing"))]
pub(crate) use each_database;

/// A service with a database.
pub trait HasDatabase: Service {
    /// The database's name.
    const DATABASE: &'static str;
    /// Everything that is read of it, by whomever: an entity, a sweeper, the API, the reconciliation.
    type Data: ?Sized + Send + Sync + 'static;
}

/// A database that is open.
pub struct Opened<S: HasDatabase> {
    /// The store of its journal and its relay.
    pub store: Arc<dyn Database<S>>,
    /// Its reads.
    pub reads: Arc<S::Data>,
    /// Which installation it belongs to. None: nobody else can reach it.
    pub identity: Option<Uuid>,
}

impl<S: HasDatabase> Clone for Opened<S> {
    fn clone(&self) -> Self {
        let Self { store, reads, identity } = self;
        Self { store: store.clone(), reads: reads.clone(), identity: *identity }
    }
}

/// Opens the database of a service.
#[async_trait]
pub trait OpenDatabase<S: HasDatabase, E>: Send + Sync {
    /// Opens it, brought up to date.
    async fn open(&self) -> Result<Opened<S>, E>;
}

macro_rules! databases {
    ($($(#[$doc:meta])* $name:ident: $service:ty, $memory:ty, $data:ident($($asked:path),+);)*) => {
        $(
            $(#[$doc])*
            pub trait $data: $($asked +)+ {}

            impl<T: $($asked +)+> $data for T {}

            impl HasDatabase for $service {
                const DATABASE: &'static str = stringify!($name);
                type Data = dyn $data;
            }
        )*

        /// The names of all databases.
        pub const DATABASE_NAMES: [&str; [$(stringify!($name)),*].len()] = [$(stringify!($name)),*];

        /// The services that they belong to.
        pub const DATABASE_OWNERS: [ServiceName; DATABASE_NAMES.len()] = [$(<$service>::NAME),*];

        /// Opens the database of every service.
        #[async_trait]
        pub trait OpenDatabases<E: Send + 'static>: $(OpenDatabase<$service, E> +)* {
            $(
                $(#[$doc])*
                async fn $name(&self) -> Result<Opened<$service>, E> {
                    <Self as OpenDatabase<$service, E>>::open(self).await
                }
            )*
        }

        impl<E: Send + 'static, T: $(OpenDatabase<$service, E> +)*> OpenDatabases<E> for T {}

        /// The databases that are open.
        #[derive(Default)]
        pub struct ServiceDatabases {
            $($(#[$doc])* pub $name: Option<Opened<$service>>,)*
        }

        impl ServiceDatabases {
            /// Opens the databases of some services, in the order of the list.
            pub async fn open<E: Send + 'static>(
                opener: &(impl OpenDatabases<E> + ?Sized),
                wanted: impl Fn(ServiceName) -> bool + Send + Sync,
            ) -> Result<Self, E> {
                Ok(Self {
                    $($name: match wanted(<$service as Service>::NAME) {
                        true => Some(opener.$name().await?),
                        false => None,
                    },)*
                })
            }

            /// Their outboxes.
            pub fn outboxes(&self) -> Vec<Arc<dyn Outbox>> {
                let mut all: Vec<Arc<dyn Outbox>> = Vec::new();
                $(all.extend(self.$name.as_ref().map(|opened| opened.store.clone() as _));)*
                all
            }

            /// The identities of the services' own databases.
            pub fn identities(&self) -> Vec<(ServiceName, Uuid)> {
                let mut all = Vec::new();
                $(if <$service>::DATABASE == <$service>::NAME.as_str() {
                    let identity = self.$name.as_ref().and_then(|opened| opened.identity);
                    all.extend(identity.map(|identity| (<$service>::NAME, identity)));
                })*
                all
            }
        }
    };
}

each_database!(databases);

impl ServiceDatabases {
    /// The records in them that reconciliation compares.
    pub fn sources(&self) -> Sources {
        let Self { order, inventory, payment, gateway, shipping, notification, audit, .. } = self;
        let inventory = inventory.as_ref().map(|opened| opened.reads.clone());
        Sources {
            order: order.as_ref().map(|opened| opened.reads.clone() as _),
            reservation: inventory.clone().map(|reads| reads as _),
            payment: payment.as_ref().map(|opened| opened.reads.clone() as _),
            ledger: gateway.as_ref().map(|opened| opened.reads.clone() as _),
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
        let mut orders = BTreeSet::new();
        for outbox in self.outboxes() {
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

/// The line between the payment service and the simulated gateway: a simulation puts a faulty one there.
pub trait GatewayLine: Send {
    /// The gateway, as the payment service asks it.
    fn requests(&self, gateway: Arc<dyn PaymentGateway>) -> Arc<dyn PaymentGateway>;

    /// The payment service, as the gateway notifies it.
    fn notifications(&self, listener: NotificationListener) -> NotificationListener;
}

/// A line that loses nothing.
pub struct DirectLine;

impl GatewayLine for DirectLine {
    fn requests(&self, gateway: Arc<dyn PaymentGateway>) -> Arc<dyn PaymentGateway> {
        gateway
    }

    fn notifications(&self, listener: NotificationListener) -> NotificationListener {
        listener
    }
}

/// How the services go about their work.
pub struct ServiceSettings {
    /// The order service's.
    pub order: OrderSettings,
    /// The inventory service's.
    pub inventory: InventorySettings,
    /// The simulated gateway's.
    pub gateway: GatewayPolicy,
    /// The line to the gateway.
    pub line: Box<dyn GatewayLine>,
    /// The payment service's.
    pub payment: PaymentSettings,
    /// The carrier's.
    pub shipping: ShippingPolicy,
    /// Reach customers.
    pub messengers: Messengers,
}

/// Services that are wired: their parts, and what requests are handed to.
#[derive(Default)]
pub struct WiredServices {
    /// Takes orders.
    pub orders: Option<Orders>,
    /// Sets stock.
    pub stock: Option<Stock>,
    /// Takes notifications of gateways, and what people ask of payments.
    pub payments: Option<Arc<dyn PaymentRequests>>,
    /// Marks notifications.
    pub notifications: Option<Notifications>,
    /// The simulated gateway, where the payment service runs.
    pub gateway: Option<GatewayHandle>,
    /// Hears the simulated gateway's notifications, for as long as it is kept.
    pub listener: Option<NotificationListener>,
    /// The actors to supervise, in the order in which they start.
    pub parts: Vec<ChildSpec>,
}

/// Wires the services whose databases are open, in this order.
pub fn wire<'a>(
    process: &mut Process,
    databases: &ServiceDatabases,
    start_order: impl Iterator<Item = &'a ServiceName>,
    settings: &ServiceSettings,
) -> WiredServices {
    let mut wired = WiredServices::default();
    for service in start_order {
        wire_one(process, databases, *service, settings, &mut wired);
    }
    wired
}

fn wire_one(
    process: &mut Process,
    databases: &ServiceDatabases,
    service: ServiceName,
    settings: &ServiceSettings,
    wired: &mut WiredServices,
) {
    let parts = &mut wired.parts;
    match service {
        ServiceName::Order => {
            let Some(Opened { store, reads, .. }) = databases.order.clone() else { return };
            let due = reads.clone();
            let order_settings = settings.order.clone();
            let (orders, part) = order::wire(process, store, reads, due, order_settings);
            wired.orders = Some(orders);
            parts.push(part);
        }
        ServiceName::Inventory => {
            let Some(Opened { store, reads, .. }) = databases.inventory.clone() else { return };
            let (stock, part) = inventory::wire(process, store, reads, settings.inventory);
            wired.stock = Some(stock);
            parts.push(part);
        }
        ServiceName::Payment => {
            let Some(ledger) = databases.gateway.clone() else { return };
            let Some(Opened { store, reads, .. }) = databases.payment.clone() else { return };
            let (gateway, part) =
                gateway::wire(process, ledger.store, ledger.reads, settings.gateway.clone());
            parts.push(part);
            wired.gateway = Some(gateway.clone());
            let line = settings.line.requests(Arc::new(gateway.clone()));
            let (log, payment_settings) = (reads.clone(), settings.payment.clone());
            let (handles, part) = payment::wire(process, store, reads, log, line, payment_settings);
            let listener = settings.line.notifications(handles.simulated);
            gateway.notify(&listener);
            wired.listener = Some(listener);
            wired.payments = Some(handles.requests);
            parts.push(part);
        }
        ServiceName::Shipping => {
            let Some(Opened { store, .. }) = databases.shipping.clone() else { return };
            parts.push(shipping::wire(process, store, settings.shipping));
        }
        ServiceName::Notification => {
            let Some(Opened { store, .. }) = databases.notification.clone() else { return };
            let messengers = settings.messengers.clone();
            let (notifications, part) = notification::wire(process, store, messengers);
            wired.notifications = Some(notifications);
            parts.push(part);
        }
        ServiceName::Audit => {
            let Some(Opened { store, .. }) = databases.audit.clone() else { return };
            parts.push(audit::wire(process, store));
        }
    }
}
