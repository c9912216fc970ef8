//! The payment gateways: which currency each takes, and how Midtrans is reached.

use super::args::ServeArgs;
use super::reader::Reader;
use super::secret::Secret;
use super::{OrderConfig, TIMER_LONGEST, TIMER_SHORTEST};
use clap::Args;
use ordermill_domain::ids::ServiceName;
use ordermill_domain::messages::{Flow, Plan};
use ordermill_domain::payment::{AcceptedPayments, GatewayRoutes, Provider};
use reqwest::Url;
use std::collections::BTreeSet;
use std::time::Duration;

/// A page of Midtrans ends this long before its order expires, so that a payment in the last moment is heard of.
const PAGE_ENDS_BEFORE: Duration = Duration::from_secs(3 * 60);
/// The shortest order timeout with Midtrans: its shortest page, and the time after it.
const ORDER_TIMEOUT_MIN: Duration = Duration::from_secs(8 * 60);
/// Bytes of a prefix: Midtrans takes names of 50 characters, and an order's id has 36. One is kept in reserve.
const PREFIX_BYTES_MAX: usize = 13;
/// Bytes of a key or of a merchant's id: Midtrans' have about forty.
const CREDENTIAL_BYTES_MAX: usize = 128;

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
    pub midtrans: Option<MidtransConfig>,
}

/// How Midtrans is reached.
#[derive(Clone, Debug)]
pub struct MidtransConfig {
    /// The server key of the merchant account.
    pub server_key: Secret,
    /// The key before it: notifications may still be signed with it.
    pub previous_server_key: Option<Secret>,
    /// False: the sandbox.
    pub is_production: bool,
    /// Another Core API than that of the environment.
    pub api_url: Option<Url>,
    /// Another Snap API than that of the environment.
    pub snap_url: Option<Url>,
    /// Notifications for another merchant are rejected. None: the merchant is not checked.
    pub merchant_id: Option<String>,
    /// Stands before the order's id in Midtrans' order ids.
    pub order_prefix: String,
}

impl GatewayConfig {
    pub(super) fn read(
        read: &mut Reader,
        args: &ServeArgs,
        services: &BTreeSet<ServiceName>,
    ) -> Self {
        let ServeArgs { gateways: args, .. } = args;
        let midtrans = MidtransConfig::read(read, args);
        let routes = routes(read, &args.gateways);
        let is_asked = routes.uses(Provider::Midtrans) && services.contains(&ServiceName::Payment);
        if is_asked && midtrans.is_none() {
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
        let window_max = order.order_timeout.saturating_sub(PAGE_ENDS_BEFORE);
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

impl MidtransConfig {
    fn read(read: &mut Reader, args: &GatewayArgs) -> Option<Self> {
        let server_key = key(read, "midtrans_server_key", &args.midtrans_server_key);
        let previous_server_key =
            key(read, "midtrans_server_key_previous", &args.midtrans_server_key_previous);
        let is_production = read.parsed(
            "midtrans_environment",
            &args.midtrans_environment,
            "expected `sandbox` or `production`",
            |text| match text {
                "sandbox" => Some(false),
                "production" => Some(true),
                _ => None,
            },
        );
        let api_url = url(read, "midtrans_api_url", &args.midtrans_api_url);
        let snap_url = url(read, "midtrans_snap_url", &args.midtrans_snap_url);
        let merchant_id = read.parsed(
            "midtrans_merchant_id",
            &args.midtrans_merchant_id,
            "expected the merchant ID of Midtrans' dashboard, such as G123456789",
            |text| (text.is_empty() || is_credential(text)).then(|| text.to_owned()),
        );
        let order_prefix = read.parsed(
            "midtrans_order_prefix",
            &args.midtrans_order_prefix,
            "expected 1 to 13 letters, digits, `-`, `_`, `~` and `.`",
            |text| is_prefix(text).then(|| text.to_owned()),
        );
        Some(Self {
            server_key: server_key?,
            previous_server_key,
            is_production,
            api_url,
            snap_url,
            merchant_id: Some(merchant_id).filter(|id| !id.is_empty()),
            order_prefix,
        })
    }
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

/// A key that is set. A malformed one is noted, and given all the same: it counts as set.
fn key(read: &mut Reader, field: &str, key: &Option<Secret>) -> Option<Secret> {
    let text = key.as_ref()?.expose().trim();
    if text.is_empty() {
        return None;
    }
    // `:` would end it in an `Authorization` header.
    if !is_credential(text) || text.contains(':') {
        read.refuse(field, None, KEY_ACCEPTED);
    }
    Some(Secret::from(text.to_owned()))
}

fn is_credential(text: &str) -> bool {
    let length = 1..=CREDENTIAL_BYTES_MAX;
    length.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn is_prefix(text: &str) -> bool {
    let taken = |byte: u8| byte.is_ascii_alphanumeric() || b"-_~.".contains(&byte);
    (1..=PREFIX_BYTES_MAX).contains(&text.len()) && text.bytes().all(taken)
}

fn url(read: &mut Reader, field: &str, text: &str) -> Option<Url> {
    read.parsed(field, text, URL_ACCEPTED, |text| match text {
        "" => Some(None),
        text => Url::parse(text).ok().filter(is_api).map(Some),
    })
}

/// True for the address of an API that a key may be sent to.
fn is_api(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    let is_loopback = host == "localhost" || address.is_ok_and(|address| address.is_loopback());
    let is_plain = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    let is_safe = url.scheme() == "https" || url.scheme() == "http" && is_loopback;
    is_safe && is_plain && !host.is_empty()
}

const KEY_MISSING: &str = "is missing, and ORDERMILL_GATEWAYS sends payments to midtrans; expected \
     the server key of Midtrans' dashboard";
const KEY_ACCEPTED: &str = "expected a server key of Midtrans' dashboard: visible ASCII characters \
     without `:` (its value is not shown)";
const URL_ACCEPTED: &str = "expected an https URL without user name, query and fragment, such as \
     https://api.sandbox.midtrans.com, or an http URL of a loopback address";
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
