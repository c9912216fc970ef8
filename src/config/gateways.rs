//! The payment gateways: which currency each takes, and how Midtrans is reached.

use super::args::ServeArgs;
use super::reader::Reader;
use super::secret::Secret;
use super::{OrderConfig, TIMER_LONGEST, TIMER_SHORTEST};
use clap::Args;
use ordermill_domain::ids::ServiceName;
use ordermill_domain::messages::{Flow, Plan};
use ordermill_domain::payment::{AcceptedPayments, GatewayRoutes, PaymentPolicy, Provider};
use ordermill_midtrans::{
    BaseUrl, Environment, MidtransSettings, OrderPrefix, ServerKey, ServerKeys, SettingsError,
};
use std::collections::BTreeSet;
use std::time::Duration;

/// The shortest order timeout with Midtrans: its shortest page, and the time after it.
const ORDER_TIMEOUT_MIN: Duration = Duration::from_secs(8 * 60);
/// Bytes of a merchant's id: Midtrans' have ten.
const MERCHANT_ID_BYTES_MAX: usize = 64;

/// The settings of real payments, as they are written.
#[derive(Args, Clone, Debug)]
pub struct GatewayArgs {
    /// Payment gateway of each currency, for example `midtrans:IDR; simulated:*`; `*` means all other currencies.
    /// Payments in progress stay with their gateway
    #[arg(long, env = "ORDERMILL_GATEWAYS", value_name = "ROUTES")]
    #[arg(default_value = "simulated:*", help_heading = "Payment")]
    pub(super) gateways: String,

    /// Maximum time that a customer has to pay; without it, until 3 minutes before the order expires
    #[arg(long, env = "ORDERMILL_PAYMENT_WINDOW", value_name = "DURATION")]
    #[arg(default_value = "", help_heading = "Payment")]
    pub(super) payment_window: String,

    /// Server key of the Midtrans merchant account
    #[arg(long, env = "MIDTRANS_SERVER_KEY", value_name = "KEY", hide_env_values = true)]
    #[arg(help_heading = "Payment (Midtrans)")]
    pub(super) midtrans_server_key: Option<Secret>,

    /// Previous server key; notifications signed with it are still accepted
    #[arg(long, env = "MIDTRANS_SERVER_KEY_PREVIOUS", value_name = "KEY", hide_env_values = true)]
    #[arg(help_heading = "Payment (Midtrans)")]
    pub(super) midtrans_server_key_previous: Option<Secret>,

    /// Midtrans environment of the server key
    #[arg(long, env = "MIDTRANS_ENVIRONMENT", value_name = "sandbox|production")]
    #[arg(default_value = "sandbox", help_heading = "Payment (Midtrans)")]
    pub(super) midtrans_environment: String,

    /// URL of another Core API than that of the environment; https, or http on a loopback address
    #[arg(long, env = "MIDTRANS_API_URL", value_name = "URL")]
    #[arg(default_value = "", help_heading = "Payment (Midtrans)")]
    pub(super) midtrans_api_url: String,

    /// URL of another Snap API than that of the environment; https, or http on a loopback address
    #[arg(long, env = "MIDTRANS_SNAP_URL", value_name = "URL")]
    #[arg(default_value = "", help_heading = "Payment (Midtrans)")]
    pub(super) midtrans_snap_url: String,

    /// Merchant ID; notifications for another merchant are rejected
    #[arg(long, env = "MIDTRANS_MERCHANT_ID", value_name = "ID")]
    #[arg(default_value = "", help_heading = "Payment (Midtrans)")]
    pub(super) midtrans_merchant_id: String,

    /// Prefix of order ids at Midtrans: keeps apart the shops of one merchant account
    #[arg(long, env = "MIDTRANS_ORDER_PREFIX", value_name = "PREFIX")]
    #[arg(default_value = "om-", help_heading = "Payment (Midtrans)")]
    pub(super) midtrans_order_prefix: String,
}

