//! Questions and answers.

use crate::backend::{Backend, PATIENCE};
use async_trait::async_trait;
use ordermill_actors::ports::{Responder, RpcError};
use ordermill_domain::messages::RPC_PAYMENT;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Says what it was asked, after a while; says nothing when it is asked nothing.
struct Echo;

#[async_trait]
impl Responder for Echo {
    async fn answer(&self, question: &str) -> Option<String> {
        let number: u64 = question.parse().unwrap_or_default();
        // The last to ask is the first to be answered.
        tokio::time::sleep(Duration::from_millis(200 - number.min(200))).await;
        (!question.is_empty()).then(|| format!("{question}!"))
    }
}

/// Asks until somebody serves: serving begins a moment after it was asked for.
async fn first_answer(backend: &dyn Backend, question: &str) -> Result<String, RpcError> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let answer = backend.rpc().ask(RPC_PAYMENT, question.to_owned(), PATIENCE).await;
        if answer != Err(RpcError::Nobody) || Instant::now() > deadline {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

pub async fn a_question_is_answered(backend: &dyn Backend) {
    let _serving = backend.rpc().serve(RPC_PAYMENT, Arc::new(Echo)).await.unwrap();
    assert_eq!(first_answer(backend, "bezahlt? ü").await.unwrap(), "bezahlt? ü!");
}

pub async fn nobody_answers_where_nobody_serves(backend: &dyn Backend) {
    let answer = backend.rpc().ask(RPC_PAYMENT, "paid?".to_owned(), PATIENCE).await;
    assert_eq!(answer, Err(RpcError::Nobody));
}

pub async fn an_answer_may_not_come(backend: &dyn Backend) {
    let _serving = backend.rpc().serve(RPC_PAYMENT, Arc::new(Echo)).await.unwrap();
    first_answer(backend, "paid?").await.unwrap();
    let patience = Duration::from_millis(500);
    let begun = Instant::now();
    let asked = backend.rpc().ask(RPC_PAYMENT, String::new(), patience).await;
    assert_eq!(asked, Err(RpcError::Late(patience)));
    assert!(begun.elapsed() < patience * 4);
}

pub async fn each_gets_its_own_answer(backend: &dyn Backend) {
    let _serving = backend.rpc().serve(RPC_PAYMENT, Arc::new(Echo)).await.unwrap();
    first_answer(backend, "0").await.unwrap();
    let ask = |number: u32| {
        let rpc = backend.rpc();
        tokio::spawn(async move { rpc.ask(RPC_PAYMENT, number.to_string(), PATIENCE).await })
    };
    let asked: Vec<_> = (1..=50).map(ask).collect();
    for (number, asked) in (1..).zip(asked) {
        let number: u32 = number;
        assert_eq!(asked.await.unwrap().unwrap(), format!("{number}!"));
    }
}

pub async fn nobody_answers_after_the_responder_has_ended(backend: &dyn Backend) {
    let serving = backend.rpc().serve(RPC_PAYMENT, Arc::new(Echo)).await.unwrap();
    first_answer(backend, "paid?").await.unwrap();
    drop(serving);
    let deadline = Instant::now() + PATIENCE;
    let patience = Duration::from_millis(300);
    loop {
        let asked = backend.rpc().ask(RPC_PAYMENT, "paid?".to_owned(), patience).await;
        if asked == Err(RpcError::Nobody) {
            return;
        }
        assert!(Instant::now() < deadline, "{asked:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
