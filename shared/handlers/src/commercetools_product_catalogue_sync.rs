//! Brings all of a project's categories and products to Fluent (`ProductCatalogueSync` of Fluent's Connect SDK).

use commercetools::{Client, CommercetoolsContext as _, Query, Reference, Resource};
use connector::failure::Code;
use connector::handler::{Context, Handler as _, HandlerError};
use connector::job::{Item, Job, Progress, Step, Window};
use connector::notification::Notification;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::commercetools_category_upsert::CommercetoolsCategoryUpsert;
use crate::commercetools_product_upsert::CommercetoolsProductUpsert;
use crate::jobs::{LARGEST_PAGE, Props};

/// Hands each category and then each published product of the project `props.project` that has changed within the run's
/// time over to the routes of these handlers, or to those that `props.categoryRoute` and `props.productRoute` name; `null`
/// leaves that kind out. Each is what commercetools would have sent of a change.
///
/// Categories at the top come first, then the others, of each page those with fewer above them first: Fluent has to know a
/// parent. Products that are not published are left out, as the product's handler would do nothing about them.
pub struct CommercetoolsProductCatalogueSync;

/// Where the next step goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    part: Part,
    /// The last id that was handed over.
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<String>,
    /// Most things of the page, where pages of the props' size were too long to be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<u16>,
}

/// What is worked through, one after another. A category is of one part as long as it is not changed, and once it is the
/// next run has it: none is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Part {
    TopCategories,
    OtherCategories,
    Products,
}

/// As much of a category as is handed over.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Category {
    #[serde(flatten)]
    changed: Changed,
    #[serde(default)]
    ancestors: Vec<Reference>,
}

/// As much of a published product.
#[derive(Deserialize)]
struct Product {
    #[serde(flatten)]
    changed: Changed,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Changed {
    id: String,
    version: i64,
    key: Option<String>,
    last_modified_at: Option<String>,
}

impl Resource for Category {
    const PATH: &'static str = "categories";

    fn id(&self) -> &str {
        &self.changed.id
    }
}

impl Resource for Product {
    const PATH: &'static str = "product-projections";

    fn id(&self) -> &str {
        &self.changed.id
    }
}

/// What the props say.
struct Settings {
    project: String,
    categories: Option<String>,
    products: Option<String>,
    size: u16,
}

/// A page, and how to go on behind it.
struct Page {
    changed: Vec<Changed>,
    after: Option<String>,
    limit: u16,
}

impl Job for CommercetoolsProductCatalogueSync {
    const NAME: &'static str = "commercetools-product-catalogue-sync";
    type Cursor = Cursor;

    async fn step(context: &Context<'_>, step: &Step<Cursor>) -> Result<Progress<Cursor>, HandlerError> {
        let settings = Settings::of(context)?;
        let first = || Some(Cursor { part: settings.first_part()?, after: None, limit: None });
        let Some(cursor) = step.cursor.clone().or_else(first) else {
            return Err(nothing_to_do());
        };
        let Some(route) = settings.route(cursor.part) else {
            return Ok(settings.go_on(cursor.part, 0)); // it was left out meanwhile
        };
        let shop = context.commercetools(&settings.project)?;
        let page = match cursor.part {
            Part::TopCategories | Part::OtherCategories => {
                page_of(&shop, &settings, &cursor, step.window, by_depth).await?
            }
            Part::Products => page_of(&shop, &settings, &cursor, step.window, as_it_came).await?,
        };
        let items = items(context, &settings.project, cursor.part, &page.changed)?;
        context.hand_over(route, &items).await?;
        let done = u64::try_from(items.len()).unwrap_or(u64::MAX);
        Ok(match page.after {
            Some(after) => {
                let limit = Some(page.limit).filter(|limit| *limit < settings.size);
                Progress::GoOn { cursor: Cursor { part: cursor.part, after: Some(after), limit }, done }
            }
            None => settings.go_on(cursor.part, done),
        })
    }
}

impl Settings {
    /// All that a run needs has to be there before anything is handed over.
    fn of(context: &Context<'_>) -> Result<Self, HandlerError> {
        let mut props = Props::of(context, &["project", "categoryRoute", "productRoute", "pageSize"])?;
        let mut route = |key: &str, default: &str| match context.props().get(key) {
            Some(Value::Null) => Ok(None),
            _ => props.read(|props| props.text(key)).map(|name| name.or_else(|| Some(default.to_owned()))),
        };
        let categories = route("categoryRoute", CommercetoolsCategoryUpsert::NAME)?;
        let products = route("productRoute", CommercetoolsProductUpsert::NAME)?;
        for route in [&categories, &products].into_iter().flatten() {
            context.open_route(route)?;
        }
        Ok(Self { project: props.project(context)?, categories, products, size: props.page_size()? })
    }

