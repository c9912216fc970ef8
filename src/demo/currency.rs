//! The currency of the demo.

use ordermill_domain::money::Currency;

/// The demo trades in dollars.
pub(super) const CURRENCY: Currency = Currency::USD;
