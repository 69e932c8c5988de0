//! `render`: the exact requests that routes make of an event. Nothing is sent.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use connector::cache::Snapshot as _;
use connector::configuration::{Found, RoutingTable};
use connector::failure::chain;
use connector::message::Message;
use connector::parameter::{Parameter, Section};
use connector::ports::Clock;
use connector::secret::Secret;
use connector::subscription::parameter_of;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::Verdict;
use crate::arguments::Shared;
use crate::document::Document;
use crate::place::Place;
use crate::rehearsal::{Answers, Request, rehearse};
use crate::screen::{Screen, Tone, printable};

#[derive(Debug, Args)]
pub(crate) struct Asked {
    /// The event: the body of a webhook, or a message as it stands in a queue
    event: PathBuf,
    #[command(flatten)]
    place: Place,
    /// This route, whether it wants the event or not; by default all that want it
    #[arg(long)]
    route: Option<String>,
    /// JSON that a route's query is answered with: what its template knows as `data`
    #[arg(long)]
    data: Option<PathBuf>,
    /// JSON that the receiver is to answer, for routes that respond
    #[arg(long)]
    answer: Option<PathBuf>,
    /// Where the event comes from
    #[arg(long, default_value = "fluent")]
    source: String,
}

/// What one route makes of the event.
#[derive(Debug, Serialize)]
struct Made {
    route: String,
    requests: Vec<Request>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

pub(crate) async fn run(
    asked: &Asked,
    shared: &Shared,
    clock: &Clock,
    screen: &mut Screen,
) -> anyhow::Result<Verdict> {
    let message = message(&read(&asked.event)?, &asked.source, clock)?;
    let reading = asked.place.read(shared).await?;
    let table = table(&reading.documents, &message);
    let mut made = Vec::new();
    for name in names(asked, &table, &message)? {
        made.push(made_by(&name, &message, &table, asked, clock).await?);
    }
    if screen.is_json() {
        screen.json(&made)?;
    } else if made.is_empty() {
        screen.line(&format!(
            "no route wants a message {:?}: it waits as unrouted",
            printable(&message.name)
        ))?;
    } else {
        made.iter().try_for_each(|made| show(made, screen))?;
    }
    Ok(Verdict::wrong_if(made.is_empty() || made.iter().any(|made| made.problem.is_some())))
}

/// A JSON file as it was written, every digit kept.
fn read(path: &Path) -> anyhow::Result<String> {
    let text = fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    serde_json::from_str::<&RawValue>(&text).with_context(|| format!("{} is not JSON", path.display()))?;
    Ok(text.trim().to_owned())
}

/// The fields of a webhook's body, or of a message, that tell what it is.
#[derive(Deserialize)]
struct Told<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    name: Option<&'a RawValue>,
    #[serde(borrow)]
    version: Option<&'a RawValue>,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
}

/// A message as it stands, or of a webhook's body.
fn message(event: &str, source: &str, clock: &Clock) -> anyhow::Result<Message> {
    let told: Told<'_> = serde_json::from_str(event).context("the event is no JSON object")?;
    if told.version.is_some() && told.payload.is_some() {
        return Message::parse(event).context("the event is no message");
    }
    let text = |key: &str, field: Option<&RawValue>| {
        let raw = field
            .map(RawValue::get)
            .filter(|raw| raw.starts_with(['"', '-']) || raw.starts_with(char::is_numeric));
        let raw = raw.with_context(|| format!("the event has no {key:?}"))?;
        Ok::<_, anyhow::Error>(if raw.starts_with('"') { raw.to_owned() } else { format!("\"{raw}\"") })
    };
    let (id, name) = (text("id", told.id)?, text("name", told.name)?);
    let (source, now) = (Value::from(source), clock());
    let envelope = format!(
        r#"{{"version":1,"id":{id},"name":{name},"source":{source},"receivedAt":"{now}","payload":{event}}}"#
    );
    Message::parse(&envelope).context("the event makes no message")
}

/// The configuration; where it has no document for the event's account, one that serves for a rehearsal.
fn table(documents: &[Document], message: &Message) -> RoutingTable {
    let mut parameters: Vec<_> = documents.iter().map(Document::parameter).collect();
    let account = message.about().account_id.unwrap_or_default();
    if !account.is_empty() && !parameters.iter().any(|parameter| parameter.is(Section::Accounts, &account)) {
        let value = "{ baseUrl: 'https://fluent.example', username: u, password: p, clientId: c, clientSecret: s, retailerId: 1 }";
        parameters.push(Parameter {
            section: Section::Accounts,
            name: account,
            value: Secret::new(value),
            version: 0,
        });
    }
    RoutingTable::build(&parameters, None).0
}

fn names(asked: &Asked, table: &RoutingTable, message: &Message) -> anyhow::Result<Vec<String>> {
    match asked.route.as_ref().or(message.route.as_ref()) {
        Some(name) => {
            anyhow::ensure!(
                table.route(name).is_some(),
                "there is no route {}",
                parameter_of(Section::Routes, name)
            );
            Ok(vec![name.clone()])
        }
        None => Ok(table.routes_for(message).map(|(name, _)| name.to_owned()).collect()),
    }
}

async fn made_by(
    name: &str,
    message: &Message,
    table: &RoutingTable,
    asked: &Asked,
    clock: &Clock,
) -> anyhow::Result<Made> {
    let mut made = Made { route: name.to_owned(), requests: Vec::new(), problem: None };
    let route = match table.route(name) {
        Some(Found::Usable(route)) => route,
        Some(Found::Broken(broken)) => {
            return Ok(Made { problem: Some(format!("the route is broken: {}", broken.reason)), ..made });
        }
        None => return Ok(made),
    };
    if route.schedule.is_some() {
        made.problem =
            Some(format!("no event is for it: it has a schedule, and `connector jobs run {name}` starts it"));
        return Ok(made);
    }
    if let Some(Err(error)) = route.when.as_ref().map(|when| when.holds(&route.scope(message))) {
        made.problem = Some(format!("when: {error}"));
        return Ok(made);
    }
    if route.fetch.is_some() && asked.data.is_none() {
        made.problem = Some("the route fetches: say --data with what the query is answered".to_owned());
        return Ok(made);
    }
    let handlers = super::handlers()?;
    let answers = Answers {
        data: asked.data.as_deref().map(read).transpose()?.unwrap_or_default(),
        response: asked.answer.as_deref().map(read).transpose()?,
    };
    let mut next = Some(message.for_route(name));
    while let Some(message) = next.take() {
        let done = match rehearse(&message, (name, route), table, &handlers, answers.clone(), clock).await {
            Ok(done) => done,
            Err(error) => {
                made.problem = Some(chain(error.as_ref()));
                break;
            }
        };
        made.requests.extend(done.requests);
        made.problem = done.result.err().map(|error| chain(&error));
        next = done.answer.filter(|_| asked.answer.is_some());
    }
    Ok(made)
}

fn show(made: &Made, screen: &mut Screen) -> anyhow::Result<()> {
    screen.line(&Tone::Good.paint(&format!("# {}", printable(&made.route))))?;
    for request in &made.requests {
        request.show(screen)?;
    }
    match &made.problem {
        Some(problem) => screen.line(&Tone::Bad.paint(&printable(problem))),
        None => Ok(()),
    }
}
