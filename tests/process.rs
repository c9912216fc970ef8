//! The binary as it is shipped: started as a process, asked over HTTP, killed, stopped and started
//! again on real databases. Nothing is replaced, nothing is looked at from inside.
//!
//! ```text
//! Setup (data directory, settings) ──start──▶ Server (the process) ──url──▶ Shop (a customer)
//!                                                  │                          │
//!                                       kill9, terminate, restart        Books: does it balance?
//! ```

mod process {
    mod books;
    mod boot;
    mod crash;
    mod fates;
    mod ledgers;
    mod oversell;
    mod random;
    mod restart;
    mod server;
    mod settings;
    mod shop;
    mod stop;
    mod watcher;
}
