//! A client of Ordermill's HTTP API: the commands, the demo, the benchmark and the tests ask servers by it.
//!
//! - [`Client`]: a server's URL, timeouts, the number of concurrent requests, repetition while the server is busy
//! - `operations.rs`: a method for each operation that these programs use, and lists page by page
//! - `views.rs`: what the answers contain, as far as these programs read it
//! - [`Error`]: no server, no Ordermill, or refused with a reason
//! - [`server_url()`]: the URL of a server as a command-line argument

#![forbid(unsafe_code)]

mod api_key;
mod client;
mod error;
mod operations;
mod server_url;
#[cfg(test)]
mod tests;
mod views;

pub use api_key::ApiKey;
pub use client::{Client, Options, RawResponse};
pub use error::Error;
pub use operations::List;
pub use reqwest::{Method, RequestBuilder, Response, StatusCode};
pub use server_url::server_url;
pub use views::{
    Actor, CreatedKey, Discarded, Failure, Item, Key, Order, Overview, ProductStock, Queue,
    Redriven, Refund, Saga, Shortage, Totals, Tree,
};
