//! Strikes known secrets out of what a receiver answered, before anybody reads it.
//!
//! A secret that stands there as it is, or as JSON, a URL or base64 commonly spell it, is struck out. Where an answer
//! repeats one in any other spelling that can be undone (escapes, entities, hex, base64 within base64, upper case, and
//! two of these on top of each other), the whole answer is withheld: nobody needs it as much as that.

use std::fmt;
use std::ops::Range;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};

/// What stands for a secret.
const STRUCK: &str = "***";
/// What stands for an answer that repeats a secret in another spelling.
const WITHHELD: &str = "[withheld: it repeats a secret in another spelling]";
/// A shorter text is no secret worth the name, and striking it out would tear holes into every answer.
const SHORTEST: usize = 4;
/// In other spellings a shorter one would be found by chance.
const SHORTEST_RESPELT: usize = 6;
/// How many spellings on top of each other are undone.
const DEPTH: usize = 2;

/// Texts that no log may show.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Redaction {
    /// As they are likely to be echoed.
    spellings: Vec<String>,
    /// As they are and without white space, in lower case.
    respelt: Vec<String>,
}

impl Redaction {
    /// Of these credentials, which no spelling may show, and these values, which are only not to be shown as they are.
    /// Empty and very short ones are left out.
    #[must_use]
    pub fn of(credentials: &[String], values: &[String]) -> Self {
        let all = credentials.iter().chain(values).filter(|secret| secret.len() >= SHORTEST);
        let mut spellings: Vec<_> = all.flat_map(|secret| spellings(secret)).collect();
        spellings.sort();
        spellings.dedup();
        let long = credentials.iter().filter(|secret| secret.len() >= SHORTEST_RESPELT);
        let respelt = long.flat_map(|secret| {
            let lower = secret.to_lowercase();
            [lower.split_whitespace().collect(), lower]
        });
        Self { spellings, respelt: respelt.collect() }
    }

    /// The first `limit` bytes of a body for people.
    #[must_use]
    pub fn shown(&self, body: &[u8], limit: usize) -> String {
        let mut text = self.struck(&String::from_utf8_lossy(body));
        if self.is_respelt(&text, DEPTH) {
            WITHHELD.clone_into(&mut text);
        }
        text.truncate(text.floor_char_boundary(limit));
        text
    }

    /// Without the secrets as they are, also one that the end cuts in two.
    fn struck(&self, text: &str) -> String {
        let mut shown = String::with_capacity(text.len());
        let mut from = 0;
        for range in self.ranges(text) {
            shown.push_str(text.get(from..range.start).unwrap_or_default());
            shown.push_str(STRUCK);
            from = range.end;
        }
        shown.push_str(text.get(from..).unwrap_or_default());
        shown
    }

    /// Where secrets stand, joined where they overlap or touch.
    fn ranges(&self, text: &str) -> Vec<Range<usize>> {
        let found = self.spellings.iter().flat_map(|secret| text.match_indices(secret.as_str()));
        let mut all: Vec<_> = found.map(|(start, secret)| start..start + secret.len()).collect();
        let whole = text.trim_end_matches(char::REPLACEMENT_CHARACTER).len();
        let end = text.get(..whole).unwrap_or_default();
        let cut = self.spellings.iter().filter_map(|secret| cut_off(end, secret)).min();
        all.extend(cut.map(|start| start..text.len()));
        all.sort_by_key(|range| range.start);
        let mut joined: Vec<Range<usize>> = Vec::new();
        for range in all {
            match joined.last_mut() {
                Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
                _ => joined.push(range),
            }
        }
        joined
    }

    fn is_respelt(&self, text: &str, depth: usize) -> bool {
        let lower = text.to_lowercase();
        self.respelt.iter().any(|secret| lower.contains(secret))
            || (depth > 0
                && !self.respelt.is_empty()
                && undone(text).iter().any(|text| self.is_respelt(text, depth - 1)))
    }
}

impl fmt::Debug for Redaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[REDACTED; {}]", self.spellings.len())
    }
}

/// As it is, inside JSON (with and without escaped slashes), inside a URL or a form, and base64.
fn spellings(secret: &str) -> Vec<String> {
    let quoted = serde_json::Value::from(secret).to_string();
    let json = quoted.strip_prefix('"').and_then(|json| json.strip_suffix('"')).unwrap_or(&quoted);
    let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let url = form.replace('+', "%20");
    let slashes = json.replace('/', "\\/");
    vec![secret.to_owned(), json.to_owned(), slashes, url, form, STANDARD.encode(secret)]
}

