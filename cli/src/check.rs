//! Judges a whole configuration: each document as the functions read it, then all of them together.

use std::collections::BTreeSet;

use connector::cache::Snapshot as _;
use connector::configuration::{KeyRing, RoutingTable, Sources};
use connector::document::nearest;
use connector::endpoint::Endpoint;
use connector::handler::Handlers;
use connector::message_names::MessageNames;
use connector::parameter::{Parameter, Problem};
use connector::project::Project;
use connector::route::{DEFAULT_HANDLER, Route};
use connector::source::{NOTHING, Source};
use connector::subscription::{SUBSCRIPTION_HANDLER, Subscription};

use crate::document::{Area, Document, MAX_BYTES, Origin, STANDARD_BYTES};
use crate::finding::Finding;
use crate::folder::{Reading, without_ending};
use crate::line;

/// The sources that need no document of their own.
const OWN_SOURCES: [&str; 2] = ["fluent", "commercetools"];

/// What Parameter Store says to such a value (SSM API reference, `PutParameter`, `Value`).
const NESTED: &str =
    "holds {{ }}: Parameter Store refuses it, \"Parameter value can't nest another parameter\"; write ${ }";

/// A configuration that was judged.
pub(crate) struct Judged {
    /// The worst first, then by parameter.
    pub(crate) findings: Vec<Finding>,
    /// What the router would have of it.
    pub(crate) table: RoutingTable,
    /// Fluent's public keys that can be used.
    pub(crate) keys: usize,
}

/// Judges what was read.
pub(crate) fn judge(reading: Reading, handlers: &Handlers) -> Judged {
    let Reading { documents, mut findings, .. } = reading;
    let parameters: Vec<Parameter> = documents.iter().map(Document::parameter).collect();
    let (ring, bad_keys) = KeyRing::build(&parameters, None);
    let (table, bad_routing) = RoutingTable::build(&parameters, None);
    let (sources, bad_sources) = Sources::build(&parameters, None);
    let (_, bad_names) = MessageNames::build(&parameters, None);
    let bad = [bad_keys, bad_routing, bad_sources, bad_names].concat();
    findings.extend(bad.iter().map(|problem| broken(problem, &documents)));
    let bad: BTreeSet<_> = bad.iter().map(|problem| problem.parameter.as_str()).collect();
    findings.extend(
        documents.iter().flat_map(|document| alone(document, bad.contains(document.path().as_str()))),
    );
    findings.extend(sources.usable().filter_map(unproven));
    findings.extend(no_key(&documents, ring.keys().len()));
    let together = Together { documents: &documents, table: &table, handlers };
    findings.extend(table.usable_routes().flat_map(|(name, route)| together.route(name, route)));
    let projects = documents.iter().filter(|document| document.area == Area::Commercetools);
    let projects = projects.filter_map(|document| table.project(&document.name));
    findings.extend(projects.filter_map(|project| together.project(project)));
    findings.extend(table.endpoints().filter_map(|(name, endpoint)| together.endpoint(name, endpoint)));
    findings
        .extend(table.subscriptions().flat_map(|(path, subscribed)| together.subscription(path, subscribed)));
    findings.sort_by(|one, other| (one.level, &one.parameter).cmp(&(other.level, &other.parameter)));
    Judged { findings, keys: ring.keys().len(), table }
}

fn broken(problem: &Problem, documents: &[Document]) -> Finding {
    let text = documents.iter().find(|document| document.path() == problem.parameter);
    let line = text.and_then(|document| line::of_problem(document.value.expose(), &problem.reason));
    let told = line.map_or_else(String::new, |line| format!(" (line {line})"));
    Finding::error(&problem.parameter, problem.reason.replacen(&told, "", 1)).at(line)
}

