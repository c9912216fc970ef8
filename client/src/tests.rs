//! The client against a server that gives prepared responses.

use crate::{Client, Error, List, Options, Redriven, StatusCode, server_url};
use std::error::Error as _;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::time::Duration;

/// A server that gives these responses, one to each request; its URL, and a way to the request lines.
fn server(
    responses: &[(&'static str, &'static str)],
) -> (String, std::thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let responses = responses.to_vec();
    let serve = move |(head, body): (&str, &str)| {
        let (mut stream, _) = listener.accept().unwrap();
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map(Result::unwrap);
        let request = lines.next().unwrap();
        assert!(lines.any(|line| line.is_empty()), "the headers end");
        let length = body.len();
        write!(
            stream,
            "HTTP/1.1 {head}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        request
    };
    (url, std::thread::spawn(move || responses.into_iter().map(serve).collect()))
}

fn client(url: &str, busy_timeout: Duration) -> Client {
    Client::new(url, Options { busy_timeout, ..Options::default() })
}

const BUSY: (&str, &str) = ("503 Busy\r\nRetry-After: 0", r#"{"detail": "too many orders"}"#);

#[tokio::test]
async fn a_request_is_repeated_only_while_the_server_is_busy_and_there_is_time() {
    let (url, _) = server(&[BUSY, BUSY, ("202 Accepted", r#"{"redriven": 2, "unreadable": 1}"#)]);
    let done = client(&url, Duration::from_secs(30)).redrive_all("order.events").await.unwrap();
    assert!(matches!(done, Redriven { redriven: 2, unreadable: 1 }));

    let (url, _) = server(&[BUSY]);
    let refused = client(&url, Duration::ZERO).queues().await.unwrap_err();
    assert_eq!(refused.to_string(), "too many orders");
    let (url, _) = server(&[("409 Conflict", r#"{"detail": "no"}"#)]);
    let refused = client(&url, Duration::from_secs(30)).queues().await.unwrap_err();
    assert!(matches!(refused, Error::Refused { status: StatusCode::CONFLICT, .. }), "{refused}");
}

#[tokio::test]
async fn errors_name_the_server_and_the_cause() {
    for (response, said) in [
        (("500 Oops", "<html>"), "is not an Ordermill server: it responded with 500"),
        (("200 OK", "<html>"), "is not an Ordermill server of this version"),
    ] {
        let (url, _) = server(&[response]);
        let error = client(&url, Duration::ZERO).overview().await.unwrap_err().to_string();
        assert!(error.starts_with(&url) && error.contains(said), "{error}");
    }
    let error = client("http://127.0.0.1:1/", Duration::ZERO).overview().await.unwrap_err();
    assert_eq!(error.to_string(), "no server responds at http://127.0.0.1:1 (--url)");
    assert!(error.source().is_some());
}

#[tokio::test]
async fn a_product_may_have_any_name() {
    let (url, requests) = server(&[("404 Not Found", r#"{"detail": "unknown"}"#)]);
    let refused = client(&url, Duration::ZERO).product("Стул/1 ?").await.unwrap_err();
    assert!(!refused.may_pass());
    let requests = requests.join().unwrap();
    assert!(
        requests[0].starts_with("GET /inventory/%D0%A1%D1%82%D1%83%D0%BB%2F1%20%3F "),
        "{requests:?}"
    );
}

#[tokio::test]
async fn a_server_that_stays_silent_is_told_from_one_that_is_not_there() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let options = Options { request_timeout: Duration::from_millis(50), ..Options::default() };
    let error = Client::new(&url, options).overview().await.unwrap_err();
    let said = format!("{url} has not responded to GET /admin/reconciliation in time");
    assert_eq!(error.to_string(), said);
    assert!(error.may_pass());
}

#[test]
fn the_url_of_a_server_has_a_host_and_a_port_and_nothing_else() {
    for url in ["http://127.0.0.1:8080", "http://shop.example/", "http://[::1]:1"] {
        assert_eq!(server_url(url).as_deref(), Ok(url.trim_end_matches('/')));
    }
    for (url, said) in [
        ("shop", "it is not a URL"),
        ("https://shop.example", "only http is supported"),
        ("http://u:p@shop.example", "a user or a password is not supported"),
        ("http://shop.example/api", "only a host and a port are supported"),
        ("http://shop.example?a=1", "only a host and a port are supported"),
    ] {
        let error = server_url(url).unwrap_err();
        assert!(error.starts_with(said) && error.contains("http://127.0.0.1:8080"), "{error}");
    }
}

#[tokio::test]
async fn a_list_is_read_page_by_page_up_to_its_limit() {
    let pages = [
        ("200 OK", r#"{"orders": [1, 2], "next_cursor": "x/y"}"#),
        ("200 OK", r#"{"orders": [3], "next_cursor": "z"}"#),
    ];
    let (url, requests) = server(&pages);
    let list = client(&url, Duration::ZERO).list::<u32>("/orders", &[("user_id", "7")], 3).await;
    let List { entries, has_more } = list.unwrap();
    assert_eq!((entries, has_more), (vec![1, 2, 3], true));
    let requests = requests.join().unwrap();
    assert!(requests[0].contains("/orders?user_id=7&limit=3 "), "{requests:?}");
    assert!(requests[1].contains("/orders?user_id=7&limit=1&cursor=x%2Fy "), "{requests:?}");
}
