//! What every broker of Ordermill promises, as tests.
//!
//! ```text
//!                    ┌─▶ LocalBroker     in the process       broker/contract/tests
//! contract tests ────┤
//!                    └─▶ RabbitBroker    a vhost each         broker/rabbitmq/tests
//! ```
//!
//! Each test is a function of a [`Backend`]. What a broker confirms, and when, differs: RabbitMQ when it has a
//! message on disk, the in-process one when every consumer has committed it, so that a failing consumer's
//! message comes back to whoever published it. The tests publish as a relay does (see [`PendingOutcome`]), and hold both
//! to the same: nothing is lost, everything comes to where it belongs and nowhere else, in order, bounded, and
//! again when it was not acknowledged. What only one of them can do wrong is tested beside that broker.
//!
//! A new test is a `pub async fn name(backend: &dyn Backend)` and a name in [`contract`]'s list; one that is
//! missing there fails this crate's own test.

#![forbid(unsafe_code)]
#![expect(clippy::unwrap_used, reason = "a test panics when it fails")]
#![expect(missing_docs, reason = "a test's name says what it proves")]

pub mod asking;
pub mod backend;
pub mod collector;
pub mod consuming;
pub mod failing;
pub mod publishing;
pub mod samples;

pub use backend::{Backend, PendingOutcome, publish, send};
pub use collector::{Collector, TestConsumer, consumer_of};

/// Makes a test of each test in the contract, for one backend: the path of an `async fn` that makes a new
/// one. Attributes before it stand on every test; one of them says how it is run.
#[macro_export]
macro_rules! contract {
    (@all $attributes:tt $backend:path; $($module:ident { $($test:ident)* })*) => {
        $(mod $module {
            $($crate::contract! { @one $attributes $backend; $module $test })*
        })*
    };
    (@one [$(#[$attribute:meta])*] $backend:path; $module:ident $test:ident) => {
        $(#[$attribute])*
        async fn $test() {
            let backend = $backend().await;
            $crate::$module::$test(&backend).await;
            $crate::Backend::close(&backend).await;
        }
    };
    ($(#[$attribute:meta])* $backend:path) => {
        $crate::contract! { @all [$(#[$attribute])*] $backend;
            publishing {
                every_binding_brings_its_messages
                channels_are_told_apart_by_their_name
                only_unroutable_messages_are_returned
                a_message_for_some_queues_goes_to_those_only
                a_thousand_messages_keep_their_order
                a_bundle_comes_whole
                message_properties_are_preserved
                a_long_message_comes_whole
            }
            consuming {
                a_message_waits_for_its_consumer
                no_more_than_the_prefetch_is_with_a_consumer
                a_slow_delivery_holds_up_no_others
                deliveries_of_a_closed_consumer_are_redelivered
                what_was_dropped_unacknowledged_comes_again
                a_delivery_is_acknowledged_once
                depths_count_ready_and_unacknowledged_deliveries
            }
            failing {
                a_failed_message_is_redelivered_later_and_counted
                it_comes_again_to_the_queue_that_failed_only
                it_is_given_up_after_the_last_delay
                a_rejected_message_is_dead_lettered_at_once
                an_unstored_dead_letter_is_redelivered
                others_go_on_meanwhile
                only_failed_messages_of_a_bundle_are_redelivered
                each_message_of_a_bundle_is_dead_lettered_by_itself
                a_bundle_may_fail_as_a_whole
            }
            asking {
                a_question_is_answered
                nobody_answers_where_nobody_serves
                an_answer_may_not_come
                each_gets_its_own_answer
                nobody_answers_after_the_responder_has_ended
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    /// A test that is in no list would never run.
    #[test]
    fn every_test_is_in_the_list() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let list = fs::read_to_string(folder.join("lib.rs")).unwrap();
        let mut found = 0;
        for entry in fs::read_dir(folder).unwrap() {
            let text = fs::read_to_string(entry.unwrap().path()).unwrap();
            for function in text.split("\npub async fn ").skip(1) {
                let (name, rest) = function.split_once('(').unwrap();
                if rest.trim_start().starts_with("backend: &dyn Backend)") {
                    assert!(list.lines().any(|line| line.trim() == name), "{name} is in no list");
                    found += 1;
                }
            }
        }
        assert!(found > 20, "only {found} tests were found");
    }
}