/// What can be said of a document by itself, beyond what the functions say of a broken one.
fn alone(document: &Document, broken: bool) -> Vec<Finding> {
    let (path, text) = (document.path(), document.value.expose());
    let mut findings = Vec::new();
    if text.len() > MAX_BYTES {
        findings.push(Finding::error(
            &path,
            format!("has {} bytes: Parameter Store takes {MAX_BYTES}", text.len()),
        ));
    } else if text.len() > STANDARD_BYTES {
        let problem = format!(
            "has {} bytes: over {STANDARD_BYTES} it is an Advanced parameter, which AWS charges for",
            text.len()
        );
        findings.push(Finding::note(&path, problem));
    }
    match document.origin {
        Origin::File(_) if nests(text) => {
            findings.push(Finding::error(&path, NESTED).at(line::of_text(text, "{{")));
        }
        Origin::Store { secure: false, .. } if !broken && document.holds_secrets() => {
            findings.push(Finding::warning(
                &path,
                "holds secrets and is stored as String: store it as SecureString",
            ));
        }
        Origin::File(_) | Origin::Store { .. } => {}
    }
    findings
}

/// Whether a line has double braces, open and closed.
fn nests(text: &str) -> bool {
    text.lines().any(|line| line.split_once("{{").is_some_and(|(_, rest)| rest.contains("}}")))
}

fn unproven(source: &Source) -> Option<Finding> {
    let path = format!("sources/{}", source.name());
    let problem = format!("has auth: {NOTHING}: whoever finds its URL can send messages in its name");
    source.is_unproven().then(|| Finding::warning(path, problem))
}

fn no_key(documents: &[Document], usable: usize) -> Option<Finding> {
    let keys = documents.iter().filter(|document| document.area == Area::Keys).count();
    let in_a_folder = documents.iter().any(|document| matches!(document.origin, Origin::File(_)));
    match (usable, keys, in_a_folder) {
        (0, 0, true) => Some(Finding::warning(
            "keys/",
            "there is no key: unless one is in Parameter Store already, every webhook is refused",
        )),
        (0, ..) => Some(Finding::error("keys/", "there is no usable key: every webhook is refused")),
        _ => None,
    }
}

/// What only shows when all documents are seen at once.
struct Together<'a> {
    documents: &'a [Document],
    table: &'a RoutingTable,
    handlers: &'a Handlers,
}

