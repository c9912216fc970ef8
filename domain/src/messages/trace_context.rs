//! Where a message stands in a distributed trace: the W3C's `traceparent` (<https://www.w3.org/TR/trace-context/>).
//!
//! An order's [`Origin`] names its trace, the order's own span, and whether the trace is sampled. All of its messages
//! carry that, so that each process finds the parents of its spans and the decision of the first one.

use super::envelope::Origin;
use std::fmt;
use std::sync::Arc;
use uuid::Uuid;

/// Bytes of a `traceparent` of version 00: `00-<32>-<16>-<2>`.
const LENGTH: usize = 55;

/// The flags that are passed on: sampled, and that the trace's id is random. A later version's others are not ours to
/// repeat.
const KNOWN_FLAGS: u8 = 0b11;

/// A span in a trace, as others refer to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    /// The trace; not 0.
    pub trace_id: u128,
    /// The span; not 0.
    pub span_id: u64,
    /// Whether the trace's spans are recorded.
    pub sampled: bool,
    /// Whether the trace's id is random in its lower 56 bits.
    pub random: bool,
}

impl TraceContext {
    /// Reads a `traceparent`. A later version is read as version 00, which it begins with.
    pub fn parse(text: &str) -> Option<Self> {
        let (head, rest) = text.as_bytes().split_at_checked(LENGTH)?;
        let [v1, v2, b'-', ids @ ..] = head else { return None };
        let (version, rest_is_fit) = (hex(&[*v1, *v2])?, rest.first().is_none_or(|b| *b == b'-'));
        if version == 0xff || (version == 0 && !rest.is_empty()) || !rest_is_fit {
            return None;
        }
        let (trace, span) = ids.split_at(32);
        let ([b'-', span @ ..], trace) = (span, hex(trace)?) else { return None };
        let (span, flags) = span.split_at(16);
        let ([b'-', flags @ ..], span) = (flags, hex(span)?) else { return None };
        let flags = u8::try_from(hex(flags)?).ok()? & KNOWN_FLAGS;
        let span_id = u64::try_from(span).ok()?;
        let (sampled, random) = (flags & 0b01 != 0, flags & 0b10 != 0);
        (trace != 0 && span_id != 0).then_some(Self { trace_id: trace, span_id, sampled, random })
    }

    /// The context of an order whose trace is sampled. For any other it costs a look at one byte.
    pub fn sampled(origin: &Origin) -> Option<Self> {
        let text = origin.traceparent.as_deref()?;
        let flags = text.as_bytes().get(LENGTH - 1)?;
        if !matches!(flags, b'1' | b'3') {
            return None;
        }
        Self::parse(text)
    }

    /// The header's value.
    pub fn traceparent(&self) -> Arc<str> {
        self.to_string().into()
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { trace_id, span_id, sampled, random } = *self;
        let flags = u8::from(sampled) | u8::from(random) << 1;
        write!(f, "00-{trace_id:032x}-{span_id:016x}-{flags:02x}")
    }
}

impl Origin {
    /// The id of the order's trace, for log lines.
    pub fn trace_id(&self) -> Option<&str> {
        self.traceparent.as_deref()?.get(3..35)
    }
}

/// The id of a span that is known by what it is about: any process finds it without having been told.
pub fn span_id(about: Uuid, what: &str) -> u64 {
    // The version in a UUIDv5 keeps it from being 0.
    Uuid::new_v5(&about, what.as_bytes()).as_u64_pair().0
}

/// Lower-case hexadecimal digits, 32 at the most.
fn hex(digits: &[u8]) -> Option<u128> {
    digits.iter().try_fold(0, |number, digit| {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(number << 4 | u128::from(value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    fn read(version: &str, end: &str) -> Option<TraceContext> {
        TraceContext::parse(&format!("{version}-{TRACE}-00f067aa0ba902b7-{end}"))
    }

    #[test]
    fn what_is_written_is_read_back() {
        for (flags, sampled, random) in
            [("00", false, false), ("01", true, false), ("02", false, true), ("03", true, true)]
        {
            let context = read("00", flags).unwrap();
            assert_eq!((context.sampled, context.random), (sampled, random));
            assert_eq!(context.to_string(), format!("00-{TRACE}-00f067aa0ba902b7-{flags}"));
        }
    }

    #[test]
    fn a_later_version_is_read_as_the_first() {
        for (version, end) in [("01", "01"), ("cc", "01-what-the-future-brings"), ("01", "f1")] {
            let context = read(version, end).unwrap();
            assert_eq!(context.to_string(), format!("00-{TRACE}-00f067aa0ba902b7-01"));
        }
    }

    #[test]
    fn what_is_malformed_is_not_taken() {
        for (version, end) in [
            ("ff", "01"),
            ("00", "01-more"),
            ("cc", "01.more"),
            ("00", "1"),
            ("00", "0G"),
            ("00", "0A"),
            ("0", "01"),
        ] {
            assert_eq!(read(version, end), None, "{version} {end}");
        }
        let none = "0".repeat(32);
        assert_eq!(TraceContext::parse(&format!("00-{none}-00f067aa0ba902b7-01")), None);
        assert_eq!(TraceContext::parse(&format!("00-{TRACE}-{}-01", &none[..16])), None);
        let wide = "00-4bf92f3577b34da6a3ce929d0e0e473é-00f067aa0ba902b7-01";
        assert_eq!(TraceContext::parse(wide), None);
        assert_eq!(TraceContext::parse(""), None);
    }
}
