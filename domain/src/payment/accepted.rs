//! Which payments new orders may ask for: a currency with a gateway, a method that the gateway has, an amount that it
//! can move.

use super::abilities::RefundAbility;
use super::methods::PaymentMethods;
use super::provider::{GatewayRoutes, Provider};
use crate::money::{Currency, Money};

/// Which payments new orders may ask for.
#[derive(Clone, Debug)]
pub struct AcceptedPayments {
    /// The gateway of each currency.
    pub routes: GatewayRoutes,
    /// The methods that are configured. The default list does not limit a gateway that has methods of its own; any
    /// other list does.
    pub methods: PaymentMethods,
    /// True when only methods may be named that can be refunded by API: the stock may be sold out after paying.
    pub refundable_only: bool,
}

impl AcceptedPayments {
    /// True when an order may name this method at this gateway.
    pub fn takes(&self, provider: Provider, method: &str) -> bool {
        let abilities = provider.abilities();
        let is_listed = match abilities.methods() {
            Some(_) => self.is_unlimited() || self.methods.takes(method),
            None => self.methods.takes(method),
        };
        let is_refundable = abilities.refund(method) != RefundAbility::None;
        is_listed && abilities.takes(method) && (is_refundable || !self.refundable_only)
    }

    /// The methods that orders may name at a gateway, for people; empty when there is none.
    pub fn methods(&self, provider: Provider) -> String {
        match provider.abilities().methods() {
            Some(methods) => {
                let taken: Vec<_> =
                    methods.into_iter().filter(|method| self.takes(provider, method)).collect();
                taken.join(", ")
            }
            None => self.methods.to_string(),
        }
    }

    /// What is wrong with the amount of an order's line; None: its gateway can move it.
    pub fn amount_fault(&self, amount: Money) -> Option<String> {
        let provider = self.routes.provider(amount.currency)?;
        let is_fault = !provider.abilities().can_move(amount);
        is_fault.then(|| {
            let currency = amount.currency;
            format!("must be a whole number of {currency}: {provider} takes no fractions")
        })
    }

    /// What is wrong with a currency; None: some gateway takes it.
    pub fn currency_fault(&self, currency: Currency) -> Option<String> {
        let is_fault = self.routes.provider(currency).is_none();
        is_fault.then(|| {
            let taken: Vec<_> = self.routes.currencies().map(|taken| taken.to_string()).collect();
            format!("{currency} has no payment gateway; accepted: {}", taken.join(", "))
        })
    }

    fn is_unlimited(&self) -> bool {
        self.methods == PaymentMethods::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(methods: PaymentMethods, refundable_only: bool) -> AcceptedPayments {
        let routes = GatewayRoutes::parse("midtrans:IDR; simulated:EUR").unwrap();
        AcceptedPayments { routes, methods, refundable_only }
    }

    #[test]
    fn a_gateway_with_methods_of_its_own_takes_these_alone() {
        let all = accepted(PaymentMethods::default(), false);
        let at_midtrans = "credit_card, gopay, shopeepay, qris, bank_transfer, echannel, cstore";
        assert_eq!(all.methods(Provider::Midtrans), at_midtrans);
        assert!(all.takes(Provider::Midtrans, "cstore"));
        assert!(!all.takes(Provider::Midtrans, "test_declined"));
        assert!(all.takes(Provider::Simulated, "test_declined"));
        assert!(!all.takes(Provider::Simulated, "cstore"));

        let refundable = accepted(PaymentMethods::default(), true);
        let refundable = refundable.methods(Provider::Midtrans);
        assert_eq!(refundable, "credit_card, gopay, shopeepay, qris");

        let limited = accepted(PaymentMethods::parse("gopay,paypal").unwrap(), false);
        assert_eq!(limited.methods(Provider::Midtrans), "gopay");
        assert_eq!(limited.methods(Provider::Simulated), "gopay, paypal");
    }

    #[test]
    fn currencies_and_amounts_follow_the_gateways() {
        let accepted = accepted(PaymentMethods::default(), false);
        let money =
            |text: &str, code: &str| Money::parse(text, Currency::parse(code).unwrap()).unwrap();
        assert_eq!(accepted.currency_fault(money("1", "EUR").currency), None);
        let fault = accepted.currency_fault(Currency::USD).unwrap();
        assert_eq!(fault, "USD has no payment gateway; accepted: IDR, EUR");
        assert_eq!(accepted.amount_fault(money("145000.00", "IDR")), None);
        assert_eq!(accepted.amount_fault(money("1.50", "EUR")), None);
        assert!(accepted.amount_fault(money("145000.50", "IDR")).unwrap().contains("whole"));
    }
}
