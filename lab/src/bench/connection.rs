//! One keep-alive connection on which orders are placed.
//!
//! As little as HTTP/1.1 needs: the load shares its cores with the server, and whatever a client costs is
//! missing there.

use anyhow::{Context, bail};
use ordermill::key_arg::KeyArg;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use uuid::Uuid;

/// How long one answer may take. A server under load answers "busy" within a second or two.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);
/// More bytes than any answer to a POST has.
const ANSWER_BYTES_MAX: usize = 1 << 20;
/// More header fields than any answer has.
const FIELDS_MAX: usize = 32;

/// A connection to one server, opened when it is needed.
pub struct ServerConnection {
    host: String,
    /// The header field with the API key.
    key: String,
    stream: Option<TcpStream>,
    buffer: Vec<u8>,
}

/// What a POST was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlaceResponse {
    /// The status.
    pub status: u16,
    /// The order, when one was made.
    pub order: Option<Uuid>,
    /// When it is worth asking again, where the server says so.
    pub retry_after: Option<Duration>,
}

/// Where the answer in a buffer ends, and whether the connection ends with it.
struct FramedResponse {
    answer: PlaceResponse,
    length: usize,
    last: bool,
}

impl ServerConnection {
    /// A client of the server at an address such as `http://127.0.0.1:8080`.
    pub fn new(url: &str) -> Self {
        let host = url.strip_prefix("http://").unwrap_or(url).to_owned();
        Self {
            host,
            key: KeyArg::from_env().field(),
            stream: None,
            buffer: Vec::with_capacity(4096),
        }
    }

    /// Places an order. An error says that nobody knows what became of it.
    pub async fn place(&mut self, body: &[u8]) -> anyhow::Result<PlaceResponse> {
        // Only an answer that was read to its end leaves the connection for the next one.
        let stream = self.stream.take();
        let asked = timeout(ANSWER_LIMIT, self.ask(stream, body)).await;
        let (stream, FramedResponse { answer, last, .. }) =
            asked.context("no response in time")??;
        self.stream = (!last).then_some(stream);
        Ok(answer)
    }

    async fn ask(
        &mut self,
        stream: Option<TcpStream>,
        body: &[u8],
    ) -> anyhow::Result<(TcpStream, FramedResponse)> {
        let mut stream = match stream {
            Some(stream) => stream,
            None => self.connect().await?,
        };
        self.buffer.clear();
        let head = format!(
            "POST /orders HTTP/1.1\r\nHost: {}\r\n{}Content-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n",
            self.host,
            self.key,
            body.len()
        );
        self.buffer.extend_from_slice(head.as_bytes());
        self.buffer.extend_from_slice(body);
        stream.write_all(&self.buffer).await?;
        self.buffer.clear();
        loop {
            if stream.read_buf(&mut self.buffer).await? == 0 {
                bail!("the server has closed the connection");
            }
            if let Some(framed) = frame(&self.buffer)?
                && self.buffer.len() >= framed.length
            {
                return Ok((stream, framed));
            }
            if self.buffer.len() > ANSWER_BYTES_MAX {
                bail!("the response head is too large");
            }
        }
    }

    async fn connect(&self) -> anyhow::Result<TcpStream> {
        let stream = TcpStream::connect(&self.host).await;
        let stream = stream.with_context(|| format!("connecting to {} failed", self.host))?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

/// Reads the head of an answer, once it is there whole.
fn frame(bytes: &[u8]) -> anyhow::Result<Option<FramedResponse>> {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX];
    let mut response = httparse::Response::new(&mut fields);
    let httparse::Status::Complete(head) = response.parse(bytes)? else { return Ok(None) };
    let mut answer =
        PlaceResponse { status: response.code.unwrap_or_default(), order: None, retry_after: None };
    let (mut body, mut last) = (None, false);
    for field in response.headers.iter() {
        let text = std::str::from_utf8(field.value).unwrap_or_default();
        let name = field.name;
        if name.eq_ignore_ascii_case("content-length") {
            body = text.parse::<usize>().ok();
        } else if name.eq_ignore_ascii_case("connection") {
            last = text.eq_ignore_ascii_case("close");
        } else if name.eq_ignore_ascii_case("location") {
            answer.order = text.strip_prefix("/orders/").and_then(|id| id.parse().ok());
        } else if name.eq_ignore_ascii_case("retry-after") {
            answer.retry_after = text.parse().ok().map(Duration::from_secs);
        }
    }
    let body = body.context("the response has no Content-Length")?;
    Ok(Some(FramedResponse { answer, length: head + body, last }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_when_its_head_is_there() {
        let id = Uuid::from_u128(7);
        let text = format!(
            "HTTP/1.1 201 Created\r\nLocation: /orders/{id}\r\ncontent-length: 2\r\n\r\n{{}}"
        );
        assert!(frame(&text.as_bytes()[..text.len() - 3]).unwrap().is_none());
        let framed = frame(text.as_bytes()).unwrap().unwrap();
        assert_eq!(
            framed.answer,
            PlaceResponse { status: 201, order: Some(id), retry_after: None }
        );
        assert_eq!((framed.length, framed.last), (text.len(), false));
        let busy =
            b"HTTP/1.1 503 x\r\nRetry-After: 2\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
        let framed = frame(busy).unwrap().unwrap();
        assert_eq!(framed.answer.retry_after, Some(Duration::from_secs(2)));
        assert!(framed.last && framed.answer.status == 503);
        assert!(frame(b"HTTP/1.1 200 OK\r\n\r\n").is_err(), "it has no Content-Length");
    }
}
