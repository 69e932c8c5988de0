//! What has changed in Fluent, page by page, each thing handed over as the event that its workflow would have sent.
//!
//! `after`, `first` (at most 500) and `updatedOn` of such lists are seen in public types of Fluent's schema, and `after` is
//! documented as the place behind which a page begins; how long a cursor is good for is not confirmed. Should it have
//! ended, the step is parked, and the route's next run begins where the last whole one ended.

use std::collections::BTreeMap;

use connector::failure::Code;
use connector::handler::{Context, HandlerError};
use connector::job::{Entity, Item, Progress, Step};
use fluent::FluentContext as _;
use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value, json};

use crate::jobs::Props;

/// The props that every such job knows.
pub(crate) const KEYS: [&str; 5] = ["account", "retailer", "route", "pageSize", "query"];

/// A list of Fluent's, and what its things are handed over as.
pub(crate) struct List<'a> {
    /// The query's field.
    pub(crate) field: &'static str,
    /// The query, where `props.query` is none.
    pub(crate) query: &'static str,
    /// Its variables besides `first`, `after` and `updatedOn`.
    pub(crate) variables: Map<String, Value>,
    /// Such as `LOCATION`.
    pub(crate) entity_type: &'static str,
    /// The event's name.
    pub(crate) event: &'static str,
    /// The route, where `props.route` names none.
    pub(crate) route: &'a str,
}

/// A page that was asked for.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    edges: Vec<Edge>,
    page_info: Option<PageInfo>,
}

#[derive(Deserialize)]
struct Edge {
    cursor: Option<String>,
    node: Option<Node>,
}

/// Ids as they came: every digit of a number is kept.
#[derive(Deserialize)]
struct Node {
    id: Option<Box<RawValue>>,
    #[serde(rename = "ref")]
    reference: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    has_next_page: Option<bool>,
}

/// What the props say.
struct Settings {
    account: String,
    retailer: String,
    route: String,
    query: String,
    size: u16,
}

/// Hands over the page that the step is about, where it can be gone on from.
pub(crate) async fn hand_over(
    context: &Context<'_>,
    step: &Step<String>,
    list: &List<'_>,
    props: Props,
) -> Result<Progress<String>, HandlerError> {
    let settings = Settings::of(context, list, props)?;
    let page = asked(context, step, list, &settings).await?;
    let next = page.next(step.cursor.as_deref(), settings.size).map_err(|problem| list.wrong(problem))?;
    let nodes = page.edges.iter().filter_map(|edge| edge.node.as_ref());
    let items = nodes.map(|node| {
        let item = Item::of_fluent(&step.run, list.event, &list.entity(node, &settings)?, context.now());
        item.map_err(|error| unanswered(error.to_string()))
    });
    let items: Vec<_> = items.collect::<Result<_, _>>()?;
    context.hand_over(&settings.route, &items).await?;
    let done = u64::try_from(items.len()).unwrap_or(u64::MAX);
    Ok(next.map_or(Progress::Ended { done }, |cursor| Progress::GoOn { cursor, done }))
}

impl Settings {
    /// The route has to be there before anything is asked.
    fn of(context: &Context<'_>, list: &List<'_>, mut props: Props) -> Result<Self, HandlerError> {
        let route = props.read(|props| props.text("route"))?.unwrap_or_else(|| list.route.to_owned());
        context.open_route(&route)?;
        let (account, access) = props.account(context)?;
        let retailer = props.read(|props| props.id("retailer"))?;
        let query = props.read(|props| props.text("query"))?;
        Ok(Self {
            account,
            retailer: retailer.unwrap_or_else(|| access.retailer().to_owned()),
            route,
            query: query.unwrap_or_else(|| list.query.to_owned()),
            size: props.page_size()?,
        })
    }
}

async fn asked(
    context: &Context<'_>,
    step: &Step<String>,
    list: &List<'_>,
    settings: &Settings,
) -> Result<Page, HandlerError> {
    let from = step.window.from.map(|from| ("from".to_owned(), format!("{from:.3}").into()));
    let to = ("to".to_owned(), format!("{:.3}", step.window.to).into());
    let mut variables = list.variables.clone();
    variables.extend([
        ("updatedOn".to_owned(), from.into_iter().chain([to]).collect::<Map<_, _>>().into()),
        ("first".to_owned(), settings.size.into()),
        ("after".to_owned(), json!(step.cursor)),
    ]);
    let variables = to_raw_value(&variables).map_err(|error| unanswered(error.to_string()))?;
    let data = context.fluent_of(&settings.account)?.graphql_json(&settings.query, &variables).await?;
    list.page(&data)
}

impl List<'_> {
    fn page(&self, data: &RawValue) -> Result<Page, HandlerError> {
        let unread = |error: serde_json::Error| self.wrong(&error.to_string());
        let fields: BTreeMap<String, &RawValue> = serde_json::from_str(data.get()).map_err(unread)?;
        let page = fields.get(self.field).map_or("null", |list| list.get());
        serde_json::from_str::<Option<Page>>(page).map_err(unread)?.ok_or_else(|| self.wrong("there is none"))
    }

    fn entity(&self, node: &Node, settings: &Settings) -> Result<Entity, HandlerError> {
        let lacks = |field: &str| self.wrong(&format!("one of them has no {field}"));
        Ok(Entity {
            account_id: settings.account.clone(),
            retailer_id: settings.retailer.clone(),
            entity_type: self.entity_type.to_owned(),
            entity_id: told(node.id.as_deref()).ok_or_else(|| lacks("id"))?,
            entity_ref: told(node.reference.as_deref()).ok_or_else(|| lacks("ref"))?,
        })
    }

    fn wrong(&self, problem: &str) -> HandlerError {
        unanswered(format!("{} of Fluent's answer: {problem}; props.query may ask otherwise", self.field))
    }
}

impl Page {
    /// Where the next page begins; none where this was the last one.
    fn next(&self, last: Option<&str>, size: u16) -> Result<Option<String>, &'static str> {
        let told = self.page_info.as_ref().and_then(|info| info.has_next_page);
        if !told.unwrap_or(self.edges.len() >= usize::from(size)) {
            return Ok(None);
        }
        match self.edges.last().and_then(|edge| edge.cursor.as_deref()) {
            None | Some("") => Err("there is more, and no cursor to go on from"),
            Some(cursor) if Some(cursor) == last => Err("there is more, and the cursor stands still"),
            Some(cursor) => Ok(Some(cursor.to_owned())),
        }
    }
}

/// A text that is not empty, or a number.
pub(crate) fn told(value: Option<&RawValue>) -> Option<String> {
    let json = value?.get();
    match json.as_bytes().first()? {
        b'"' => serde_json::from_str(json).ok().filter(|text: &String| !text.trim().is_empty()),
        b'-' | b'0'..=b'9' => Some(json.to_owned()),
        _ => None,
    }
}

fn unanswered(reason: String) -> HandlerError {
    HandlerError::Misconfigured { code: Code::Answer, reason }
}
