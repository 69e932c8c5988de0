//! Tells what has failed in Fluent (`EventFailureSummary` of Fluent's Connect SDK).

mod summary;

use connector::failure::Code;
use connector::handler::{Context, HandlerError};
use connector::job::{Job, Progress, Step};
use fluent::{EventSearch, FluentContext as _};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::jobs::Props;
use summary::Summary;

/// Counts the events that Fluent says have failed within the run's time, by their name, the type of their entity and the
/// kind of their error. The event log gets the summary as a note, and the route's endpoint, where it names one, what the
/// route's `payload` makes of it (`data` in its scope), else the summary as JSON.
///
/// Where nothing has failed nothing is delivered, unless `props.always` is true. The delivery is a step of its own: what is
/// repeated where it fails is the delivery alone.
pub struct FluentEventFailureSummary;

const KEYS: [&str; 6] = ["account", "retailer", "pageSize", "always", "filters", "errorAttributes"];
/// What is searched for, unless `props.filters` says otherwise.
const FAILED: (&str, &str) = ("eventStatus", "FAILED");
/// What the job itself asks for.
const OWN_FILTERS: [&str; 4] = ["from", "to", "start", "count"];

/// Where the next step goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cursor {
    /// How many events were counted.
    start: u64,
    /// Most events of the page, where pages of the props' size were too long to be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u16>,
    /// Whether all were: what is left is the delivery.
    is_counted: bool,
    summary: Summary,
}

/// What the props say.
struct Settings {
    account: String,
    size: u16,
    always: bool,
    filters: Vec<(String, String)>,
    error_attributes: Vec<String>,
}

impl Job for FluentEventFailureSummary {
    const NAME: &'static str = "fluent-event-failure-summary";
    type Cursor = Cursor;

    async fn step(context: &Context<'_>, step: &Step<Cursor>) -> Result<Progress<Cursor>, HandlerError> {
        if context.route.endpoint.is_some() {
            context.open_endpoint()?; // held at once where it is paused, before Fluent is asked
        }
        let settings = Settings::of(context)?;
        match &step.cursor {
            Some(cursor) if cursor.is_counted => deliver(context, step, &settings, &cursor.summary).await,
            Some(cursor) => count(context, step, &settings, cursor.clone()).await,
            None => {
                let cursor = Cursor { start: 0, count: None, is_counted: false, summary: Summary::default() };
                count(context, step, &settings, cursor).await
            }
        }
    }
}

impl Settings {
    fn of(context: &Context<'_>) -> Result<Self, HandlerError> {
        let mut props = Props::of(context, &KEYS)?;
        let (account, _) = props.account(context)?;
        let mut filters = props.read(|props| {
            let filters = props.text_by_name("filters")?;
            match filters.iter().find(|(name, _)| OWN_FILTERS.contains(&name.as_str())) {
                Some((name, _)) => {
                    Err(props.unusable(&format!("filters.{name}"), "is given by the job itself"))
                }
                None => Ok(filters),
            }
        })?;
        if !filters.iter().any(|(name, _)| name == FAILED.0) {
            filters.push((FAILED.0.to_owned(), FAILED.1.to_owned()));
        }
        let retailer = props.read(|props| props.id("retailer"))?;
        filters.extend(retailer.map(|id| ("retailerId".to_owned(), id)));
        let always = props.read(|props| props.switch("always"))?.unwrap_or_default();
        let error_attributes = props.read(|props| props.texts("errorAttributes"))?.unwrap_or_default();
        Ok(Self { account, size: props.page_size()?, always, filters, error_attributes })
    }
}

/// Counts a page; behind the last one the event log is told.
async fn count(
    context: &Context<'_>,
    step: &Step<Cursor>,
    settings: &Settings,
    mut cursor: Cursor,
) -> Result<Progress<Cursor>, HandlerError> {
    // Twice the last size: one long event is not to make every page behind it short.
    let size = cursor.count.map_or(settings.size, |count| count.saturating_mul(2).min(settings.size));
    let search = EventSearch {
        filters: &settings.filters,
        from: step.window.from,
        to: step.window.to,
        start: cursor.start,
        count: size,
    };
    let page = context.fluent_of(&settings.account)?.events(search).await?;
    for event in &page.events {
        cursor.summary.add(event, &settings.error_attributes);
    }
    let done = u64::try_from(page.events.len()).unwrap_or(u64::MAX);
    cursor.start = cursor.start.saturating_add(done);
    cursor.count = Some(page.count).filter(|count| *count < settings.size);
    if page.has_more {
        return Ok(Progress::GoOn { cursor, done });
    }
    cursor.is_counted = true;
    let is_told = cursor.summary.total > 0 || settings.always;
    if is_told {
        context.log(&format!("account {}: {}", settings.account, cursor.summary.note()));
    }
    let is_delivered = is_told && context.route.endpoint.is_some();
    Ok(if is_delivered { Progress::GoOn { cursor, done } } else { Progress::Ended { done } })
}

async fn deliver(
    context: &Context<'_>,
    step: &Step<Cursor>,
    settings: &Settings,
    summary: &Summary,
) -> Result<Progress<Cursor>, HandlerError> {
    let endpoint = context.endpoint()?;
    let data = json!({
        "account": settings.account,
        "from": step.window.from,
        "to": step.window.to,
        "total": summary.total,
        "groups": summary.largest_first(),
        "others": summary.others,
    });
    match &context.route.payload {
        None => context.deliver(endpoint, data.to_string().into_bytes()).await?,
        Some(_) => context.deliver(endpoint, payload(context, &data)?).await?,
    };
    Ok(Progress::Ended { done: 0 })
}

fn payload(context: &Context<'_>, data: &Value) -> Result<connector::delivery::Body, HandlerError> {
    let scope = context.scope().with_json("data", &data.to_string());
    let scope = scope.map_err(|error| HandlerError::Misconfigured {
        code: Code::Template,
        reason: format!("the summary cannot be read by templates: {error}"),
    })?;
    context.payload(&scope)
}
