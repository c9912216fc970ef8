//! The text of an API key.
//!
//! ```text
//! omk_live_ 8 characters _ 32 characters _ 6 characters
//! prefix    id             secret          CRC-32 of all before it
//! ```
//!
//! All characters are of base 62. The secret has 190 bits, so that its SHA-256 is stored without salt or stretching. A
//! checksum tells a mistyped key from an unknown one, and lets scanners find keys in places where they do not belong.

use sha2::{Digest, Sha256};
use std::fmt;
use subtle::ConstantTimeEq;
use thiserror::Error;

const PREFIX: &str = "omk_live_";
const ID_CHARS: usize = 8;
const SECRET_CHARS: usize = 32;
const CHECKSUM_CHARS: usize = 6;
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// An API key, well-formed. Shows its id only.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey {
    text: String,
}

/// The public part of a key, by which it is stored, listed and revoked.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(String);

/// The SHA-256 of a key's text. Compared in constant time.
#[derive(Clone, Copy)]
pub struct KeyHash([u8; 32]);

/// Why a text is not an API key. It never quotes the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ParseKeyError {
    /// It begins otherwise.
    #[error("an API key begins with `{PREFIX}`")]
    Prefix,
    /// Its parts are too long, too short, or have other characters.
    #[error(
        "an API key is `{PREFIX}` and three parts of {ID_CHARS}, {SECRET_CHARS} and \
         {CHECKSUM_CHARS} letters and digits, separated by `_`; copy the whole key"
    )]
    Shape,
    /// A character is another than it was.
    #[error("the checksum of the API key is wrong; copy the key again")]
    Checksum,
}

impl ApiKey {
    /// A new key of random bytes, which must be unpredictable.
    pub fn generate(mut random: impl FnMut() -> u8) -> Self {
        // 248 is the largest multiple of 62 in a byte: the bytes above it would favour some digits.
        let mut digit = || loop {
            let byte = random();
            if byte < 248 {
                return DIGITS[usize::from(byte) % DIGITS.len()] as char;
            }
        };
        let id: String = (0..ID_CHARS).map(|_| digit()).collect();
        let secret: String = (0..SECRET_CHARS).map(|_| digit()).collect();
        let signed = format!("{PREFIX}{id}_{secret}");
        Self { text: format!("{signed}_{}", checksum(&signed)) }
    }

    /// Reads a key.
    ///
    /// # Errors
    /// When the text is malformed.
    pub fn parse(text: &str) -> Result<Self, ParseKeyError> {
        let parts = text.strip_prefix(PREFIX).ok_or(ParseKeyError::Prefix)?;
        let parts: Vec<&str> = parts.split('_').collect();
        let lengths = [ID_CHARS, SECRET_CHARS, CHECKSUM_CHARS];
        let is_shaped = parts.len() == lengths.len()
            && parts
                .iter()
                .zip(lengths)
                .all(|(part, length)| part.len() == length && is_base_62(part));
        if !is_shaped {
            return Err(ParseKeyError::Shape);
        }
        let signed = &text[..text.len() - CHECKSUM_CHARS - 1];
        match parts[2] == checksum(signed) {
            true => Ok(Self { text: text.to_owned() }),
            false => Err(ParseKeyError::Checksum),
        }
    }

    /// The key itself, to be shown once and sent.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// Its id.
    pub fn id(&self) -> KeyId {
        KeyId(self.text[PREFIX.len()..][..ID_CHARS].to_owned())
    }

    /// What is stored of it.
    pub fn hash(&self) -> KeyHash {
        KeyHash(Sha256::digest(&self.text).into())
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}_[hidden]", self.id())
    }
}

impl KeyId {
    /// The id of this text; None: no key has such an id.
    pub fn parse(text: &str) -> Option<Self> {
        (text.len() == ID_CHARS && is_base_62(text)).then(|| Self(text.to_owned()))
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl KeyHash {
    /// A hash as it is stored; None: it has another length.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl PartialEq for KeyHash {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for KeyHash {}

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hash]")
    }
}

fn is_base_62(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// The CRC-32 (IEEE 802.3) of a text, in base 62 with leading zeros.
fn checksum(text: &str) -> String {
    let mut rest = crc_32(text.as_bytes()) as usize;
    let mut digits = ['0'; CHECKSUM_CHARS];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[rest % DIGITS.len()] as char;
        rest /= DIGITS.len();
    }
    digits.iter().collect()
}

fn crc_32(bytes: &[u8]) -> u32 {
    const POLYNOMIAL: u32 = 0xEDB8_8320;
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 { crc >> 1 ^ POLYNOMIAL } else { crc >> 1 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A key of these bytes, and of sevens after them.
    fn key(bytes: &[u8]) -> ApiKey {
        let mut bytes = bytes.iter().copied();
        ApiKey::generate(move || bytes.next().unwrap_or(7))
    }

    #[test]
    fn a_checksum_is_the_crc_32_that_everybody_computes() {
        assert_eq!(crc_32(b"123456789"), 0xCBF4_3926);
        assert_eq!(checksum(""), "000000");
    }

    #[test]
    fn what_is_wrong_with_a_text_is_said_without_the_text() {
        let good = key(&[1, 2, 3]).expose().to_owned();
        assert_eq!(good, "omk_live_12377777_77777777777777777777777777777777_2bvRJh");
        for (text, expected) in [
            ("", ParseKeyError::Prefix),
            ("Bearer x", ParseKeyError::Prefix),
            ("OMK_LIVE_12377777", ParseKeyError::Prefix),
            ("omk_live_", ParseKeyError::Shape),
            (&good[..good.len() - 1], ParseKeyError::Shape),
            (&format!("{good}0"), ParseKeyError::Shape),
            (&format!("{good}_0"), ParseKeyError::Shape),
            (&good.replace("77_", "7\u{e9}_"), ParseKeyError::Shape),
            (&good.replace("123", "132"), ParseKeyError::Checksum),
        ] {
            assert_eq!(ApiKey::parse(text), Err(expected), "{text}");
        }
    }

    #[test]
    fn a_key_shows_its_id_only() {
        let key = key(&[]);
        assert_eq!(format!("{key:?}"), "omk_live_77777777_[hidden]");
        assert_eq!(format!("{:?}", key.hash()), "[hash]");
    }

    proptest! {
        #[test]
        fn a_generated_key_is_read_back(bytes: [u8; 64]) {
            let key = key(&bytes);
            let read = ApiKey::parse(key.expose());
            prop_assert_eq!(read.as_ref(), Ok(&key));
            prop_assert_eq!(KeyId::parse(key.id().as_str()), Some(key.id()));
            prop_assert_eq!(KeyHash::from_slice(key.hash().as_bytes()), Some(key.hash()));
        }

        /// A CRC-32 finds every change of one character.
        #[test]
        fn a_changed_character_is_noticed(bytes: [u8; 64], at in 9usize..57, to in "[0-9A-Za-z]") {
            let key = key(&bytes);
            let mut changed = key.expose().to_owned();
            changed.replace_range(at..=at, &to);
            prop_assume!(changed != key.expose());
            prop_assert!(ApiKey::parse(&changed).is_err(), "{} {}", key.expose(), changed);
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,80}") {
            let _ = ApiKey::parse(&text);
            let _ = ApiKey::parse(&format!("{PREFIX}{text}"));
        }
    }
}
