//! How long a journal batch takes: orders placed, then moved on, 200 in a transaction.
//!
//! ```sh
//! eval "$(./scripts/stack start)"
//! cargo run --release -p ordermill-postgres --example order_batches -- 200 100
//! ```
//!
//! Writes into the schema `orders` of the database that `DATABASE_URL` names: take an empty one.

#![expect(clippy::print_stdout, reason = "an example prints its result")]

use ordermill_actors::ports::Store;
use ordermill_contract::batches::batch;
use ordermill_contract::order::scenarios::{learn, placed};
use ordermill_contract::values::at;
use ordermill_domain::order::facts::Fact;
use ordermill_domain::order::{Order, Step};
use ordermill_postgres::Database;
use ordermill_postgres::order::{MIGRATIONS, SCHEMA};
use std::time::{Duration, Instant};

/// What an order learns, a batch each.
const LIFE: &[Fact] = &[Fact::Placed, Fact::done(Step::Inventory), Fact::RetryAsked];

#[tokio::main]
async fn main() {
    let url = std::env::var("DATABASE_URL").expect("DATABASE_URL names a database");
    let mut numbers = std::env::args().skip(1).map(|word| word.parse().expect("a number"));
    let (size, batches): (u128, u128) =
        (numbers.next().unwrap_or(200), numbers.next().unwrap_or(100));
    let database = Database::open(&url, SCHEMA, &MIGRATIONS, 1).await.expect("it can be opened");

    let mut times = [const { Vec::<Duration>::new() }; LIFE.len()];
    for n in 0..batches {
        let mut sagas: Vec<_> = (n * size..(n + 1) * size).map(placed).collect();
        for (fact, times) in LIFE.iter().zip(&mut times) {
            let changes = sagas.iter_mut().map(|saga| learn(saga, vec![fact.clone()], at(1)));
            let batch = batch(Order, changes.collect(), at(1));
            let begun = Instant::now();
            database.commit(&batch).await.expect("it is written");
            times.push(begun.elapsed());
        }
    }
    for (fact, times) in LIFE.iter().zip(&mut times) {
        times.sort_unstable();
        let share = |part: usize| times[times.len() * part / 100];
        let (median, late) = (share(50), share(99));
        println!("{size} orders, {fact:?}: p50 {median:?}, p99 {late:?} per batch");
    }
    database.close().await;
}
