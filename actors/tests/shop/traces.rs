//! The trace of an order, whichever way it goes: one tree, and no span of an order that is not sampled.

use ordermill_actors::order::RequestContext;
use ordermill_actors::testing::RecordedTraces;
use ordermill_actors::testing::shop::{Shop, ShopSettings, ShopStores, WAYS};
use ordermill_actors::traces::{SpanKind, SpanRecord, order_span_id, own_trace, server_span_id};
use ordermill_domain::ids::OrderId;
use ordermill_domain::testing::order_of;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// How an order ends, by its method of payment: confirmed, confirmed after a wait, declined.
const METHODS: [&str; 3] = ["credit_card", "test_slow", "test_declined"];
/// Records are written within this once an order is at rest.
const RECORDED_WITHIN: Duration = Duration::from_secs(5);

async fn place(shop: &Shop, method: &str, sampled: bool) -> OrderId {
    let order = OrderId(shop.world.new_id());
    let trace = Some(own_trace(order, sampled));
    let context = RequestContext { request_id: None, order_id: Some(order), trace };
    let details = order_of(&[("A", 1)], method);
    assert_eq!(shop.orders.place(details, context, None).await.unwrap().order_id, order);
    order
}

/// Every span of the order is below the order's own, which is below the request's.
fn is_one_tree(order: OrderId, spans: &[SpanRecord]) {
    let names: Vec<_> = spans.iter().map(|span| &span.name).collect();
    let by_id: BTreeMap<_, _> = spans.iter().map(|span| (span.span_id, span)).collect();
    let root = by_id.get(&order_span_id(order)).unwrap_or_else(|| panic!("{names:?}"));
    assert_eq!((&*root.name, root.parent), ("order", Some(server_span_id(order))));
    for span in spans.iter().filter(|span| span.span_id != root.span_id) {
        let parent = by_id.get(&span.parent.unwrap());
        let parent = parent.unwrap_or_else(|| panic!("{} is an orphan: {names:?}", span.name));
        let expected = match span.kind {
            SpanKind::Consumer => SpanKind::Producer,
            _ => SpanKind::Internal,
        };
        assert_eq!(parent.kind, expected, "{} below {}", span.name, parent.name);
    }
    for name in [
        "commit order",
        "commit payment",
        "create simulated",
        "publish audit.fanout.exchange",
        "process audit.events",
        "process notification.orders",
    ] {
        assert!(spans.iter().any(|span| span.name == name), "no `{name}`: {names:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_order_is_one_trace_in_every_flow_and_plan() {
    for way in WAYS {
        let recorded = Arc::<RecordedTraces>::default();
        let settings = ShopSettings { tracer: recorded.tracer(), ..ShopSettings::of(way) };
        let shop = Shop::open(ShopStores::default(), settings).await;
        shop.stock("A", 100).await;
        let (mut sampled, mut unsampled) = (Vec::new(), Vec::new());
        for method in METHODS {
            sampled.push(place(&shop, method, true).await);
            unsampled.push(place(&shop, method, false).await);
        }
        for order in sampled.iter().chain(&unsampled) {
            shop.rested(*order).await;
        }
        tokio::time::sleep(RECORDED_WITHIN).await;
        let mut traces = BTreeMap::<u128, Vec<SpanRecord>>::new();
        for span in recorded.take() {
            traces.entry(span.trace_id).or_default().push(span);
        }
        for order in &unsampled {
            assert_eq!(traces.get(&order.0.as_u128()), None, "{way:?}");
        }
        let all: BTreeSet<_> =
            traces.values().flatten().map(|span| (span.trace_id, span.span_id)).collect();
        for span in traces.values().flatten() {
            for link in &span.links {
                assert!(all.contains(&(link.trace_id, link.span_id)), "{} {way:?}", span.name);
            }
        }
        for order in sampled {
            is_one_tree(order, &traces.remove(&order.0.as_u128()).unwrap());
        }
        // What is left are batches and bundles: each alone, and linked.
        for spans in traces.values() {
            assert_eq!((spans.len(), spans[0].parent, spans[0].links.is_empty()), (1, None, false));
        }
    }
}