/// Where the text ends with the beginning of the secret.
fn cut_off(text: &str, secret: &str) -> Option<usize> {
    (SHORTEST..secret.len())
        .rev()
        .filter_map(|length| secret.get(..length))
        .find_map(|start| text.strip_suffix(start).map(str::len))
}

/// The text with each kind of spelling undone.
fn undone(text: &str) -> [String; 6] {
    let form = text.replace('+', " ");
    [
        percent_decoded(&form),
        percent_decoded(text),
        unescaped(text),
        without_entities(text),
        text.split_whitespace().collect(),
        decoded_runs(text),
    ]
}

fn percent_decoded(text: &str) -> String {
    replaced(text, '%', |rest| {
        let digits = rest.get(..2)?;
        Some((char::from(u8::from_str_radix(digits, 16).ok()?), 2))
    })
}

/// JSON's and JavaScript's escapes: `\u0026`, `\x26`, `\/`, `\"`.
fn unescaped(text: &str) -> String {
    replaced(text, '\\', |rest| {
        let mut characters = rest.chars();
        let digits = match characters.next()? {
            'u' => 4,
            'x' => 2,
            other => return Some((other, other.len_utf8())),
        };
        let code = u32::from_str_radix(rest.get(1..=digits)?, 16).ok()?;
        Some((char::from_u32(code)?, 1 + digits))
    })
}

/// HTML's and XML's entities.
fn without_entities(text: &str) -> String {
    const NAMED: [(&str, char); 5] = [("amp", '&'), ("lt", '<'), ("gt", '>'), ("quot", '"'), ("apos", '\'')];
    replaced(text, '&', |rest| {
        let (name, _) = rest.split_once(';').filter(|(name, _)| name.len() <= 8)?;
        let named = NAMED.iter().find(|(known, _)| *known == name).map(|(_, character)| *character);
        let number = || match name.strip_prefix("#x").or_else(|| name.strip_prefix("#X")) {
            Some(digits) => u32::from_str_radix(digits, 16).ok(),
            None => name.strip_prefix('#')?.parse().ok(),
        };
        Some((named.or_else(|| char::from_u32(number()?))?, name.len() + 1))
    })
}

/// Puts a character in the place of each `mark` and what follows it, as `read` tells: the character, and how many bytes
/// of what follows.
fn replaced(text: &str, mark: char, read: impl Fn(&str) -> Option<(char, usize)>) -> String {
    let mut parts = text.split(mark);
    let mut shown = parts.next().unwrap_or_default().to_owned();
    let mut rest = text.get(shown.len()..).unwrap_or_default();
    while let Some(after) = rest.strip_prefix(mark) {
        let (character, used) = read(after).unwrap_or((mark, 0));
        shown.push(character);
        let left = after.get(used..).unwrap_or_default();
        let next = left.find(mark).unwrap_or(left.len());
        shown.push_str(left.get(..next).unwrap_or_default());
        rest = left.get(next..).unwrap_or_default();
    }
    shown
}

/// What every run of hex digits or of base64's letters decodes to, from each place at which its groups may begin.
fn decoded_runs(text: &str) -> String {
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '-' | '_');
    let runs = text.split(|c: char| !is_base64(c)).filter(|run| run.len() >= SHORTEST_RESPELT);
    let mut decoded = String::new();
    for run in runs {
        let standard = run.replace('-', "+").replace('_', "/");
        for start in 0..4 {
            let group = standard.get(start..).unwrap_or_default();
            let whole = group.get(..group.len() - usize::from(group.len() % 4 == 1)).unwrap_or_default();
            let bytes = LENIENT.decode(whole).unwrap_or_default();
            decoded.push_str(&String::from_utf8_lossy(&bytes));
            decoded.push('\n');
        }
        for start in 0..2 {
            decoded.push_str(&String::from_utf8_lossy(&hex(run.get(start..).unwrap_or_default())));
            decoded.push('\n');
        }
    }
    decoded
}

