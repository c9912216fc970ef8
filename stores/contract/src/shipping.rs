//! The shipping service: one shipment an order, and the parcel in it.

use crate::backend::Backend;
use crate::batches::on_both;
use crate::records;
use crate::values::{AWKWARD, at, finer, order, origin};
use ordermill_actors::shipping::{ShipmentReads, ShippingMemory};
use ordermill_actors::testing::MemoryStore;
use ordermill_domain::messages::{Address, Priority, ShippingSchedule};
use ordermill_domain::money::{AMOUNT_MAX_MINOR, Currency, Money};
use ordermill_domain::service::Outcome;
use ordermill_domain::shipping::{
    Change, Command, Shipping, ShippingAnswer, UNDELIVERABLE_POSTAL_CODE,
};

type Model = MemoryStore<ShippingMemory>;

/// Orders one to four; what becomes of them is told in [`scenario`].
const ORDERS: u128 = 4;

fn change(n: u128, command: Command) -> Change {
    Change { origin: origin(n), command }
}

fn schedule(n: u128, units: u64, address: Option<Address>) -> Change {
    let total = Money { minor: 1_000, currency: Currency::parse("JPY").unwrap() };
    let wanted = ShippingSchedule { units, address, priority: Priority::Express, total };
    change(n, Command::Schedule(wanted))
}

fn home() -> Option<Address> {
    Some(Address { name: Some(AWKWARD.to_owned()), ..Address::default() })
}

fn nowhere() -> Option<Address> {
    let postal_code = Some(UNDELIVERABLE_POSTAL_CODE.to_owned());
    Some(Address { postal_code, ..Address::default() })
}

/// One order is delivered, one cancelled, one refused and then cancelled, one cancelled before it
/// is known. Everything comes twice.
fn scenario() -> Vec<Vec<Change>> {
    let batches = vec![
        vec![schedule(1, 7, home()), schedule(2, 7, None), change(4, Command::Cancel)],
        vec![schedule(3, 7, nowhere()), change(1, Command::Dispatch), change(2, Command::Cancel)],
        vec![change(1, Command::Deliver), schedule(4, 7, home()), change(3, Command::Cancel)],
        vec![change(1, Command::Cancel), change(2, Command::Dispatch), schedule(3, 7, nowhere())],
    ];
    batches.into_iter().flat_map(|batch| [batch.clone(), batch]).collect()
}

async fn compare(model: &Model, store: &dyn ShipmentReads, orders: impl Iterator<Item = u128>) {
    for n in orders {
        let shipment = store.shipment(order(n)).await.unwrap();
        assert_eq!(shipment, model.shipment(order(n)).await.unwrap());
    }
}

pub async fn shipments_are_the_same_as_in_memory_and_after_a_restart(backend: &dyn Backend) {
    let service = Shipping::default();
    let model = Model::default();
    let mut opened = backend.shipping().await.unwrap();
    for (number, changes) in (0..).zip(scenario()) {
        on_both(&service, &model, &*opened.store, &changes, finer(number)).await;
        compare(&model, &*opened.reads, 1..=ORDERS + 1).await;
        if number % 3 == 2 {
            backend.close().await;
            opened = backend.shipping().await.unwrap();
            compare(&model, &*opened.reads, 1..=ORDERS + 1).await;
        }
    }
    let shipment = async |n| opened.reads.shipment(order(n)).await.unwrap().unwrap();
    let mut statuses = Vec::new();
    for n in 1..=ORDERS {
        statuses.push(shipment(n).await.state.status().as_str());
    }
    assert_eq!(statuses, ["DELIVERED", "CANCELLED", "CANCELLED", "CANCELLED"]);
    let delivered = shipment(1).await;
    assert_eq!(delivered.dispatched_at(), Some(at(2)), "in whole microseconds");
    assert_eq!(delivered.decided_at, at(4), "an outcome that is said again is not decided again");
    assert_eq!(delivered.state.parcel().unwrap().address, home());
    records::same(&model, backend.sources().await.shipment).await;
}

pub async fn an_early_command_leaves_no_row(backend: &dyn Backend) {
    let opened = backend.shipping().await.unwrap();
    let model = Model::default();
    let early = [change(1, Command::Dispatch), change(1, Command::Deliver)];
    let service = Shipping::default();
    let (outcomes, said) = on_both(&service, &model, &*opened.store, &early, at(0)).await;
    assert!(
        outcomes.iter().all(|o| matches!(o, Outcome::Done(ShippingAnswer::Early(_)))),
        "{outcomes:?}"
    );
    assert!(said.is_empty());
    assert_eq!(opened.reads.shipment(order(1)).await.unwrap(), None);
    assert!(opened.store.waiting(None, 10).await.unwrap().is_empty());
}

pub async fn anything_that_can_be_shipped_is_read_back(backend: &dyn Backend) {
    let opened = backend.shipping().await.unwrap();
    let model = Model::default();
    let text = |part: &str| Some(format!("{part} {AWKWARD}"));
    let address = Some(Address {
        name: text("name"),
        street: text("street"),
        city: text("city"),
        postal_code: text("postal code"),
        country: Some(String::new()),
    });
    // More units than any order has; their freight is the largest amount that is taken.
    let units = 1_000_000 * 1_000_000;
    let total = Money { minor: AMOUNT_MAX_MINOR, currency: Currency::parse("KWD").unwrap() };
    let priority = Priority::Standard;
    let wanted = ShippingSchedule { units, address: address.clone(), priority, total };
    let changes = [change(1, Command::Schedule(wanted)), schedule(2, 0, Some(Address::default()))];
    on_both(&Shipping::default(), &model, &*opened.store, &changes, finer(3)).await;
    backend.close().await;
    let reads = backend.shipping().await.unwrap().reads;
    compare(&model, &*reads, 1..=2).await;
    let shipment = reads.shipment(order(1)).await.unwrap().unwrap();
    let parcel = shipment.state.parcel().unwrap();
    assert_eq!((parcel.units, &parcel.address), (units, &address));
    assert_eq!(parcel.scheduled.freight, total);
}

pub async fn five_hundred_shipments_are_one_batch(backend: &dyn Backend) {
    let opened = backend.shipping().await.unwrap();
    let (service, model) = (Shipping::default(), Model::default());
    let all = |command: fn(u128) -> Change| (0..500).map(command).collect::<Vec<_>>();
    let mut scheduled = all(|n| schedule(n, 1, home()));
    scheduled.extend((0..500).map(|n| change(n, Command::Dispatch)));
    let batches = [
        scheduled,
        all(|n| schedule(n + 250, 1, home())),
        all(|n| change(n + 250, Command::Deliver)),
    ];
    for (second, changes) in (0..).zip(batches) {
        on_both(&service, &model, &*opened.store, &changes, finer(second)).await;
    }
    compare(&model, &*opened.reads, 0..750).await;
}
