//! The JSON Schema of amounts and currencies: what [`Money`] and [`Currency`] write, and what they read.

use super::{Currency, Money};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;

/// What is written: all decimals of the currency.
const WRITTEN: &str = r"^-?[0-9]+(\.[0-9]+)?$";
/// What is read: also an exponent, as other programs write numbers.
const READ: &str = r"^-?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?$";

impl JsonSchema for Currency {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Currency".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^[A-Z]{3}$",
            "description": "An ISO 4217 currency.",
        })
    }
}

impl JsonSchema for Money {
    fn schema_name() -> Cow<'static, str> {
        "Money".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let pattern = if generator.contract().is_serialize() { WRITTEN } else { READ };
        json_schema!({
            "type": "object",
            "description": "An amount of money.",
            "properties": {
                "amount": {
                    "type": "string",
                    "pattern": pattern,
                    "description": "The amount as a decimal, with all decimals of the currency.",
                },
                "currency": generator.subschema_for::<Currency>(),
            },
            "required": ["amount", "currency"],
        })
    }
}
