//! Reads the documents that operators write: YAML, so JSON too.
//!
//! Every error names the key and what belongs there, an unknown key its nearest known one; none shows a value, which
//! may be a secret. serde's derived errors do: therefore the keys are taken out by hand.

mod error;

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Map, Value};

use crate::located::{self, Lines};
use crate::secret::Secret;
use crate::slips;
pub use error::{DocumentError, Place};

/// A mapping whose keys are still to be taken out.
pub struct Document {
    /// Of its keys: empty at the top, else the key that holds it and a dot.
    prefix: String,
    fields: Map<String, Value>,
    /// Of the whole text; empty where it has one line only.
    lines: Arc<Lines>,
}

impl Document {
    /// Reads a document that knows these keys.
    ///
    /// # Errors
    /// [`DocumentError`] for what is not YAML, no mapping, or holds another key.
    pub fn parse(text: &str, known: &[&str]) -> Result<Self, DocumentError> {
        let (value, lines) = located::read(text).map_err(|error| unreadable(&error, text, known))?;
        if !value.is_object() {
            let at = Place { path: String::new(), line: None };
            return Err(DocumentError::NotAMapping { at, hint: slips::no_mapping(text, known) });
        }
        if let Some((path, line)) = located::swallowed(&value, &lines, text) {
            return Err(DocumentError::Swallowed { key: Place { path, line: Some(line) } });
        }
        let lines = if text.trim().contains('\n') { lines } else { Lines::new() };
        Self::of(value, String::new(), known, known, Arc::new(lines))
    }

    /// A document of a value that was read already.
    ///
    /// # Errors
    /// [`DocumentError`] for what is no mapping, or holds another key.
    pub fn of_value(value: Value, known: &[&str]) -> Result<Self, DocumentError> {
        Self::of(value, String::new(), known, known, Arc::default())
    }

    fn of(
        value: Value,
        prefix: String,
        known: &[&str],
        likely: &[&str],
        lines: Arc<Lines>,
    ) -> Result<Self, DocumentError> {
        let holder = prefix.strip_suffix('.').unwrap_or_default();
        let at = Place { path: holder.to_owned(), line: lines.get(holder).copied() };
        let Value::Object(fields) = value else {
            let hint = format!("must be a mapping of keys to values; known are {}", likely.join(", "));
            return Err(DocumentError::NotAMapping { at, hint });
        };
        let document = Self { prefix, fields, lines };
        match document.fields.iter().find(|(key, _)| !known.contains(&key.as_str())) {
            Some((_, Value::Null)) => Err(DocumentError::NoValue { at }),
            Some((unknown, _)) if name_of(unknown).is_empty() => {
                Err(DocumentError::NoKey { at, known: likely.join(", ") })
            }
            Some((unknown, _)) => Err(document.unknown(unknown, likely)),
            None => Ok(document),
        }
    }

    /// A value; an absent one and YAML's `null` are the same.
    pub fn value(&mut self, key: &str) -> Option<Value> {
        self.fields.remove(key).filter(|value| !value.is_null())
    }

    /// A value that stays where it is.
    pub(crate) fn peek(&self, key: &str) -> Option<&Value> {
        self.fields.get(key).filter(|value| !value.is_null())
    }

    /// A text that is not empty.
    ///
    /// # Errors
    /// [`DocumentError::Expected`].
    pub fn text(&mut self, key: &str) -> Result<Option<String>, DocumentError> {
        let value = self.value(key);
        value.map(|value| self.as_text(key, value)).transpose()
    }

    /// A text that has to be there.
    ///
    /// # Errors
    /// [`DocumentError`] by cause.
    pub fn required_text(&mut self, key: &str) -> Result<String, DocumentError> {
        self.text(key)?.ok_or_else(|| self.missing(key))
    }

    /// A secret that has to be there.
    ///
    /// # Errors
    /// [`DocumentError`] by cause.
    pub fn required_secret(&mut self, key: &str) -> Result<Secret, DocumentError> {
        self.required_text(key).map(Secret::new)
    }

