//! `fynd`, against a fake of Fynd's API on loopback.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};

use crate::{Ran, connector, folder};

const URL: &str =
    "https://example.execute-api.eu-west-1.amazonaws.com/api/v1/fluent-connect/external-system/webhook";
/// `client:MARKED-client-secret`.
const BASIC: &str = "Basic Y2xpZW50Ok1BUktFRC1jbGllbnQtc2VjcmV0";

/// What the fake holds, and what was asked of it.
#[derive(Default)]
struct State {
    subscribers: Vec<Value>,
    calls: Vec<String>,
    /// The body of each PUT.
    registered: Vec<Value>,
    /// Every call but that for a token is answered so.
    refusal: Option<(u16, String)>,
    /// What is registered is taken and forgotten.
    forgets: bool,
}

struct FakeFynd {
    state: Arc<Mutex<State>>,
    port: u16,
}

impl FakeFynd {
    fn with(subscribers: Vec<Value>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State { subscribers, ..State::default() }));
        let served = Arc::clone(&state);
        thread::spawn(move || listener.incoming().flatten().for_each(|stream| serve(stream, &served)));
        Self { state, port }
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        let cluster = format!("http://127.0.0.1:{}", self.port);
        let mut command = connector(&[&["fynd"], arguments, &["--cluster", &cluster]].concat());
        command.env("FYND_CLIENT_ID", "client").env("FYND_CLIENT_SECRET", "MARKED-client-secret");
        let ran: Ran = command.output().unwrap().into();
        assert!(!ran.out.contains("MARKED") && !ran.err.contains("MARKED"), "{}{}", ran.out, ran.err);
        ran
    }

    fn subscribe(&self, more: &[&str]) -> Ran {
        let folder = folder("fynd");
        self.run(&[&["subscribe", &folder, "--url", URL, "--company", "10"], more].concat())
    }

    fn registered(&self) -> Vec<Value> {
        self.state.lock().unwrap().registered.clone()
    }
}

fn serve(mut stream: TcpStream, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut length, mut authorization, mut line) = (0, String::new(), String::new());
    reader.read_line(&mut line).unwrap();
    let call = line.trim().trim_end_matches(" HTTP/1.1").to_owned();
    line.clear();
    while reader.read_line(&mut line).unwrap() > 2 {
        let (name, value) = line.trim().split_once(": ").unwrap_or_default();
        match name.to_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap(),
            "authorization" => value.clone_into(&mut authorization),
            _ => {}
        }
        line.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let (status, answer) = answer(&call, &authorization, &body, &mut state.lock().unwrap());
    let head = format!(
        "HTTP/1.1 {status} x\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        answer.len()
    );
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(answer.as_bytes())).unwrap();
}

fn answer(call: &str, authorization: &str, body: &[u8], state: &mut State) -> (u16, String) {
    state.calls.push(call.to_owned());
    let told = |value: Value| (200, value.to_string());
    match call {
        "POST /service/panel/authentication/v1.0/company/10/oauth/token" => {
            assert_eq!(body, b"grant_type=client_credentials");
            match authorization {
                BASIC => told(json!({ "access_token": "MARKED-token", "expires_in": 3600 })),
                _ => (401, json!({ "message": "Invalid client" }).to_string()),
            }
        }
        "GET /service/common/webhook/v1.0/events" => told(json!({ "event_configs": topics() })),
        _ if state.refusal.is_some() => state.refusal.clone().unwrap(),
        _ if authorization != "Bearer MARKED-token" => (401, "{}".to_owned()),
        "PUT /service/platform/webhook/v3.0/company/10/subscriber" => {
            let body: Value = serde_json::from_slice(body).unwrap();
            if !state.forgets {
                upsert(&body["webhook_config"], &mut state.subscribers);
            }
            state.registered.push(body);
            told(json!({ "status": true, "message": "ok" }))
        }
        get if get.starts_with("GET /service/platform/webhook/v1.0/company/10/subscriber?page_no=") => {
            let number = get.split(['=', '&']).nth(1).unwrap().parse::<usize>().unwrap();
            let items: Vec<_> = state.subscribers.iter().skip(number - 1).take(1).collect();
            told(
                json!({ "items": items, "page": { "has_next": number < state.subscribers.len(), "type": "number" } }),
            )
        }
        _ => (404, json!({ "message": "no such path" }).to_string()),
    }
}

