//! The binary as it is shipped: started as a process, or as many, asked over HTTP, killed, stopped, frozen
//! and started again on real databases and a real broker. Nothing is replaced, nothing is looked at from
//! inside.
//!
//! ```text
//! Setup (place, settings) ──start──▶ Server (a process) ──url──▶ Shop, Customers
//!    │                                    │                          │
//!  Place: a data directory,    kill9, terminate, signal    reconciliation, final_checks: does it balance?
//!  or a database and a vhost                               Databases: what the databases say
//! ```

#![expect(clippy::unwrap_used, reason = "a test panics when it fails")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "measurements are printed")]

/// Has each of these run on the embedded system and on servers; those after a semicolon on servers only,
/// as processes share no data directory.
macro_rules! everywhere {
    ($($name:ident)* $(; $($shared:ident)*)?) => {
        mod embedded {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    super::$name(crate::process::setup::Setup::embedded()).await;
                }
            )*
        }
        on_servers! { $($name)* $($($shared)*)? }
    };
}

/// Has each of these run on servers.
macro_rules! on_servers {
    ($($name:ident)*) => {
        mod on_servers {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                #[ignore = "needs ./scripts/stack"]
                async fn $name() {
                    super::$name(crate::process::setup::Setup::servers()).await;
                }
            )*
        }
    };
}

mod process {
    mod addresses;
    mod backup;
    mod bench;
    mod boot;
    mod check;
    mod closed_port;
    mod commands;
    mod crash;
    mod customers;
    mod databases;
    #[cfg(feature = "testing")]
    mod described;
    mod drain;
    #[cfg(feature = "faults")]
    mod failing;
    mod fake_midtrans;
    mod final_checks;
    mod flows;
    mod foreign_messages;
    mod frozen;
    mod lateness;
    mod log;
    mod management;
    mod many_processes;
    mod outages;
    mod outcomes;
    mod overload;
    mod oversell;
    mod payments;
    mod place;
    mod process_io;
    mod processes;
    mod random;
    mod reconciliation;
    mod recovery;
    mod refused;
    mod restart;
    mod scenarios;
    mod secret_files;
    mod secrets;
    mod server;
    mod settings;
    mod setup;
    mod shop;
    mod silence;
    mod split_services;
    mod stack;
    mod stop;
    #[cfg(feature = "faults")]
    mod torture;
    mod traces;
    mod unavailable_servers;
    mod wait;
    mod watcher;
}
