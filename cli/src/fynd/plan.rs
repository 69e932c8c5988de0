//! What a subscriber of Fynd's should be, and how it differs from what is registered. Knows no network and no screen.

use std::collections::BTreeSet;

use connector::secret::Secret;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::fynd::{Subscriber, Topic};

/// The subscriber that the routes need.
pub(crate) struct Wanted<'a> {
    /// By which it is known, where none posts to the URL yet.
    pub(crate) name: &'a str,
    pub(crate) url: &'a str,
    pub(crate) secret: &'a Secret,
    /// Registers the secret again, whatever Fynd has.
    pub(crate) renews_secret: bool,
    pub(crate) company: u64,
    /// Sales channels; all where there is none.
    pub(crate) applications: &'a [String],
    /// Where Fynd mails to; what it has already where absent.
    pub(crate) email: Option<&'a str>,
    /// Names such as `application/order/placed/v1`.
    pub(crate) topics: &'a BTreeSet<String>,
}

/// A difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Change {
    pub(crate) kind: Kind,
    pub(crate) what: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Added,
    Changed,
    Removed,
}

/// What is to be done, and what is doubtful.
pub(crate) struct Plan<'a> {
    pub(crate) found: Option<&'a Subscriber>,
    pub(crate) changes: Vec<Change>,
    pub(crate) warnings: Vec<String>,
}

impl Wanted<'_> {
    /// Compares with what is registered.
    pub(crate) fn plan<'a>(&self, registered: &'a [Subscriber]) -> Plan<'a> {
        let of_rest = |one: &&Subscriber| one.provider.as_deref().is_none_or(|provider| provider == "rest");
        let here: Vec<_> = registered.iter().filter(of_rest).filter(|one| self.is_here(one)).collect();
        let is_named = |one: &&&Subscriber| one.name.as_deref() == Some(self.name);
        let by_url = here.iter().find(is_named).or_else(|| here.first()).copied();
        let found = by_url
            .or_else(|| registered.iter().filter(of_rest).find(|one| one.name.as_deref() == Some(self.name)));
        let mut warnings = found.map(|found| self.doubts(found)).unwrap_or_default();
        if here.len() > 1 {
            let ids: Vec<_> = here.iter().map(|one| told(one)).collect();
            warnings.push(format!(
                "{} post to this URL, and each sends its events: delete all but one",
                ids.join(" and ")
            ));
        }
        let changes = found.map_or_else(|| self.all(), |found| self.differences(found));
        Plan { found, changes, warnings }
    }

    /// The body that registers it; filters, reducers and headers that it has are kept.
    pub(crate) fn body(&self, found: Option<&Subscriber>) -> Value {
        let mut rest = json!({
            "webhook_url": self.url,
            "auth_meta": { "type": "hmac", "secret": self.secret.expose() },
            "events": self.topics.iter().map(|topic| event(topic, found)).collect::<Vec<_>>(),
        });
        let headers = found.and_then(|found| found.custom_headers.as_ref());
        let headers = headers.filter(|headers| headers.as_object().is_some_and(|all| !all.is_empty()));
        if let (Some(headers), Some(rest)) = (headers, rest.as_object_mut()) {
            rest.insert("custom_headers".to_owned(), headers.clone());
        }
        let email = self.email.or_else(|| found?.email_id.as_deref());
        let name = found.and_then(|found| found.name.as_deref()).unwrap_or(self.name);
        json!({ "webhook_config": {
            "notification_email": email,
            "name": name,
            "association": {
                "company_id": self.company, "application_id": self.applications, "criteria": self.criteria(),
            },
            "status": "active",
            "event_map": { "rest": rest },
        }})
    }

    fn criteria(&self) -> &'static str {
        if self.applications.is_empty() { "ALL" } else { "SPECIFIC-EVENTS" }
    }

    fn is_here(&self, one: &Subscriber) -> bool {
        let bare = |url: &str| url.trim().trim_end_matches('/').to_owned();
        one.webhook_url.as_deref().is_some_and(|url| bare(url) == bare(self.url))
    }

    fn all(&self) -> Vec<Change> {
        let mut all = vec![Change {
            kind: Kind::Added,
            what: format!("subscriber {:?}, for {}", self.name, self.channels()),
        }];
        all.extend(self.topics.iter().map(|topic| Change { kind: Kind::Added, what: topic.clone() }));
        all
    }

    fn channels(&self) -> String {
        match self.applications {
            [] => "all sales channels".to_owned(),
            some => format!("the sales channels {}", some.join(", ")),
        }
    }

    fn differences(&self, found: &Subscriber) -> Vec<Change> {
        let another = |what: String| Change { kind: Kind::Changed, what };
        let mut changes = Vec::new();
        if !self.is_here(found) {
            changes.push(another(format!("URL: {} → {}", masked(found.webhook_url.as_deref()), self.url)));
        }
        if !is_active(found) {
            changes.push(another(format!("status: {} → active", status(found))));
        }
        let auth = found.auth_meta.clone().unwrap_or_default();
        let is_hmac = auth.r#type.as_deref() == Some("hmac");
        if self.renews_secret || !is_hmac || auth.is(self.secret) == Some(false) {
            changes.push(another("secret (not shown)".to_owned()));
        }
        if let Some(email) = self.email.filter(|email| found.email_id.as_deref() != Some(*email)) {
            changes.push(another(format!("e-mail for notifications: {email}")));
        }
        if !self.is_for_the_same(found) {
            changes.push(another(format!("for: {} → {}", association(found), self.channels())));
        }
        let has: BTreeSet<_> = found.event_configs.iter().flatten().map(Topic::name).collect();
        let added =
            self.topics.difference(&has).map(|topic| Change { kind: Kind::Added, what: topic.clone() });
        let gone = has.difference(self.topics);
        let gone = gone.map(|topic| Change {
            kind: Kind::Removed,
            what: format!("{topic}  (no enabled route wants it)"),
        });
        changes.extend(added.chain(gone));
        changes
    }

    fn is_for_the_same(&self, found: &Subscriber) -> bool {
        let association = found.association.clone().unwrap_or_default();
        let has: BTreeSet<_> = association.application_id.unwrap_or_default().into_iter().collect();
        let wanted: BTreeSet<_> = self.applications.iter().cloned().collect();
        let criteria = association.criteria.as_deref() == Some(self.criteria());
        criteria && (self.applications.is_empty() || has == wanted)
    }

    fn doubts(&self, found: &Subscriber) -> Vec<String> {
        let mut doubts = Vec::new();
        if !is_active(found) {
            doubts.push(format!(
                "{} is {}: Fynd sends it nothing, and blocks one whose events failed 20 times or for 48 hours; where registering it anew does not help, Fynd's support has to",
                told(found),
                status(found)
            ));
        }
        let reduced = found.event_configs.iter().flatten().filter(|topic| topic.has_reducer());
        for topic in reduced.map(Topic::name).filter(|name| self.topics.contains(name)) {
            doubts.push(format!("{topic} has a reducer, which takes the place of the whole body, envelope included: no route can want what comes; take it out at Fynd"));
        }
        if !self.is_here(found) {
            doubts.push(format!(
                "{} posts elsewhere now: to have another one beside it, say --name",
                told(found)
            ));
        }
        if !self.renews_secret && found.auth_meta.as_ref().is_none_or(|auth| auth.is(self.secret).is_none()) {
            doubts.push("Fynd does not show the subscriber's secret: whether it is the one in sources/ cannot be told; --renew-secret registers it anew".to_owned());
        }
        doubts
    }
}

