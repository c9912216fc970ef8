//! A product: its stock against the reservations.

use super::disagreement::{Aspect, Disagreement, Statement, Subject};
use super::records::ProductRecord;

/// What does not agree about a product.
pub fn compare_product(product: &ProductRecord) -> Vec<Disagreement> {
    let mut found = Vec::new();
    if product.reserved != product.claimed {
        found.push(Disagreement {
            subject: Subject::Product(product.product_id.clone()),
            aspect: Aspect::ReservedStock,
            sides: [
                Statement::new(
                    "stock",
                    format!("{} of {} units are reserved", product.reserved, product.on_hand),
                ),
                Statement::new(
                    "reservations",
                    format!("orders have a claim on {} units", product.claimed),
                ),
            ],
        });
    }
    found
}
