//! A server that gives the answers that it was given, in their order, and remembers what it was asked.

use serde_json::Value;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// An answer.
#[derive(Clone)]
pub enum Reply {
    /// HTTP.
    Http {
        /// The status.
        status: u16,
        /// Further lines of the head.
        headers: Vec<String>,
        /// The body.
        body: String,
    },
    /// The connection is closed without one.
    Reset,
    /// Nothing, for longer than anyone waits.
    Silence,
}

impl Reply {
    pub fn text(status: u16, body: &str) -> Self {
        Self::Http { status, headers: Vec::new(), body: body.to_owned() }
    }

    pub fn json(status: u16, body: &Value) -> Self {
        Self::text(status, &body.to_string())
    }

    pub fn header(self, line: &str) -> Self {
        let Self::Http { status, mut headers, body } = self else { panic!("it has no head") };
        headers.push(line.to_owned());
        Self::Http { status, headers, body }
    }

    pub fn retry_after(self, seconds: u64) -> Self {
        self.header(&format!("retry-after: {seconds}"))
    }
}

/// What was asked.
#[derive(Clone)]
pub struct Request {
    /// Method and path.
    pub line: String,
    /// The body.
    pub body: String,
    head: String,
}

impl Request {
    /// A line of the head, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// A server.
pub struct Server {
    url: String,
    requests: Arc<Mutex<Vec<Request>>>,
    task: JoinHandle<()>,
}

impl Server {
    pub async fn start(replies: Vec<Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let task = tokio::spawn(serve(listener, replies.into(), requests.clone()));
        Self { url, requests, task }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// Closes the port.
    pub async fn stop(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}

/// One connection a request: each answer closes its own.
async fn serve(
    listener: TcpListener,
    mut replies: VecDeque<Reply>,
    requests: Arc<Mutex<Vec<Request>>>,
) {
    let mut silent = Vec::new();
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let request = read(&mut stream).await;
        requests.lock().unwrap().push(request);
        match replies.pop_front() {
            Some(Reply::Http { status, headers, body }) => {
                let headers: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
                let head = format!(
                    "HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n",
                    body.len()
                );
                // The client may have enough before the end.
                let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
            }
            Some(Reply::Silence) => silent.push(stream),
            Some(Reply::Reset) | None => drop(stream),
        }
    }
}

async fn read(stream: &mut TcpStream) -> Request {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let line = head.lines().next().unwrap().trim_end_matches(" HTTP/1.1").to_owned();
            let request = Request { line, body: body.to_owned(), head: head.to_owned() };
            let length = request.header("content-length").unwrap_or("0").parse().unwrap();
            if body.len() >= length {
                return request;
            }
        }
        let count = stream.read_buf(&mut bytes).await.unwrap();
        assert!(count > 0, "the request ended early");
    }
}
