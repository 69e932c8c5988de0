//! What the webhook receiver needs of other systems.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::parsed;
use crate::cache::Snapshot;
use crate::failure::chain;
use crate::parameter::{Parameter, Problem, Section};
use crate::source::Source;

/// What the webhook receiver needs for other systems: how each proves itself.
#[derive(Debug, Default)]
pub struct Sources {
    usable: BTreeMap<String, Arc<Source>>,
    broken: BTreeSet<String>,
}

/// What a source's name stands for.
#[derive(Debug, Clone, Copy)]
pub enum FoundSource<'a> {
    /// A source.
    Usable(&'a Source),
    /// A source that cannot be used, and of which no good copy is known.
    Broken,
}

impl Sources {
    /// The source of this name.
    #[must_use]
    pub fn source(&self, name: &str) -> Option<FoundSource<'_>> {
        let usable = self.usable.get(name).map(|source| FoundSource::Usable(source));
        usable.or_else(|| self.broken.contains(name).then_some(FoundSource::Broken))
    }

    /// Every usable source, by name.
    pub fn usable(&self) -> impl Iterator<Item = &Source> {
        self.usable.values().map(Arc::as_ref)
    }
}

impl Snapshot for Sources {
    const SECTIONS: &'static [Section] = &[Section::Sources];

    fn build(parameters: &[Parameter], last: Option<&Self>) -> (Self, Vec<Problem>) {
        let (mut problems, last) = (Vec::new(), last.map(|last| &last.usable));
        let own = parameters.iter().filter(|parameter| !Source::is_of_another_kind(&parameter.name));
        let own: Vec<_> = own.cloned().collect();
        let usable = parsed(&own, Section::Sources, last, &mut problems, |name, text| {
            Source::parse(name, text).map_err(|error| chain(&error))
        });
        let names = own.into_iter().map(|parameter| parameter.name);
        let broken = names.filter(|name| !usable.contains_key(name) && !Source::is_reserved(name));
        (Self { broken: broken.collect(), usable }, problems)
    }
}
