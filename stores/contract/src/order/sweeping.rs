//! The sweeper's claims: an order whose time has come is looked at by one, and forgotten by none.

use super::scenarios::{learn, placed};
use super::{commit, written};
use crate::backend::Backend;
use crate::values::{at, order};
use futures::future::join_all;
use ordermill_domain::order::Step;
use ordermill_domain::order::facts::Fact;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

pub async fn overdue_orders_are_claimed_by_one_sweeper_only(backend: &dyn Backend) {
    const ORDERS: u128 = 200;
    let opened = backend.order().await.unwrap();
    let mut changes: Vec<_> =
        (0..ORDERS).map(|n| learn(&mut placed(n), vec![Fact::Placed], at(1))).collect();
    // One of them rests.
    let resting = Arc::make_mut(changes[0].next.as_mut().unwrap());
    resting.due_at = None;
    commit(&opened, changes).await;

    let late = at(1) + Duration::from_secs(3_600);
    let until = late + Duration::from_secs(15);
    let sweep = async || {
        let mut claimed = Vec::new();
        loop {
            match &opened.reads.claim(late, until, 7).await.unwrap()[..] {
                [] => return claimed,
                more => claimed.extend_from_slice(more),
            }
        }
    };
    let claimed = join_all((0..4).map(|_| sweep())).await.concat();
    let distinct: BTreeSet<_> = claimed.iter().copied().collect();
    assert_eq!((claimed.len(), distinct.len()), (199, 199));
    assert!(!distinct.contains(&order(0)), "it rests");
    let saga = opened.reads.order(order(1)).await.unwrap().unwrap();
    assert_eq!((saga.version, saga.due_at), (1, Some(until)), "a claim is no change");
}

pub async fn the_longest_overdue_are_claimed_first_and_a_claim_lapses(backend: &dyn Backend) {
    let opened = backend.order().await.unwrap();
    let due = |n: u128, seconds| {
        let mut change = learn(&mut placed(n), vec![Fact::Placed], at(1));
        Arc::make_mut(change.next.as_mut().unwrap()).due_at = Some(at(seconds));
        change
    };
    commit(&opened, vec![due(1, 300), due(2, 100), due(3, 200), due(4, 501)]).await;
    let (now, until) = (at(500), at(515));
    let claim = async |now| opened.reads.claim(now, until, 1).await.unwrap();
    for expected in [2, 3, 1] {
        assert_eq!(claim(now).await, [order(expected)]);
    }
    assert!(claim(now).await.is_empty());
    assert!(claim(at(501) - Duration::from_micros(1)).await.is_empty());
    assert_eq!(claim(at(501)).await, [order(4)]);

    // What was decided meanwhile is no hindrance to what is decided on the same version.
    let mut saga = opened.reads.order(order(2)).await.unwrap().unwrap();
    let reserved = learn(&mut saga, vec![Fact::done(Step::Inventory)], at(502));
    assert_eq!(commit(&opened, vec![reserved]).await, [written()]);
    // Of the others nobody has heard: their claims lapse.
    let mut lapsed = opened.reads.claim(until, at(600), 10).await.unwrap();
    lapsed.sort_unstable();
    assert_eq!(lapsed, [1, 3, 4].map(order));
}
