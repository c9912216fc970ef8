//! How much a refund gives back: never more than was paid, and per line never more units than were ordered.
//!
//! Units of a line are worth the line's amount by and by: after `n` of them, `n` parts of it, rounded down to what the
//! gateway can move; the last unit takes the rest. So all units together are the whole line, in whatever portions.

use super::requests::{Refund, RefundRequest, RefundStatus, RefundWhat, RequestRefused};
use super::state::Payment;
use crate::ids::ProductId;
use crate::messages::{Line, StockLine};
use std::collections::BTreeMap;

/// The amount of a refund, in minor units.
pub(super) fn amount(payment: &Payment, request: &RefundRequest) -> Result<i64, RequestRefused> {
    let currency = payment.intent.as_ref().map(|intent| intent.total.currency);
    let unit_minor = currency.map_or(1, |known| payment.provider.abilities().unit_minor(known));
    let counts = |refund: &&Refund| refund.status != RefundStatus::Refused;
    let earlier: Vec<&Refund> = payment.refunds.iter().filter(counts).collect();
    let asked: i64 = earlier.iter().map(|refund| refund.amount_minor).sum();
    let left = payment.known.credited_minor - asked.max(payment.known.refunded_minor);
    let (field, amount) = match &request.what {
        RefundWhat::Rest => ("rest", left),
        RefundWhat::Amount(minor) => ("amount", *minor),
        RefundWhat::Lines(lines) => {
            ("lines", of_lines(&earlier, &request.ordered, lines, unit_minor)?)
        }
    };
    let invalid = |text: String| Err(RequestRefused::Invalid { field: field.to_owned(), text });
    if left <= 0 {
        return invalid("nothing is left to refund".to_owned());
    }
    if amount <= 0 {
        return invalid("comes to no amount; expected more than 0".to_owned());
    }
    if amount % unit_minor != 0 {
        return invalid(format!(
            "the gateway moves multiples of {unit_minor} minor units of the currency only"
        ));
    }
    if amount > left {
        return invalid("is more than what is left of the payment".to_owned());
    }
    Ok(amount)
}

fn of_lines(
    earlier: &[&Refund],
    ordered: &[Line],
    lines: &[StockLine],
    unit_minor: i64,
) -> Result<i64, RequestRefused> {
    let invalid = |product: &ProductId, text: &str| RequestRefused::Invalid {
        field: "lines".to_owned(),
        text: format!("`{product}`: {text}"),
    };
    let mut units = BTreeMap::<&ProductId, i64>::new();
    for refund in earlier {
        if let RefundWhat::Lines(lines) = &refund.what {
            for line in lines {
                *units.entry(&line.product_id).or_default() += i64::from(line.quantity);
            }
        }
    }
    let mut sum = 0_i64;
    for asked in lines {
        let product = &asked.product_id;
        let line = ordered.iter().find(|line| line.product_id == *product);
        let line = line.ok_or_else(|| invalid(product, "was not ordered"))?;
        if asked.quantity == 0 {
            return Err(invalid(product, "expected a quantity of 1 at least"));
        }
        let before = units.entry(product).or_default();
        let after = *before + i64::from(asked.quantity);
        if after > i64::from(line.quantity) {
            return Err(invalid(product, "more units than were ordered and not refunded yet"));
        }
        sum += worth(line, after, unit_minor) - worth(line, *before, unit_minor);
        *before = after;
    }
    Ok(sum)
}

/// What the first so many units of a line are worth.
fn worth(line: &Line, units: i64, unit_minor: i64) -> i64 {
    let quantity = i64::from(line.quantity);
    if units == quantity {
        return line.amount_minor;
    }
    let share = i128::from(line.amount_minor) * i128::from(units) / i128::from(quantity);
    let share = i64::try_from(share).expect("a part of an amount is smaller than the amount");
    share - share % unit_minor
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(quantity: u32, amount_minor: i64) -> Line {
        let product_id = ProductId::from("MUG");
        Line { product_id, quantity, unit_price_minor: None, amount_minor }
    }

    #[test]
    fn all_units_of_a_line_are_the_line_in_whatever_portions() {
        for (quantity, total, unit) in [(3, 10_000, 1), (7, 14_500_000, 100), (2, 101, 1)] {
            let line = line(quantity, total);
            let each: i64 = (1..=i64::from(quantity))
                .map(|n| worth(&line, n, unit) - worth(&line, n - 1, unit))
                .sum();
            assert_eq!(each, total);
            let portions = (1..i64::from(quantity)).map(|n| worth(&line, n, unit));
            assert!(portions.into_iter().all(|worth| worth % unit == 0 && worth < total));
        }
    }
}
