//! Clients that vanish, and a server that does not accept connections yet.

use super::support::{Shop, order};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_vanish_in_mid_request_do_no_harm() {
    let shop = Shop::open().await;
    shop.stock("chair", 10_000).await;
    let body = order("chair", 1).to_string();
    let head = format!(
        "POST /orders HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let request = [head.as_bytes(), body.as_bytes()].concat();
    let address = shop.url.strip_prefix("http://").unwrap();
    for round in 0..300 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        // Cut within the head, within the body, or gone before the answer.
        let sent = if round % 2 == 0 { request.len() } else { (round * 7) % request.len() };
        stream.write_all(&request[..sent]).await.unwrap();
        if round % 3 == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(round as u64 % 5)).await;
        }
        drop(stream);
    }
    for _ in 0..20 {
        let placed = shop.place(&order("chair", 1)).await;
        shop.until(&placed, "CONFIRMED").await;
    }
    // What was taken of the vanished is whole: every order gets to its end.
    let open = |view: &serde_json::Value| view["orders"].as_array().unwrap().is_empty();
    for status in ["PENDING", "INVENTORY_RESERVED", "PAYMENT_APPROVED"] {
        shop.wait(&format!("/orders?status={status}"), open).await;
    }
    let mut orders = 0;
    let mut cursor = String::new();
    loop {
        let page = shop.get(&format!("/orders?status=CONFIRMED&limit=200{cursor}")).await.json();
        orders += page["orders"].as_array().unwrap().len() as i64;
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert!((20..=170).contains(&orders), "{orders}");
    let stock = shop.get("/inventory/chair").await.json();
    assert_eq!(stock["reserved_qty"], orders);
    shop.close().await;
}
