//! A collector that keeps what it is sent: `POST /v1/traces` over HTTP/1.1, protobuf.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A trace and a span in it.
pub type SpanKey = (Vec<u8>, Vec<u8>);

/// The collector. It listens as long as the test runs.
pub struct Receiver {
    pub url: String,
    spans: Arc<Mutex<BTreeMap<SpanKey, Span>>>,
}

impl Receiver {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let spans = Arc::<Mutex<BTreeMap<SpanKey, Span>>>::default();
        let kept = spans.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let kept = kept.clone();
                std::thread::spawn(move || serve(stream, &kept));
            }
        });
        Self { url, spans }
    }

    /// What it was sent so far. A span that came twice is there once.
    pub fn spans(&self) -> BTreeMap<SpanKey, Span> {
        self.spans.lock().unwrap().clone()
    }
}

fn serve(mut stream: TcpStream, spans: &Mutex<BTreeMap<SpanKey, Span>>) {
    let (mut buffer, mut part) = (Vec::new(), [0; 65_536]);
    loop {
        let end = loop {
            if let Some(at) = buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break at + 4;
            }
            match stream.read(&mut part) {
                Ok(0) | Err(_) => return,
                Ok(read) => buffer.extend_from_slice(&part[..read]),
            }
        };
        let head = String::from_utf8_lossy(&buffer[..end]).to_lowercase();
        assert!(head.starts_with("post /v1/traces"), "{head}");
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        let all = end + length.trim().parse::<usize>().unwrap();
        while buffer.len() < all {
            match stream.read(&mut part) {
                // Killed while it sent.
                Ok(0) | Err(_) => return,
                Ok(read) => buffer.extend_from_slice(&part[..read]),
            }
        }
        let request = ExportTraceServiceRequest::decode(&buffer[end..all]).unwrap();
        let sent = request.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
        for span in sent.flat_map(|scope| scope.spans) {
            let key = (span.trace_id.clone(), span.span_id.clone());
            spans.lock().unwrap().insert(key, span);
        }
        buffer.drain(..all);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    }
}

/// An attribute's text.
pub fn text(span: &Span, name: &str) -> Option<String> {
    let attribute = span.attributes.iter().find(|attribute| attribute.key == name)?;
    match attribute.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text.clone()),
        other => Some(format!("{other:?}")),
    }
}