/// By its name, as Fynd's SDKs suppose.
fn upsert(config: &Value, subscribers: &mut Vec<Value>) {
    let rest = &config["event_map"]["rest"];
    let of = |event: &Value| {
        let mut event = event.clone();
        let fields = event.as_object_mut().unwrap();
        let mapping: serde_json::Map<_, _> = ["filters", "reducer"]
            .into_iter()
            .filter_map(|key| Some((key.to_owned(), fields.remove(key)?)))
            .collect();
        fields.insert("subscriber_event_mapping".to_owned(), mapping.into());
        event
    };
    let made = json!({
        "id": 16, "name": config["name"], "provider": "rest", "webhook_url": rest["webhook_url"],
        "association": config["association"], "status": config["status"], "auth_meta": rest["auth_meta"],
        "email_id": config["notification_email"], "custom_headers": rest["custom_headers"],
        "event_configs": rest["events"].as_array().unwrap().iter().map(of).collect::<Vec<_>>(),
    });
    subscribers.retain(|known| known["name"] != made["name"]);
    subscribers.push(made);
}

fn topic(name: &str) -> Value {
    let parts: Vec<_> = name.split('/').collect();
    json!({
        "id": 1, "event_category": parts[0], "event_name": parts[1], "event_type": parts[2],
        "version": parts[3].trim_start_matches('v'), "description": format!("about {}", parts[1]), "event_schema": null,
    })
}

fn topics() -> Vec<Value> {
    [
        "application/shipment/update/v1",
        "application/order/placed/v1",
        "application/shipment/create/v1",
        "company/article/update/v1",
    ]
    .map(topic)
    .into()
}

/// A subscriber that posts to our URL, with these events.
fn subscriber(events: &[&str]) -> Value {
    json!({
        "id": 16, "name": "orders", "webhook_url": format!("{URL}/fynd"), "provider": "rest", "status": "active",
        "association": { "company_id": 10, "application_id": [], "criteria": "ALL" }, "email_id": "ops@shop.example",
        "auth_meta": { "type": "hmac", "secret": "MARKED-current-secret" }, "custom_headers": {},
        "event_configs": events.iter().map(|name| topic(name)).collect::<Vec<_>>(),
    })
}

const ALL: [&str; 3] =
    ["application/order/placed/v1", "application/shipment/create/v1", "application/shipment/update/v1"];

#[test]
fn topics_are_listed_by_the_names_of_messages_without_credentials() {
    let fynd = FakeFynd::with(Vec::new());
    let ran = fynd.run(&["topics"]);
    insta::assert_snapshot!(ran.out);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert_eq!(fynd.state.lock().unwrap().calls, ["GET /service/common/webhook/v1.0/events"]);
    let json: Value = serde_json::from_str(&fynd.run(&["topics", "--json"]).out).unwrap();
    assert_eq!(json[0], json!({ "message": "application/order/placed/v1", "description": "about order" }));
}

#[test]
fn nothing_is_changed_without_being_told_to() {
    let fynd = FakeFynd::with(Vec::new());
    for more in [&[][..], &["--dry-run"]] {
        let ran = fynd.subscribe(more);
        insta::allow_duplicates! { insta::assert_snapshot!(ran.out); }
        assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    }
    assert_eq!(fynd.registered(), Vec::<Value>::new());
    assert_eq!(fynd.subscribe(&["--dry-run", "--apply"]).code, 2);
}