    /// An id: a text that is not empty, or a whole number, which some write without quotes.
    ///
    /// # Errors
    /// [`DocumentError::Expected`].
    pub fn id(&mut self, key: &str) -> Result<Option<String>, DocumentError> {
        match self.value(key) {
            Some(Value::Number(number)) if number.is_u64() => Ok(Some(number.to_string())),
            Some(value) => self.as_text(key, value).map(Some),
            None => Ok(None),
        }
    }

    /// An id that has to be there.
    ///
    /// # Errors
    /// [`DocumentError`] by cause.
    pub fn required_id(&mut self, key: &str) -> Result<String, DocumentError> {
        self.id(key)?.ok_or_else(|| self.missing(key))
    }

    /// `true` or `false`.
    ///
    /// # Errors
    /// [`DocumentError::Expected`].
    pub fn switch(&mut self, key: &str) -> Result<Option<bool>, DocumentError> {
        let value = self.value(key);
        value.map(|value| value.as_bool().ok_or_else(|| self.expected(key, "true or false"))).transpose()
    }

    /// One of these words.
    ///
    /// # Errors
    /// [`DocumentError`] by cause.
    pub fn word<T: Copy>(&mut self, key: &str, words: &[(&str, T)]) -> Result<Option<T>, DocumentError> {
        let Some(text) = self.text(key)? else { return Ok(None) };
        if let Some((_, meaning)) = words.iter().find(|(word, _)| *word == text) {
            return Ok(Some(*meaning));
        }
        let words: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        let near =
            nearest(&text, &words).map_or_else(String::new, |near| format!("; did you mean {near:?}?"));
        Err(self.unusable(key, format!("must be one of {}{near}", words.join(", "))))
    }

    /// A whole number from 1 to this.
    ///
    /// # Errors
    /// [`DocumentError::Unusable`].
    pub fn number_to(&mut self, key: &str, most: usize) -> Result<Option<usize>, DocumentError> {
        let Some(value) = self.value(key) else { return Ok(None) };
        let number = value.as_u64().and_then(|number| usize::try_from(number).ok());
        let number = number.filter(|number| (1..=most).contains(number));
        number.map(Some).ok_or_else(|| self.unusable(key, format!("must be a whole number from 1 to {most}")))
    }

    /// A length of time with its unit: `500ms`, `10s`, `5m`, `2h`.
    ///
    /// # Errors
    /// [`DocumentError::Expected`].
    pub fn duration(&mut self, key: &str) -> Result<Option<Duration>, DocumentError> {
        let value = self.value(key);
        value.map(|value| self.as_duration(key, &value)).transpose()
    }

    /// A list of such lengths.
    ///
    /// # Errors
    /// [`DocumentError::Expected`].
    pub fn durations(&mut self, key: &str) -> Result<Option<Vec<Duration>>, DocumentError> {
        let Some(items) = self.list(key, "a list of times such as [5s, 5m]")? else { return Ok(None) };
        items.iter().map(|item| self.as_duration(key, item)).collect::<Result<_, _>>().map(Some)
    }

    /// A list of texts.
    ///
    /// # Errors
    /// [`DocumentError::Expected`].
    pub fn texts(&mut self, key: &str) -> Result<Option<Vec<String>>, DocumentError> {
        let Some(items) = self.list(key, "a list of texts, such as [a, b]")? else { return Ok(None) };
        items.into_iter().map(|item| self.as_text(key, item)).collect::<Result<_, _>>().map(Some)
    }

    /// A text, or a list of texts.
    ///
    /// # Errors
    /// [`DocumentError::Expected`].
    pub fn text_or_texts(&mut self, key: &str) -> Result<Option<Vec<String>>, DocumentError> {
        match self.fields.get(key) {
            Some(Value::Array(_)) => self.texts(key),
            _ => Ok(self.text(key)?.map(|text| vec![text])),
        }
    }

    /// A mapping of any names to any values.
    ///
    /// # Errors
    /// [`DocumentError::Expected`].
    pub fn mapping(&mut self, key: &str) -> Result<Option<Map<String, Value>>, DocumentError> {
        match self.value(key) {
            None => Ok(None),
            Some(Value::Object(fields)) => Ok(Some(fields)),
            Some(_) => Err(self.expected(key, "a mapping of names to values")),
        }
    }

