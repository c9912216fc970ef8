//! The fields of an event or a span, in the order in which they were recorded.

use serde_json::Value;
use std::error::Error;
use std::fmt;
use tracing::field::{Field, Visit};

/// Named values; a name stands once, and its latest value wins.
#[derive(Default)]
pub(super) struct Fields(Vec<(&'static str, Value)>);

impl Fields {
    /// Adds another's fields to these.
    pub(super) fn take_over(&mut self, other: &Self) {
        other.iter().for_each(|(name, value)| self.set(name, value.clone()));
    }

    /// Takes a field out.
    pub(super) fn remove(&mut self, name: &str) -> Option<Value> {
        let found = self.0.iter().position(|(known, _)| *known == name)?;
        Some(self.0.remove(found).1)
    }

    /// What is left.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        self.0.iter().map(|(name, value)| (*name, value))
    }

    fn set(&mut self, name: &'static str, value: Value) {
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name, value)),
        }
    }
}

impl FromIterator<(&'static str, Value)> for Fields {
    fn from_iter<I: IntoIterator<Item = (&'static str, Value)>>(fields: I) -> Self {
        let mut named = Self::default();
        fields.into_iter().for_each(|(name, value)| named.set(name, value));
        named
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.set(field.name(), format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field.name(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field.name(), value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field.name(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field.name(), value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field.name(), value.into());
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let causes = std::iter::successors(Some(value), |&error| error.source());
        let chain: Vec<String> = causes.map(ToString::to_string).collect();
        self.set(field.name(), chain.join(": ").into());
    }
}