#[test]
fn what_was_shown_is_registered_and_then_nothing_is_left_to_change() {
    let fynd = FakeFynd::with(vec![
        json!({ "id": 1, "name": "another", "webhook_url": "https://other.example", "status": "active" }),
    ]);
    let ran = fynd.subscribe(&["--apply"]);
    assert_eq!((ran.code, fynd.registered().len()), (2, 0));
    assert_eq!(ran.err, "error: nothing was changed: say --email, where Fynd mails to when webhooks fail\n");

    let ran = fynd.subscribe(&["--apply", "--email", "ops@shop.example"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.out);
    assert!(ran.out.ends_with("4 changes made, and read back\n"), "{}", ran.out);
    let body = &fynd.registered()[0];
    insta::assert_snapshot!(serde_json::to_string_pretty(body).unwrap());
    for more in [&["--apply", "--email", "ops@shop.example"][..], &["--apply"], &[]] {
        let ran = fynd.subscribe(more);
        assert_eq!((ran.code, ran.out.ends_with("nothing to change\n")), (0, true), "{}", ran.out);
    }
    assert_eq!(fynd.registered().len(), 1);
}

#[test]
fn each_difference_is_told_and_no_secret_is() {
    let mut old = subscriber(&["application/order/placed/v1", "company/article/update/v1"]);
    old["status"] = json!("inactive");
    old["auth_meta"]["secret"] = json!("MARKED-older-secret");
    let fynd = FakeFynd::with(vec![old]);
    let more = ["--application", "a1", "--application", "a2", "--email", "new@shop.example"];
    let ran = fynd.subscribe(&more);
    assert_eq!(ran.code, 1, "an inactive subscriber is wrong");
    insta::assert_snapshot!(ran.out);
    let ran = fynd.subscribe(&[&more[..], &["--apply", "--json"]].concat());
    assert_eq!(ran.code, 0, "it is active now");
    let json: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(
        (&json["written"], &json["subscriber"], &json["left"]),
        (&json!(true), &json!(16), &json!([]))
    );
    let config = &fynd.registered()[0]["webhook_config"];
    assert_eq!(config["name"], "orders", "it stays the one that it was");
    assert_eq!(
        config["association"],
        json!({ "company_id": 10, "application_id": ["a1", "a2"], "criteria": "SPECIFIC-EVENTS" })
    );
    assert_eq!(fynd.subscribe(&more).out.lines().last().unwrap(), "nothing to change");
}

#[test]
fn a_reducer_is_warned_of_and_filters_and_headers_are_kept() {
    let mut known = subscriber(&ALL[..2]);
    known["event_configs"][0]["subscriber_event_mapping"] =
        json!({ "reducer": { "id": "$.payload.order.id" }, "filters": {} });
    known["event_configs"][1]["subscriber_event_mapping"] =
        json!({ "filters": { "query": "$.x", "condition": "c" } });
    known["custom_headers"] = json!({ "x-tenant": "acme" });
    let fynd = FakeFynd::with(vec![known]);
    let ran = fynd.subscribe(&["--apply"]);
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("! application/order/placed/v1 has a reducer"), "{}", ran.out);
    let rest = &fynd.registered()[0]["webhook_config"]["event_map"]["rest"];
    assert_eq!(rest["events"][0]["reducer"], json!({ "id": "$.payload.order.id" }));
    assert_eq!(rest["events"][1]["filters"], json!({ "query": "$.x", "condition": "c" }));
    assert!(rest["events"][0].get("filters").is_none() && rest["events"][2].get("filters").is_none());
    assert_eq!(rest["custom_headers"], json!({ "x-tenant": "acme" }));
}

#[test]
fn doubtful_subscribers_are_told() {
    let mut blocked = subscriber(&ALL);
    blocked["status"] = json!("blocked");
    let mut hidden = subscriber(&ALL);
    hidden["auth_meta"] = json!({ "type": "hmac", "secret": "********" });
    let mut elsewhere = subscriber(&ALL);
    elsewhere["webhook_url"] = json!("https://old.example/hook?key=MARKED");
    elsewhere["name"] = json!("fluent-connect-fynd");
    let mut twin = subscriber(&ALL);
    twin["id"] = json!(17);
    twin["name"] = json!("twin");
    for (subscribers, says, changes) in [
        (vec![blocked], "subscriber 16 \"orders\" is blocked: Fynd sends it nothing", "1 change;"),
        (vec![hidden.clone()], "Fynd does not show the subscriber's secret", "nothing to change"),
        (vec![elsewhere], "subscriber 16 \"fluent-connect-fynd\" posts elsewhere now", "1 change;"),
        (
            vec![subscriber(&ALL), twin],
            "subscriber 16 \"orders\" and subscriber 17 \"twin\" post to this URL",
            "nothing to change",
        ),
    ] {
        let ran = FakeFynd::with(subscribers).subscribe(&[]);
        assert_eq!(ran.code, 1, "{says}");
        assert!(ran.out.contains(says) && ran.out.contains(changes), "{}", ran.out);
    }
    let fynd = FakeFynd::with(vec![hidden]);
    let ran = fynd.subscribe(&["--apply", "--renew-secret"]);
    assert!(ran.out.contains("~ secret (not shown)\n1 change made"), "{}", ran.out);
    assert_eq!(fynd.registered().len(), 1);
}

