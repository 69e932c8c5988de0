//! `routes`: which message goes where, and why a route is inactive.

use std::collections::BTreeMap;

use clap::Args;
use connector::configuration::{Found, RoutingTable};
use connector::handler::Handlers;
use connector::route::{DEFAULT_HANDLER, Route};
use connector::shipped;
use connector::subscription::SUBSCRIPTION_HANDLER;
use serde::Serialize;

use crate::Verdict;
use crate::arguments::Shared;
use crate::check::judge;
use crate::document::{Area, Document};
use crate::finding::Finding;
use crate::place::Place;
use crate::screen::{Cell, Screen, Tone};

#[derive(Debug, Args)]
pub(crate) struct Asked {
    #[command(flatten)]
    place: Place,
    /// Also the shipped routes that are off and that no parameter changes
    #[arg(long)]
    shipped: bool,
}

/// A route as it is shown.
#[derive(Debug, Serialize)]
struct Line {
    route: String,
    active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    message: Vec<String>,
    /// In place of messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    schedule: Option<String>,
    source: Option<String>,
    handler: Option<String>,
    priority: Option<i32>,
    endpoint: Option<String>,
}

/// What a route is seen against.
struct View<'a> {
    table: &'a RoutingTable,
    endpoints: Vec<&'a str>,
    handlers: &'a Handlers,
    priorities: BTreeMap<&'static str, i32>,
    findings: &'a [Finding],
}

pub(crate) async fn run(asked: &Asked, shared: &Shared, screen: &mut Screen) -> anyhow::Result<Verdict> {
    let reading = asked.place.read(shared).await?;
    let documents = reading.documents.clone();
    let handlers = super::handlers()?;
    let judged = judge(reading, &handlers);
    let named = |area: Area| documents.iter().filter(move |document| document.area == area);
    let view = View {
        table: &judged.table,
        endpoints: named(Area::Endpoints).map(|document| document.name.as_str()).collect(),
        handlers: &handlers,
        priorities: handlers.names().collect(),
        findings: &judged.findings,
    };
    let routes = named(Area::Routes).map(|document| (document.name.clone(), document));
    let subscriptions = named(Area::Subscriptions).map(|document| (document.path(), document));
    let mut lines: Vec<_> =
        routes.chain(subscriptions).map(|(route, document)| view.line(route, document)).collect();
    let shipped = shipped::names().filter_map(|name| view.shipped(name, &lines));
    lines.extend(shipped.filter(|line| line.active || asked.shipped).collect::<Vec<_>>());
    if screen.is_json() {
        screen.json(&lines)?;
    } else {
        show(&lines, screen)?;
    }
    Ok(Verdict::Fine)
}

impl View<'_> {
    fn line(&self, route: String, document: &Document) -> Line {
        let Some(Found::Usable(read)) = self.table.route(&route) else {
            let path = document.path();
            let problem = self.findings.iter().find(|finding| finding.parameter == path);
            let why =
                problem.map_or_else(|| "broken".to_owned(), |finding| format!("broken: {}", finding.problem));
            return Line {
                route,
                active: false,
                why: Some(why),
                message: Vec::new(),
                schedule: None,
                source: None,
                handler: None,
                priority: None,
                endpoint: None,
            };
        };
        self.usable(route, read)
    }

    /// A shipped route that no document changes.
    fn shipped(&self, name: &str, lines: &[Line]) -> Option<Line> {
        let route = shipped::route(name)?.ok().filter(|_| !lines.iter().any(|line| line.route == name))?;
        let line = self.usable(name.to_owned(), &route);
        Some(Line { why: line.why.map(|why| format!("shipped, {why}")), ..line })
    }

    fn usable(&self, name: String, read: &Route) -> Line {
        let why = self.why_inactive(read);
        Line {
            route: name,
            active: why.is_none(),
            why,
            message: read.wanted.names.patterns().to_vec(),
            schedule: read.schedule.map(|schedule| schedule.to_string()),
            source: read.wanted.source.clone(),
            handler: Some(read.handler.clone()),
            priority: self.priorities.get(read.handler.as_str()).copied(),
            endpoint: read.endpoint.clone(),
        }
    }

    fn why_inactive(&self, route: &Route) -> Option<String> {
        let subscribed = route.handler == SUBSCRIPTION_HANDLER;
        if !route.enabled {
            return Some(if subscribed { "inactive" } else { "disabled" }.to_owned());
        }
        if !self.priorities.contains_key(route.handler.as_str()) {
            return Some("handler unknown".to_owned());
        }
        if let Some(unfit) = self.handlers.unfit(route) {
            return Some(unfit.to_string());
        }
        match route.endpoint.as_deref() {
            None if route.handler == DEFAULT_HANDLER => Some("no endpoint".to_owned()),
            None => None,
            Some(name) => match self.table.endpoint(name) {
                Some(endpoint) => {
                    endpoint.paused.then(|| if subscribed { "paused" } else { "endpoint paused" }.to_owned())
                }
                None if self.endpoints.contains(&name) => Some("endpoint broken".to_owned()),
                None => Some("endpoint missing".to_owned()),
            },
        }
    }
}

fn show(lines: &[Line], screen: &mut Screen) -> anyhow::Result<()> {
    let text = |value: &Option<String>| Cell::plain(value.as_deref().unwrap_or("-"));
    let row = |line: &Line| {
        let (state, tone) = if line.active { ("active", Tone::Good) } else { ("inactive", Tone::Doubtful) };
        let (messages, any) = match &line.schedule {
            Some(schedule) => (format!("schedule: {schedule}"), "-"),
            None => (line.message.join(", "), "any"),
        };
        vec![
            Cell::plain(&line.route),
            Cell::new(state, tone),
            Cell::plain(messages),
            Cell::plain(line.source.as_deref().unwrap_or(any)),
            text(&line.handler),
            Cell::plain(line.priority.map_or_else(|| "-".to_owned(), |priority| priority.to_string())),
            text(&line.endpoint),
            Cell::new(line.why.as_deref().unwrap_or_default(), tone),
        ]
    };
    let head = ["ROUTE", "STATE", "MESSAGE", "SOURCE", "HANDLER", "PRIORITY", "ENDPOINT", "WHY"];
    screen.table(&head, lines.iter().map(row).collect())
}