    fn route(&self, part: Part) -> Option<&str> {
        match part {
            Part::TopCategories | Part::OtherCategories => self.categories.as_deref(),
            Part::Products => self.products.as_deref(),
        }
    }

    fn first_part(&self) -> Option<Part> {
        [Part::TopCategories, Part::Products].into_iter().find(|part| self.route(*part).is_some())
    }

    /// What comes behind the last page of a part.
    fn go_on(&self, part: Part, done: u64) -> Progress<Cursor> {
        let next = match part {
            Part::TopCategories => Some(Part::OtherCategories),
            Part::OtherCategories => Some(Part::Products),
            Part::Products => None,
        };
        match next.filter(|next| self.route(*next).is_some()) {
            Some(part) => Progress::GoOn { cursor: Cursor { part, after: None, limit: None }, done },
            None => Progress::Ended { done },
        }
    }
}

async fn page_of<T: Resource>(
    shop: &Client<'_>,
    settings: &Settings,
    cursor: &Cursor,
    window: Window,
    changed: fn(Vec<T>) -> Vec<Changed>,
) -> Result<Page, HandlerError> {
    // Twice the last limit: one long resource is not to make every page behind it short.
    let limit = cursor.limit.map_or(settings.size, |limit| limit.saturating_mul(2).min(settings.size));
    let query = Query::filtered(predicate(cursor.part, window)).limit(limit.min(LARGEST_PAGE));
    let query = match &cursor.after {
        Some(id) => query.after(id),
        None => query,
    };
    let mut pages = shop.pages::<T>(query);
    let page = pages.next().await?.unwrap_or_default();
    let after = pages.last_id().filter(|_| !pages.is_done() && !page.is_empty()).map(str::to_owned);
    Ok(Page { after, limit: pages.limit(), changed: changed(page) })
}

fn predicate(part: Part, window: Window) -> String {
    let from = window.from.map(|from| format!("lastModifiedAt > \"{from:.3}\""));
    let to = format!("lastModifiedAt <= \"{:.3}\"", window.to);
    let part = match part {
        Part::TopCategories => Some("parent is not defined".to_owned()),
        Part::OtherCategories => Some("parent is defined".to_owned()),
        Part::Products => None,
    };
    from.into_iter().chain([to]).chain(part).collect::<Vec<_>>().join(" and ")
}

fn by_depth(mut categories: Vec<Category>) -> Vec<Changed> {
    categories.sort_by_key(|category| category.ancestors.len());
    categories.into_iter().map(|category| category.changed).collect()
}

fn as_it_came(products: Vec<Product>) -> Vec<Changed> {
    products.into_iter().map(|product| product.changed).collect()
}

fn items(
    context: &Context<'_>,
    project: &str,
    part: Part,
    changed: &[Changed],
) -> Result<Vec<Item>, HandlerError> {
    let (type_id, name) = match part {
        Part::TopCategories | Part::OtherCategories => ("category", "commercetools.connect.category.upsert"),
        Part::Products => ("product", "commercetools.connect.product.upsert"),
    };
    let item = |changed: &Changed| {
        let body = changed.notification(project, type_id).to_string();
        let notification = Notification::of_platform(&body).map_err(|error| unmade(&error))?;
        Item::of_commercetools(&notification, name, context.now()).map_err(|error| unmade(&error))
    };
    changed.iter().map(item).collect()
}

impl Changed {
    /// What commercetools sends of a change.
    fn notification(&self, project: &str, type_id: &str) -> Value {
        let named = match &self.key {
            Some(key) => json!({ "key": key }),
            None => json!({}),
        };
        json!({
            "notificationType": "ResourceUpdated",
            "projectKey": project,
            "resource": { "typeId": type_id, "id": self.id },
            "resourceUserProvidedIdentifiers": named,
            "version": self.version,
            "modifiedAt": self.last_modified_at,
        })
    }
}

fn nothing_to_do() -> HandlerError {
    let reason = "props.categoryRoute and props.productRoute are both null: there is nothing to hand over";
    HandlerError::Misconfigured { code: Code::Route, reason: reason.to_owned() }
}

fn unmade(error: &dyn std::error::Error) -> HandlerError {
    HandlerError::Misconfigured { code: Code::Message, reason: connector::failure::chain(error) }
}
