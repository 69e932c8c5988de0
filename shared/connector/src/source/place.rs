//! Where something stands in a request: a JSON pointer into the body, a header, or a text with such places in braces.
//!
//! Reads the body as it came, so that a number keeps its digits, and keeps nothing of it but what it looks for: who sent
//! it may not be proven yet. Knows nothing of what is looked for.

use std::fmt;

use http::{HeaderMap, HeaderName};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::event::text;

/// What is looked through: the headers, and the body's JSON.
#[derive(Clone, Copy)]
pub(super) struct Sent<'a> {
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a RawValue,
}

/// One place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    written: String,
    pieces: Vec<Piece>,
}

/// Places of which the first counts where something is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Places(pub(super) Vec<Place>);

/// A part of a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    Constant(String),
    /// The steps of a JSON pointer (RFC 6901), escapes undone.
    Pointer(Vec<String>),
    Header(HeaderName),
}

/// Before a header's name.
const HEADER: &str = "header:";

impl Place {
    /// Reads a place; the error says what is wrong with it, without showing it.
    pub(super) fn parse(written: &str) -> Result<Self, &'static str> {
        let trimmed = written.trim();
        let pieces = match one(trimmed) {
            Some(piece) => vec![piece?],
            None if trimmed.contains(['{', '}']) => braced(trimmed)?,
            None if trimmed.starts_with('$') => {
                return Err("begins with $, which is no JSON pointer: write /delivery/id for $.delivery.id");
            }
            None => vec![Piece::Constant(trimmed.to_owned())],
        };
        Ok(Self { written: trimmed.to_owned(), pieces })
    }

    /// Whether it is the same in every request.
    pub(super) fn is_constant(&self) -> bool {
        self.pieces.iter().all(|piece| matches!(piece, Piece::Constant(_)))
    }

    /// The last part of it that differs from one request to the next.
    pub(super) fn varying(&self) -> Option<&Piece> {
        self.pieces.iter().rfind(|piece| !matches!(piece, Piece::Constant(_)))
    }

    /// The header, where it is one and nothing else.
    pub(super) fn header(&self) -> Option<&HeaderName> {
        match self.pieces.as_slice() {
            [Piece::Header(name)] => Some(name),
            _ => None,
        }
    }

    /// Whether a part of it is this header.
    pub(super) fn reads(&self, header: &HeaderName) -> bool {
        self.pieces.iter().any(|piece| matches!(piece, Piece::Header(name) if name == header))
    }

    /// What stands there; `None` where a part of it is missing, empty, or neither text nor number.
    pub(super) fn find(&self, sent: Sent<'_>) -> Option<String> {
        self.pieces.iter().map(|piece| piece.find(sent)).collect()
    }
}

impl Places {
    /// Whether a part of them is this header.
    pub(super) fn reads(&self, header: &HeaderName) -> bool {
        self.0.iter().any(|place| place.reads(header))
    }

    pub(super) fn find(&self, sent: Sent<'_>) -> Option<String> {
        self.0.iter().find_map(|place| place.find(sent))
    }
}

impl fmt::Display for Places {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let written: Vec<_> = self.0.iter().map(|place| place.written.as_str()).collect();
        f.write_str(&written.join(" or "))
    }
}

impl Piece {
    fn find(&self, sent: Sent<'_>) -> Option<String> {
        match self {
            Self::Constant(text) => Some(text.clone()),
            Self::Pointer(steps) => text(Some(at(sent.body, steps)?)),
            Self::Header(name) => {
                let value = sent.headers.get(name)?.to_str().ok()?.trim();
                (!value.is_empty()).then(|| value.to_owned())
            }
        }
    }
}

/// A pointer or a header; `None` for a text that is neither.
fn one(written: &str) -> Option<Result<Piece, &'static str>> {
    if let Some(name) = written.strip_prefix(HEADER) {
        let name = HeaderName::try_from(name.trim());
        return Some(name.map(Piece::Header).map_err(|_| "has no header's name behind header:"));
    }
    let steps = written.strip_prefix('/')?;
    if steps.contains(['{', '}']) {
        return Some(Err("holds braces, but not around the whole of each place: write \"{/a}/{/b}\""));
    }
    Some(Ok(Piece::Pointer(steps.split('/').map(unescaped).collect())))
}

/// The escapes of RFC 6901.
fn unescaped(step: &str) -> String {
    step.replace("~1", "/").replace("~0", "~")
}

