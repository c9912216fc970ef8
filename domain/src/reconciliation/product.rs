//! A product: its stock against the reservations and against its ledger.

use super::disagreement::{Aspect, Disagreement, Statement, Subject};
use super::records::{ProductRecord, StockRecord};

/// The disagreements about a product.
pub fn compare_product(product: &ProductRecord) -> Vec<Disagreement> {
    [compare_reservations(product), compare_ledger(product)].into_iter().flatten().collect()
}

fn compare_reservations(product: &ProductRecord) -> Option<Disagreement> {
    let claims = format!("reservations of {} units", product.claimed);
    (product.reserved != product.claimed).then(|| Disagreement {
        subject: Subject::Product(product.product_id.clone()),
        aspect: Aspect::ReservedStock,
        sides: [
            Statement::new(
                "stock",
                format!("{} of {} units are reserved", product.reserved, product.on_hand),
            ),
            Statement::new("reservations", claims),
        ],
    })
}

/// Each change of the stock is written together with its movement: the newest movement ends at the stock.
fn compare_ledger(product: &ProductRecord) -> Option<Disagreement> {
    let ProductRecord { version, on_hand, reserved, .. } = *product;
    let stock = StockRecord { version, on_hand, reserved };
    let ledger = product.ledger.filter(|ledger| *ledger != stock)?;
    Some(Disagreement {
        subject: Subject::Product(product.product_id.clone()),
        aspect: Aspect::Movements,
        sides: [
            Statement::new("stock", describe(stock)),
            Statement::new("the newest movement", describe(ledger)),
        ],
    })
}

fn describe(StockRecord { version, on_hand, reserved }: StockRecord) -> String {
    format!("{on_hand} units on hand, {reserved} of them reserved, version {version}")
}
