//! Which characters are taken in identifiers and texts, and which are shown.

use icu_normalizer::ComposingNormalizerBorrowed;
use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory};
use icu_properties::{CodePointMapData, CodePointSetData};

/// True for a character that steers what stands around it: control characters, line and paragraph separators, and
/// those that turn the direction of a text (embeddings, overrides and isolates). No name of a person needs one.
pub fn is_control(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        || c.is_control()
}

/// True for a character that shows nothing: format characters (Cf), and whatever else a font leaves out.
fn is_invisible(c: char) -> bool {
    CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
        || CodePointMapData::<GeneralCategory>::new().get(c) == GeneralCategory::Format
}

/// True for a text that shows nothing.
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || is_invisible(c))
}

/// Why an identifier could be mistaken for another one that is not equal to it, if it could.
pub fn mistakable(id: &str) -> Option<String> {
    if id.trim() != id {
        return Some("must not begin or end with whitespace".to_owned());
    }
    let code = |c: char| format!("U+{:04X}", u32::from(c));
    for c in id.chars() {
        if is_control(c) || is_invisible(c) {
            return Some(format!(
                "must not contain invisible or control characters; found {}",
                code(c)
            ));
        }
        if c != ' ' && c.is_whitespace() {
            return Some(format!(
                "must not contain whitespace other than spaces; found {}",
                code(c)
            ));
        }
    }
    if !ComposingNormalizerBorrowed::new_nfc().is_normalized(id) {
        return Some("must be in Unicode normalization form NFC".to_owned());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_that_look_alike_are_mistakable() {
        for (id, word) in [
            (" anna", "begin or end"),
            ("anna\u{a0}", "begin or end"),
            ("an\u{200b}na", "U+200B"),
            ("an\u{ad}na", "U+00AD"),
            ("an\u{200d}na", "U+200D"),
            ("an\u{202e}na", "U+202E"),
            ("\u{feff}anna", "U+FEFF"),
            ("an\u{2028}na", "U+2028"),
            ("an\tna", "U+0009"),
            ("an\u{a0}na", "U+00A0"),
            // A filler of Hangul and a variation selector: letters and marks, but nothing to see.
            ("an\u{3164}na", "U+3164"),
            ("mug\u{fe0f}", "U+FE0F"),
            ("e\u{301}mile", "NFC"),
            ("5 \u{212b}", "NFC"),
        ] {
            let reason = mistakable(id).unwrap_or_default();
            assert!(reason.contains(word), "{id:?}: {reason}");
        }
        for id in ["anna", "émile", "木 42", "SKU-7/b", "Ω", "محصول", "🎃", "a b"] {
            assert_eq!(mistakable(id), None, "{id:?}");
        }
    }

    #[test]
    fn names_of_people_are_texts_without_control_characters() {
        for name in [
            "Anna O’Neill-D'Arcy",
            "Nguye\u{302}\u{303}n Va\u{306}n",
            "علی\u{200c}رضا",
            "क\u{94d}\u{200d}षमा",
            "\u{200f}אבי\u{200e}",
            "José",
        ] {
            assert!(!name.chars().any(is_control) && !is_blank(name), "{name:?}");
        }
        assert!(is_blank(" \u{200d}\u{3164}\u{a0}"));
        for control in ['\0', '\u{1b}', '\u{85}', '\u{2029}', '\u{202e}', '\u{2066}'] {
            assert!(is_control(control), "{control:?}");
        }
    }
}
