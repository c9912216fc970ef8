//! The payment methods that new orders may name.
//!
//! Orders are checked against them once, when they are placed: an order that is under way keeps its
//! method and finishes with it, whatever the list says later.

use crate::gateway::TEST_METHODS;
use std::fmt;

/// The accepted methods by default: what shops usually offer, and the test methods of the simulated gateway.
pub const DEFAULT_METHODS: &str = "credit_card,card,paypal,bank_transfer,ewallet,gopay,test_*";
/// Stands in a list for every test method of the simulated gateway.
const ALL_TEST_METHODS: &str = "test_*";
/// Characters of a method's name, so that a message that lists them stays readable.
const NAME_CHARS_MAX: usize = 64;
/// Methods of a list, for the same reason.
const METHODS_MAX: usize = 50;

/// The payment methods that are taken, at least one, in the order in which they were listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentMethods(Vec<String>);

impl PaymentMethods {
    /// Reads a list with commas between its names. `test_*` stands for every test method of the simulated
    /// gateway. None: it is empty or too long, or a name is malformed. A name that begins with `test_`
    /// and is no test method is malformed too: the gateway would take it for a real one and charge.
    pub fn parse(list: &str) -> Option<Self> {
        let mut methods: Vec<String> = Vec::new();
        for name in list.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            let names = if name == ALL_TEST_METHODS { &TEST_METHODS[..] } else { &[name] };
            for name in names {
                if !is_name(name) {
                    return None;
                }
                if !methods.iter().any(|known| known == name) {
                    methods.push((*name).to_owned());
                }
            }
        }
        (1..=METHODS_MAX).contains(&methods.len()).then_some(Self(methods))
    }

    /// Whether an order may name this one.
    pub fn takes(&self, method: &str) -> bool {
        self.0.iter().any(|known| known == method)
    }
}

fn is_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let well_formed = name.len() <= NAME_CHARS_MAX && name.chars().all(allowed);
    well_formed && (!name.starts_with("test_") || TEST_METHODS.contains(&name))
}

impl Default for PaymentMethods {
    fn default() -> Self {
        Self::parse(DEFAULT_METHODS).expect("the default list is well formed")
    }
}

impl fmt::Display for PaymentMethods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_takes_what_it_names_and_nothing_else() {
        let methods = PaymentMethods::parse(" credit_card, paypal,credit_card,").unwrap();
        assert_eq!(methods.to_string(), "credit_card, paypal");
        assert!(methods.takes("paypal"));
        for other in ["PAYPAL", "paypal ", "", "test_slow", "4111111111111111"] {
            assert!(!methods.takes(other), "{other}");
        }
    }

    #[test]
    fn all_test_methods_are_listed_at_once() {
        let methods = PaymentMethods::parse("card,test_*").unwrap();
        assert!(TEST_METHODS.iter().all(|method| methods.takes(method)));
        assert!(!methods.takes("test_*") && !methods.takes("tset_declined"));
    }

    #[test]
    fn a_malformed_list_is_refused() {
        let long = "x".repeat(NAME_CHARS_MAX + 1);
        for list in ["", " , ", "card,no spaces", "test_typo", "größe", "card;paypal", &long] {
            assert_eq!(PaymentMethods::parse(list), None, "{list}");
        }
        let many: Vec<_> = (0..=METHODS_MAX).map(|n| format!("method{n}")).collect();
        assert_eq!(PaymentMethods::parse(&many.join(",")), None);
    }
}
