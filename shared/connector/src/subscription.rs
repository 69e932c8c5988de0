//! A subscription: what another system is told of, and how, as `{prefix}/subscriptions/{name}` says.
//!
//! A route and an endpoint in one, so that all that holds for these holds for it: order, retries, pause, replay. Among
//! their names its own is its whole path, which no name of theirs can be.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::authentication::signing_secrets;
use crate::document::{Document, DocumentError};
use crate::emission::{Emission, EventFormat, Payload};
use crate::endpoint::Endpoint;
use crate::endpoint_url::EndpointUrl;
use crate::located;
use crate::name_patterns::NamePatterns;
use crate::parameter::Section;
use crate::route::{DEFAULT_CONTENT_TYPE, NamedBy, Route, Wanted, condition};
use crate::template::is_template;

/// How the names of subscriptions begin among those of routes and endpoints.
pub const SUBSCRIPTIONS: &str = "subscriptions/";
/// The handler that serves them.
pub const SUBSCRIPTION_HANDLER: &str = "subscription";

/// Every key of a subscription.
pub const KEYS: [&str; 13] = [
    "description",
    "topics",
    "filter",
    "url",
    "secrets",
    "format",
    "payload",
    "headers",
    "timeout",
    "retry",
    "ordering",
    "paused",
    "active",
];
/// What a filter can use: of a route's variables all but its `props`.
const FILTER_VARIABLES: [&str; 2] = ["event", "message"];
/// Of headers that say what is sent: the connector's own to set.
const OWN_HEADERS: [&str; 3] = ["content-type", "webhook-", "ce-"];

const FORMATS: [(&str, EventFormat); 3] = [
    ("standard-webhooks", EventFormat::StandardWebhooks),
    ("cloudevents-structured", EventFormat::CloudEventsStructured),
    ("cloudevents-binary", EventFormat::CloudEventsBinary),
];
const PAYLOADS: [(&str, Payload); 2] = [("full", Payload::Full), ("light", Payload::Light)];

/// A subscription document.
#[derive(Debug, PartialEq)]
pub struct Subscription {
    /// Which messages it gets.
    pub route: Route,
    /// Where they go; always signed.
    pub endpoint: Endpoint,
    /// What is made of them.
    pub emission: Emission,
}

impl Subscription {
    /// Reads the document of the parameter of this name: YAML, so JSON too.
    ///
    /// # Errors
    /// [`DocumentError`] names the key and its line.
    pub fn parse(name: &str, text: &str) -> Result<Self, DocumentError> {
        let mut document = Document::parse(text, &KEYS)?;
        let emission = Emission {
            format: document.word("format", &FORMATS)?.unwrap_or_default(),
            payload: document.word("payload", &PAYLOADS)?.unwrap_or_default(),
        };
        let route = Route {
            description: document.text("description")?,
            wanted: by_topic(NamePatterns::new(topics(&mut document)?)),
            when: condition(&mut document, "filter", &FILTER_VARIABLES)?,
            schedule: None,
            handler: SUBSCRIPTION_HANDLER.to_owned(),
            endpoint: Some(format!("{SUBSCRIPTIONS}{name}")),
            fetch: None,
            payload: None,
            content_type: DEFAULT_CONTENT_TYPE,
            respond: None,
            enabled: document.switch("active")?.unwrap_or(true),
            props: Map::new(),
        };
        let url = url(&mut document)?;
        let secrets = signing_secrets(&mut document)?;
        let endpoint = Endpoint::of_subscription(&mut document, url, secrets)?;
        own_headers(&document, &endpoint)?;
        Ok(Self { route, endpoint, emission })
    }

    /// Its name among those of routes and endpoints: `subscriptions/{name}`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.route.endpoint.as_deref().unwrap_or_default()
    }
}

/// The parameter that a name among routes or endpoints stands for: that of a subscription says it whole.
#[must_use]
pub fn parameter_of(section: Section, name: &str) -> Cow<'_, str> {
    if name.starts_with(SUBSCRIPTIONS) { name.into() } else { format!("{section}/{name}").into() }
}

/// The endpoint of the route of this name, as far as the name tells, whatever became of its document: a subscription's
/// is its own.
#[must_use]
pub fn endpoint_of(route: &str) -> Option<&str> {
    route.starts_with(SUBSCRIPTIONS).then_some(route)
}

/// What a document that is broken elsewhere wants, as far as it tells: nothing where it says that it is inactive.
pub(crate) fn wanted(text: &str) -> Option<Wanted> {
    let (value, _) = located::read(text).ok()?;
    if value.get("active") == Some(&Value::Bool(false)) {
        return None;
    }
    NamePatterns::of_broken(value.get("topics")?).map(by_topic)
}

fn by_topic(topics: NamePatterns) -> Wanted {
    Wanted { source: None, names: topics, by: NamedBy::Topic }
}