    /// The document with what another says where this says nothing; `null` says that there is nothing.
    #[must_use]
    pub fn over(mut self, other: &Map<String, Value>) -> Self {
        for (key, value) in other {
            self.fields.entry(key).or_insert_with(|| value.clone());
        }
        self
    }

    /// What another says, and these keys of this document, which are taken out of it.
    pub(crate) fn taking(&mut self, keys: &[&str], other: &Map<String, Value>) -> Self {
        let taken = keys.iter().filter_map(|key| Some(((*key).to_owned(), self.fields.remove(*key)?)));
        let fields = taken.chain(other.clone()).collect();
        Self { prefix: self.prefix.clone(), fields, lines: Arc::clone(&self.lines) }
    }

    /// A mapping of any names to texts.
    ///
    /// # Errors
    /// [`DocumentError::Expected`].
    pub fn text_by_name(&mut self, key: &str) -> Result<Vec<(String, String)>, DocumentError> {
        match self.value(key) {
            None => Ok(Vec::new()),
            Some(Value::Object(fields)) if fields.values().any(Value::is_null) => {
                Err(DocumentError::NoValue { at: self.place(key) })
            }
            Some(Value::Object(fields)) => fields
                .into_iter()
                .map(|(name, value)| {
                    let text = self.as_text(&format!("{key}.{}", name_of(&name)), value)?;
                    Ok((name, text))
                })
                .collect(),
            Some(_) => Err(self.expected(key, "a mapping of names to texts, with a space behind each colon")),
        }
    }

    /// A document within this one.
    ///
    /// # Errors
    /// [`DocumentError`] for what is no mapping, or holds another key.
    pub fn section(&mut self, key: &str, known: &[&str]) -> Result<Option<Self>, DocumentError> {
        self.section_likely(key, known, |_| known.to_vec())
    }

    /// The same, where not all known keys are likely: an unknown one is told the nearest of these alone.
    pub(crate) fn section_likely<'a>(
        &mut self,
        key: &str,
        known: &[&'a str],
        likely: impl Fn(&Value) -> Vec<&'a str>,
    ) -> Result<Option<Self>, DocumentError> {
        let prefix = format!("{}.", self.path(key));
        let lines = Arc::clone(&self.lines);
        let Some(value) = self.value(key) else { return Ok(None) };
        let likely = likely(&value);
        Self::of(value, prefix, known, &likely, lines).map(Some)
    }

    /// A key that nobody has taken out.
    #[must_use]
    pub fn rest(&self) -> Option<String> {
        self.fields.iter().find(|(_, value)| !value.is_null()).map(|(key, _)| key.clone())
    }

    /// The error of a key that has to be there.
    #[must_use]
    pub fn missing(&self, key: &str) -> DocumentError {
        DocumentError::Missing { key: self.path(key) }
    }

    /// The error of a value of the right kind that will not do.
    #[must_use]
    pub fn unusable(&self, key: &str, problem: impl Into<String>) -> DocumentError {
        DocumentError::Unusable { key: self.place(key), problem: problem.into() }
    }

    fn list(&mut self, key: &str, expected: &'static str) -> Result<Option<Vec<Value>>, DocumentError> {
        match self.value(key) {
            None => Ok(None),
            Some(Value::Array(items)) => Ok(Some(items)),
            Some(_) => Err(self.expected(key, expected)),
        }
    }

    fn as_text(&self, key: &str, value: Value) -> Result<String, DocumentError> {
        match value {
            Value::String(text) if !text.trim().is_empty() => Ok(text),
            Value::String(_) => Err(self.expected(key, "a text that is not empty")),
            Value::Null | Value::Bool(_) | Value::Number(_) => {
                Err(self.expected(key, "text: put it in quotes"))
            }
            Value::Array(_) => Err(self.expected(key, "one text, not a list")),
            Value::Object(_) => Err(self.expected(
                key,
                "text, not a mapping: put what begins with { in quotes, or behind | on lines of its own, indented",
            )),
        }
    }