impl Together<'_> {
    fn route(&self, name: &str, route: &Route) -> Vec<Finding> {
        let path = format!("routes/{name}");
        let problems = [self.handler(route), self.target(route)].into_iter().flatten();
        let found = problems.map(|problem| {
            let line = self.line(&path, &problem);
            let finding =
                if route.enabled { Finding::error(&path, problem) } else { Finding::warning(&path, problem) };
            finding.at(line)
        });
        let mut findings: Vec<_> = found.collect();
        let source = self
            .source(route)
            .map(|problem| Finding::warning(&path, &problem).at(self.line(&path, &problem)));
        findings.extend(source);
        let stateless = self.stateless(route);
        let stateless =
            stateless.map(|problem| Finding::note(&path, &problem).at(self.line(&path, &problem)));
        findings.extend(stateless);
        findings
    }

    fn handler(&self, route: &Route) -> Option<String> {
        let names = self.handlers.names().map(|(name, _)| name);
        let known: Vec<_> = names.filter(|name| *name != SUBSCRIPTION_HANDLER).collect();
        if known.contains(&route.handler.as_str()) {
            return self.handlers.unfit(route).map(|unfit| unfit.to_string());
        }
        Some(format!(
            "\"handler\" names {:?}, which is not in this build{}",
            route.handler,
            suggestion(&route.handler, &known)
        ))
    }

    /// A handler of messages is started by the clock as well as a job; only, nobody keeps how far it has come.
    fn stateless(&self, route: &Route) -> Option<String> {
        let is_known = self.handlers.names().any(|(name, _)| name == route.handler);
        let is_stateless = route.schedule.is_some() && is_known && !self.handlers.is_job(&route.handler);
        is_stateless.then(|| {
            let handler = &route.handler;
            format!("\"schedule\" starts handler {handler}, which is no job: each start is one message, and one that was missed is not caught up")
        })
    }

    fn target(&self, route: &Route) -> Option<String> {
        let Some(name) = route.endpoint.as_deref() else {
            let needed = route.handler == DEFAULT_HANDLER;
            return needed.then(|| format!("names no \"endpoint\", and handler {DEFAULT_HANDLER} needs one"));
        };
        if self.table.endpoint(name).is_some() {
            return None;
        }
        let known = self.names(Area::Endpoints);
        Some(if known.contains(&name) {
            format!("\"endpoint\" names {name:?}, which is broken")
        } else if let Some(bare) = without_ending(name).filter(|bare| known.contains(bare)) {
            format!("\"endpoint\" names {name:?}: a file's ending is no part of the name, write {bare:?}")
        } else {
            format!("\"endpoint\" names {name:?}, which is missing{}", suggestion(name, &known))
        })
    }

    fn source(&self, route: &Route) -> Option<String> {
        let source = route.wanted.source.as_deref()?;
        Some(format!("\"source\" {}", self.unknown_source(source)?))
    }

    fn unknown_source(&self, source: &str) -> Option<String> {
        let known: Vec<_> = OWN_SOURCES.into_iter().chain(self.names(Area::Sources)).collect();
        (!known.contains(&source)).then(|| {
            format!(
                "names {source:?}, which is neither fluent nor commercetools nor under sources/{}",
                suggestion(source, &known)
            )
        })
    }

    fn subscription(&self, path: &str, subscribed: &Subscription) -> Vec<Finding> {
        let topics = subscribed.route.wanted.names.patterns().iter();
        let sources = topics.filter_map(|topic| topic.split_once('/')).map(|(source, _)| source);
        let mut findings: Vec<_> = sources
            .filter(|source| !source.contains('*'))
            .filter_map(|source| Some(format!("\"topics\" {}", self.unknown_source(source)?)))
            .map(|problem| Finding::warning(path, &problem).at(self.line(path, &problem)))
            .collect();
        let held = "is paused: its messages are held until it is not, and somebody replays them";
        let none = "is inactive: nothing is sent, and nothing kept for it";
        match (subscribed.route.enabled, subscribed.endpoint.paused) {
            (false, _) => findings.push(Finding::note(path, none)),
            (true, true) => findings.push(Finding::note(path, held)),
            (true, false) => {}
        }
        findings
    }

    fn endpoint(&self, name: &str, endpoint: &Endpoint) -> Option<Finding> {
        let path = format!("endpoints/{name}");
        let used = self.table.usable_routes().any(|(_, route)| route.endpoint.as_deref() == Some(name));
        if endpoint.paused {
            return Some(Finding::note(
                path,
                "is paused: its messages are held until it is not, and somebody replays them",
            ));
        }
        (!used).then(|| Finding::warning(path, "no usable route names it"))
    }

    fn project(&self, project: &Project) -> Option<Finding> {
        let (path, account) = (format!("commercetools/{}", project.key()), project.account_id());
        let known = self.names(Area::Accounts);
        if known.contains(&account) {
            return None;
        }
        let near = suggestion(account, &known);
        let problem = format!("\"accountId\" names {account:?}, which is not under accounts/{near}");
        Some(Finding::warning(&path, &problem).at(self.line(&path, &problem)))
    }

    fn names(&self, area: Area) -> Vec<&str> {
        self.documents
            .iter()
            .filter(|document| document.area == area)
            .map(|document| document.name.as_str())
            .collect()
    }

    fn line(&self, path: &str, problem: &str) -> Option<usize> {
        let document = self.documents.iter().find(|document| document.path() == path)?;
        line::of_problem(document.value.expose(), problem)
    }
}

fn suggestion(name: &str, known: &[&str]) -> String {
    nearest(name, known).map(|near| format!("; did you mean {near:?}?")).unwrap_or_default()
}
