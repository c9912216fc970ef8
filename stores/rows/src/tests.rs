//! Rows that a service did not write so, and several rows of one order.

use crate::columns::StoredTime;
use crate::gateway::{StoredGatewayEntry, records};
use crate::order::StoredOrder;
use crate::outbox::{StoredOutboxRow, readable};
use crate::shipping::StoredShipment;
use crate::{all_met, count};
use ordermill_domain::ids::OrderId;
use uuid::Uuid;

fn charge(key: u128, order: u128, currency: &str) -> StoredGatewayEntry<i64> {
    StoredGatewayEntry {
        key: Uuid::from_u128(key),
        status: "CHARGED".into(),
        order_id: Some(Uuid::from_u128(order)),
        currency: Some(currency.into()),
        amount_minor: Some(1_000),
        method: Some("pm_card".into()),
        captured_minor: 1_000,
        refunded_minor: 0,
        transaction_id: Some("txn".into()),
        charge_attempts: 1,
        refund_attempts: 0,
        created_at: 0,
        changed_at: 0,
        details: None,
    }
}

#[test]
fn numbers_and_times_out_of_range_are_corrupt() {
    let message = |error: crate::Corrupt| error.to_string();
    let negative = count::<u64>(-1).map_err(message);
    assert_eq!(negative, Err("a stored value is not a valid count: -1".into()));
    let late = i64::MAX.timestamp().map_err(message);
    let expected = "a stored value is not a valid time in microseconds: 9223372036854775807";
    assert_eq!(late, Err(expected.into()));
    assert_eq!(1_500_000_i64.timestamp().map(|time| time.timestamp_millis()), Ok(1_500));
    let missing = all_met("saga", 1, 2).map_err(message);
    let expected = "a stored value is not a valid saga: expected 2 rows, found 1";
    assert_eq!(missing, Err(expected.into()));
}

#[test]
fn an_order_is_recorded_with_all_its_charges_or_with_the_error_of_one() {
    let mut anonymous = charge(4, 1, "EUR");
    anonymous.order_id = None;
    let rows = vec![
        charge(1, 1, "EUR"),
        charge(2, 1, "EUR"),
        charge(3, 2, "nonsense"),
        charge(5, 2, "EUR"),
        anonymous,
    ];
    let [two, unreadable] = &records(rows)[..] else { panic!("two orders are expected") };
    assert_eq!(two.order_id, OrderId(Uuid::from_u128(1)));
    assert_eq!(two.says.as_ref().map(|record| record.0.len()), Ok(2));
    let cause = unreadable.says.as_ref().expect_err("its currency does not exist");
    assert!(cause.starts_with("a stored value is not a valid currency: "), "{cause}");
}

#[test]
fn a_charge_without_all_of_its_columns_is_corrupt() {
    let entry = StoredGatewayEntry { method: None, ..charge(1, 1, "EUR") };
    let cause = entry.entry().expect_err("the method is missing").to_string();
    assert_eq!(
        cause,
        "a stored value is not a valid ledger entry: the requested payment is incomplete"
    );
}

#[test]
fn details_that_are_not_json_of_their_kind_are_corrupt() {
    let details = Some(r#"{"review": "sometimes"}"#.into());
    let entry = StoredGatewayEntry { details, ..charge(1, 1, "EUR") };
    let cause = entry.entry().expect_err("the review is unknown").to_string();
    assert!(cause.starts_with("a stored value is not a valid ledger entry's details: "), "{cause}");
}

#[test]
fn a_parcel_without_all_of_its_columns_is_corrupt() {
    let row = StoredShipment::<i64> {
        order_id: Uuid::from_u128(1),
        status: "SCHEDULED".into(),
        decided_at: 0,
        reason: None,
        tracking_code: Some("track".into()),
        freight_minor: Some(500),
        currency: Some("EUR".into()),
        estimated_delivery: None,
        units: Some(1),
        priority: Some("standard".into()),
        address: None,
        dispatched_at: None,
    };
    let expected = "a stored value is not a valid parcel: a required column is NULL";
    assert_eq!(row.record().says, Err(expected.into()));
}

#[test]
fn an_order_that_cannot_be_read_is_recorded_with_the_cause() {
    let row = StoredOrder::<i64> {
        order_id: Uuid::from_u128(1),
        version: 1,
        created_at: 0,
        updated_at: 0,
        due_at: None,
        origin: "nonsense".into(),
        details: "{}".into(),
        state: "{}".into(),
    };
    let record = row.record();
    assert_eq!(record.order_id, OrderId(Uuid::from_u128(1)));
    let cause = record.says.expect_err("the origin is not JSON");
    assert!(cause.starts_with("a stored value is not a valid an order's origin: "), "{cause}");
}

#[test]
fn an_unreadable_row_of_the_outbox_does_not_hide_the_others() {
    let row = |id, content: &str| StoredOutboxRow {
        id: Uuid::from_u128(id),
        content: content.into(),
        tries: 0,
    };
    let good = r#"{"messages":[]}"#;
    let read = readable(vec![row(1, good), row(2, "nonsense"), row(3, good)]);
    let ids: Vec<_> = read.iter().map(|row| row.id.as_u128()).collect();
    assert_eq!(ids, [1, 3]);
}
