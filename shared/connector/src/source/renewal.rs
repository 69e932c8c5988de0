//! The same event under another id, for whoever sends one file many times: repetitions are told by their id.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::value::{RawValue, to_raw_value};

use super::Source;
use super::place::{Piece, Place, Sent};
use crate::event::text;

impl Source {
    /// Gives an event another id, where the source's document says that it stands: the ending behind the id that is in
    /// the body or in a header, or alone in the header that holds none yet. The body, every other value as it was written.
    /// An event that has no id, and is known by its bytes, stays as it is.
    #[must_use]
    pub fn renewed(&self, headers: &mut HeaderMap, body: Vec<u8>, ending: &str) -> Vec<u8> {
        let place = serde_json::from_slice(&body).ok().and_then(|raw| {
            let found = |place: &&Place| place.find(Sent { headers, body: raw }).is_some();
            self.id.0.iter().find(found)
        });
        let Some(place) = place else {
            if let Some(name) = self.id.0.iter().find_map(Place::header) {
                put(headers, name, ending);
            }
            return body;
        };
        match place.varying() {
            Some(Piece::Pointer(steps)) => renewed_at(&body, steps, ending).unwrap_or(body),
            Some(Piece::Header(name)) => {
                let id = headers.get(name).and_then(|id| id.to_str().ok()).unwrap_or_default();
                let id = format!("{}-{ending}", id.trim());
                put(headers, name, &id);
                body
            }
            Some(Piece::Constant(_)) | None => body,
        }
    }
}

/// A body whose id, which these steps lead to, has an ending behind it; every other value as it was written. `None` where
/// no id stands there.
#[must_use]
pub fn renewed_at<S: AsRef<str>>(body: &[u8], steps: &[S], ending: &str) -> Option<Vec<u8>> {
    let raw: &RawValue = serde_json::from_slice(body).ok()?;
    Some(with_ending(raw, steps, ending)?.get().as_bytes().to_vec())
}

fn with_ending<S: AsRef<str>>(value: &RawValue, steps: &[S], ending: &str) -> Option<Box<RawValue>> {
    let Some((step, rest)) = steps.split_first() else {
        return to_raw_value(&format!("{}-{ending}", text(Some(value))?)).ok();
    };
    if value.get().starts_with('[') {
        let mut items: Vec<Box<RawValue>> = serde_json::from_str(value.get()).ok()?;
        let item = items.get_mut(step.as_ref().parse::<usize>().ok()?)?;
        *item = with_ending(item, rest, ending)?;
        return to_raw_value(&items).ok();
    }
    let mut fields: BTreeMap<String, Box<RawValue>> = serde_json::from_str(value.get()).ok()?;
    let field = fields.get_mut(step.as_ref())?;
    *field = with_ending(field, rest, ending)?;
    to_raw_value(&fields).ok()
}

fn put(headers: &mut HeaderMap, name: &HeaderName, id: &str) {
    if let Ok(value) = HeaderValue::from_str(id) {
        headers.insert(name.clone(), value);
    }
}
