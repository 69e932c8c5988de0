//! Puts a category of commercetools into Fluent's product catalogue.

use commercetools::{Category, CommercetoolsContext as _};
use connector::handler::{Context, Handler, HandlerError};
use fluent::FluentContext as _;
use serde_json::Value;

use crate::into_fluent::catalogue::{KEYS, Settings};
use crate::into_fluent::notification;
use crate::props;

/// Sends `UPSERT_CATEGORY` with the category as it is now; one that is gone makes a note. Fluent must know the parent
/// first.
pub struct CommercetoolsCategoryUpsert;

/// Attributes of the event.
const ATTRIBUTES: [&str; 10] = [
    "ref",
    "type",
    "status",
    "name",
    "summary",
    "parentCategory",
    "orderHint",
    "catalogueRef",
    "commercetoolsId",
    "commercetoolsVersion",
];
/// Characters of a name.
const MOST_OF_NAME: usize = 100;

impl Handler for CommercetoolsCategoryUpsert {
    const NAME: &'static str = "commercetools-category-upsert";

    async fn handle(context: &Context<'_>) -> Result<(), HandlerError> {
        let shop = context.commercetools_of_sender()?;
        let retailer = shop.project().retailer();
        let settings = props::read(context, &KEYS, |props| Settings::read(props, retailer, &ATTRIBUTES))?;
        let id = notification::resource_id(context, "category")?;
        let Some(category) = shop.category(&id).await? else {
            context.log(&format!("nothing is sent: category {id} is gone"));
            return Ok(());
        };
        let parent = settings.category_references(&shop, category.parent.as_slice()).await?;
        let attributes = attributes(&settings, &category, parent.into_iter().next())?;
        let event = settings.event("UPSERT_CATEGORY", attributes);
        settings.send(&context.fluent()?, &event).await
    }
}

fn attributes(
    settings: &Settings,
    category: &Category,
    parent: Option<String>,
) -> Result<Vec<(&'static str, Value)>, HandlerError> {
    let id = &category.id;
    let name = settings.name(&format!("category {id}"), &category.name, MOST_OF_NAME)?;
    let mut attributes = vec![
        ("ref", settings.reference(id, category.key.as_deref())?.into()),
        ("type", "STANDARD".into()),
        ("status", settings.status.as_str().into()),
        ("name", name.into()),
        ("catalogueRef", settings.catalogue().into()),
        ("commercetoolsId", id.as_str().into()),
        ("commercetoolsVersion", category.version.into()),
    ];
    let optional = [
        ("summary", settings.summary(category.description.as_ref())),
        ("parentCategory", parent),
        ("orderHint", category.order_hint.clone()),
    ];
    attributes.extend(optional.into_iter().filter_map(|(name, text)| Some((name, text?.into()))));
    Ok(attributes)
}
