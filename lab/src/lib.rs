//! Simulation and benchmark: the parts that test and measure Ordermill and do not belong in a production server.
//!
//! | command | what it does |
//! |---|---|
//! | `ordermill-lab sim` | [`sim`]: two processes with injected faults, one seed after another; planted bugs |
//! | `ordermill-lab bench` | [`mod@bench`]: throughput, latency and cost of a server, which is then reconciled |
//! | `ordermill-lab fake-midtrans` | [`fake_midtrans`]: a fake of the Midtrans payment gateway, with its customers and faults |
//! | `ordermill-lab dashboards` | [`dashboards`]: Grafana's dashboards, generated |
//!
//! The benchmark runs the `ordermill` that stands beside this program.

#![forbid(unsafe_code)]

pub mod bench;
pub mod cli;
pub mod dashboards;
pub mod fake_midtrans;
pub mod server_binary;
pub mod sim;
pub mod simulate;
