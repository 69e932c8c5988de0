//! A route: which messages go to which handler and endpoint, and what is made of them, as `{prefix}/routes/{name}` says.

use http::HeaderValue;
use serde_json::{Map, Value};

use crate::document::{Document, DocumentError};
use crate::located;
use crate::message::Message;
use crate::name_patterns::NamePatterns;
use crate::subscription::SUBSCRIPTIONS;
use crate::template::{Condition, Format, MESSAGE_VARIABLES, RenderError, Scope, Template, Tree};
use crate::timetable::Timetable;

/// The handler of a route that names none: sends the event, or what the route's payload makes of it, to the endpoint.
pub const DEFAULT_HANDLER: &str = "webhook";
/// Of a payload whose route names none.
pub const DEFAULT_CONTENT_TYPE: HeaderValue = HeaderValue::from_static("application/json");

/// Every key of a route.
pub const KEYS: [&str; 13] = [
    "description",
    "source",
    "message",
    "schedule",
    "when",
    "handler",
    "endpoint",
    "fetch",
    "payload",
    "contentType",
    "respond",
    "enabled",
    "props",
];
/// Every key of `fetch`.
pub const FETCH_KEYS: [&str; 3] = ["query", "variables", "when"];
/// The fields of an event that is sent to Fluent (Event API); all but the last are texts.
pub const EVENT_FIELDS: [&str; 10] = [
    "name",
    "retailerId",
    "entityType",
    "entityId",
    "entityRef",
    "entitySubtype",
    "rootEntityType",
    "rootEntityId",
    "rootEntityRef",
    "attributes",
];
/// Most characters of a name: that of a whole parameter (SSM API reference, `PutParameter`).
const MAX_NAME: usize = 1_011;

/// A route document.
#[derive(Debug, PartialEq)]
pub struct Route {
    /// For people.
    pub description: Option<String>,
    /// Which messages it wants, before its condition is asked; none where it has a schedule.
    pub wanted: Wanted,
    /// When the clock starts it; absent: never, it waits for messages.
    pub schedule: Option<Timetable>,
    /// Only messages for which it holds; absent: all.
    pub when: Option<Condition>,
    /// Name of the handler; `webhook` by default.
    pub handler: String,
    /// Name of the endpoint that the handler delivers to.
    pub endpoint: Option<String>,
    /// What is asked of Fluent before the payload is made.
    pub fetch: Option<Fetch>,
    /// What is sent; absent: the event as it came, or what a job found, which its template sees as `data`.
    pub payload: Option<Template>,
    /// Of the payload; `application/json` by default.
    pub content_type: HeaderValue,
    /// The event that the receiver's answer becomes in Fluent.
    pub respond: Option<Respond>,
    /// A disabled route wants nothing; true by default.
    pub enabled: bool,
    /// For the handler and the templates; empty by default.
    pub props: Map<String, Value>,
}

/// Which messages a route wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Only messages of this source; absent: of any.
    pub source: Option<String>,
    /// Of these names.
    pub names: NamePatterns,
    /// What the names are of a message.
    pub by: NamedBy,
}

/// What of a message is compared with the names that are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamedBy {
    /// Its name: of a route.
    Name,
    /// Its topic, which is source and name: of a subscription.
    Topic,
}

/// One GraphQL query against Fluent; its answer is `data` in the payload's template.
#[derive(Debug, PartialEq)]
pub struct Fetch {
    /// The query.
    pub query: String,
    /// Its variables.
    pub variables: Tree,
    /// Only for answers for which it holds, else nothing is sent; absent: all.
    pub when: Option<Condition>,
}

/// An event that is sent to Fluent when the delivery has succeeded: a message of its own, with its own retries.
#[derive(Debug, PartialEq)]
pub struct Respond {
    /// Only for answers for which it holds; absent: all.
    pub when: Option<Condition>,
    /// The event's fields; those that are not given are those of the event that was delivered.
    pub event: Tree,
}

impl Route {
    /// Reads a route document: YAML, so JSON too.
    ///
    /// # Errors
    /// [`DocumentError`] names the key and its line.
    pub fn parse(text: &str) -> Result<Self, DocumentError> {
        Self::of_document(Document::parse(text, &KEYS)?)
    }

    /// Reads a document that changes a shipped route: what it does not say stays as shipped.
    ///
    /// # Errors
    /// [`DocumentError`] names the key and its line.
    pub fn parse_over(text: &str, shipped: &Map<String, Value>) -> Result<Self, DocumentError> {
        Self::of_document(Document::parse(text, &KEYS)?.over(shipped))
    }

