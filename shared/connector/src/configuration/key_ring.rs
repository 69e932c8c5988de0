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
    is_broken: bool,
}

impl KeyRing {
    /// Every usable key; all are valid at once.
    #[must_use]
    pub fn keys(&self) -> &[Arc<PublicKey>] {
        &self.all
    }

    /// Whether keys are configured of which none can be used: then nobody can tell what is genuine.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.is_broken
    }
}

impl Snapshot for KeyRing {
    const SECTIONS: &'static [Section] = &[Section::Keys];

    fn build(parameters: &[Parameter], last: Option<&Self>) -> (Self, Vec<Problem>) {
        let (mut problems, last) = (Vec::new(), last.map(|last| &last.keys));
        let keys = parsed(parameters, Section::Keys, last, &mut problems, |_, text| {
            PublicKey::parse(text).map_err(|error| chain(&error))
        });
        let all: Vec<_> = keys.values().cloned().collect();
        let is_broken = all.is_empty() && !problems.is_empty();
        (Self { keys, all, is_broken }, problems)
    }
}