/// A text with places in braces.
fn braced(written: &str) -> Result<Vec<Piece>, &'static str> {
    if written.contains("{{") {
        return Err("holds double braces, which Parameter Store refuses: write one, as in \"{/event/name}\"");
    }
    let (mut pieces, mut rest) = (Vec::new(), written);
    while let Some((before, behind)) = rest.split_once('{') {
        let (inside, after) = behind.split_once('}').ok_or("holds a brace that is not closed")?;
        let piece = one(inside.trim());
        let piece =
            piece.ok_or("holds braces around what is no place: write {/pointer} or {header:name}")??;
        pieces.extend([Piece::Constant(before.to_owned()), piece]);
        rest = after;
    }
    pieces.push(Piece::Constant(rest.to_owned()));
    let stray = |piece: &Piece| matches!(piece, Piece::Constant(text) if text.contains('}'));
    if pieces.iter().any(stray) {
        return Err("holds a brace that is not opened");
    }
    Ok(pieces)
}

/// What a pointer leads to; of a key that stands there twice the last, as everywhere in JSON.
fn at<'a>(value: &'a RawValue, steps: &[String]) -> Option<&'a RawValue> {
    let Some((step, rest)) = steps.split_first() else { return Some(value) };
    let json = value.get();
    let mut json = serde_json::Deserializer::from_str(json);
    at(json.deserialize_any(Child(step)).ok()??, rest)
}

/// The index of an item: digits without a leading zero (RFC 6901, 4).
fn index(step: &str) -> Option<usize> {
    step.parse().ok().filter(|index: &usize| index.to_string() == step)
}

/// What stands in an object or array behind this step.
struct Child<'s>(&'s str);

impl<'de> Visitor<'de> for Child<'_> {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or an array")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(is_it) = map.next_key_seed(Is(self.0))? {
            let value = map.next_value()?;
            if is_it {
                found = Some(value);
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let (mut found, mut number, wanted) = (None, 0, index(self.0));
        while let Some(item) = items.next_element()? {
            if Some(number) == wanted {
                found = Some(item);
            }
            number += 1;
        }
        Ok(found)
    }
}

/// Whether a key is this one. Compared by its bytes: another key may hold half of a surrogate pair, which is no text.
struct Is<'s>(&'s str);

impl<'de> DeserializeSeed<'de> for Is<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, key: D) -> Result<bool, D::Error> {
        key.deserialize_bytes(self)
    }
}

impl Visitor<'_> for Is<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_bytes<E: Error>(self, key: &[u8]) -> Result<bool, E> {
        Ok(key == self.0.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use serde_json::value::RawValue;

    use super::{Place, Sent};

    fn find(place: &str) -> Option<String> {
        let body = r#"{"a":{"b/c":"x","~":"tilde","":"empty"},"n":12345678901234567890123.450,"l":[{"k":"v"},[5,"six",7]],"e":"","t":true,"d":1,"\u0064":2,"\ud83d":"half a pair"}"#;
        let body = RawValue::from_string(body.to_owned()).unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("x-name", " value ".parse().unwrap());
        headers.insert("x-empty", "".parse().unwrap());
        Place::parse(place).unwrap().find(Sent { headers: &headers, body: &body })
    }

    #[test]
    fn pointers_headers_and_texts_are_found() {
        for (place, found) in [
            ("/a/b~1c", "x"),
            ("/a/~0", "tilde"),
            ("/a/", "empty"),
            ("/n", "12345678901234567890123.450"),
            ("/l/0/k", "v"),
            ("/l/1/1", "six"),
            ("/l/1/2", "7"),
            ("/d", "2"),
            ("header:X-Name", "value"),
            ("constant", "constant"),
            ("{/a/b~1c}/v{/d} {header:x-name}!", "x/v2 value!"),
        ] {
            assert_eq!(find(place).as_deref(), Some(found), "{place}");
        }
    }

    #[test]
    fn what_is_not_there_or_no_text_is_not_found() {
        for place in [
            "/x",
            "/a/b",
            "/a",
            "/l/00/k",
            "/l/1",
            "/l/1/3",
            "/l/2",
            "/l/-",
            "/e",
            "/t",
            "/n/x",
            "header:x",
            "header:x-empty",
        ] {
            assert_eq!(find(place), None, "{place}");
        }
        assert_eq!(find("{/a/b~1c}/{/x}"), None, "a part is missing");
    }

    #[test]
    fn what_is_no_place_is_refused() {
        for place in
            ["$.a", "header:", "header:a b", "{/a", "/a}", "a}", "{a}", "{{/a}}", "/{a}", "{/a}}", "{}"]
        {
            assert!(Place::parse(place).is_err(), "{place}");
        }
    }
}