    fn as_duration(&self, key: &str, value: &Value) -> Result<Duration, DocumentError> {
        let text = value.as_str().unwrap_or_default();
        let units = ["ms", "s", "m", "h"];
        let number = units.iter().find_map(|unit| text.trim().strip_suffix(unit)).unwrap_or_default();
        let plain = number.bytes().all(|byte| byte.is_ascii_digit()) && !number.is_empty();
        let parsed = text.trim().parse::<SignedDuration>().ok().filter(|_| plain);
        parsed
            .and_then(|duration| Duration::try_from(duration).ok())
            .ok_or_else(|| self.expected(key, "a whole number with its unit, such as 500ms, 10s, 5m or 2h"))
    }

    fn expected(&self, key: &str, expected: &'static str) -> DocumentError {
        DocumentError::Expected { key: self.place(key), expected }
    }

    fn unknown(&self, key: &str, known: &[&str]) -> DocumentError {
        let name = name_of(key);
        let near = slips::meant(name, known).or_else(|| nearest(name, known));
        let suggestion = match near {
            _ if name != key => {
                "; what follows it is not shown here: put a space after the key's colon".to_owned()
            }
            Some(near) => format!("; did you mean {near:?}?"),
            None => format!("; known are {}", known.join(", ")),
        };
        let key = Place { path: self.path(name), ..self.place(key) };
        DocumentError::UnknownKey { key, suggestion }
    }

    fn place(&self, key: &str) -> Place {
        let path = self.path(key);
        let line = self.lines.get(&path).or_else(|| {
            let after = self.lines.range(path.clone()..).next();
            after.filter(|(other, _)| other.starts_with(&path)).map(|(_, line)| line)
        });
        Place { line: line.copied(), path }
    }

    fn path(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }
}

/// The line of a key of a document, from 1; the key with those that hold it before it, joined by dots. `None` where there
/// is none, or the document cannot be read.
#[must_use]
pub fn line_of(text: &str, key: &str) -> Option<usize> {
    let (_, lines) = located::read(text).ok()?;
    usize::try_from(*lines.get(key)?).ok()
}

/// As much of an unknown key as can be a name: what follows may be a value that stands too close, as in `token:secret`.
#[must_use]
pub fn name_of(key: &str) -> &str {
    let end = key.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_')));
    end.and_then(|end| key.get(..end)).unwrap_or(key)
}

/// The known name that a slip of the keyboard most likely meant: a third of its letters may be wrong or swapped.
#[must_use]
pub fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let name = name.to_lowercase();
    let distance = |known: &str| strsim::damerau_levenshtein(&name, &known.to_lowercase());
    let near = known.iter().map(|known| (distance(known), *known));
    let near = near.filter(|(distance, known)| *distance <= (known.len() / 3).max(1));
    near.min_by_key(|(distance, _)| *distance).map(|(_, known)| known)
}

