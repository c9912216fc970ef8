//! The currency of the demo.

use ordermill_actors::money::Currency;

/// The demo trades in dollars.
pub(super) const CURRENCY: Currency = Currency::USD;
