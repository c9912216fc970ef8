//! The fake over real HTTP.

use super::{Call, FakeMidtrans, FakeSettings, Fault, PaymentType, SettableClock, Status};
use chrono::DateTime;
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::time::timeout;

const ORDER: &str = "om-0198c2f4-7a31-7c55-9d02-3b6f8e1a4c77";

/// Longer than anything here takes, on a busy machine too.
const SOON: Duration = Duration::from_secs(20);

fn clock() -> Arc<SettableClock> {
    Arc::new(SettableClock::new(DateTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)))
}

async fn started() -> FakeMidtrans {
    FakeMidtrans::start(FakeSettings::for_test(clock())).await.unwrap()
}

fn authorized(request: RequestBuilder) -> RequestBuilder {
    request.basic_auth("SB-Mid-server-ordermill-test-0001", Some(""))
}

fn create(fake: &FakeMidtrans) -> RequestBuilder {
    let body = json!({"transaction_details": {"order_id": ORDER, "gross_amount": 145_000}});
    authorized(Client::new().post(format!("{}/snap/v1/transactions", fake.url()))).json(&body)
}

async fn page(fake: &FakeMidtrans) -> String {
    let body: Value = create(fake).send().await.unwrap().json().await.unwrap();
    body["redirect_url"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_page_is_created_shown_and_paid_by_a_click() {
    let fake = started().await;
    let url = page(&fake).await;
    let shown = reqwest::get(&url).await.unwrap().text().await.unwrap();
    let token = fake.token_of(ORDER).unwrap();
    let action = format!("/_test/pages/{token}/pay?type=gopay");
    assert!(shown.contains(&action), "{shown}");
    let click = Client::new().post(format!("{}{action}", fake.url())).header("accept", "text/html");
    let shown = click.send().await.unwrap().text().await.unwrap();
    assert!(shown.contains("settlement"), "{shown}");
    assert_eq!(fake.transaction_of(ORDER).unwrap().status, Status::Settled);
    let status = Client::new().get(format!("{}/v2/{ORDER}/status", fake.url()));
    let body: Value = authorized(status).send().await.unwrap().json().await.unwrap();
    assert_eq!(body["transaction_status"], "settlement");
    assert_eq!((fake.count(Call::Create), fake.count(Call::Status)), (1, 1));
}

#[tokio::test]
async fn everything_is_shown_as_json() {
    let fake = started().await;
    page(&fake).await;
    fake.pay(&fake.token_of(ORDER).unwrap(), PaymentType::Gopay).unwrap();
    let url = format!("{}/_test/state", fake.url());
    let state: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
    let (shown, paid) = (&state["pages"][0], &state["transactions"][0]);
    assert_eq!((&shown["order_id"], &shown["state"]), (&json!(ORDER), &json!("open")));
    assert_eq!((&paid["status"], &paid["refunds"]), (&json!("settlement"), &json!([])));
    assert_eq!(state["requests"], json!({"create": 1}));
}

#[tokio::test]
async fn faults_are_scripted_by_a_request() {
    let fake = started().await;
    let script = "call=create&fault=status:429:5&times=2";
    let url = format!("{}/_test/faults?{script}", fake.url());
    assert_eq!(Client::new().post(url).send().await.unwrap().status(), 200);
    for _ in 0..2 {
        let answer = create(&fake).send().await.unwrap();
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["retry-after"]),
            (429, &"5".parse().unwrap())
        );
    }
    assert_eq!(create(&fake).send().await.unwrap().status(), 201);
    let url = format!("{}/_test/faults?call=create&fault=magic", fake.url());
    assert_eq!(Client::new().post(url).send().await.unwrap().status(), 400);
}

#[tokio::test]
async fn a_reset_is_one_failed_request() {
    let fake = started().await;
    fake.fault(Call::Create, &[Fault::ResetBefore, Fault::ResetAfter]);
    for pages in [0, 1] {
        assert!(create(&fake).send().await.is_err());
        assert_eq!(fake.pages().len(), pages);
    }
    assert_eq!(fake.count(Call::Create), 2);
}

#[tokio::test]
async fn an_answer_hangs_until_it_is_released() {
    let fake = started().await;
    fake.fault(Call::Create, &[Fault::Hang]);
    let asked = tokio::spawn(create(&fake).send());
    timeout(SOON, async {
        while fake.pages().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .unwrap();
    let token = fake.token_of(ORDER).unwrap();
    fake.pay(&token, PaymentType::Gopay).unwrap();
    assert!(!asked.is_finished());
    fake.release();
    assert_eq!(timeout(SOON, asked).await.unwrap().unwrap().unwrap().status(), 201);
}

#[tokio::test]
async fn a_closed_port_refuses_connections_until_it_is_opened() {
    let fake = started().await;
    fake.close_port().await;
    assert!(create(&fake).send().await.unwrap_err().is_connect());
    fake.open_port().await.unwrap();
    assert_eq!(create(&fake).send().await.unwrap().status(), 201);
}

/// Takes one request, and answers it with a status. Returns its body.
async fn answer_one(listener: &TcpListener, status: &str) -> String {
    let (mut stream, _) = timeout(SOON, listener.accept()).await.unwrap().unwrap();
    let mut taken = Vec::new();
    while !taken.ends_with(b"}") {
        assert_ne!(stream.read_buf(&mut taken).await.unwrap(), 0);
    }
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    stream.write_all(answer.as_bytes()).await.unwrap();
    let taken = String::from_utf8(taken).unwrap();
    taken.split_once("\r\n\r\n").unwrap().1.to_owned()
}

#[tokio::test]
async fn a_notification_is_posted_and_again_by_the_fakes_clock() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (clock, merchant) = (clock(), listener.local_addr().unwrap());
    let fake = FakeMidtrans::start(FakeSettings::for_test(clock.clone())).await.unwrap();
    fake.notify_to(format!("http://{merchant}/webhooks/midtrans"));
    page(&fake).await;
    fake.pay(&fake.token_of(ORDER).unwrap(), PaymentType::Gopay).unwrap();
    let first = answer_one(&listener, "503 Service Unavailable").await;
    assert_eq!(serde_json::from_str::<Value>(&first).unwrap()["transaction_status"], "settlement");
    let too_soon = timeout(Duration::from_millis(100), listener.accept()).await;
    assert!(too_soon.is_err());
    clock.advance(Duration::from_secs(120));
    assert_eq!(answer_one(&listener, "200 OK").await, first);
    timeout(SOON, async {
        while fake.notifications()[0].answers.len() < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .unwrap();
    assert_eq!(fake.notifications()[0].answers, [Some(503), Some(200)]);
}
