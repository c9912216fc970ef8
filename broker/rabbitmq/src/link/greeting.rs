//! The broker's greeting, for its version: lapin does not pass it on. Asked on a connection of its own, which
//! goes no further, once for each process.

use super::open::{OPENED_WITHIN, SocketCloser, socket};
use crate::address::Address;
use crate::error::{BrokerOpenError, LinkError};
use async_rs::Runtime;
use futures::{AsyncReadExt, AsyncWriteExt};
use lapin::protocol::{AMQPClass, connection::AMQPMethod, parse_class};
use lapin::types::AMQPValue;

/// What an AMQP 0-9-1 client says first.
const HEADER: &[u8] = b"AMQP\x00\x00\x09\x01";
/// A frame's type, channel and size.
const FRAME_HEAD_BYTES: usize = 7;
/// Longer greetings are not RabbitMQ's.
const GREETING_BYTES_MAX: usize = 64 * 1024;
/// The first RabbitMQ that dead-letters at least once: an older one takes our declarations, and may lose what
/// it gives up.
const VERSION_MIN: (u32, u32) = (3, 10);

/// Refuses a RabbitMQ that is older than what is supported. A broker that says nothing of its version is left
/// to the connection proper.
pub async fn verify_version(address: &Address) -> Result<(), BrokerOpenError> {
    let unreachable =
        |cause: String| BrokerOpenError::Unreachable { place: address.to_string(), cause };
    let greeting = match tokio::time::timeout(OPENED_WITHIN, greeting(address)).await {
        Ok(greeting) => greeting.map_err(|error| unreachable(error.to_string()))?,
        Err(_) => return Err(unreachable(LinkError::Silent(OPENED_WITHIN).to_string())),
    };
    match version(&greeting) {
        Some(version) if is_too_old(&version) => {
            Err(BrokerOpenError::TooOld { place: address.to_string(), version })
        }
        Some(_) | None => Ok(()),
    }
}

/// The payload of the first frame that the broker sends. Empty where it sends something else.
async fn greeting(address: &Address) -> std::io::Result<Vec<u8>> {
    let socket_closer = SocketCloser::default();
    let mut stream =
        socket(&address.uri, &Runtime::tokio_current(), socket_closer.shared()).await?;
    stream.write_all(HEADER).await?;
    stream.flush().await?;
    let mut head = [0; FRAME_HEAD_BYTES];
    if stream.read_exact(&mut head).await.is_err() {
        return Ok(Vec::new());
    }
    let size = u32::from_be_bytes([head[3], head[4], head[5], head[6]]) as usize;
    let mut payload = vec![0; if size > GREETING_BYTES_MAX { 0 } else { size }];
    stream.read_exact(&mut payload).await?;
    Ok(payload)
}

/// The version that a RabbitMQ names.
fn version(greeting: &[u8]) -> Option<String> {
    let Ok((_, AMQPClass::Connection(AMQPMethod::Start(start)))) = parse_class(greeting) else {
        return None;
    };
    let properties = start.server_properties.inner();
    let text = |key: &str| match properties.get(key) {
        Some(AMQPValue::LongString(text)) => Some(text.to_string()),
        Some(_) | None => None,
    };
    text("product").filter(|product| product == "RabbitMQ").and_then(|_| text("version"))
}

fn is_too_old(version: &str) -> bool {
    let mut numbers = version.split('.').map(|number| number.parse::<u32>());
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) < VERSION_MIN,
        // A version of another form is newer than this code.
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_compared_by_its_numbers() {
        for (version, too_old) in [
            ("3.9.13", true),
            ("3.8.9-1", true),
            ("2.11.0", true),
            ("3.10.0", false),
            ("3.10.8", false),
            ("3.13.7", false),
            ("4.0.2", false),
            ("4.1.0-rc.1", false),
            ("next", false),
        ] {
            assert_eq!(is_too_old(version), too_old, "{version}");
        }
    }

    #[test]
    fn a_malformed_greeting_has_no_version() {
        for greeting in [&b""[..], b"HTTP/1.1 400 Bad Request", &[0, 10, 0, 10, 0, 9]] {
            assert_eq!(version(greeting), None);
        }
    }
}
