//! A project of commercetools and an account of Fluent for handlers that speak to both.

use connector::failure::Code;
use connector::handler::HandlerError;
use connector::message::Message;
use connector::parameter::Section;
use serde_json::{Value, json};
use testkit::workbench::{Workbench, on_route};

const ACCOUNT: &str = "{ baseUrl: https://acme.api.example, username: u, password: hunter2-p, clientId: c, clientSecret: hunter2-s, retailerId: 1 }";
const PROJECT: &str = "{ authUrl: https://auth.example, apiUrl: https://api.example, clientId: c, clientSecret: hunter2-s, accountId: ACME, retailerId: 1 }";
const API: &str = "https://api.example/shop";

/// A handler after a message.
pub(crate) struct Tried {
    pub(crate) bench: Workbench,
    pub(crate) result: Result<(), HandlerError>,
}

/// Lets `handler`, on a route with these props, work on an event of this entity, with these answers to what it asks and
/// writes: tokens aside, in the order of the calls.
pub(crate) async fn tried(handler: &str, props: &Value, event: &Value, answers: &[(u16, Value)]) -> Tried {
    let route = json!({"message": "Changed", "handler": handler, "props": props}).to_string();
    handled("r", &route, &on_route("r", "Changed", event), answers).await
}

/// Lets a shipped route, switched on, work on its sample.
pub(crate) async fn shipped(route: &str, answers: &[(u16, Value)]) -> Tried {
    handled(route, "enabled: true", &testkit::shipped::sample(route), answers).await
}

async fn handled(name: &str, route: &str, message: &Message, answers: &[(u16, Value)]) -> Tried {
    let bench = Workbench::with(&[
        (Section::Accounts, "ACME", ACCOUNT),
        (Section::Commercetools, "shop", PROJECT),
        (Section::Routes, name, route),
    ]);
    bench.answers(&with_tokens(answers));
    let result = bench.handle(&handlers::registry().build().unwrap(), message).await;
    Tried { bench, result }
}

/// A token before the first answer of each API: those of Fluent have `data`.
fn with_tokens(answers: &[(u16, Value)]) -> Vec<(u16, Value)> {
    let token = || (200, json!({"access_token": "hunter2-t", "expires_in": 3600}));
    let (fluents, shops) =
        answers.split_at(answers.iter().filter(|(_, body)| body.get("data").is_some()).count());
    let mut all = Vec::new();
    for answers in [fluents, shops] {
        all.extend((!answers.is_empty()).then(token));
        all.extend_from_slice(answers);
    }
    all
}

impl Tried {
    /// What was asked of commercetools and written there, a line each: method, path and body.
    pub(crate) fn calls(&self) -> Vec<String> {
        let requests = self.bench.transport.requests().into_iter();
        let shown = requests.filter_map(|request| {
            let url = request.url.as_url().as_str().strip_prefix(API)?.to_owned();
            let body = String::from_utf8(request.body).unwrap();
            Some(format!("{} {url} {body}", request.method).trim_end().to_owned())
        });
        shown.collect()
    }

    /// The bodies of what was written to commercetools.
    pub(crate) fn written(&self) -> Vec<Value> {
        let requests = self.bench.transport.requests().into_iter();
        let posts = requests
            .filter(|request| request.method == "POST" && request.url.as_url().as_str().starts_with(API));
        posts.map(|request| serde_json::from_slice(&request.body).unwrap()).collect()
    }

    /// What was asked of Fluent: the variables of each query.
    pub(crate) fn asked(&self) -> Vec<Value> {
        let requests = self.bench.transport.requests().into_iter();
        let queries = requests.filter(|request| request.url.as_url().path() == "/graphql");
        queries
            .map(|request| serde_json::from_slice::<Value>(&request.body).unwrap()["variables"].take())
            .collect()
    }

    /// The notes in the event log, which holds no secret.
    pub(crate) fn notes(&self) -> Vec<String> {
        assert!(!format!("{:?}", self.bench.log.entries()).contains("hunter2"));
        let entries = self.bench.log.entries();
        entries.iter().filter_map(|entry| Some(entry.get("note")?.as_str()?.to_owned())).collect()
    }

    /// Why it is parked, where nothing was written.
    pub(crate) fn problem(&self) -> &str {
        self.parked(Code::Mapping)
    }

    /// What is wrong with the props, where nothing was asked of anybody.
    pub(crate) fn wrong_props(&self) -> &str {
        assert_eq!(self.bench.transport.requests().len(), 0);
        self.parked(Code::Route).strip_prefix("the route's props: ").unwrap()
    }

    fn parked(&self, wanted: Code) -> &str {
        assert_eq!(self.written(), Vec::<Value>::new());
        match &self.result {
            Err(HandlerError::Misconfigured { code, reason }) if *code == wanted => reason,
            other => panic!("{other:?} is not {wanted:?}"),
        }
    }
}

/// An event of this entity.
pub(crate) fn event(kind: &str, reference: &str, more: Value) -> Value {
    let mut event = json!({"id": "m1", "name": "Changed", "accountId": "ACME", "retailerId": "1", "entityType": kind,
        "entityId": "77", "entityRef": reference});
    let Value::Object(more) = more else { panic!("{more} is no object") };
    event.as_object_mut().unwrap().extend(more);
    event
}

/// What Fluent answers to a query by id.
pub(crate) fn found(field: &str, entity: Value) -> (u16, Value) {
    let data: Value = [(field, entity)].into_iter().collect();
    (200, json!({ "data": data }))
}

pub(crate) fn refused(status: u16, code: &str) -> (u16, Value) {
    (status, json!({"statusCode": status, "message": "told", "errors": [{"code": code, "message": "told"}]}))
}
