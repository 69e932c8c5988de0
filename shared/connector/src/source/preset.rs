//! What a preset stands for: one documented file, spelled as a document of its own.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Map, Value};

use crate::document::{Document, DocumentError};
use crate::located;

/// The file.
pub const FILE: &str = include_str!("../../source-presets.yaml");

/// A preset: how requests prove themselves, and all other keys.
#[derive(Debug, Clone, Default)]
pub(super) struct Preset {
    pub(super) auth: Map<String, Value>,
    pub(super) rest: Map<String, Value>,
}

static PRESETS: LazyLock<BTreeMap<String, Preset>> = LazyLock::new(|| {
    let value = located::read(FILE).map(|(value, _)| value).unwrap_or_default();
    let presets = value.as_object().into_iter().flatten();
    presets.filter_map(|(name, preset)| Some((name.clone(), Preset::of(preset)?))).collect()
});

impl Preset {
    fn of(value: &Value) -> Option<Self> {
        let mut rest = value.as_object()?.clone();
        match rest.shift_remove("auth")? {
            Value::Object(auth) => Some(Self { auth, rest }),
            _ => None,
        }
    }

    /// The preset that a document names.
    ///
    /// # Errors
    /// [`DocumentError`] where there is none of this name.
    pub(super) fn named_by(
        document: &mut Document,
    ) -> Result<Option<(&'static str, &'static Self)>, DocumentError> {
        let words: Vec<_> =
            PRESETS.iter().map(|(name, preset)| (name.as_str(), (name.as_str(), preset))).collect();
        document.word("preset", &words)
    }
}

/// The names of the presets.
pub fn names() -> impl Iterator<Item = &'static str> {
    PRESETS.keys().map(String::as_str)
}