/// The parser's own text may quote a value: only its place and kind are told.
fn unreadable(error: &serde_saphyr::Error, text: &str, known: &[&str]) -> DocumentError {
    let location = error.location();
    let place = location.map_or_else(String::new, |location| {
        format!(" (line {}, column {})", location.line(), location.column())
    });
    let line = location.and_then(|location| usize::try_from(location.line()).ok()).unwrap_or(1);
    let hint = match error.without_snippet() {
        serde_saphyr::Error::DuplicateMappingKey { .. } => "a key stands there twice".to_owned(),
        serde_saphyr::Error::MultipleDocuments { .. } => {
            "one document alone: take out the line ---".to_owned()
        }
        _ => slips::in_yaml(text, line, known),
    };
    DocumentError::Yaml { place, hint }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Document, DocumentError, nearest};

    fn error(text: &str) -> String {
        match Document::parse(text, &["url", "timeout", "retry", "secrets", "paused"]) {
            Err(error) => error.to_string(),
            Ok(_) => panic!("{text} is a document"),
        }
    }

    #[test]
    fn what_is_no_document_is_told_without_its_values() {
        insta::assert_snapshot!(error("url: *hunter2"), @r#"cannot be read as YAML (line 1, column 6): "url": put a value that begins with * in quotes"#);
        insta::assert_snapshot!(error("url: hunter2\nurl: hunter2"), @"cannot be read as YAML (line 2, column 1): a key stands there twice");
        insta::assert_snapshot!(error("- hunter2"), @"the document must be a mapping of keys to values, such as url: …; take out the - at its beginning");
        insta::assert_snapshot!(error("hunter2"), @"the document must be a mapping of keys to values, such as url: …; write one a line");
        insta::assert_snapshot!(error(""), @"the document is empty: it needs keys and values, such as url: …");
        for text in [
            "url: hunter2: hunter2",
            "url: [hunter2",
            "url: \"hunter2",
            "url: !!int hunter2",
            "url: @hunter2",
            "\thunter2",
        ] {
            assert!(!error(text).contains("hunter2"), "{}", error(text));
        }
    }

    #[test]
    fn an_unknown_key_is_named_with_its_nearest() {
        insta::assert_snapshot!(error("ulr: x"), @r#"unknown key "ulr"; did you mean "url"?"#);
        insta::assert_snapshot!(error("Timeout: x"), @r#"unknown key "Timeout"; did you mean "timeout"?"#);
        insta::assert_snapshot!(error("zzz: x"), @r#"unknown key "zzz"; known are url, timeout, retry, secrets, paused"#);
        assert_eq!(nearest("pausd", &["url", "paused"]), Some("paused"));
    }

    #[test]
    fn a_key_that_may_be_a_value_is_not_shown() {
        insta::assert_snapshot!(error("{hunter2}"), @"the document holds a key without a value, not shown here: put a space after its colon, or take it out");
        insta::assert_snapshot!(error("url:hunter2: x"), @r#"unknown key "url"; what follows it is not shown here: put a space after the key's colon"#);
        let headers =
            |text: &str| Document::parse(text, &["headers"]).unwrap().text_by_name("headers").unwrap_err();
        insta::assert_snapshot!(headers("headers: {a:hunter2}"), @r#""headers" holds a key without a value, not shown here: put a space after its colon, or take it out"#);
        insta::assert_snapshot!(headers("headers: {a hunter2: 5}"), @r#""headers.a" must be text: put it in quotes"#);
    }

    #[test]
    fn values_are_read_by_kind_and_refused_without_being_shown() {
        let text = "url: 5\ntimeout: 10\nretry: { a: b }\nsecrets: [x, 5]\npaused: maybe";
        let mut document = Document::parse(text, &["url", "timeout", "retry", "secrets", "paused"]).unwrap();
        insta::assert_snapshot!(document.text("url").unwrap_err(), @r#""url" (line 1) must be text: put it in quotes"#);
        insta::assert_snapshot!(document.duration("timeout").unwrap_err(), @r#""timeout" (line 2) must be a whole number with its unit, such as 500ms, 10s, 5m or 2h"#);
        insta::assert_snapshot!(document.texts("secrets").unwrap_err(), @r#""secrets" (line 4) must be text: put it in quotes"#);
        insta::assert_snapshot!(document.switch("paused").unwrap_err(), @r#""paused" (line 5) must be true or false"#);
        let section = document.section("retry", &["delays"]).map(|_| ()).unwrap_err();
        insta::assert_snapshot!(section, @r#"unknown key "retry.a" (line 3); known are delays"#);
        assert_eq!(document.required_text("url"), Err(DocumentError::Missing { key: "url".to_owned() }));
    }

    #[test]
    fn a_time_needs_its_unit() {
        let read = |text: &str| {
            Document::parse(&format!("timeout: {text}"), &["timeout"]).unwrap().duration("timeout")
        };
        for (text, milliseconds) in
            [("500ms", 500), ("10s", 10_000), ("5m", 300_000), ("2h", 7_200_000), ("0s", 0)]
        {
            assert_eq!(read(text), Ok(Some(Duration::from_millis(milliseconds))), "{text}");
        }
        for text in ["10", "10 s", "-5s", "1.5h", "5d", "PT5M", "1h30m", "s", "99999999999999999999h"] {
            assert!(read(text).is_err(), "{text}");
        }
        assert_eq!(read("~"), Ok(None));
    }
}
