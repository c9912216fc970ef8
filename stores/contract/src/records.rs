//! What reconciliation reads of a store: the same as of the model, in spans of any size.

use ordermill_actors::reconciliation::{OrderRecords, ProductRecords, Source};
use ordermill_domain::ids::OrderId;
use ordermill_domain::reconciliation::{Record, Span};
use std::fmt::Debug;
use uuid::Uuid;

/// Compares the records of a store with the model's.
pub async fn same<T: Debug + PartialEq + 'static>(model: &dyn OrderRecords<T>, store: Source<T>) {
    let store = store.expect("a backend has every service");
    let all = model.records(Span::all(u32::MAX)).await.unwrap();
    assert!(all.len() > 1, "one record cannot come in a wrong order");
    assert_eq!(store.records(Span::all(i32::MAX as u32)).await.unwrap(), all);
    for limit in [1, 2] {
        let mut paged: Vec<Record<T>> = Vec::new();
        loop {
            let after = paged.last().map_or(OrderId(Uuid::nil()), |record| record.order_id);
            let page = store.records(Span { after, ..Span::all(limit) }).await.unwrap();
            assert!(page.len() <= limit as usize);
            if page.is_empty() {
                break;
            }
            paged.extend(page);
        }
        assert_eq!(paged, all, "{limit} at a time");
    }
    let [first, last] = [&all[0], &all[all.len() - 1]].map(|record| record.order_id);
    let span = Span { after: first, until: last, limit: 1_000 };
    assert_eq!(store.records(span).await.unwrap(), all[1..]);
}

/// Compares what a store says of products with what the model says.
pub async fn same_products(model: &dyn ProductRecords, store: &dyn ProductRecords) {
    let all = model.products(None, u32::MAX).await.unwrap();
    assert!(all.len() > 2);
    assert_eq!(store.products(None, 1_000).await.unwrap(), all);
    let rest = store.products(Some(&all[0].product_id), 1).await.unwrap();
    assert_eq!(rest, all[1..2], "with all that is reserved of it");
}
