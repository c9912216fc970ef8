//! Dead letters: what nobody could handle is shown, and goes back when an operator says so.

use super::support::{Shop, order, with};
use ordermill_domain::ids::{OrderId, ServiceName};
use ordermill_domain::messages::{
    Body, Flow, InventoryMessage, Message, Origin, Payload, Plan, Queue,
};
use ordermill_domain::outbox::OutboxRow;
use serde_json::{Value, json};
use sqlx::Connection;
use std::collections::BTreeSet;
use uuid::Uuid;

const LIST: &str = "/admin/dead-letters";

/// A shop that sends text messages, to numbers that may be none.
pub async fn shop_with_sms() -> Shop {
    Shop::with(|config| config.sms = true).await
}

/// Places an order whose customer cannot be reached by the number they left; gives its id. Told of its
/// creation and of its end, that makes two dead letters.
pub async fn place_unreachable(shop: &Shop) -> String {
    let placed = shop.place(&with(order("chair", 1), "/phone", json!("call me"))).await;
    shop.until(&placed, "CONFIRMED").await;
    placed
}

/// Waits until so many dead letters are listed; gives them.
pub async fn until(shop: &Shop, query: &str, count: usize) -> Vec<Value> {
    let path = format!("{LIST}?limit=200{query}");
    let letters = |list: &Value| list["dead_letters"].as_array().unwrap().clone();
    letters(&shop.wait(&path, |list| letters(list).len() == count).await)
}

fn texts(letters: &[Value], member: &str) -> BTreeSet<String> {
    letters.iter().map(|letter| letter[member].as_str().unwrap().to_owned()).collect()
}

/// Has inventory's own outbox bring inventory a command, as a bug would.
async fn command_inventory(shop: &Shop, payload: Payload) -> Uuid {
    let order_id = OrderId(Uuid::from_u128(7));
    let origin = Origin::new(order_id, Flow::Orchestrated, Plan::ReserveFirst);
    let message = Message::new(&origin, payload, 0, chrono::DateTime::UNIX_EPOCH);
    let row = OutboxRow::redriven(
        Uuid::from_u128(1),
        Queue::InventoryCommands,
        Body::One(message.clone()),
    );
    let mut inventory = shop.database("inventory").await;
    sqlx::query("INSERT INTO outbox (id, content, tries, parked_until) VALUES (?, ?, 1, 0)")
        .bind(row.id)
        .bind(row.to_json())
        .execute(&mut inventory)
        .await
        .unwrap();
    inventory.close().await.unwrap();
    message.event_id
}

