//! The contract of payment gateways, over the adapter of Midtrans and the fake Midtrans.

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

struct MidtransHarness {
    clock: Arc<SettableClock>,
    fake: FakeMidtrans,
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

async fn midtrans() -> MidtransHarness {
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
        ..MidtransSettings::new(Environment::Sandbox, key)
    };
    let gateway = Midtrans::new(settings, clock.clone()).unwrap();
    MidtransHarness { clock, fake, gateway }
}

ordermill_gateway_contract::contract!(
    #[tokio::test]
    crate::midtrans
);
