//! Which messages a run is for, and what a message that it is not for says of those behind it in its group.

use connector::disposition::Reason;
use connector::message::{About, Message};
use jiff::Timestamp;

use crate::candidate::Candidate;

/// All that is given has to match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Name of the endpoint.
    pub endpoint: Option<String>,
    /// Name of the route.
    pub route: Option<String>,
    /// Name of the message.
    pub name: Option<String>,
    /// Reference of the entity.
    pub entity_ref: Option<String>,
    /// Why the message is parked.
    pub reason: Option<Reason>,
    /// Parked at this time or later.
    pub from: Option<Timestamp>,
    /// Parked at this time or earlier.
    pub to: Option<Timestamp>,
}

/// How a message stands to a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match {
    /// It is meant.
    Yes,
    /// Of another endpoint or entity, or parked too late: so are most often those behind it in its group, though not
    /// always. A group is of a root entity, whose parts have references of their own.
    Elsewhere,
    /// Those behind it may well be meant.
    No,
}

impl Filter {
    /// How this message stands to it.
    #[must_use]
    pub fn matches(&self, candidate: &Candidate) -> Match {
        let stated = &candidate.stated;
        let time = candidate.time();
        if self.to.is_some_and(|to| time > to)
            || !wanted(self.endpoint.as_deref(), stated.endpoint.as_deref())
            || !wanted(self.entity_ref.as_deref(), candidate.about.entity_ref.as_deref())
        {
            return Match::Elsewhere;
        }
        let matches = wanted(self.route.as_deref(), stated.route.as_deref())
            && self.reason.is_none_or(|reason| stated.reason == Some(reason))
            && self.from.is_none_or(|from| time >= from)
            && self.names(candidate.message.as_ref());
        if matches { Match::Yes } else { Match::No }
    }

    /// Whether it is for a message of this name and entity, whatever else it asks.
    #[must_use]
    pub fn is_for(&self, message: Option<&Message>, about: &About) -> bool {
        self.names(message) && wanted(self.entity_ref.as_deref(), about.entity_ref.as_deref())
    }

    fn names(&self, message: Option<&Message>) -> bool {
        wanted(self.name.as_deref(), message.map(|message| message.name.as_str()))
    }
}

fn wanted(asked: Option<&str>, found: Option<&str>) -> bool {
    asked.is_none() || asked == found
}
