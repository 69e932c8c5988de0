//! `fynd subscribe`: has Fynd send what the enabled routes want, to where the stack takes it, signed with its secret.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use connector::configuration::{Found, RoutingTable};
use connector::document::nearest;
use connector::endpoint_url::EndpointUrl;
use connector::failure::chain;
use connector::ports::Clock;
use connector::secret::Secret;
use connector::source::Source;
use serde_json::{Value, json};

use super::Cluster;
use crate::arguments::Shared;
use crate::check::judge;
use crate::document::{Area, Document};
use crate::finding::counted;
use crate::folder::Reading;
use crate::fynd::plan::{Kind, Plan, Wanted};
use crate::fynd::{Company, Credentials, Fynd};
use crate::place::Place;
use crate::screen::{Screen, Tone, printable};
use crate::session::Session;
use crate::stack::Stack;
use crate::{Environment, Verdict};

#[derive(Debug, Args)]
pub(super) struct Asked {
    #[command(flatten)]
    place: Place,
    /// Where Fynd posts to, with or without the source's name at its end; by default the stack's output for it
    #[arg(long, required_unless_present = "stack")]
    url: Option<String>,
    /// Id of the company at Fynd
    #[arg(long)]
    company: u64,
    /// Id of a sales channel, once for each; without any, all channels of the company
    #[arg(long = "application", value_name = "ID")]
    applications: Vec<String>,
    /// The source: parameter sources/<SOURCE>, and routes with this `source`
    #[arg(long, default_value = "fynd")]
    source: String,
    /// Where Fynd mails to when webhooks fail; needed for a new subscriber
    #[arg(long)]
    email: Option<String>,
    /// Name of the subscriber at Fynd, where none posts to the URL yet; fluent-connect-<SOURCE> by default
    #[arg(long)]
    name: Option<String>,
    #[arg(
        long,
        value_name = "FILE",
        help = "File with clientId and clientSecret, in place of FYND_CLIENT_ID and FYND_CLIENT_SECRET in the environment"
    )]
    credentials: Option<PathBuf>,
    #[command(flatten)]
    at: Cluster,
    /// Registers the secret anew, for where Fynd does not show the one that it has
    #[arg(long)]
    renew_secret: bool,
    /// Shows what would change and changes nothing: the default
    #[arg(long, conflicts_with = "apply")]
    dry_run: bool,
    /// Changes the subscriber
    #[arg(long)]
    apply: bool,
}

/// What the configuration says.
struct Configured {
    url: String,
    secret: Secret,
    /// Patterns of the enabled routes, and which route it is.
    patterns: Vec<(String, String)>,
    table: RoutingTable,
}

pub(super) async fn run(
    asked: &Asked,
    shared: &Shared,
    clock: Clock,
    environment: Environment,
    screen: &mut Screen,
) -> anyhow::Result<Verdict> {
    let credentials = Credentials::find(asked.credentials.as_deref(), environment)?;
    let configured = configured(asked, shared).await?;
    let fynd = Fynd::at(&asked.at.cluster, clock)?;
    let there: BTreeSet<_> = fynd.topics().await?.iter().map(crate::fynd::Topic::name).collect();
    let topics = expanded(&configured, &asked.source, &there)?;
    let company = fynd.sign_in(asked.company, &credentials, &configured.secret).await?;
    let name = asked.name.clone().unwrap_or_else(|| format!("fluent-connect-{}", asked.source));
    let mut wanted = Wanted {
        name: &name,
        url: &configured.url,
        secret: &configured.secret,
        renews_secret: asked.renew_secret,
        company: asked.company,
        applications: &asked.applications,
        email: asked.email.as_deref(),
        topics: &topics,
    };
    let registered = company.subscribers().await?;
    let plan = wanted.plan(&registered);
    if !screen.is_json() {
        show(&plan, &wanted, screen)?;
    }
    let writes = asked.apply && !plan.changes.is_empty();
    let (mut left, mut is_doubtful) = (Vec::new(), !plan.warnings.is_empty());
    if writes {
        write(&company, &wanted, &plan).await?;
        let then = company.subscribers().await?;
        is_doubtful = !wanted.plan(&then).warnings.is_empty();
        wanted.renews_secret = false;
        left = wanted.plan(&then).changes.into_iter().map(|change| change.what).collect();
    }
    if screen.is_json() {
        screen.json(&json!({
            "url": wanted.url, "company": wanted.company, "subscriber": plan.found.and_then(|found| found.id),
            "changes": plan.changes, "warnings": plan.warnings, "written": writes, "left": left,
        }))?;
    } else {
        screen.line(&ending(&plan, writes, &left))?;
    }
    Ok(Verdict::wrong_if(is_doubtful || !left.is_empty()))
}

async fn configured(asked: &Asked, shared: &Shared) -> anyhow::Result<Configured> {
    let reading = asked.place.read(shared).await?;
    let secret = secret_of(&reading, &asked.source)?;
    let base = match (&asked.url, asked.place.stack()) {
        (Some(url), _) => url.clone(),
        (None, stack) => {
            let session = Session::open(shared).await?;
            let stack = Stack::find(&session, stack.unwrap_or_default()).await?;
            stack.output("ExternalWebhookUrl")?.to_owned()
        }
    };
    let url = EndpointUrl::parse(base.trim()).map_err(|error| anyhow::anyhow!("--url {}", chain(&error)))?;
    let ending = format!("/{}", asked.source);
    let is_whole = url.as_url().path().trim_end_matches('/').ends_with(&ending);
    let url = if is_whole { url } else { url.below(&ending) };
    let url = url.as_url().as_str().trim_end_matches('/').to_owned();
    let table = usable(reading)?;
    let enabled = table
        .usable_routes()
        .filter(|(_, route)| route.enabled && route.wanted.source.as_deref() == Some(asked.source.as_str()));
    let patterns = enabled.flat_map(|(name, route)| {
        route.wanted.names.patterns().iter().map(|pattern| (pattern.clone(), name.to_owned()))
    });
    let patterns: Vec<_> = patterns.collect();
    anyhow::ensure!(
        !patterns.is_empty(),
        "no enabled route has `source: {}`, so there is nothing to subscribe to: see `connector routes`",
        asked.source
    );
    Ok(Configured { url, secret, patterns, table })
}

