//! Lists of orders and of their history, page by page.

use super::commit;
use super::scenarios::{learn, placed, placed_by};
use crate::backend::Backend;
use crate::values::{at, order};
use ordermill_actors::order::OrderFilter;
use ordermill_domain::ids::OrderId;
use ordermill_domain::order::facts::Fact;
use ordermill_domain::order::{OrderStatus, Saga, SagaStatus, Step};

pub async fn lists_are_read_page_by_page(backend: &dyn Backend) {
    let opened = backend.order().await.unwrap();
    let customer = |n: u128| ["anna", "Anna", "ann%", "anna "][n as usize % 4];
    let mut sagas: Vec<_> = (1..=23).map(|n| placed_by(n, customer(n))).collect();
    let changes = sagas.iter_mut().map(|saga| learn(saga, vec![Fact::Placed], at(1))).collect();
    commit(&opened, changes).await;
    let changes =
        sagas.iter_mut().step_by(3).map(|s| learn(s, vec![Fact::done(Step::Inventory)], at(2)));
    commit(&opened, changes.collect()).await;

    let everybody = OrderFilter::default();
    let filters = [
        everybody.clone(),
        OrderFilter { customer_id: Some("anna".to_owned()), ..everybody.clone() },
        OrderFilter { customer_id: Some("ann%".to_owned()), ..everybody.clone() },
        OrderFilter { status: Some(OrderStatus::Pending), ..everybody.clone() },
        OrderFilter { saga_status: Some(SagaStatus::InProgress), ..everybody.clone() },
        OrderFilter {
            customer_id: Some("Anna".to_owned()),
            status: Some(OrderStatus::InventoryReserved),
            ..everybody
        },
    ];
    for filter in filters {
        let wanted = |saga: &&Saga| {
            filter.customer_id.as_ref().is_none_or(|id| *id == saga.details.customer_id)
                && filter.status.is_none_or(|status| status == saga.status())
        };
        let expected: Vec<Saga> = sagas.iter().rev().filter(wanted).cloned().collect();
        assert!(!expected.is_empty(), "{filter:?} finds nothing");
        let (mut paged, mut page) = (Vec::new(), filter.clone());
        loop {
            let read = opened.reads.orders(&page, 4).await.unwrap();
            let read: Vec<Saga> = read.into_iter().map(Result::unwrap).collect();
            let Some(last) = read.last() else { break };
            page.before = Some(last.order_id());
            paged.extend(read);
        }
        assert_eq!(paged, expected, "{filter:?}");
    }
}

pub async fn history_is_read_in_bulk_and_from_where_it_was_left(backend: &dyn Backend) {
    let opened = backend.order().await.unwrap();
    let mut sagas = [placed(1), placed(2)];
    for saga in &mut sagas {
        for (second, fact) in
            (1..).zip([Fact::Placed, Fact::done(Step::Inventory), Fact::RetryAsked])
        {
            commit(&opened, vec![learn(saga, vec![fact], at(second))]).await;
        }
    }
    let read = async |since: &[(u128, u32)], limit| -> Vec<(OrderId, u32)> {
        let since: Vec<_> = since.iter().map(|(n, from)| (order(*n), *from)).collect();
        let rows = opened.reads.history(&since, limit).await.unwrap();
        rows.iter().map(|row| (row.order_id, row.sequence)).collect()
    };
    let all = [(1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (2, 2)].map(|(n, s)| (order(n), s));
    assert_eq!(read(&[(1, 0), (2, 0)], 100).await, all);
    assert_eq!(read(&[(1, 0), (2, 0)], 4).await, all[..4]);
    assert_eq!(read(&[(1, 1), (2, 2), (3, 0)], 100).await, [all[1], all[2], all[5]]);
    assert!(read(&[(1, 3), (2, u32::MAX)], 100).await.is_empty());
    assert!(read(&[], 100).await.is_empty());
    let rows = opened.reads.history(&[(order(1), 0)], 100).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.at).collect::<Vec<_>>(), [at(1), at(2), at(3)]);
    assert_eq!(rows[2].facts, [Fact::RetryAsked]);
}
