//! Tells the service manager how the process stands (sd_notify(3)): a datagram for each change to the socket that
//! `NOTIFY_SOCKET` names. Without one, nothing is told.
//!
//! ```text
//! READY=1 once it serves ─▶ WATCHDOG=1, as often as WatchdogSec= wants ─▶ STOPPING=1 when asked to stop
//! ```

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixDatagram;
use std::sync::Arc;
use std::time::Duration;

/// How long a manager that does not read may hold something up.
const WRITTEN_WITHIN: Duration = Duration::from_millis(500);

/// The service manager, if the process was started by one that wants to be told.
#[derive(Clone)]
pub struct ServiceManager(Option<Arc<Told>>);

struct Told {
    socket: UnixDatagram,
    path: OsString,
    watchdog: Option<Duration>,
}

impl ServiceManager {
    /// The one that the environment names.
    pub fn from_env() -> Self {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let number = |name| variable(name)?.to_str()?.parse::<u64>().ok();
        // Variables that were meant for another process may have been inherited from it.
        let is_watched =
            number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(std::process::id()));
        let watchdog = number("WATCHDOG_USEC").filter(|micros| *micros > 0 && is_watched);
        match variable("NOTIFY_SOCKET") {
            Some(path) => Self::at(path, watchdog.map(Duration::from_micros)),
            None => Self(None),
        }
    }

    fn at(path: OsString, watchdog: Option<Duration>) -> Self {
        let socket = UnixDatagram::unbound().and_then(|socket| {
            socket.set_write_timeout(Some(WRITTEN_WITHIN))?;
            Ok(socket)
        });
        match socket {
            Ok(socket) => Self(Some(Arc::new(Told { socket, path, watchdog }))),
            Err(error) => {
                tracing::warn!(%error, "the service manager cannot be told how the process stands");
                Self(None)
            }
        }
    }

    /// It serves, as the status says.
    pub fn ready(&self, status: &str) {
        self.tell(&format!("READY=1\nSTATUS={status}"));
    }

    /// It was asked to stop, and does what the status says.
    pub fn stopping(&self, status: &str) {
        self.tell(&format!("STOPPING=1\nSTATUS={status}"));
    }

    /// Tells it, without end, that the process is alive: as often as it wants, and once more in between.
    pub async fn watch(&self) {
        let within = self.0.as_ref().and_then(|told| told.watchdog);
        let Some(within) = within else { return std::future::pending().await };
        let mut ticks = tokio::time::interval(within / 2);
        loop {
            ticks.tick().await;
            self.tell("WATCHDOG=1");
        }
    }

    fn tell(&self, state: &str) {
        let Some(told) = &self.0 else { return };
        if let Err(error) = send(&told.socket, &told.path, state.as_bytes()) {
            tracing::warn!(%error, state, "telling the service manager failed");
        }
    }
}

/// A path, or, after `@`, a name in Linux' abstract namespace.
fn send(socket: &UnixDatagram, path: &OsStr, state: &[u8]) -> io::Result<usize> {
    match path.as_bytes().strip_prefix(b"@") {
        #[cfg(target_os = "linux")]
        Some(name) => {
            use std::os::linux::net::SocketAddrExt;
            use std::os::unix::net::SocketAddr;
            socket.send_to_addr(state, &SocketAddr::from_abstract_name(name)?)
        }
        _ => socket.send_to(state, path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(socket: &UnixDatagram) -> String {
        let mut buffer = [0; 256];
        let length = socket.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    }

    #[tokio::test]
    async fn the_manager_is_told_each_state_and_that_the_process_lives() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        let manager = ServiceManager::at(path.into(), Some(Duration::from_millis(40)));
        manager.ready("takes orders");
        assert_eq!(received(&socket), "READY=1\nSTATUS=takes orders");
        let watching = tokio::time::timeout(Duration::from_millis(200), manager.watch());
        assert!(watching.await.is_err(), "it watches without end");
        for _ in 0..3 {
            assert_eq!(received(&socket), "WATCHDOG=1");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_name_of_the_abstract_namespace_is_a_socket() {
        use std::os::linux::net::SocketAddrExt;
        use std::os::unix::net::SocketAddr;
        let name = format!("ordermill-test-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let socket = UnixDatagram::bind_addr(&address).unwrap();
        ServiceManager::at(format!("@{name}").into(), None).stopping("draining");
        assert_eq!(received(&socket), "STOPPING=1\nSTATUS=draining");
    }

    #[test]
    fn a_manager_that_is_gone_holds_nothing_up() {
        ServiceManager::at("/nowhere/notify".into(), None).ready("takes orders");
        ServiceManager(None).ready("takes orders");
    }
}