    fn of_document(mut document: Document) -> Result<Self, DocumentError> {
        let fetch = fetch(&mut document)?;
        let content_type = content_type(&mut document)?;
        let schedule = Timetable::read(&mut document)?;
        let with_data = [MESSAGE_VARIABLES, &["data"]].concat();
        let has_data = fetch.is_some() || schedule.is_some(); // a job's data is what it found
        let variables = if has_data { &with_data } else { MESSAGE_VARIABLES };
        let format = Format::of_content_type(content_type.to_str().unwrap_or_default());
        let (respond, props) = (respond(&mut document)?, document.mapping("props")?.unwrap_or_default());
        if schedule.is_some() {
            let calls = [("fetch", fetch.is_some()), ("respond", respond.is_some())];
            with_account(&document, &calls, &props)?;
        }
        Ok(Self {
            description: document.text("description")?,
            wanted: wanted(&mut document, schedule.is_some())?,
            schedule,
            when: condition(&mut document, "when", MESSAGE_VARIABLES)?,
            handler: name(&mut document, "handler")?.unwrap_or_else(|| DEFAULT_HANDLER.to_owned()),
            endpoint: name(&mut document, "endpoint")?,
            payload: template(&mut document, "payload", format, variables)?,
            respond,
            enabled: document.switch("enabled")?.unwrap_or(true),
            props,
            fetch,
            content_type,
        })
    }

    /// Whether the route is enabled and wants this message, of which `scope` is asked where the route has a condition; an
    /// error where that cannot tell.
    ///
    /// # Errors
    /// [`RenderError`] of the condition.
    pub fn wants<'s>(&self, message: &Message, scope: impl Fn() -> &'s Scope) -> Result<bool, RenderError> {
        if !self.enabled || !self.wanted.includes(message) {
            return Ok(false);
        }
        let when = self.when.as_ref();
        when.map_or(Ok(true), |when| when.holds(&scope().clone().with_props(&self.props)))
    }

    /// What its templates see of a message.
    #[must_use]
    pub fn scope(&self, message: &Message) -> Scope {
        Scope::of(message).with_props(&self.props)
    }
}

impl Wanted {
    /// Of a document that is broken elsewhere, as far as it tells.
    #[must_use]
    pub fn of_broken(text: &str) -> Option<Self> {
        let (value, _) = located::read(text).ok()?;
        let names = NamePatterns::of_broken(value.get("message")?)?;
        let source = value.get("source").and_then(Value::as_str).map(str::to_owned);
        Some(Self { source, names, by: NamedBy::Name })
    }

    /// Whether the message has the source and one of the names.
    #[must_use]
    pub fn includes(&self, message: &Message) -> bool {
        self.source.as_ref().is_none_or(|source| *source == message.source)
            && match self.by {
                NamedBy::Name => self.names.contains(&message.name),
                NamedBy::Topic => self.names.contains(&message.topic()),
            }
    }
}

/// A start is of no account: what calls Fluent for it has to be told which one.
fn with_account(
    document: &Document,
    calls: &[(&str, bool)],
    props: &Map<String, Value>,
) -> Result<(), DocumentError> {
    let is_told = props.get("account").is_some_and(|account| !account.is_null());
    let call = calls.iter().find(|(_, is_there)| *is_there && !is_told);
    call.map_or(Ok(()), |(key, _)| {
        let problem = "stands beside schedule, and a start is of no account: name one as props.account, or take it out where the handler is a job";
        Err(document.unusable(key, problem))
    })
}

/// A route that the clock starts gets no other messages: its handler could not tell them from its own.
fn wanted(document: &mut Document, is_scheduled: bool) -> Result<Wanted, DocumentError> {
    if !is_scheduled {
        return Ok(Wanted { source: document.text("source")?, names: names(document)?, by: NamedBy::Name });
    }
    for key in ["message", "source", "when"] {
        if document.value(key).is_some() {
            return Err(
                document.unusable(key, "stands beside schedule: the clock starts the route, or messages do")
            );
        }
    }
    Ok(Wanted { source: None, names: NamePatterns::default(), by: NamedBy::Name })
}

fn names(document: &mut Document) -> Result<NamePatterns, DocumentError> {
    match document.text_or_texts("message")? {
        None => Err(document.missing("message")),
        Some(names) if names.is_empty() => {
            Err(document.unusable("message", "must hold at least one name, or \"*\" for every message"))
        }
        Some(names) if names.iter().any(|name| name.contains(',')) => {
            Err(document.unusable("message", "holds a comma: write several names as a list, [A, B]"))
        }
        Some(names) => Ok(NamePatterns::new(names)),
    }
}

/// A parameter's name, or a handler's.
fn name(document: &mut Document, key: &str) -> Result<Option<String>, DocumentError> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/');
    match document.text(key)? {
        Some(name) if name.starts_with("http") && name.contains("://") => Err(document.unusable(
            key,
            "must be a name, not a URL: put the URL into a parameter endpoints/{name}, and its name here",
        )),
        Some(name) if name.starts_with(SUBSCRIPTIONS) => {
            Err(document.unusable(key, "must not name a subscription: its messages are its own"))
        }
        Some(name) if name.starts_with('/') || name.starts_with("endpoints/") => {
            Err(document.unusable(key, "must be the name alone, without the path before it"))
        }
        Some(name) if name.len() > MAX_NAME || !name.chars().all(is_allowed) => {
            Err(document.unusable(key, "must be a name: letters, digits and . - _ /"))
        }
        name => Ok(name),
    }
}

