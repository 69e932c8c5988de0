//! What the webhook receiver needs of Fluent.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::parsed;
use crate::cache::Snapshot;
use crate::failure::chain;
use crate::keys::PublicKey;
use crate::parameter::{Parameter, Problem, Section};

/// What the webhook receiver needs: Fluent's public keys.
#[derive(Debug, Default)]
pub struct KeyRing {
    keys: BTreeMap<String, Arc<PublicKey>>,
    all: Vec<Arc<PublicKey>>,
}

impl KeyRing {
    /// Every usable key; all are valid at once.
    #[must_use]
    pub fn keys(&self) -> &[Arc<PublicKey>] {
        &self.all
    }
}

impl Snapshot for KeyRing {
    const SECTIONS: &'static [Section] = &[Section::Keys];

    fn build(parameters: &[Parameter], last: Option<&Self>) -> (Self, Vec<Problem>) {
        let (mut problems, last) = (Vec::new(), last.map(|last| &last.keys));
        let keys = parsed(parameters, Section::Keys, last, &mut problems, |_, text| {
            PublicKey::parse(text).map_err(|error| chain(&error))
        });
        let all = keys.values().cloned().collect();
        (Self { keys, all }, problems)
    }
}
