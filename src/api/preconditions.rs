//! Preconditions (RFC 9110, section 13): a request that is only meant for a resource as it was seen.
//!
//! ```text
//! If-Match: "7"        do it, if the resource is at version 7; else 412
//! If-None-Match: "7"   answer, if it is at another version; else 304 (GET), 412 (any other method)
//! ```
//!
//! A route supports the preconditions that its description names; it reads them by [`Preconditions`].
//! Any other precondition is refused by [`super::unsupported`] before the route is asked: a client that sends
//! one relies on it. No resource here has a modification date or can be sent in parts, so
//! that `If-Modified-Since`, `If-Unmodified-Since` and `If-Range` are supported nowhere.

use crate::api::problem::{FieldError, Problem};
use ordermill_domain::expected::Expected;
use poem::http::{HeaderMap, HeaderName, header};

/// An entity tag: what tells one representation of a resource from another.
#[derive(Clone, Debug, PartialEq, Eq)]
struct EntityTag {
    is_weak: bool,
    opaque: Vec<u8>,
}

/// What `If-Match` and `If-None-Match` hold.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Tags {
    /// `*`: any representation.
    Any,
    /// These.
    Listed(Vec<EntityTag>),
}

/// What is to become of a request to read, under its preconditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PreconditionOutcome {
    /// It is answered.
    Proceed,
    /// 304: the client has what it would be sent.
    NotModified,
    /// 412.
    Failed,
}

/// The preconditions of a request for a resource that has entity tags. All of these are strong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preconditions {
    if_match: Option<Tags>,
    if_none_match: Option<Tags>,
}

impl Preconditions {
    /// Those of a request; 400 for one that cannot be read.
    pub fn of(request: &poem::Request) -> Result<Self, Problem> {
        let headers = request.headers();
        Ok(Self {
            if_match: tags(headers, &header::IF_MATCH)?,
            if_none_match: tags(headers, &header::IF_NONE_MATCH)?,
        })
    }

    /// What becomes of GET and HEAD, where the representation has this tag (section 13.2.2).
    pub fn of_reading(&self, tag: &str) -> PreconditionOutcome {
        if self.if_match.as_ref().is_some_and(|tags| !tags.name_strongly(tag)) {
            PreconditionOutcome::Failed
        } else if self.if_none_match.as_ref().is_some_and(|tags| tags.name_weakly(tag)) {
            PreconditionOutcome::NotModified
        } else {
            PreconditionOutcome::Proceed
        }
    }

    /// What is expected of an existing row that is to be changed, where `version` reads a version from
    /// its tag. It is compared on the locked row: what was read before may have changed since.
    pub fn of_writing<V: PartialEq>(&self, version: impl Fn(&str) -> Option<V>) -> Expected<V> {
        let versions = |tags: &[EntityTag], weak_too: bool| -> Vec<V> {
            let taken = tags.iter().filter(|tag| weak_too || !tag.is_weak);
            taken.filter_map(|tag| version(std::str::from_utf8(&tag.opaque).ok()?)).collect()
        };
        let but = match &self.if_none_match {
            None => Vec::new(),
            Some(Tags::Any) => return Expected::OneOf(Vec::new()),
            Some(Tags::Listed(tags)) => versions(tags, true),
        };
        match &self.if_match {
            None | Some(Tags::Any) => Expected::NoneOf(but),
            Some(Tags::Listed(tags)) => {
                let mut listed = versions(tags, false);
                listed.retain(|version| !but.contains(version));
                Expected::OneOf(listed)
            }
        }
    }
}

impl Tags {
    /// Strong comparison: both tags are strong, and the same (section 8.8.3.2).
    fn name_strongly(&self, tag: &str) -> bool {
        self.any(|listed| !listed.is_weak && listed.opaque == tag.as_bytes())
    }

    /// Weak comparison: the same, weak or not.
    fn name_weakly(&self, tag: &str) -> bool {
        self.any(|listed| listed.opaque == tag.as_bytes())
    }

    fn any(&self, matches: impl FnMut(&EntityTag) -> bool) -> bool {
        match self {
            Self::Any => true,
            Self::Listed(tags) => tags.iter().any(matches),
        }
    }
}

/// A tag as it stands in `ETag`.
pub fn quoted(tag: impl std::fmt::Display) -> String {
    format!("\"{tag}\"")
}

/// The tags of a header, which may come in several lines. None: there is no such header.
fn tags(headers: &HeaderMap, name: &HeaderName) -> Result<Option<Tags>, Problem> {
    let lines: Vec<_> = headers.get_all(name).iter().map(|line| line.as_bytes()).collect();
    if lines.is_empty() {
        return Ok(None);
    }
    let unreadable = || {
        let shown = match *name == header::IF_MATCH {
            true => "If-Match",
            false => "If-None-Match",
        };
        let message = r#"must be `*` or a list of quoted entity tags, as in `"7"`"#;
        Problem::bad_request(format!("`{shown}` {message}"), vec![FieldError::new(shown, message)])
    };
    parse(&lines.join(&b","[..])).map(Some).ok_or_else(unreadable)
}