#[test]
fn what_fynd_takes_and_forgets_is_told() {
    let fynd = FakeFynd::with(vec![subscriber(&ALL[..2])]);
    fynd.state.lock().unwrap().forgets = true;
    let ran = fynd.subscribe(&["--apply"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.out.ends_with("Fynd took it, and still differs: application/shipment/update/v1\n"),
        "{}",
        ran.out
    );
}

#[test]
fn what_cannot_be_done_says_why_and_shows_no_secret() {
    let fynd = FakeFynd::with(Vec::new());
    fynd.state.lock().unwrap().refusal = Some((
        403,
        r#"{"message":"token MARKED-token lacks company/settings, secret MARKED-current-secret"}"#.to_owned(),
    ));
    let ran = fynd.subscribe(&[]);
    assert_eq!(ran.code, 2);
    insta::assert_snapshot!(ran.err);
    fynd.state.lock().unwrap().refusal = Some((200, "<html>MARKED</html>".to_owned()));
    insta::assert_snapshot!(fynd.subscribe(&[]).err);

    let cluster = format!("http://127.0.0.1:{}", fynd.port);
    let folder = folder("fynd");
    let arguments = ["fynd", "subscribe", &folder, "--url", URL, "--company", "10", "--cluster", &cluster];
    let ran: Ran = connector(&arguments).output().unwrap().into();
    insta::assert_snapshot!(ran.err, @"error: FYND_CLIENT_ID is not set: FYND_CLIENT_ID and FYND_CLIENT_SECRET are those of a client of the company, or say --credentials FILE");
    let mut wrong = connector(&arguments);
    wrong.env("FYND_CLIENT_ID", "client").env("FYND_CLIENT_SECRET", "MARKED-wrong");
    let ran: Ran = wrong.output().unwrap().into();
    insta::assert_snapshot!(ran.err, @"error: no access token for company 10: see FYND_CLIENT_ID and FYND_CLIENT_SECRET: Fynd answered 401");
    assert_eq!(ran.code, 2);
}

#[test]
fn credentials_may_stand_in_a_file() {
    let fynd = FakeFynd::with(Vec::new());
    let folder_of = tempfile::tempdir().unwrap();
    let file = folder_of.path().join("fynd.yaml");
    let path = file.to_str().unwrap().to_owned();
    std::fs::write(&file, "clientId: client\nclientSecret: MARKED-client-secret").unwrap();
    assert_eq!(fynd.subscribe(&["--credentials", &path]).code, 0);
    std::fs::write(&file, "clientId: client\nclientSecrt: MARKED-client-secret").unwrap();
    let ran = fynd.subscribe(&["--credentials", &path]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("did you mean \"clientSecret\"?"), "{}", ran.err);
}

/// Subscribes with a configuration of these files.
fn configured(files: &[(&str, &str)]) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let folder = folder.path().to_str().unwrap();
    FakeFynd::with(Vec::new()).run(&["subscribe", folder, "--url", URL, "--company", "10"])
}

#[test]
fn a_configuration_that_cannot_be_subscribed_to_says_why() {
    let source = (
        "sources/fynd.yaml",
        "{ auth: { type: hmac, header: x-fp-signature, secrets: [MARKED] }, name: /event/name }",
    );
    let route = ("routes/a.yaml", "{ source: fynd, message: application/order/placed/v1, handler: ignore }");
    assert_eq!(configured(&[source, route]).code, 0, "a source may be spelled out");
    for (files, says) in [
        (vec![route], "there is no sources/fynd: write one such as { preset: fynd, secrets: [\"…\"] }"),
        (
            vec![route, ("sources/fynd.yaml", "{ preset: fynd, secrets: MARKED }")],
            "sources/fynd is broken: \"secrets\" must be a list of texts, such as [a, b]",
        ),
        (vec![route, ("sources/fynd.yaml", "MARKED: [")], "sources/fynd is broken: cannot be read as YAML"),
        (
            vec![source, route, ("routes/b.yaml", "{ source: fynd, mesage: application/order/placed/v1 }")],
            "routes/b is broken, so that what it wants would be taken out",
        ),
        (vec![source], "no enabled route has `source: fynd`"),
        (
            vec![
                source,
                ("routes/a.yaml", "{ source: fynd, message: application/order/place/v1, handler: ignore }"),
            ],
            "routes/a wants \"application/order/place/v1\": Fynd has no such topic; did you mean \"application/order/placed/v1\"?",
        ),
        (
            vec![
                source,
                ("routes/a.yaml", "{ source: fynd, message: 'application/ordr/*', handler: ignore }"),
            ],
            "routes/a wants \"application/ordr/*\": no topic of Fynd's matches it",
        ),
    ] {
        let ran = configured(&files);
        assert_eq!(ran.code, 2, "{says}");
        assert!(ran.err.contains(says), "{}", ran.err);
    }
}

#[test]
fn only_https_or_this_machine_is_asked() {
    let ran: Ran =
        connector(&["fynd", "topics", "--cluster", "http://api.fynd.example"]).output().unwrap().into();
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("the topics cannot be read: E_BLOCKED_ADDRESS"), "{}", ran.err);
}
