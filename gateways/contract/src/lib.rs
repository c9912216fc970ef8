//! What every payment gateway of Ordermill promises, as tests.
//!
//! ```text
//!                        ┌─▶ the adapter of a provider, over its fake                     lab/tests/gateways.rs
//! gateway contract tests ┤
//!                        └─▶ the simulated gateway, over a ledger in memory     gateways/contract/tests/simulated.rs
//! ```
//!
//! Each test is a function of a [`Harness`], which has the gateway, plays the customer at its pages and lets time
//! pass. A test asks as the payment service does: through [`Payment`], which remembers the gateway's identifiers. What
//! only one provider can do wrong (a lost answer, a wrong key) is tested beside its adapter.
//!
//! A new test is a `pub async fn name(harness: &dyn Harness)` and a name in [`contract`]'s list; one that is missing
//! there fails this crate's own test.

#![forbid(unsafe_code)]
#![expect(clippy::unwrap_used, reason = "a test panics when it fails")]
#![expect(missing_docs, reason = "a test's name says what it proves")]

pub mod cancelling;
pub mod creating;
pub mod harness;
pub mod paying;
pub mod payment;
pub mod refunding;

pub use harness::{Act, Harness};
pub use payment::Payment;

/// Makes a test of each test in the contract, for one gateway: the path of an `async fn` that makes a new [`Harness`].
/// Attributes before it stand on every test; one of them says how it is run, such as `#[tokio::test]`.
#[macro_export]
macro_rules! contract {
    (@all $attributes:tt $harness:path; $($module:ident { $($test:ident)* })*) => {
        $(mod $module {
            $($crate::contract! { @one $attributes $harness; $module $test })*
        })*
    };
    (@one [$(#[$attribute:meta])*] $harness:path; $module:ident $test:ident) => {
        $(#[$attribute])*
        async fn $test() {
            let harness = $harness().await;
            $crate::$module::$test(&harness).await;
        }
    };
    ($(#[$attribute:meta])* $harness:path) => {
        $crate::contract! { @all [$(#[$attribute])*] $harness;
            creating {
                an_unpaid_payment_has_a_page
                a_second_page_replaces_the_first
                two_requests_at_once_take_no_money_twice
                creating_after_paying_moves_no_money
                a_page_ends_at_its_time
            }
            paying {
                what_is_paid_is_captured_and_credited
                retrieving_changes_nothing
                a_method_that_is_chosen_is_a_pending_try
                a_method_that_is_chosen_ends_with_the_page
                a_denied_try_may_be_followed_by_a_payment
                leaving_the_page_ends_nothing
                nothing_is_captured_twice
            }
            cancelling {
                a_cancelled_page_cannot_be_paid
                cancelling_again_answers_the_same
                a_pending_try_is_cancelled_with_its_page
                what_was_captured_stays
                a_payment_that_was_never_created_is_closed
                a_page_whose_address_was_lost_is_closed_too
            }
            refunding {
                a_part_is_given_back_once_a_key
                requests_at_once_under_one_key_are_one_refund
                parts_add_up
                all_is_given_back
                more_than_was_captured_is_not_given_back
                what_was_not_paid_is_not_given_back
                a_method_without_refunds_says_so
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
        for file in fs::read_dir(&folder).unwrap() {
            let text = fs::read_to_string(file.unwrap().path()).unwrap();
            for function in text.split("\npub async fn ").skip(1) {
                let (name, rest) = function.split_once('(').unwrap();
                if rest.trim_start().starts_with("harness: &dyn Harness") {
                    assert!(list.lines().any(|line| line.trim() == name), "{name} is in no list");
                    found += 1;
                }
            }
        }
        assert!(found > 20, "only {found} tests were found");
    }
}