fn hex(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks_exact(2);
    pairs.map_while(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

/// Takes base64 with and without padding, and with bits left over where a run was cut.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};
    use proptest::prelude::*;

    use super::{Redaction, WITHHELD};

    fn of(secrets: &[&str]) -> Redaction {
        let secrets: Vec<_> = secrets.iter().map(|secret| (*secret).to_owned()).collect();
        Redaction::of(&secrets, &[])
    }

    const SECRET: &str = "p/w&d+ <x>\"hunter2";

    #[test]
    fn a_secret_is_struck_out_in_its_likely_spellings_and_the_rest_stays() {
        let redaction = of(&[SECRET, "", "abc"]);
        let json = serde_json::Value::from(SECRET).to_string();
        let encoded = STANDARD.encode(SECRET);
        let url: String = url::form_urlencoded::byte_serialize(SECRET.as_bytes()).collect();
        for spelt in [SECRET.to_owned(), json.trim_matches('"').to_owned(), encoded, url] {
            let shown = redaction.shown(format!("{{\"a\":\"{spelt}\",\"f\":\"abc\"}}").as_bytes(), 2_048);
            assert!(shown.starts_with("{\"a\":\"***") && shown.ends_with("\",\"f\":\"abc\"}"), "{shown}");
            assert!(!shown.contains("hunter2"), "{shown}");
        }
    }

    #[test]
    fn an_answer_that_repeats_a_secret_in_another_spelling_is_withheld() {
        let redaction = of(&[SECRET]);
        let hex = SECRET.bytes().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
        let in_json = serde_json::Value::from(serde_json::Value::from(SECRET).to_string()).to_string();
        for spelt in [
            SECRET.to_uppercase(),
            hex.to_uppercase(),
            hex,
            STANDARD.encode(format!("Bearer {SECRET}")),
            STANDARD.encode(format!("ab{SECRET}c")),
            format!("x{}", STANDARD_NO_PAD.encode(format!("user:{SECRET}"))),
            URL_SAFE.encode(format!("\u{3ff}{SECRET}")),
            SECRET.replace('+', "\\u002B").replace('"', "\\u0022"),
            SECRET.replace('&', "\\u0026").replace('<', "\\u003c").replace('"', "\\\""),
            SECRET.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&#x3E;"),
            "p%2Fw%26d%2B%20%3Cx%3E%22hunter2".to_lowercase(),
            "p/w&d+%20%3Cx%3E%22hunter2".to_owned(),
            "p/w&d+ <x>\n\"hunt\ner2".to_owned(),
            in_json,
        ] {
            let shown = redaction.shown(format!("you sent {spelt}, thank you").as_bytes(), 2_048);
            assert!(
                shown == WITHHELD || (shown.contains("***") && !shown.contains("hunt")),
                "{spelt}: {shown}"
            );
        }
    }

    #[test]
    fn a_value_is_struck_out_as_it_is_and_withholds_nothing() {
        let redaction = Redaction::of(&[], &["storefront".to_owned()]);
        assert_eq!(redaction.shown(b"storefront, Storefront", 100), "***, Storefront");
    }

    #[test]
    fn secrets_that_hold_or_overlap_each_other_are_struck_out_whole() {
        let redaction = of(&["token", "token-of-acme", "acme-and-more"]);
        assert_eq!(redaction.shown(b"x token-of-acme-and-more y", 100), "x *** y");
    }

    #[test]
    fn a_secret_that_the_end_cuts_in_two_is_struck_out() {
        let redaction = of(&["whsec_0123456789", "geheimnis-straße"]);
        assert_eq!(redaction.shown(b"got whsec_012", 100), "got ***");
        assert_eq!(redaction.shown(b"got geheimnis-stra\xc3", 100), "got ***");
        assert_eq!(
            redaction.shown("got whsec_0123456789 ü".as_bytes(), 9),
            "got *** ",
            "cut between characters"
        );
    }

    #[test]
    fn an_answer_without_secrets_is_shown_as_it_is() {
        let body = r#"{"id":"a%20b","x":"a\u0026b &amp; 00ff YWJjZGVmZ2g="}"#;
        assert_eq!(of(&["hunter2-secret"]).shown(body.as_bytes(), 2_048), body);
        assert_eq!(Redaction::default().shown(b"%%\\u&#;&", 2_048), "%%\\u&#;&");
    }

    proptest! {
        #[test]
        fn no_secret_survives_at_any_limit(before in "[ -~]{0,20}", secret in "[a-z0-9_=/+]{8,40}", after in "[ -~]{0,20}", limit in 0..100_usize) {
            let shown = of(&[secret.as_str()]).shown(format!("{before}{secret}{after}").as_bytes(), limit);
            prop_assert!(!shown.contains(&secret) && shown.len() <= limit);
        }

        #[test]
        fn any_text_can_be_undone(body in prop::collection::vec(any::<u8>(), 0..200), text in "[%\\\\&;#xua-f0-9+/= ]{0,60}") {
            let redaction = of(&["hunter2-secret"]);
            prop_assert!(redaction.shown(&body, 100).len() <= 100);
            prop_assert!(redaction.shown(text.as_bytes(), 100).len() <= 100);
        }
    }
}