/// The routes, all of which can be read: what a broken one wants would be taken out of the subscription.
fn usable(reading: Reading) -> anyhow::Result<RoutingTable> {
    let routes = reading.documents.iter().filter(|document| document.area == Area::Routes);
    let names: Vec<_> = routes.map(|document| document.name.clone()).collect();
    let table = judge(reading, &crate::commands::handlers()?).table;
    let broken = names.iter().find(|name| !matches!(table.route(name), Some(Found::Usable(_))));
    match broken {
        Some(name) => anyhow::bail!(
            "routes/{name} is broken, so that what it wants would be taken out: mend it first, see `connector check`"
        ),
        None => Ok(table),
    }
}

/// The secret that a source's webhooks are signed with: the first of the list, in a preset or in `auth`. The one place of
/// this command that knows how such a document is written.
fn secret_of(reading: &Reading, source: &str) -> anyhow::Result<Secret> {
    let is_it = |document: &&Document| document.area == Area::Sources && document.name == source;
    let path = format!("sources/{source}");
    let document = reading.documents.iter().find(is_it);
    let document = document.with_context(|| {
        format!("there is no {path}: write one such as {{ preset: fynd, secrets: [\"…\"] }}, stored as SecureString")
    })?;
    Source::parse(source, document.value.expose())
        .map_err(|error| anyhow::anyhow!("{path} is broken: {}", chain(&error)))?;
    let read: Value = serde_saphyr::from_str(document.value.expose())
        .map_err(|_| anyhow::anyhow!("{path} cannot be read as YAML: see `connector check`"))?; // its text may show a value
    let secret =
        read.pointer("/secrets/0").or_else(|| read.pointer("/auth/secrets/0")).and_then(Value::as_str);
    let secret = secret.filter(|secret| !secret.trim().is_empty());
    secret
        .map(Secret::new)
        .with_context(|| format!("{path} has no `secrets`, a list of texts whose first Fynd is to sign with"))
}

/// The topics that the patterns stand for. A name that Fynd does not have is an error: its events would never come.
fn expanded(
    configured: &Configured,
    source: &str,
    there: &BTreeSet<String>,
) -> anyhow::Result<BTreeSet<String>> {
    let known: Vec<_> = there.iter().map(String::as_str).collect();
    for (pattern, route) in &configured.patterns {
        let problem = if pattern.contains('*') {
            let wanted = configured.table.usable_routes().find(|(name, _)| name == route);
            let matched =
                wanted.is_some_and(|(_, route)| there.iter().any(|name| route.wanted.names.contains(name)));
            (!matched).then(|| "no topic of Fynd's matches it".to_owned())
        } else {
            (!there.contains(pattern)).then(|| {
                let near = nearest(pattern, &known).map(|near| format!("; did you mean {near:?}?"));
                format!("Fynd has no such topic{}", near.unwrap_or_default())
            })
        };
        if let Some(problem) = problem {
            anyhow::bail!("routes/{route} wants {pattern:?}: {problem} (connector fynd topics lists them)");
        }
    }
    let of_source =
        |route: &connector::route::Route| route.enabled && route.wanted.source.as_deref() == Some(source);
    let is_wanted = |name: &&String| {
        configured
            .table
            .usable_routes()
            .any(|(_, route)| of_source(route) && route.wanted.names.contains(name))
    };
    Ok(there.iter().filter(is_wanted).cloned().collect())
}

async fn write(company: &Company<'_>, wanted: &Wanted<'_>, plan: &Plan<'_>) -> anyhow::Result<()> {
    let has_email =
        plan.found.is_some_and(|found| found.email_id.as_deref().is_some_and(|email| !email.is_empty()));
    anyhow::ensure!(
        wanted.email.is_some() || has_email,
        "nothing was changed: say --email, where Fynd mails to when webhooks fail"
    );
    company.register(&wanted.body(plan.found)).await
}

fn show(plan: &Plan<'_>, wanted: &Wanted<'_>, screen: &mut Screen) -> anyhow::Result<()> {
    for warning in &plan.warnings {
        screen.line(&Tone::Bad.paint(&format!("! {}", printable(warning))))?;
    }
    screen.line(&format!("{}, company {}:", printable(wanted.url), wanted.company))?;
    for change in &plan.changes {
        let (sign, tone) = match change.kind {
            Kind::Added => ("+", Tone::Good),
            Kind::Changed => ("~", Tone::Doubtful),
            Kind::Removed => ("-", Tone::Bad),
        };
        screen.line(&tone.paint(&format!("{sign} {}", printable(&change.what))))?;
    }
    Ok(())
}

fn ending(plan: &Plan<'_>, written: bool, left: &[String]) -> String {
    match (plan.changes.len(), written, left) {
        (0, ..) => "nothing to change".to_owned(),
        (count, false, _) => format!("{}; nothing was changed: --apply does", counted(count, "change")),
        (count, true, []) => format!("{} made, and read back", counted(count, "change")),
        (_, true, left) => {
            Tone::Bad.paint(&printable(&format!("Fynd took it, and still differs: {}", left.join(", "))))
        }
    }
}
