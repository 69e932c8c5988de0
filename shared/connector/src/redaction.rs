//! Strikes known secrets out of what a receiver answered, before anybody reads it.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What stands for a secret.
const STRUCK: &str = "***";
/// A shorter text is no secret worth the name, and striking it out would tear holes into every answer.
const SHORTEST: usize = 4;

/// Texts that no log may show, in every spelling in which an answer could echo them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Redaction(Vec<String>);

impl Redaction {
    /// Of these secrets; empty and very short ones are left out.
    #[must_use]
    pub fn of<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let mut spellings: Vec<_> =
            secrets.into_iter().filter(|secret| secret.len() >= SHORTEST).flat_map(spellings).collect();
        // The longest first: a secret that holds another is struck out whole.
        spellings.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        spellings.dedup();
        Self(spellings)
    }

    /// The first `limit` bytes of a body for people: secrets struck out, also one that the end cuts in two.
    #[must_use]
    pub fn shown(&self, body: &[u8], limit: usize) -> String {
        let mut text = String::from_utf8_lossy(body).into_owned();
        for secret in &self.0 {
            if text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), STRUCK);
            }
        }
        if let Some(cut) = self.0.iter().filter_map(|secret| cut_off(&text, secret)).min() {
            text.truncate(cut);
            text.push_str(STRUCK);
        }
        text.truncate(text.floor_char_boundary(limit));
        text
    }
}

impl fmt::Debug for Redaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[REDACTED; {}]", self.0.len())
    }
}

/// As it is, inside JSON (with and without escaped slashes), inside a URL or a form, and base64.
fn spellings(secret: &str) -> Vec<String> {
    let quoted = serde_json::Value::from(secret).to_string();
    let json = quoted.strip_prefix('"').and_then(|json| json.strip_suffix('"')).unwrap_or(&quoted);
    let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let encoded = [form.replace('+', "%20"), form];
    let lower = encoded.clone().map(|text| lower_hex(&text));
    let mut all = vec![secret.to_owned(), json.to_owned(), json.replace('/', "\\/"), STANDARD.encode(secret)];
    all.extend(encoded.into_iter().chain(lower));
    all
}

/// Percent-encoding with lower-case digits.
fn lower_hex(encoded: &str) -> String {
    let mut parts = encoded.split('%');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let (digits, rest) = part.split_at_checked(2).unwrap_or((part, ""));
        text + "%" + &digits.to_ascii_lowercase() + rest
    })
}

/// Where the text ends with the beginning of the secret.
fn cut_off(text: &str, secret: &str) -> Option<usize> {
    (SHORTEST..secret.len())
        .rev()
        .filter_map(|length| secret.get(..length))
        .find_map(|start| text.strip_suffix(start).map(str::len))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Redaction;

    #[test]
    fn a_secret_is_struck_out_in_every_spelling() {
        let redaction = Redaction::of(["p/w\"d+ x", "", "abc"]);
        let body = r#"{"a":"p/w\"d+ x","b":"p\/w\"d+ x","c":"p%2Fw%22d%2B+x","d":"p%2fw%22d%2b%20x","e":"cC93ImQrIHg=","f":"abc"}"#;
        let shown = redaction.shown(body.as_bytes(), 2_048);
        assert_eq!(shown, r#"{"a":"***","b":"***","c":"***","d":"***","e":"***","f":"abc"}"#);
    }

    #[test]
    fn a_secret_that_holds_another_is_struck_out_whole() {
        let redaction = Redaction::of(["token", "token-of-acme"]);
        assert_eq!(redaction.shown(b"x token-of-acme y", 100), "x *** y");
    }

    #[test]
    fn a_secret_that_the_end_cuts_in_two_is_struck_out() {
        let redaction = Redaction::of(["whsec_0123456789"]);
        assert_eq!(redaction.shown(b"got whsec_012", 100), "got ***");
        assert_eq!(
            redaction.shown("got whsec_0123456789 ü".as_bytes(), 9),
            "got *** ",
            "cut between characters"
        );
    }

    proptest! {
        #[test]
        fn no_secret_survives_at_any_limit(before in "[ -~]{0,20}", secret in "[a-z0-9_=/+]{8,40}", after in "[ -~]{0,20}", limit in 0..100_usize) {
            let shown = Redaction::of([secret.as_str()]).shown(format!("{before}{secret}{after}").as_bytes(), limit);
            prop_assert!(!shown.contains(&secret) && shown.len() <= limit);
        }
    }
}
