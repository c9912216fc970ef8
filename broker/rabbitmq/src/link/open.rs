//! Opening a connection, so that nothing of a failed one is left: no thread, no socket.

use super::{FlowState, Live, answer};
use crate::address::Address;
use crate::error::{BrokerOpenError, LinkError};
use crate::topology;
use async_rs::traits::Reactor;
use async_rs::{Runtime, Tokio};
use lapin::tcp::{AsyncTcpStream, OwnedTLSConfig};
use lapin::uri::{AMQPScheme, AMQPUri};
use lapin::{Connection, ConnectionProperties};
use std::net::{Shutdown, TcpStream};
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How long a socket, and TLS on it, may take.
const SOCKET_WITHIN: Duration = Duration::from_secs(5);

/// How long the broker may take to let us in. One that has just started is slow.
pub(super) const OPENED_WITHIN: Duration = Duration::from_secs(10);

/// A second hold on a connection's socket. lapin serves each connection by a thread of its own, which goes on
/// for as long as its socket does, also when nobody waits for it any more: a peer that accepts and says
/// nothing would cost a thread a try. Closing the socket ends it.
#[derive(Clone, Default)]
pub struct SocketCloser(Arc<SharedSocket>);

#[derive(Default)]
pub(super) struct SharedSocket(Mutex<Option<TcpStream>>);

impl SocketCloser {
    /// Cuts it.
    pub fn cut(&self) {
        let socket = self.0.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take();
        if let Some(socket) = socket {
            // It may be closed already.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }

    /// What holds the socket once there is one.
    pub(super) fn shared(&self) -> Weak<SharedSocket> {
        Arc::downgrade(&self.0)
    }

    fn hold(&self, socket: &impl AsFd) -> std::io::Result<()> {
        let twin = TcpStream::from(socket.as_fd().try_clone_to_owned()?);
        *self.0.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Some(twin);
        Ok(())
    }
}

impl Drop for SharedSocket {
    fn drop(&mut self) {
        let socket = self.0.get_mut().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(socket) = socket.take() {
            // It may be closed already.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}

/// Opens a connection and declares the topology on it.
pub async fn open(address: &Address, role: &str) -> Result<Live, BrokerOpenError> {
    let socket_closer = SocketCloser::default();
    let connection = connect(address, role, socket_closer.clone()).await;
    let connection = connection.map_err(|error| BrokerOpenError::connecting(address, &error))?;
    topology::declare(&connection, address).await?;
    Ok(Live {
        connection,
        address: address.clone(),
        ended: CancellationToken::new(),
        flow: Mutex::new(FlowState::Open(Instant::now())),
        declaring: tokio::sync::Mutex::default(),
        socket_closer,
    })
}

async fn connect(
    address: &Address,
    role: &str,
    socket_closer: SocketCloser,
) -> Result<Connection, LinkError> {
    let name = format!("{} {role}", address.name);
    let properties = ConnectionProperties::default().with_connection_name(name.into());
    // The thread keeps the means to connect; it must not keep the socket closer.
    let shared = socket_closer.shared();
    let connecting = Connection::connector(
        address.uri.clone(),
        Runtime::tokio_current(),
        async move |uri, runtime| Ok(socket(&uri, &runtime, shared.clone()).await?),
        properties,
    );
    answer(OPENED_WITHIN, connecting).await
}

/// Opens a socket to the broker, with TLS where the address says so, and has the socket closer hold it.
pub(super) async fn socket(
    uri: &AMQPUri,
    runtime: &Runtime<Tokio>,
    shared: Weak<SharedSocket>,
) -> std::io::Result<AsyncTcpStream<<Tokio as Reactor>::TcpStream>> {
    let opening = async {
        let place = (uri.authority.host.clone(), uri.authority.port);
        let plain = runtime.tcp_connect(runtime.to_socket_addrs(place)).await?;
        let Some(shared) = shared.upgrade() else {
            return Err(std::io::ErrorKind::TimedOut.into());
        };
        SocketCloser(shared).hold(plain.get_ref())?;
        let stream = AsyncTcpStream::Plain(plain);
        match uri.scheme {
            AMQPScheme::AMQP => Ok(stream),
            AMQPScheme::AMQPS => {
                let config = OwnedTLSConfig::default();
                stream.into_tls(&uri.authority.host, config.as_ref()).await
            }
        }
    };
    match tokio::time::timeout(SOCKET_WITHIN, opening).await {
        Ok(stream) => stream,
        Err(_) => Err(std::io::ErrorKind::TimedOut.into()),
    }
}
