//! The link of a payment page reaches the order and the customer's mail, and no record that people list.

use ordermill_actors::audit::AuditReads;
use ordermill_actors::notification::{NotificationFilter, NotificationReads};
use ordermill_actors::order::{OrderReads, RequestContext};
use ordermill_actors::testing::shop::{Shop, ShopSettings, ShopStores, WAYS};
use ordermill_domain::gateway::GatewayPolicy;
use ordermill_domain::ids::OrderId;
use ordermill_domain::messages::{Message, Payload, PaymentActionRequired, PaymentMessage};
use ordermill_domain::order::Step;
use ordermill_domain::outbox::OutboxRow;
use ordermill_domain::testing::order_of;
use std::time::Duration;
use uuid::Uuid;

const LINK: &str = "https://pay.example/bearer";

/// An order whose payment is asked for, at a gateway that does not answer.
async fn place(shop: &Shop) -> OrderId {
    shop.stock("P", 5).await;
    let details = order_of(&[("P", 1)], "credit_card");
    let placed = shop.orders.place(details, RequestContext::default(), None).await.unwrap();
    loop {
        let saga = shop.stores.order.order(placed.order_id).await.unwrap().unwrap();
        if saga.facts.step(Step::Payment).is_sent() {
            return placed.order_id;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Publishes a page as the payment service's outbox does.
async fn tell(shop: &Shop, order: OrderId) {
    let saga = shop.stores.order.order(order).await.unwrap().unwrap();
    let now = shop.world.now();
    let page = PaymentActionRequired {
        url: LINK.to_owned(),
        expires_at: now + Duration::from_secs(600),
        amount: saga.details.total(),
    };
    let payload = Payload::Payment(PaymentMessage::ActionRequired(page));
    let page = Message::new(&saga.origin, payload, 0, now);
    for message in OutboxRow::fresh(Uuid::from_u128(1), vec![page]).messages() {
        shop.process.broker.publish(message, Box::new(|_| {}));
    }
    tokio::time::sleep(Duration::from_secs(5)).await;
}

#[tokio::test(start_paused = true)]
async fn the_link_is_in_no_row_of_audit_and_no_entry_for_the_customer() {
    for way in WAYS {
        let gateway =
            GatewayPolicy { latency: Duration::from_secs(3_600), ..GatewayPolicy::default() };
        let settings = ShopSettings { gateway, ..ShopSettings::of(way) };
        let shop = Shop::open(ShopStores::default(), settings).await;
        let order = place(&shop).await;
        tell(&shop, order).await;

        let saga = shop.stores.order.order(order).await.unwrap().unwrap();
        let page = saga.payment(shop.world.now()).page.map(|page| page.url.clone());
        assert_eq!(page.as_deref(), Some(LINK), "{way:?}");

        let rows = shop.stores.audit.events(order, None, 100).await.unwrap();
        for event in ["payment.action_required", "order.payment_required"] {
            assert!(rows.iter().any(|row| row.event_type == event), "{way:?}: {event} is kept");
        }
        assert!(rows.iter().all(|row| !row.message.contains(LINK)), "{way:?}: {rows:?}");

        let filter = NotificationFilter { order_id: Some(order), ..Default::default() };
        let entries = shop.stores.notification.notifications(&filter, 100).await.unwrap();
        let is_page = |title: &str| title == "Please pay for your order";
        assert!(entries.iter().any(|entry| is_page(&entry.title)), "{way:?}: {entries:?}");
        assert!(entries.iter().all(|entry| !entry.body.contains("://")), "{way:?}: {entries:?}");
        assert!(shop.stores.dead_letters().is_empty());
        shop.kill();
    }
}
