//! The binary as it is shipped: started as a process, or as many, asked over HTTP, killed, stopped, frozen
//! and started again on real databases and a real broker. Nothing is replaced, nothing is looked at from
//! inside.
//!
//! ```text
//! Setup (place, settings) ──start──▶ Server (a process) ──url──▶ Shop, Crowd (customers)
//!    │                                    │                          │
//!  Place: a data directory,    kill9, terminate, signal    Books, Reckoning: does it balance?
//!  or a database and a vhost                               Ledgers: what the databases say
//! ```

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
    mod apart;
    mod bench;
    mod books;
    mod boot;
    mod crash;
    mod crew;
    mod crowd;
    mod dark;
    mod edges;
    #[cfg(feature = "faults")]
    mod failing;
    mod fates;
    mod flows;
    mod frozen;
    mod gate;
    mod lateness;
    mod ledgers;
    mod log;
    mod management;
    mod many;
    mod outages;
    mod overload;
    mod oversell;
    mod place;
    mod random;
    mod reckoning;
    mod recovery;
    mod refused;
    mod restart;
    mod scenarios;
    mod server;
    mod settings;
    mod setup;
    mod shop;
    mod stack;
    mod stop;
    mod strangers;
    #[cfg(feature = "faults")]
    mod torture;
    mod wait;
    mod watcher;
}