/// One event of the body.
fn event(topic: &str, found: Option<&Subscriber>) -> Value {
    let mut parts = topic.split('/');
    let mut event = Map::new();
    for key in ["event_category", "event_name", "event_type"] {
        event.insert(key.to_owned(), parts.next().unwrap_or_default().into());
    }
    let version = parts.next().unwrap_or_default();
    event.insert("version".to_owned(), version.strip_prefix('v').unwrap_or(version).into());
    let registered =
        found.and_then(|found| found.event_configs.as_ref()?.iter().find(|one| one.name() == topic));
    for key in ["filters", "reducer"] {
        let kept = registered.and_then(|registered| registered.kept(key));
        event.extend(kept.map(|value| (key.to_owned(), value.clone())));
    }
    event.into()
}

fn is_active(found: &Subscriber) -> bool {
    found.status.as_deref().is_some_and(|status| status.eq_ignore_ascii_case("active"))
}

fn status(found: &Subscriber) -> &str {
    found.status.as_deref().unwrap_or("of no status")
}

fn association(found: &Subscriber) -> String {
    let association = found.association.clone().unwrap_or_default();
    let criteria = association.criteria.unwrap_or_else(|| "nothing".to_owned());
    let applications = association.application_id.unwrap_or_default();
    if applications.is_empty() { criteria } else { format!("{criteria} {}", applications.join(", ")) }
}

/// How people find it in Fynd's console.
fn told(found: &Subscriber) -> String {
    let name = found.name.as_deref().unwrap_or_default();
    found.id.map_or_else(|| format!("subscriber {name:?}"), |id| format!("subscriber {id} {name:?}"))
}

/// A URL without its query, which may hold a secret.
fn masked(url: Option<&str>) -> &str {
    url.and_then(|url| url.split('?').next()).unwrap_or("none")
}
