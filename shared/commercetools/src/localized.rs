//! A text in several languages.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A text by language (IETF tags such as `en` and `de-AT`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LocalizedString(BTreeMap<String, String>);

impl LocalizedString {
    /// The text in the first of these languages that has one. A language also has what it has without its last parts
    /// (`de-AT`, then `de`: RFC 4647, 3.4), and at last what a relative of it has (`de-CH`). Where none of them has any,
    /// the first in alphabetical order. Empty texts count as none, and case does not matter.
    #[must_use]
    pub fn text(&self, languages: &[&str]) -> Option<&str> {
        let wanted = languages.iter().find_map(|language| self.in_language(language));
        wanted.or_else(|| self.texts().next().map(|(_, text)| text))
    }

    /// Every language and its text, in alphabetical order; those without a text left out.
    pub fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        let texts = self.0.iter().map(|(language, text)| (language.as_str(), text.as_str()));
        texts.filter(|(_, text)| !text.trim().is_empty())
    }

    fn in_language(&self, language: &str) -> Option<&str> {
        let mut range = language;
        loop {
            let exact = |(known, _): &(&str, &str)| known.eq_ignore_ascii_case(range);
            if let Some((_, text)) = self.texts().find(exact) {
                return Some(text);
            }
            let Some((shorter, _)) = range.rsplit_once('-') else { break };
            range = shorter;
        }
        let relative = |(known, _): &(&str, &str)| {
            known.split('-').next().is_some_and(|primary| primary.eq_ignore_ascii_case(range))
        };
        self.texts().find(relative).map(|(_, text)| text)
    }
}

impl<L: Into<String>, T: Into<String>> FromIterator<(L, T)> for LocalizedString {
    fn from_iter<I: IntoIterator<Item = (L, T)>>(texts: I) -> Self {
        Self(texts.into_iter().map(|(language, text)| (language.into(), text.into())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::LocalizedString;

    #[test]
    fn a_text_is_had_in_the_first_language_that_has_one() {
        let name: LocalizedString =
            [("de", "Hut"), ("en-GB", "Hat"), ("en-US", "Cap"), ("fr", " ")].into_iter().collect();
        for (languages, text) in [
            (&["de"][..], "Hut"),
            (&["en-US"], "Cap"),
            (&["EN-us"], "Cap"),
            (&["de-AT"], "Hut"),
            (&["de-Latn-AT"], "Hut"),
            (&["en"], "Hat"),
            (&["en-AU", "de"], "Hat"),
            (&["it", "de"], "Hut"),
            (&["fr", "en-US"], "Cap"),
            (&["it"], "Hut"),
            (&[], "Hut"),
        ] {
            assert_eq!(name.text(languages), Some(text), "{languages:?}");
        }
    }

    #[test]
    fn nothing_is_had_of_none() {
        assert_eq!(LocalizedString::default().text(&["en"]), None);
        assert_eq!([("en", "")].into_iter().collect::<LocalizedString>().text(&["en"]), None);
    }

    #[test]
    fn it_is_json_as_it_came() {
        let text = r#"{"de-AT":"Hut","en":"Hat"}"#;
        let name: LocalizedString = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&name).unwrap(), text);
    }
}