/// Puts a dead letter into a service's database that no version of the server could have read.
pub async fn store_dead_letter(shop: &Shop, id: u128, queue: Queue, body: &str) -> Uuid {
    let mut connection = shop.database(queue.service().as_str()).await;
    let id = Uuid::from_u128(id);
    sqlx::query(
        "INSERT INTO dead_letters (id, queue, cause, attempts, body, first_failed_at, died_at)
         VALUES (?, ?, 'malformed', 1, ?, 0, 1000000)",
    )
    .bind(id)
    .bind(queue.as_str())
    .bind(body)
    .execute(&mut connection)
    .await
    .unwrap();
    connection.close().await.unwrap();
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn an_impossible_command_is_shown_goes_back_and_dies_again() {
    let shop = Shop::open().await;
    assert_eq!(shop.get(LIST).await.expect(200).json()["dead_letters"], json!([]));
    let event = command_inventory(&shop, Payload::Inventory(InventoryMessage::Commit)).await;
    let letter = until(&shop, "", 1).await.remove(0);
    assert_eq!(
        (&letter["queue"], &letter["service"]),
        (&json!("inventory.commands"), &json!("inventory"))
    );
    assert_eq!(
        (&letter["attempts"], &letter["event_type"]),
        (&json!(1), &json!("inventory.commit"))
    );
    assert!(letter["cause"].as_str().unwrap().contains("without a reservation"), "{letter}");
    assert_eq!(letter["event_id"], event.to_string());
    assert_eq!(letter["order_id"], Uuid::from_u128(7).to_string());
    assert_eq!(letter["message"]["event_id"], event.to_string(), "the message itself, as JSON");
    assert!(letter["first_failed_at"].as_str() <= letter["died_at"].as_str(), "{letter}");

    let path = format!("{LIST}/{}", letter["id"].as_str().unwrap());
    assert_eq!(shop.get(&path).await.expect(200).json(), letter);
    let redriven = shop.ask(&format!("{path}/redrive")).await.expect(202).json();
    assert_eq!(redriven, json!({ "id": letter["id"], "queue": "inventory.commands" }));
    let new = |list: &Value| {
        let letters = list["dead_letters"].as_array().unwrap();
        letters.len() == 1 && letters[0]["id"] != letter["id"]
    };
    let again = shop.wait(LIST, new).await["dead_letters"][0].clone();
    assert_eq!((&again["attempts"], &again["event_id"]), (&json!(1), &letter["event_id"]));
    shop.get(&path).await.problem(404);
    shop.ask(&format!("{path}/redrive")).await.problem(404);
    // It came once: a second copy would have died by now.
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
    assert_eq!(until(&shop, "", 1).await, [again]);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_redrives_of_a_dead_letter_send_it_once() {
    let shop = Shop::open().await;
    command_inventory(&shop, Payload::Inventory(InventoryMessage::Commit)).await;
    let letter = until(&shop, "", 1).await.remove(0);
    let path = format!("{LIST}/{}/redrive", letter["id"].as_str().unwrap());
    for answer in futures::future::join_all((0..20).map(|_| shop.ask(&path))).await {
        assert!([202, 404].contains(&answer.status.as_u16()), "{}", answer.text);
    }
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    assert_eq!(until(&shop, "", 1).await.len(), 1);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_queue_is_redriven_and_repaired_messages_are_handled() {
    let shop = shop_with_sms().await;
    shop.stock("chair", 50).await;
    for _ in 0..3 {
        place_unreachable(&shop).await;
    }
    let letters = until(&shop, "", 6).await;
    assert_eq!(texts(&letters, "queue"), BTreeSet::from(["notification.sms".to_owned()]));
    assert_eq!(texts(&letters, "event_id").len(), 6);
    // Somebody corrects one of the numbers.
    let cured = letters[0]["id"].as_str().unwrap().parse::<Uuid>().unwrap();
    let mut notification = shop.database("notification").await;
    sqlx::query("UPDATE dead_letters SET body = replace(body, 'call me', '+49 30 1') WHERE id = ?")
        .bind(cured)
        .execute(&mut notification)
        .await
        .unwrap();
    store_dead_letter(&shop, 1, Queue::NotificationSms, "{}").await;
    let redrive = format!("{LIST}/redrive?queue=notification.sms");
    let done = shop.ask(&redrive).await.expect(202).json();
    assert_eq!(done, json!({ "queue": "notification.sms", "redriven": 6, "unreadable": 1 }));
    let old = texts(&letters, "id");
    let others_died_again = |list: &Value| {
        let ids = texts(list["dead_letters"].as_array().unwrap(), "id");
        ids.len() == 6 && ids.is_disjoint(&old)
    };
    let list = shop.wait(LIST, others_died_again).await;
    let events = texts(&letters, "event_id");
    let dead: Vec<_> = list["dead_letters"].as_array().unwrap()[..5].to_vec();
    assert!(texts(&dead, "event_id").is_subset(&events));
    assert!(!texts(&dead, "event_id").contains(letters[0]["event_id"].as_str().unwrap()));
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_filtered_and_paged_over_all_services() {
    let shop = Shop::open().await;
    let queues = [
        Queue::OrderEvents,
        Queue::InventoryCommands,
        Queue::OrderPaymentApproved,
        Queue::AuditEvents,
        Queue::PaymentCommands,
    ];
    let mut buried = Vec::new();
    for (number, queue) in (1..).zip(queues.into_iter().cycle().take(12)) {
        buried.push(store_dead_letter(&shop, number, queue, "?").await.to_string());
    }
    buried.reverse();
    for limit in [1, 3, 5, 6, 12, 200] {
        let (mut listed, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = shop.get(&format!("{LIST}?limit={limit}{cursor}")).await.expect(200).json();
            let letters = page["dead_letters"].as_array().unwrap();
            assert!(letters.len() <= limit);
            listed.extend(letters.iter().map(|letter| letter["id"].as_str().unwrap().to_owned()));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(listed, buried, "newest first, pages of {limit}");
    }
    assert_eq!(until(&shop, "&queue=order.events", 3).await.len(), 3);
    assert_eq!(until(&shop, "&service=order", 5).await.len(), 5);
    assert_eq!(until(&shop, "&service=order&queue=order.payment-approved", 2).await.len(), 2);
    assert!(until(&shop, "&service=order&queue=audit.events", 0).await.is_empty());
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_dead_letter_stays_and_is_shown_unchanged() {
    let shop = Shop::open().await;
    let order = Uuid::from_u128(9);
    let unknown = json!({ "event_id": order, "order_id": order, "event_type": "order.archived" });
    let long = "x".repeat(1_000_000);
    let bodies = [("not JSON \u{FFFD}", 1), (&unknown.to_string(), 2), (&long, 3)];
    for (body, id) in bodies {
        store_dead_letter(&shop, id, Queue::OrderEvents, body).await;
        let path = format!("{LIST}/{}", Uuid::from_u128(id));
        assert_eq!(shop.get(&path).await.expect(200).json()["message_bytes"], body.len());
        let problem = shop.ask(&format!("{path}/redrive")).await.problem(409);
        assert!(problem["detail"].as_str().unwrap().contains("still unreadable"), "{problem}");
    }
    let letters = until(&shop, "", 3).await;
    let cut = letters[0]["message"].as_str().unwrap();
    assert_eq!((cut.len(), &letters[0]["message_cut"]), (16 * 1024, &json!(true)));
    let whole = shop.get(&format!("{LIST}/{}", Uuid::from_u128(3))).await.expect(200).json();
    assert_eq!(whole["message"], long);
    assert_eq!(letters[1]["message"], unknown);
    assert_eq!(
        (&letters[1]["event_type"], &letters[1]["order_id"]),
        (&json!("order.archived"), &json!(order))
    );
    assert_eq!(letters[2]["message"], "not JSON \u{FFFD}");
    assert_eq!((&letters[2]["event_id"], &letters[2]["order_id"]), (&Value::Null, &Value::Null));
    let done = shop.ask(&format!("{LIST}/redrive?queue=order.events")).await.expect(202).json();
    assert_eq!((&done["redriven"], &done["unreadable"]), (&json!(0), &json!(3)));
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_a_feed_goes_back_by_itself() {
    let shop = Shop::open().await;
    let origin = Origin::new(OrderId(Uuid::from_u128(7)), Flow::Orchestrated, Plan::ReserveFirst);
    let event = Message::new(
        &origin,
        Payload::Inventory(InventoryMessage::Released),
        0,
        chrono::DateTime::UNIX_EPOCH,
    );
    let id = store_dead_letter(&shop, 1, Queue::AuditEvents, event.json()).await;
    shop.ask(&format!("{LIST}/{id}/redrive")).await.expect(202);
    let audit = format!("/audit?order_id={}", Uuid::from_u128(7));
    let heard = |list: &Value| list["entries"].as_array().unwrap().len() == 1;
    let entries = shop.wait(&audit, heard).await;
    assert_eq!(entries["entries"][0]["event_id"], event.event_id.to_string());
    until(&shop, "", 0).await;
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn parked_rows_and_metrics_stand_beside_them() {
    let shop = Shop::open().await;
    let parked = shop.get(LIST).await.expect(200).json()["parked"].clone();
    assert_eq!(parked.as_array().unwrap().len(), ServiceName::ALL.len(), "{parked}");
    for service in ServiceName::ALL {
        let row = json!({ "service": service, "rows": 0 });
        assert!(parked.as_array().unwrap().contains(&row), "{service}: {parked}");
    }
    let mut order = shop.database("order").await;
    let row = r#"{"messages":[]}"#;
    sqlx::query("INSERT INTO outbox (id, content, tries, parked_until) VALUES (?, ?, 1, 1 << 60)")
        .bind(Uuid::from_u128(1))
        .bind(row)
        .execute(&mut order)
        .await
        .unwrap();
    let parked = shop.get(&format!("{LIST}?service=order")).await.expect(200).json();
    assert_eq!(parked["parked"], json!([{ "service": "order", "rows": 1 }]));
    let until = std::time::Instant::now() + std::time::Duration::from_secs(30);
    for series in [
        "ordermill_outbox_parked_rows{service=\"order\"} 1",
        "ordermill_dead_letters{service=\"order\",queue=\"order.events\"}",
        "ordermill_queue_messages_ready{queue=\"order.events\"}",
        "ordermill_consumer_deliveries_total{queue=\"order.events\"}",
        "ordermill_consumer_messages_total{queue=\"order.events\",outcome=\"done\"}",
    ] {
        while !shop.get("/metrics").await.expect(200).text.contains(series) {
            assert!(std::time::Instant::now() < until, "{series} is not there");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_questions_are_named() {
    let shop = Shop::open().await;
    let nobody = format!("{LIST}/{}", Uuid::from_u128(1));
    shop.get(&nobody).await.problem(404);
    shop.ask(&format!("{nobody}/redrive")).await.problem(404);
    shop.get(&format!("{LIST}/x")).await.fault(400, "id");
    shop.ask(&format!("{LIST}/x/redrive")).await.fault(400, "id");
    shop.ask(&format!("{LIST}/redrive")).await.fault(400, "queue");
    shop.ask(&format!("{LIST}/redrive?queue=nowhere")).await.fault(400, "queue");
    shop.get(&format!("{LIST}?queue=nowhere")).await.fault(400, "queue");
    shop.get(&format!("{LIST}?service=mail")).await.fault(400, "service");
    shop.get(&format!("{LIST}?limit=201")).await.fault(400, "limit");
    shop.get(&format!("{LIST}?cursor=abc")).await.fault(400, "cursor");
    shop.get(&format!("{LIST}/redrive")).await.problem(405);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_dead_letter_is_discarded_with_a_stored_reason() {
    let shop = Shop::open().await;
    let (queue, other) = (Queue::InventoryCommands, Queue::OrderEvents);
    let poison = store_dead_letter(&shop, 1, queue, "{").await;
    let more = store_dead_letter(&shop, 2, queue, "nonsense").await;
    store_dead_letter(&shop, 3, other, "{").await;
    command_inventory(&shop, Payload::Inventory(InventoryMessage::Commit)).await;
    until(&shop, "&queue=inventory.commands", 3).await;
    let discarded = format!("{LIST}/discarded");
    assert_eq!(shop.get(&discarded).await.expect(200).json()["discarded"], json!([]));

    let path = format!("{LIST}/{poison}/discard");
    for (body, field) in [(json!({}), "reason"), (json!({ "reason": 1 }), "reason")] {
        shop.post(&path, &body).await.fault(400, field);
    }
    for reason in ["", "  ", &"x".repeat(201)] {
        shop.post(&path, &json!({ "reason": reason })).await.fault(422, "reason");
    }
    let reason = json!({ "reason": "sent by a broken script, ticket 4711" });
    let done = shop.post(&path, &reason).await.expect(200).json();
    assert_eq!(
        done,
        json!({ "id": poison, "queue": "inventory.commands", "reason": reason["reason"] })
    );
    shop.post(&path, &reason).await.problem(404);
    shop.get(&format!("{LIST}/{poison}")).await.problem(404);
    shop.ask(&format!("{LIST}/{poison}/redrive")).await.problem(404);

    // The rest of the queue that cannot be read; what can be read stays.
    let path = format!("{LIST}/discard?queue=inventory.commands");
    let all = shop.post(&path, &reason).await.expect(200).json();
    assert_eq!(all, json!({ "queue": "inventory.commands", "discarded": 1, "readable": 1 }));
    assert_eq!(until(&shop, "&queue=inventory.commands", 1).await.len(), 1);
    assert_eq!(until(&shop, "&queue=order.events", 1).await.len(), 1);

    let shop = shop.reopen().await;
    let list = shop.get(&discarded).await.expect(200).json();
    let list = list["discarded"].as_array().unwrap();
    let ids: Vec<_> = list.iter().map(|entry| entry["dead_letter"]["id"].clone()).collect();
    assert_eq!(ids, [json!(more), json!(poison)]);
    for entry in list {
        assert_eq!(entry["reason"], reason["reason"], "{entry}");
        assert_eq!(entry["dead_letter"]["cause"], "malformed", "{entry}");
        assert!(entry["discarded_at"].as_str().unwrap().starts_with("20"), "{entry}");
    }
    let page = shop.get(&format!("{discarded}?limit=1")).await.expect(200).json();
    let next = format!("{discarded}?limit=1&cursor={}", page["next_cursor"].as_str().unwrap());
    assert_eq!(shop.get(&next).await.json()["discarded"][0]["dead_letter"]["id"], json!(poison));
    let none = shop.get(&format!("{discarded}?queue=order.events")).await.expect(200).json();
    assert_eq!(none["discarded"], json!([]));
    shop.get(&format!("{discarded}?queue=nowhere")).await.fault(400, "queue");
    shop.close().await;
}
