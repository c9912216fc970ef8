//! What every store of Ordermill promises, as tests.
//!
//! ```text
//!                    ┌─▶ MemoryBackend     the model        stores/contract/tests
//! contract tests ────┼─▶ SqliteBackend     one file each    stores/sqlite/tests
//!                    └─▶ PostgresBackend   one schema each  stores/postgres/tests
//! ```
//!
//! Each test is a function of a [`Backend`]: it drives a service's scenario through `keys`, `decide_batch` and
//! `write`, next to the model in memory, and says besides what must come of it, so that the model is
//! tested too. What only one database can do wrong (a lock file, a lost connection) is tested beside
//! that database.
//!
//! A new test is a `pub async fn name(backend: &dyn Backend)` in the module of its service and a name in
//! [`contract`]'s list; one that is missing there fails this crate's own test.

#![forbid(unsafe_code)]
#![expect(clippy::unwrap_used, reason = "a test panics when it fails")]
#![expect(missing_docs, reason = "a test's name says what it proves")]

pub mod access;
pub mod audit;
pub mod backend;
pub mod batches;
pub mod dead_letters;
pub mod gateway;
pub mod inventory;
pub mod memory;
pub mod notification;
pub mod order;
pub mod outbox;
pub mod payment;
pub mod payment_notifications;
pub mod records;
pub mod shipping;
pub mod values;

pub use backend::Backend;
pub use memory::MemoryBackend;

/// Makes a test of each test in the contract, for one backend: the path of an `async fn` that makes a
/// new one. Attributes before it (`#[ignore = "…"]`) stand on every test.
#[macro_export]
macro_rules! contract {
    (@all $attributes:tt $backend:path; $($module:ident { $($test:ident)* })*) => {
        $(mod $module {
            $($crate::contract! { @one $attributes $backend; $module $test })*
        })*
    };
    (@one [$(#[$attribute:meta])*] $backend:path; $module:ident $test:ident) => {
        #[tokio::test]
        $(#[$attribute])*
        async fn $test() {
            let backend = $backend().await;
            $crate::$module::$test(&backend).await;
            $crate::Backend::close(&backend).await;
        }
    };
    ($(#[$attribute:meta])* $backend:path) => {
        $crate::contract! { @all [$(#[$attribute])*] $backend;
            outbox {
                rows_wait_in_the_order_in_which_they_were_written
                a_batch_of_many_messages_is_rows_of_64
                waiting_rows_are_read_back_unchanged
                parked_rows_leave_the_window_until_they_are_due
                rows_that_nobody_has_are_forgotten_and_parked_without_complaint
                changes_and_outbox_maintenance_are_one_batch
                a_row_keeps_its_owner_while_that_one_lives
                outbox_rows_of_a_dead_process_are_adopted
                every_service_has_an_outbox
            }
            dead_letters {
                they_are_kept_once_and_read_back
                they_are_listed_newest_first_by_queue_and_page
                old_ones_are_forgotten
                a_redriven_one_goes_back_to_its_queue_once
                a_redriven_one_that_is_gone_does_nothing
                a_discarded_one_is_kept_with_its_reason
                a_discarded_one_that_is_gone_does_nothing
                old_discarded_ones_are_forgotten
                they_hold_a_message_of_a_megabyte
                they_hold_a_message_with_a_nul
                every_service_keeps_them
            }
            order {
                orders_are_the_same_as_in_memory_and_after_a_restart
                every_status_is_written_and_read_back
                a_change_decided_on_another_version_is_refused_with_all_that_follow_it
                one_of_two_concurrent_changes_on_a_version_is_refused
                an_idempotency_key_stands_for_its_first_request
                overdue_orders_are_claimed_by_one_sweeper_only
                the_longest_overdue_are_claimed_first_and_a_claim_lapses
                lists_are_read_page_by_page
                history_is_read_in_bulk_and_from_where_it_was_left
                five_hundred_orders_are_one_batch
                anything_that_can_be_ordered_is_read_back
            }
            inventory {
                stock_and_reservations_are_the_same_as_in_memory_and_after_a_restart
                a_thousand_orders_of_the_last_unit_are_one_batch_and_one_sale
                an_order_of_several_products_is_reserved_whole_or_not_at_all
                products_are_listed_in_the_order_of_their_bytes
                five_hundred_reservations_of_hundred_products_are_one_batch
                the_largest_stock_is_counted_right
                every_movement_is_in_the_ledger_under_the_version_that_it_made
                the_ledger_is_read_page_by_page
                stock_is_adjusted_once_a_key
                only_one_of_two_adjustments_under_a_key_is_applied
                a_thousand_products_are_adjusted_in_one_batch
                old_movements_are_forgotten
            }
            payment {
                rows_are_read_back_as_they_were_written
                a_change_decided_on_another_version_is_refused_with_all_that_follow_it
                one_of_two_concurrent_changes_on_a_version_is_refused
                due_payments_are_read_page_by_page
                a_thousand_payments_are_one_batch
                the_largest_amount_and_any_text_are_read_back
            }
            payment_notifications {
                notifications_are_stored_with_their_payment_or_not_at_all
                the_same_notification_is_stored_once_and_counted
                a_payment_has_fifty_notifications_at_the_most
                notifications_of_no_payment_are_stored_by_themselves
                old_notifications_are_forgotten
            }
            gateway {
                the_ledger_is_the_same_as_in_memory_and_after_a_restart
                pages_reviews_and_partial_refunds_are_the_same_as_in_memory
                an_order_that_paid_twice_shows_in_the_totals
                the_ledger_holds_more_than_one_largest_amount
                five_hundred_charges_are_one_batch
            }
            shipping {
                shipments_are_the_same_as_in_memory_and_after_a_restart
                an_early_command_leaves_no_row
                anything_that_can_be_shipped_is_read_back
                five_hundred_shipments_are_one_batch
            }
            notification {
                entries_are_the_same_as_in_memory_and_after_a_restart
                thousands_are_notified_in_one_batch_and_marked_in_pages
                lists_are_read_page_by_page
                any_customer_and_any_text_are_read_back
            }
            access {
                an_unused_store_has_no_keys
                keys_are_read_back_as_they_were_written
                a_key_is_revoked_once_and_stays_in_the_store
                a_key_is_replaced_whole_or_not_at_all
                an_id_is_taken_once
                keys_are_made_by_several_processes_at_once
            }
            audit {
                events_are_kept_once_and_listed_as_they_happened
                an_events_text_is_kept_to_the_letter
                a_list_is_read_page_by_page
                a_thousand_events_are_one_batch
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    fn sources(folder: &Path) -> Vec<String> {
        let mut texts = Vec::new();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => texts.extend(sources(&path)),
                false => texts.push(fs::read_to_string(path).unwrap()),
            }
        }
        texts
    }

    /// A test that is in no list would never run.
    #[test]
    fn every_test_is_in_the_list() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let list = fs::read_to_string(folder.join("lib.rs")).unwrap();
        let mut found = 0;
        for text in sources(&folder) {
            for function in text.split("\npub async fn ").skip(1) {
                let (name, rest) = function.split_once('(').unwrap();
                if rest.trim_start().starts_with("backend: &dyn Backend") {
                    assert!(list.lines().any(|line| line.trim() == name), "{name} is in no list");
                    found += 1;
                }
            }
        }
        assert!(found > 50, "only {found} tests were found");
    }
}
