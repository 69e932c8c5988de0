//! Bytes as hexadecimal digits: of hashes in ids, of signatures in headers.

use std::fmt::Write as _;

/// Two lower-case digits a byte.
#[must_use]
pub fn encoded(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The bytes of digits in either case; `None` for another character or half a byte.
#[must_use]
pub fn decoded(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<_> = text.chars().map(|digit| digit.to_digit(16)).collect::<Option<_>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    let bytes =
        pairs.iter().map(|[high, low]| u8::try_from((high << 4) | low).ok()).collect::<Option<_>>()?;
    rest.is_empty().then_some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{decoded, encoded};

    #[test]
    fn what_is_no_whole_byte_in_digits_is_refused() {
        assert_eq!(decoded("00fFAb"), Some(vec![0x00, 0xff, 0xab]));
        for text in ["0", "0g", "+f", " 00", "0é"] {
            assert_eq!(decoded(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn bytes_are_read_as_they_were_written(bytes in any::<Vec<u8>>()) {
            let text = encoded(&bytes);
            prop_assert!(text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')));
            prop_assert_eq!(decoded(&text), Some(bytes));
        }
    }
}