fn topics(document: &mut Document) -> Result<Vec<String>, DocumentError> {
    let Some(topics) = document.text_or_texts("topics")? else { return Err(document.missing("topics")) };
    if topics.is_empty() {
        return Err(document.unusable("topics", "must hold at least one topic, or \"*\" for every message"));
    }
    if topics.iter().any(|topic| topic.contains(',')) {
        return Err(document.unusable("topics", "holds a comma: write several topics as a list, [a/b, c/d]"));
    }
    match topics.iter().zip(1..).find(|(topic, _)| !is_topic(topic)) {
        Some((_, number)) => {
            let problem = format!(
                "holds one, number {number}, that is not a source and a name, such as fluent/Order*, or \"*\" for every message"
            );
            Err(document.unusable("topics", problem))
        }
        None => Ok(topics),
    }
}

fn is_topic(text: &str) -> bool {
    let parts = text.split_once('/');
    text == "*"
        || parts.is_some_and(|(source, name)| {
            !source.is_empty() && !source.contains(char::is_whitespace) && !name.trim().is_empty()
        })
}

fn url(document: &mut Document) -> Result<EndpointUrl, DocumentError> {
    let text = document.required_text("url")?;
    if is_template(&text) {
        return Err(document.unusable("url", "must be the same for every message: it is no template here"));
    }
    EndpointUrl::parse(text.trim()).map_err(|error| document.unusable("url", error.to_string()))
}

fn own_headers(document: &Document, endpoint: &Endpoint) -> Result<(), DocumentError> {
    let is_own = |name: &str| {
        OWN_HEADERS.iter().any(|own| name == *own || own.ends_with('-') && name.starts_with(own))
    };
    match endpoint.headers.iter().find(|(name, _)| is_own(name.as_str())) {
        Some((name, _)) => {
            Err(document.unusable("headers", format!("must not set {name}: the subscription's format does")))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Endpoint, Section, Subscription, endpoint_of, parameter_of, wanted};
    use crate::emission::{EventFormat, Payload};
    use crate::message::Message;
    use crate::route::Wanted;

    const LEAST: &str =
        "topics: fluent/*\nurl: https://bi.example/hooks\nsecrets: [whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD]";

    fn message(source: &str, name: &str) -> Message {
        let (source, name) = (serde_json::json!(source), serde_json::json!(name));
        let text = format!(
            r#"{{"version":1,"id":"1","name":{name},"source":{source},"receivedAt":"2026-11-20T08:30:00Z","payload":{{}}}}"#
        );
        Message::parse(&text).unwrap()
    }

    fn topics(topics: &str) -> Wanted {
        let rest = LEAST.split_once('\n').unwrap().1;
        Subscription::parse("bi", &format!("topics: {topics}\n{rest}")).unwrap().route.wanted
    }

    #[test]
    fn a_subscription_needs_topics_a_url_and_a_secret() {
        let read = Subscription::parse("bi", LEAST).unwrap();
        assert_eq!(read.name(), "subscriptions/bi");
        assert_eq!(
            (read.emission.format, read.emission.payload),
            (EventFormat::StandardWebhooks, Payload::Full)
        );
        assert!(read.route.enabled && !read.endpoint.paused);
    }

    #[test]
    fn its_receiver_is_an_endpoint_with_the_same_defaults() {
        let read = Subscription::parse("bi", LEAST).unwrap();
        let auth = "auth: { type: standard-webhooks, secrets: [whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD] }";
        let same = Endpoint::parse(&format!("url: https://bi.example/hooks\n{auth}")).unwrap();
        assert_eq!(read.endpoint, same);
    }

    #[test]
    fn a_topic_is_source_and_name_and_a_star_any_run_of_characters() {
        let wanted = topics("[fluent/Order*, fynd/*, '*/Stock']");
        for (source, name) in
            [("fluent", "OrderX"), ("fluent", "Order"), ("fynd", "a/b"), ("fynd", "Order"), ("wms", "Stock")]
        {
            assert!(wanted.includes(&message(source, name)), "{source}/{name}");
        }
        for (source, name) in
            [("fluent", "order"), ("fluent2", "OrderX"), ("fynd2", "x"), ("wms", "OrderX"), ("wms", "Stocks")]
        {
            assert!(!wanted.includes(&message(source, name)), "{source}/{name}");
        }
        assert!(topics("'*'").includes(&message("any", "thing")));
    }

    #[test]
    fn a_broken_one_still_tells_its_topics_and_whether_it_is_inactive() {
        let of = |text: &str| wanted(text).is_some_and(|wanted| wanted.includes(&message("fluent", "A")));
        assert!(of("topics: fluent/A\nurll: x") && of("topics: ['*', 5]\nurll: x"));
        assert!(of("topics: fluent/B, fluent/A") && of("topics: [fluent/B, 'fluent/C,fluent/A']"));
        assert!(!of("topics: [fluent/B]\nurll: x") && !of("urll: x") && !of("topics: {"));
        assert!(!of("topics: fluent/A\nactive: false\nurll: x"));
    }

    #[test]
    fn its_name_stands_for_its_own_parameter() {
        assert_eq!(parameter_of(Section::Routes, "a"), "routes/a");
        assert_eq!(parameter_of(Section::Endpoints, "subscriptions/a"), "subscriptions/a");
        assert_eq!((endpoint_of("subscriptions/a"), endpoint_of("a")), (Some("subscriptions/a"), None));
    }
}