/// `*`, or `#entity-tag`: a list with commas and white space between, and perhaps empty elements
/// (section 5.6.1). None: it is neither.
fn parse(text: &[u8]) -> Option<Tags> {
    if text.trim_ascii() == b"*" {
        return Some(Tags::Any);
    }
    let mut listed = Vec::new();
    let mut rest = text.trim_ascii_start();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix(b",") {
            rest = after.trim_ascii_start();
            continue;
        }
        let (is_weak, quoted) = match rest.strip_prefix(b"W/") {
            Some(quoted) => (true, quoted),
            None => (false, rest),
        };
        let opaque_and_more = quoted.strip_prefix(b"\"")?;
        let end = opaque_and_more.iter().position(|byte| *byte == b'"')?;
        let (opaque, more) = opaque_and_more.split_at(end);
        if !opaque.iter().all(|byte| matches!(byte, 0x21 | 0x23..=0x7E | 0x80..=0xFF)) {
            return None;
        }
        listed.push(EntityTag { is_weak, opaque: opaque.to_vec() });
        rest = more[1..].trim_ascii_start();
        if !(rest.is_empty() || rest.starts_with(b",")) {
            return None;
        }
    }
    (!listed.is_empty()).then_some(Tags::Listed(listed))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conditions(if_match: Option<&str>, if_none_match: Option<&str>) -> Preconditions {
        let read = |text: Option<&str>| text.map(|text| parse(text.as_bytes()).expect(text));
        Preconditions { if_match: read(if_match), if_none_match: read(if_none_match) }
    }

    fn strong(opaque: &str) -> EntityTag {
        EntityTag { is_weak: false, opaque: opaque.into() }
    }

    fn weak(opaque: &str) -> EntityTag {
        EntityTag { is_weak: true, ..strong(opaque) }
    }

    /// The examples of sections 8.8.3, 13.1.1 and 13.1.2.
    #[test]
    fn tags_are_read_as_the_rfc_writes_them() {
        for (text, tags) in [
            (r#""xyzzy""#, vec![strong("xyzzy")]),
            (r#"W/"xyzzy""#, vec![weak("xyzzy")]),
            (r#""""#, vec![strong("")]),
            (
                r#""xyzzy", "r2d2xxxx", "c3piozzzz""#,
                ["xyzzy", "r2d2xxxx", "c3piozzzz"].map(strong).into(),
            ),
            (
                r#"W/"xyzzy", W/"r2d2xxxx", W/"c3piozzzz""#,
                ["xyzzy", "r2d2xxxx", "c3piozzzz"].map(weak).into(),
            ),
            (r#" , "a,b" ,,	"é*",  "#, vec![strong("a,b"), strong("é*")]),
        ] {
            assert_eq!(parse(text.as_bytes()), Some(Tags::Listed(tags)), "{text}");
        }
        assert_eq!(parse(b" * "), Some(Tags::Any));
        for text in [
            "",
            " , ",
            "7",
            "'7'",
            r#""7"#,
            r#"7""#,
            r#"w/"7""#,
            r#"W/ "7""#,
            r#""7" "8""#,
            r#"*, "7""#,
            r#""a b""#,
            "\"\u{7f}\"",
        ] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
    }

    /// The table of section 8.8.3.2.
    #[test]
    fn weak_tags_match_weakly_only() {
        for (listed, is_strong, is_weak) in [
            (r#"W/"1""#, false, true),
            (r#"W/"2""#, false, false),
            (r#""1""#, true, true),
            (r#""2""#, false, false),
        ] {
            let tags = parse(listed.as_bytes()).unwrap();
            assert_eq!((tags.name_strongly("1"), tags.name_weakly("1")), (is_strong, is_weak));
        }
    }

    #[test]
    fn a_conditional_read_is_answered_or_not_modified_or_refused() {
        for (if_match, if_none_match, outcome) in [
            (None, None, PreconditionOutcome::Proceed),
            (Some("*"), None, PreconditionOutcome::Proceed),
            (Some(r#""7""#), None, PreconditionOutcome::Proceed),
            (Some(r#""6", "7""#), None, PreconditionOutcome::Proceed),
            (Some(r#"W/"7""#), None, PreconditionOutcome::Failed),
            (Some(r#""6""#), None, PreconditionOutcome::Failed),
            (None, Some("*"), PreconditionOutcome::NotModified),
            (None, Some(r#""7""#), PreconditionOutcome::NotModified),
            (None, Some(r#"W/"7", "9""#), PreconditionOutcome::NotModified),
            (None, Some(r#""6""#), PreconditionOutcome::Proceed),
            (Some(r#""7""#), Some(r#""7""#), PreconditionOutcome::NotModified),
            (Some(r#""6""#), Some(r#""7""#), PreconditionOutcome::Failed),
        ] {
            let outcome_of = conditions(if_match, if_none_match).of_reading("7");
            assert_eq!(outcome_of, outcome, "{if_match:?} {if_none_match:?}");
        }
    }

    #[test]
    fn a_write_must_match_the_expected_version() {
        for (if_match, if_none_match, is_changed) in [
            (None, None, true),
            (Some("*"), None, true),
            (Some(r#""7""#), None, true),
            (Some(r#""007""#), None, false),
            (Some(r#"W/"7""#), None, false),
            (Some(r#""6", "x""#), None, false),
            (None, Some("*"), false),
            (None, Some(r#"W/"7""#), false),
            (None, Some(r#""6""#), true),
            (Some(r#""6", "7""#), Some(r#""6""#), true),
            (Some(r#""6", "7""#), Some(r#""7""#), false),
        ] {
            let version = |tag: &str| {
                let version: u64 = tag.parse().ok()?;
                (version.to_string() == tag).then_some(version)
            };
            let expected = conditions(if_match, if_none_match).of_writing(version);
            assert_eq!(expected.admits(&7), is_changed, "{if_match:?} {if_none_match:?}");
        }
    }
}
