//! What Fluent's references are as keys in commercetools.

use connector::handler::HandlerError;

use crate::problem::unmappable;

/// Lengths of a key in commercetools (API reference, `key`).
const LENGTHS: std::ops::RangeInclusive<usize> = 2..=256;

/// A reference of Fluent's as a key in commercetools, where keys are letters, digits, hyphens and underscores: any other
/// byte becomes an underscore and two hexadecimal digits.
pub(crate) fn key_of(reference: &str) -> Result<String, HandlerError> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    let written = |byte| if is_plain(byte) { char::from(byte).to_string() } else { format!("_{byte:02X}") };
    let key: String = reference.bytes().map(written).collect();
    if LENGTHS.contains(&key.len()) {
        return Ok(key);
    }
    Err(unmappable(format!(
        "reference {reference:?} makes no key in commercetools: it would have {} characters, and 2 to 256 are allowed",
        key.len()
    )))
}

#[cfg(test)]
mod tests {
    use super::key_of;

    #[test]
    fn a_reference_becomes_a_key_and_two_become_two() {
        for (reference, key) in [("HD_1-1", "HD_1-1"), ("a/b", "a_2Fb"), ("a b", "a_20b"), ("ü", "_C3_BC")] {
            assert_eq!(key_of(reference).unwrap(), key);
        }
        for none in ["", "a", &"a".repeat(257)] {
            assert!(key_of(none).is_err(), "{none}");
        }
    }
}
