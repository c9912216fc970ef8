//! The adapter of Midtrans over the fake Midtrans, as the contract asks for it.

use async_trait::async_trait;
use ordermill_actors::payment::PaymentGateway;
use ordermill_domain::clock::{Clock, Timestamp};
use ordermill_domain::money::{Currency, Money};
use ordermill_domain::payment::Page;
use ordermill_gateway_contract::{Act, Harness};
use ordermill_lab::fake_midtrans::{FakeMidtrans, FakeSettings, PaymentType, SettableClock};
use ordermill_midtrans::{BaseUrl, Environment, Midtrans, MidtransSettings, ServerKey};
use std::sync::Arc;
use std::time::Duration;

/// How long a question may take here: a test that waits for it is not to wait for long.
const TIMEOUT: Duration = Duration::from_secs(2);

/// The adapter with its fake and the time of both.
pub struct MidtransHarness {
    /// The time.
    pub clock: Arc<SettableClock>,
    /// The provider.
    pub fake: FakeMidtrans,
    gateway: Midtrans,
}

#[async_trait]
impl Harness for MidtransHarness {
    fn gateway(&self) -> &dyn PaymentGateway {
        &self.gateway
    }

    /// 145000 rupiah.
    fn due(&self) -> Money {
        Money { minor: 14_500_000, currency: Currency::parse("IDR").unwrap() }
    }

    fn method(&self) -> &'static str {
        "gopay"
    }

    fn method_without_refunds(&self) -> Option<&'static str> {
        Some("bank_transfer")
    }

    async fn act(&self, page: &Page, method: &str, act: Act) -> bool {
        let token = page.url.rsplit('/').next().unwrap();
        let method = PaymentType::named(method).unwrap();
        match act {
            Act::Pay => self.fake.pay(token, method).is_ok(),
            Act::BeDenied => self.fake.deny(token, method).is_ok(),
            Act::Choose => self.fake.choose(token, method).is_ok(),
            Act::Leave => self.fake.leave(token).is_ok(),
        }
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }
}

/// A gateway without payments.
pub async fn midtrans() -> MidtransHarness {
    let clock = Arc::new(SettableClock::new("2026-12-01T12:00:00Z".parse().unwrap()));
    let settings = FakeSettings::for_test(clock.clone());
    let key = ServerKey::parse(&settings.server_key).unwrap();
    let merchant_id = settings.merchant_id.clone();
    let fake = FakeMidtrans::start(settings).await.unwrap();
    let url = BaseUrl::parse(&fake.url()).unwrap();
    let settings = MidtransSettings {
        api_url: url.clone(),
        snap_url: url,
        merchant_id: Some(merchant_id),
        timeout: TIMEOUT,
        ..MidtransSettings::new(Environment::Sandbox, key)
    };
    let gateway = Midtrans::new(settings, clock.clone()).unwrap();
    MidtransHarness { clock, fake, gateway }
}
