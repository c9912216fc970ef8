//! The JSON Schemas of a question to the payment service and of its answers.

use schemars::{Schema, SchemaGenerator};

/// What is asked at an address, and what is answered.
pub struct RpcSchemas {
    /// The queue of the questions.
    pub address: &'static str,
    /// A question.
    pub question: Schema,
    /// An answer is one of these.
    pub answers: Vec<Schema>,
}

/// In debug builds of tests: asserts that an answer, and a question of our own, are as these schemas say, which is what
/// openapi/asyncapi.json promises. Every responder calls it.
#[inline]
pub(super) fn debug_assert_described(
    schemas: fn(&mut SchemaGenerator) -> RpcSchemas,
    question: Option<&str>,
    answer: &str,
) {
    #[cfg(all(feature = "testing", debug_assertions))]
    described::assert(schemas, question, answer);
    #[cfg(not(all(feature = "testing", debug_assertions)))]
    let _ = (schemas, question, answer);
}

#[cfg(all(feature = "testing", debug_assertions))]
mod described {
    use super::RpcSchemas;
    use ordermill_domain::messages::schema::written;
    use ordermill_domain::testing::described::{Validator, faults_of, validator};
    use schemars::SchemaGenerator;
    use serde_json::json;
    use std::collections::BTreeMap;
    use std::sync::{LazyLock, Mutex, PoisonError};

    /// Of questions and of answers, by address: each is made once.
    static VALIDATORS: LazyLock<Mutex<BTreeMap<&str, [Validator; 2]>>> =
        LazyLock::new(Mutex::default);

    pub fn assert(
        schemas: fn(&mut SchemaGenerator) -> RpcSchemas,
        question: Option<&str>,
        answer: &str,
    ) {
        let mut generator = written();
        let rpc = schemas(&mut generator);
        let mut all = VALIDATORS.lock().unwrap_or_else(PoisonError::into_inner);
        let validators = all.entry(rpc.address).or_insert_with(|| {
            let mut schemas = generator.take_definitions(true);
            let answers = json!({ "anyOf": rpc.answers });
            [rpc.question.into(), answers].map(|schema| {
                schemas.insert("asked".to_owned(), schema);
                validator(&schemas, "asked")
            })
        });
        for (validator, text) in validators.iter().zip([question, Some(answer)]) {
            let Some(text) = text else { continue };
            let faults = serde_json::from_str(text).map(|value| faults_of(validator, &value));
            assert!(
                faults.as_ref().is_ok_and(Vec::is_empty),
                "not as openapi/asyncapi.json says at {}: {faults:#?}\n{text}",
                rpc.address,
            );
        }
    }
}
