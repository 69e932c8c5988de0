//! `subscription ping`: a signed test event to a subscription's receiver, as the functions would send it.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use async_trait::async_trait;
use clap::{Args, Subcommand};
use connector::configuration::{Found, RoutingTable};
use connector::delivery::{Attempt, OutboundRequest};
use connector::document::nearest;
use connector::failure::chain;
use connector::handler::HandlerError;
use connector::message::Message;
use connector::ports::{Clock, Transport};
use connector::sender::Sender;
use connector::subscription::{SUBSCRIPTIONS, Subscription};
use outbound::{AddressPolicy, HttpTransport, Networks};
use serde_json::{Value, json};

use crate::Verdict;
use crate::arguments::Shared;
use crate::document::{Area, Document};
use crate::load::Kept;
use crate::place::Place;
use crate::rehearsal::{Ports, Request, Unqueued, handled};
use crate::screen::{Screen, Tone, printable};

#[derive(Debug, Args)]
pub(crate) struct Asked {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Sends a signed test event of topic fluent-connect/ping, whatever the topics, in the subscription's own format;
    /// also where it is paused or inactive
    Ping(Ping),
}

#[derive(Debug, Args)]
struct Ping {
    /// Name of the subscription, without subscriptions/
    name: String,
    #[command(flatten)]
    place: Place,
    /// Networks that may be reached besides public ones, comma-separated; by default those of the stack, else none
    #[arg(long, value_name = "CIDR")]
    allow_networks: Option<String>,
}

/// What came of it.
struct Told {
    request: Option<Request>,
    /// Of the attempt, as the event log has it.
    record: Value,
    result: Result<(), HandlerError>,
}

pub(crate) async fn run(
    asked: &Asked,
    shared: &Shared,
    clock: &Clock,
    screen: &mut Screen,
) -> anyhow::Result<Verdict> {
    let Action::Ping(ping) = &asked.action;
    let documents = ping.place.read(shared).await?.documents;
    let subscription = found(&ping.name, &documents)?;
    let networks = match &ping.allow_networks {
        Some(networks) => networks.clone(),
        None => ping.place.allowed_networks(shared).await?,
    };
    let told = tried(subscription, &Networks::parse(&networks)?, clock).await?;
    told.show(&ping.name, screen)?;
    Ok(Verdict::wrong_if(told.result.is_err()))
}

/// The subscription of this name, open whatever its document says.
fn found(name: &str, documents: &[Document]) -> anyhow::Result<Subscription> {
    let all: Vec<_> = documents.iter().filter(|document| document.area == Area::Subscriptions).collect();
    let document = all.iter().find(|document| document.name == name).with_context(|| {
        let names: Vec<_> = all.iter().map(|document| document.name.as_str()).collect();
        let near = nearest(name, &names).map(|near| format!("; did you mean {near:?}?"));
        format!("there is no subscription {SUBSCRIPTIONS}{name}{}", near.unwrap_or_default())
    })?;
    let read = Subscription::parse(name, document.value.expose());
    let mut subscription = read.with_context(|| format!("{SUBSCRIPTIONS}{name} is broken"))?;
    subscription.endpoint.paused = false;
    Ok(subscription)
}

async fn tried(subscription: Subscription, networks: &Networks, clock: &Clock) -> anyhow::Result<Told> {
    let route = subscription.name().to_owned();
    let table = RoutingTable::from(subscription);
    let Some(Found::Usable(subscribed)) = table.route(&route) else {
        anyhow::bail!("{route} cannot be used");
    };
    let transport = HttpTransport::new(AddressPolicy::new(networks.clone()))?;
    let way = Arc::new(Seen { transport, request: Mutex::default() });
    let kept = Arc::new(Kept::default());
    let sender = Sender::new(way.clone(), kept.clone(), clock.clone(), Arc::new(fastrand::f64));
    let message = message(clock)?.for_route(&route);
    let ports = Ports { sender: &sender, event_queue: &Unqueued };
    let result = handled(&message, (&route, subscribed), &table, &super::handlers()?, ports).await?;
    let request = way.request.lock().unwrap_or_else(PoisonError::into_inner).take();
    Ok(Told { request, record: kept.kept(), result })
}

/// The test event, with an id of its own each time.
fn message(clock: &Clock) -> anyhow::Result<Message> {
    let now = clock();
    let id = format!("ping-{}-{:08x}", now.as_millisecond(), fastrand::u32(..));
    let event = json!({ "id": id, "name": "ping" });
    let envelope = json!({
        "version": 1, "id": id, "name": "ping", "source": "fluent-connect", "receivedAt": now, "payload": event
    });
    Message::parse(&envelope.to_string()).context("the test event is no message")
}

/// The guarded transport, and what went by it.
struct Seen {
    transport: HttpTransport,
    request: Mutex<Option<Request>>,
}

#[async_trait]
impl Transport for Seen {
    async fn send(&self, request: OutboundRequest) -> Attempt {
        *self.request.lock().unwrap_or_else(PoisonError::into_inner) = Some(Request::of(&request));
        self.transport.send(request).await
    }
}

impl Told {
    fn show(&self, name: &str, screen: &mut Screen) -> anyhow::Result<()> {
        let told = |field: &str| self.record.get(field).unwrap_or(&Value::Null);
        let text = |field: &str| told(field).as_str();
        let says = text("error").or_else(|| text("response.body"));
        let failed = self.result.as_ref().err().map(|error| chain(error));
        if screen.is_json() {
            return screen.json(&json!({
                "subscription": name, "request": self.request, "delivered": self.result.is_ok(),
                "status": told("response.status"), "milliseconds": told("duration_ms"), "code": told("code"), "says": says,
                "problem": failed,
            }));
        }
        if let Some(request) = &self.request {
            request.show(screen)?;
        }
        let status = told("response.status").as_u64().map(|status| format!("answered {status}"));
        let code = text("code").map(|code| format!("code {code}"));
        let took = told("duration_ms").as_u64().map(|ms| format!("in {ms} ms"));
        let says = says.filter(|says| !says.is_empty()).map(printable);
        let parts: Vec<_> = [status, code, took, says].into_iter().flatten().collect();
        let (verdict, tone) =
            if failed.is_none() { ("delivered", Tone::Good) } else { ("not delivered", Tone::Bad) };
        let parts = if parts.is_empty() { failed.unwrap_or_default() } else { parts.join(", ") };
        screen.line(&format!("{}: {}", tone.paint(verdict), printable(&parts)))
    }
}
