//! As much of AWS as a test needs, on loopback: Parameter Store, and one log group.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};

use crate::{Ran, connector};

/// A parameter: its type and value.
type Stored = BTreeMap<String, (String, String)>;

/// What the fake holds, and what was asked of it.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) parameters: Stored,
    pub(crate) events: Vec<Value>,
    pub(crate) calls: Vec<String>,
    /// The next write is refused with this message.
    pub(crate) refusal: Option<String>,
}

pub(crate) struct FakeAws {
    pub(crate) state: Arc<Mutex<State>>,
    port: u16,
}

impl FakeAws {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State::default()));
        let served = Arc::clone(&state);
        thread::spawn(move || listener.incoming().flatten().for_each(|stream| serve(stream, &served)));
        Self { state, port }
    }

    pub(crate) fn with(parameters: &[(&str, &str, &str)]) -> Self {
        let fake = Self::start();
        for (name, kind, value) in parameters {
            let stored = ((*kind).to_owned(), (*value).to_owned());
            fake.state.lock().unwrap().parameters.insert((*name).to_owned(), stored);
        }
        fake
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        let mut command = connector(arguments);
        command
            .env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{}", self.port))
            .env("AWS_REGION", "eu-west-1");
        command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test").output().unwrap().into()
    }
}

fn serve(mut stream: TcpStream, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut length, mut target) = (0, String::new());
    let mut line = String::new();
    while reader.read_line(&mut line).unwrap() > 2 {
        let (name, value) = line.trim().split_once(": ").unwrap_or_default();
        match name.to_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap(),
            "x-amz-target" => value.rsplit('.').next().unwrap().clone_into(&mut target),
            _ => {}
        }
        line.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let asked = serde_json::from_slice(&body).unwrap_or_default();
    let (status, answer) = answer(&target, &asked, &mut state.lock().unwrap());
    let answer = answer.to_string();
    let head = format!(
        "HTTP/1.1 {status} x\r\ncontent-type: application/x-amz-json-1.1\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        answer.len()
    );
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(answer.as_bytes())).unwrap();
}

fn answer(target: &str, asked: &Value, state: &mut State) -> (u16, Value) {
    let name = asked["Name"].as_str().unwrap_or_default().to_owned();
    state.calls.push(format!(
        "{target} {name} {} {}",
        asked["Type"].as_str().unwrap_or("-"),
        asked["Tier"].as_str().unwrap_or("-")
    ));
    match target {
        "GetParametersByPath" => (200, page(asked, state)),
        "PutParameter" => {
            if let Some(message) = state.refusal.take() {
                return (400, json!({ "__type": "ValidationException", "message": message }));
            }
            let text = |key: &str| asked[key].as_str().unwrap().to_owned();
            state.parameters.insert(name, (text("Type"), text("Value")));
            (200, json!({ "Version": 1 }))
        }
        "DeleteParameter" => {
            state.parameters.remove(&name);
            (200, json!({}))
        }
        "FilterLogEvents" => (200, json!({ "events": state.events })),
        _ => (400, json!({ "__type": "UnknownOperationException", "message": target })),
    }
}

/// Three parameters a page, so that paging is used.
fn page(asked: &Value, state: &State) -> Value {
    let from: usize = asked["NextToken"].as_str().unwrap_or("0").parse().unwrap();
    let path = format!("{}/", asked["Path"].as_str().unwrap());
    let all: Vec<_> = state.parameters.iter().filter(|(name, _)| name.starts_with(&path)).collect();
    let parameters: Vec<_> = all
        .iter()
        .skip(from)
        .take(3)
        .map(|(name, (kind, value))| json!({ "Name": name, "Type": kind, "Value": value, "Version": 1 }))
        .collect();
    let next = (from + 3 < all.len()).then(|| (from + 3).to_string());
    json!({ "Parameters": parameters, "NextToken": next })
}