/// The payment gateways.
#[derive(Clone, Debug, Default)]
pub struct GatewayConfig {
    /// The gateway of each currency.
    pub routes: GatewayRoutes,
    /// How long a customer has to pay; None: until shortly before the order expires.
    pub payment_window: Option<Duration>,
    /// Midtrans, where a server key is set: it may have payments in progress without being routed any more.
    pub midtrans: Option<MidtransSettings>,
}

impl GatewayConfig {
    pub(super) fn read(
        read: &mut Reader,
        args: &ServeArgs,
        services: &BTreeSet<ServiceName>,
    ) -> Self {
        let ServeArgs { gateways: args, .. } = args;
        let server_key = read.secret("midtrans_server_key", &args.midtrans_server_key);
        let has_key = server_key.is_some();
        let midtrans = midtrans(read, args, server_key);
        let routes = routes(read, &args.gateways);
        let is_asked = routes.uses(Provider::Midtrans) && services.contains(&ServiceName::Payment);
        if is_asked && !has_key {
            read.refuse("midtrans_server_key", None, KEY_MISSING);
        }
        let payment_window = match args.payment_window.trim() {
            "" => None,
            text => {
                let bounds = [TIMER_SHORTEST, TIMER_LONGEST];
                Some(read.duration("payment_window", text, bounds))
            }
        };
        Self { routes, payment_window, midtrans }
    }

    /// Refuses times and methods with which no order could be paid.
    pub(super) fn check(&self, read: &mut Reader, args: &ServeArgs, order: &OrderConfig) {
        let asks_midtrans = self.routes.uses(Provider::Midtrans);
        if asks_midtrans && order.order_timeout < ORDER_TIMEOUT_MIN {
            read.refuse("order_timeout", Some(&args.order_timeout), ORDER_TIMEOUT_ACCEPTED);
        }
        let window_max = order.order_timeout.saturating_sub(PaymentPolicy::MARGIN_MAX);
        let window_min = Provider::Midtrans.page_time_min();
        if let Some(window) = self.payment_window {
            let is_short = asks_midtrans && window < window_min;
            if is_short || window > window_max {
                let accepted = if is_short { WINDOW_MIN } else { WINDOW_MAX };
                read.refuse("payment_window", Some(&args.gateways.payment_window), accepted);
            }
        }
        let accepted = self.accepted(order);
        if asks_midtrans && accepted.methods(Provider::Midtrans).is_empty() {
            read.refuse("payment_methods", Some(&args.payment_methods), NO_METHOD);
        }
    }

    /// Which payments new orders may ask for.
    pub fn accepted(&self, order: &OrderConfig) -> AcceptedPayments {
        AcceptedPayments {
            routes: self.routes.clone(),
            methods: order.payment_methods.clone(),
            refundable_only: order.pays_first(),
        }
    }

    /// What should be known of settings that are accepted.
    pub(super) fn notice(&self, order: &OrderConfig) -> Option<String> {
        let is_told = self.routes.uses(Provider::Midtrans) && order.pays_first();
        is_told.then(|| PAYS_FIRST.to_owned())
    }
}

impl OrderConfig {
    /// True when new orders are paid before their stock is reserved.
    pub fn pays_first(&self) -> bool {
        self.flow == Flow::Choreographed || self.plan == Plan::PaymentFirst
    }
}