pub(crate) fn condition(
    document: &mut Document,
    key: &str,
    variables: &[&str],
) -> Result<Option<Condition>, DocumentError> {
    let Some(text) = document.text(key)? else { return Ok(None) };
    let parsed = Condition::parse(&text, variables);
    parsed.map(Some).map_err(|error| document.unusable(key, error.to_string()))
}

fn template(
    document: &mut Document,
    key: &str,
    format: Format,
    variables: &[&str],
) -> Result<Option<Template>, DocumentError> {
    let Some(text) = document.text(key)? else { return Ok(None) };
    let parsed = Template::parse(&text, format, variables);
    parsed.map(Some).map_err(|error| document.unusable(key, error.to_string()))
}

fn tree(document: &Document, key: &str, value: Value, variables: &[&str]) -> Result<Tree, DocumentError> {
    Tree::parse(value, variables)
        .map_err(|(path, error)| document.unusable(&format!("{key}{path}"), error.to_string()))
}

fn content_type(document: &mut Document) -> Result<HeaderValue, DocumentError> {
    let Some(text) = document.text("contentType")? else { return Ok(DEFAULT_CONTENT_TYPE) };
    let value = HeaderValue::from_str(text.trim())
        .ok()
        .filter(|value| value.to_str().is_ok_and(|text| text.contains('/')));
    value.ok_or_else(|| document.unusable("contentType", "must be a media type such as application/xml"))
}

fn fetch(document: &mut Document) -> Result<Option<Fetch>, DocumentError> {
    let Some(mut fetch) = document.section("fetch", &FETCH_KEYS)? else { return Ok(None) };
    let query = fetch.required_text("query")?;
    if query.contains("{{") || query.contains("${") || query.contains("{%") {
        let problem =
            "is no template: declare a variable in it, as in query($id: ID!), and give it in fetch.variables";
        return Err(fetch.unusable("query", problem));
    }
    let variables = Value::Object(fetch.mapping("variables")?.unwrap_or_default());
    let variables = tree(&fetch, "variables", variables, MESSAGE_VARIABLES)?;
    let when = condition(&mut fetch, "when", &[MESSAGE_VARIABLES, &["data"]].concat())?;
    Ok(Some(Fetch { query, variables, when }))
}

fn respond(document: &mut Document) -> Result<Option<Respond>, DocumentError> {
    let keys = [&["when"], EVENT_FIELDS.as_slice()].concat();
    let Some(mut respond) = document.section("respond", &keys)? else { return Ok(None) };
    let variables = [MESSAGE_VARIABLES, &["response"]].concat();
    let when = condition(&mut respond, "when", &variables)?;
    let name = respond.required_text("name")?;
    let mut fields = Map::from_iter([("name".to_owned(), Value::from(name))]);
    if let Some(attributes) = respond.mapping("attributes")? {
        fields.insert("attributes".to_owned(), Value::Object(attributes));
    }
    for key in EVENT_FIELDS {
        fields.extend(respond.value(key).map(|value| (key.to_owned(), value)));
    }
    let event = Tree::parse(Value::Object(fields), &variables)
        .map_err(|(path, error)| respond.unusable(path.trim_start_matches('.'), error.to_string()))?;
    Ok(Some(Respond { when, event }))
}

#[cfg(test)]
mod tests {
    use super::{Route, Wanted};

    #[test]
    fn a_route_needs_only_a_message() {
        let route = Route::parse("message: OrderStatusChange\nendpoint: storefront").unwrap();
        assert_eq!((route.handler.as_str(), route.enabled), ("webhook", true));
        let route = Route::parse(r#"{"message": ["a", "b*"], "props": {"x": [1]}}"#).unwrap();
        assert!(route.wanted.names.contains("bc"));
    }

    #[test]
    fn a_payload_sees_data_where_there_is_some() {
        let payload =
            |keys: &str| Route::parse(&format!("{keys}\nendpoint: x\npayload: '${{ data.total }}'"));
        assert!(payload("schedule: manual").is_ok());
        assert!(payload("message: a\nfetch: { query: '{ me }' }").is_ok());
        assert!(payload("message: a").is_err());
    }

    #[test]
    fn a_shipped_route_is_changed_key_by_key() {
        let shipped =
            serde_json::json!({"message": "a", "endpoint": "x", "enabled": false, "when": "event.id == 1"});
        let shipped = shipped.as_object().unwrap();
        let route = Route::parse_over("enabled: true", shipped).unwrap();
        assert!(route.enabled && route.endpoint.as_deref() == Some("x") && route.when.is_some());
        let route = Route::parse_over("endpoint: z\nwhen: null", shipped).unwrap();
        assert!(!route.enabled && route.endpoint.as_deref() == Some("z") && route.when.is_none());
    }

    #[test]
    fn a_broken_route_still_tells_what_it_wants() {
        let wanted = Wanted::of_broken("message: [a, b]\nsource: fluent\nendpont: x").unwrap();
        assert!(wanted.names.contains("b") && wanted.source.as_deref() == Some("fluent"));
        let listed = Wanted::of_broken("message: a, b").unwrap();
        assert!(listed.names.contains("a") && listed.names.contains("b"), "broken by its comma alone");
        assert_eq!(Wanted::of_broken("message: [a"), None);
    }
}