/// The account and the servers of Midtrans; None without a server key. Malformed settings are noted all the same.
fn midtrans(
    read: &mut Reader,
    args: &GatewayArgs,
    server_key: Option<Secret>,
) -> Option<MidtransSettings> {
    let server_key = key(read, "midtrans_server_key", server_key);
    let previous = "midtrans_server_key_previous";
    let previous_key = read.secret(previous, &args.midtrans_server_key_previous);
    let previous_key = key(read, previous, previous_key);
    let named = Environment::parse(args.midtrans_environment.trim());
    let environment = noted(read, "midtrans_environment", &args.midtrans_environment, named);
    let environment = environment.unwrap_or(Environment::Sandbox);
    let api_url = url(read, "midtrans_api_url", &args.midtrans_api_url);
    let snap_url = url(read, "midtrans_snap_url", &args.midtrans_snap_url);
    let merchant_id = read.parsed(
        "midtrans_merchant_id",
        &args.midtrans_merchant_id,
        "expected the merchant ID of Midtrans' dashboard, such as G123456789",
        |text| (text.is_empty() || is_merchant_id(text)).then(|| text.to_owned()),
    );
    let prefix = OrderPrefix::parse(args.midtrans_order_prefix.trim());
    let prefix = noted(read, "midtrans_order_prefix", &args.midtrans_order_prefix, prefix);
    Some(MidtransSettings {
        api_url: api_url.unwrap_or_else(|| environment.api_url()),
        snap_url: snap_url.unwrap_or_else(|| environment.snap_url()),
        keys: ServerKeys::new(server_key.clone()?, previous_key),
        merchant_id: Some(merchant_id).filter(|id| !id.is_empty()),
        order_prefix: prefix.unwrap_or_default(),
        ..MidtransSettings::new(environment, server_key?)
    })
}

/// A setting as it was read, unless it is empty. A malformed one is noted.
fn noted<T>(
    read: &mut Reader,
    field: &str,
    text: &str,
    parsed: Result<T, SettingsError>,
) -> Option<T> {
    if text.trim().is_empty() {
        return None;
    }
    parsed.inspect_err(|error| read.refuse(field, Some(text), error)).ok()
}

fn routes(read: &mut Reader, text: &str) -> GatewayRoutes {
    let text = text.trim();
    if text.is_empty() {
        return GatewayRoutes::default();
    }
    GatewayRoutes::parse(text).unwrap_or_else(|error| {
        read.refuse("gateways", Some(text), error);
        GatewayRoutes::default()
    })
}

fn key(read: &mut Reader, field: &str, key: Option<Secret>) -> Option<ServerKey> {
    let key = key.filter(|key| !key.is_blank())?;
    let parsed = ServerKey::parse(key.expose().trim());
    parsed
        .inspect_err(|error| read.refuse(field, None, format!("{error} (its value is not shown)")))
        .ok()
}

fn is_merchant_id(text: &str) -> bool {
    text.len() <= MERCHANT_ID_BYTES_MAX && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn url(read: &mut Reader, field: &str, text: &str) -> Option<BaseUrl> {
    noted(read, field, text, BaseUrl::parse(text.trim()))
}

const KEY_MISSING: &str = "is missing, and ORDERMILL_GATEWAYS sends payments to midtrans; expected \
     the server key of Midtrans' dashboard";
const ORDER_TIMEOUT_ACCEPTED: &str = "expected 8m or more with midtrans in ORDERMILL_GATEWAYS: its \
     payment pages live for 5 minutes at least, and end 3 minutes before the order expires";
const WINDOW_MIN: &str = "expected 5m or more with midtrans in ORDERMILL_GATEWAYS: its payment pages \
     live for 5 minutes at least";
const WINDOW_MAX: &str = "expected no more than ORDERMILL_ORDER_TIMEOUT less 3 minutes: a payment in \
     the last moment must be heard of before the order expires";
const NO_METHOD: &str = "has none of midtrans' methods, to which ORDERMILL_GATEWAYS sends payments; \
     add one of credit_card, gopay, shopeepay and qris, or, with reserve-first, one of \
     bank_transfer, echannel and cstore";
const PAYS_FIRST: &str = "payment-first or choreographed orders are paid before their stock is \
     reserved, and may be sold out after the customer has paid at midtrans; reserve-first \
     (ORDERMILL_PLAN, ORDERMILL_FLOW) is recommended";
