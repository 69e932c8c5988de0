//! A product catalogue in Fluent, and the events that put categories and products into it.
//!
//! `ref`, `type`, `status`, `name`, `summary`, `parentCategory`, `gtin` and `attributes`, and the limits of length, are those
//! of Fluent's "Product Catalog Workflow Interface Contracts" (May 2025). The names `categoryRefs`, `standardProductRef` and
//! `prices` are not confirmed: `props.rename` gives a workflow the names that it reads.

use commercetools::{Category, Client, LocalizedString, MAX_LIMIT, Query, Reference, quoted};
use connector::document::{Document, DocumentError};
use connector::handler::HandlerError;
use fluent::{Event, Key};
use serde_json::Value;

use super::input::cut;
use crate::account::Sync;
use crate::problem::unmappable;
use crate::props::text_or;

/// Characters of a reference.
const MOST_OF_REF: usize = 100;
/// Characters of a summary, which is cut.
const MOST_OF_SUMMARY: usize = 255;
/// Of a catalogue, as an entity of an event.
const ENTITY: &str = "PRODUCT_CATALOGUE";

/// The catalogue's subtype, unless the route says otherwise.
pub(crate) const MASTER: &str = "MASTER";

/// The props that both handlers know.
pub(crate) const KEYS: [&str; 6] = ["catalogue", "languages", "reference", "status", "rename", Sync::KEY];

/// What Fluent's references are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Key,
    Id,
}

/// What the props of both handlers say.
pub(crate) struct Settings {
    reference: String,
    subtype: String,
    retailer: String,
    languages: Vec<String>,
    by: By,
    pub(crate) status: String,
    rename: Vec<(String, String)>,
    sync: Sync,
}

impl Settings {
    /// Takes them out of the props; attributes of these names may be renamed.
    pub(crate) fn read(
        props: &mut Document,
        retailer: &str,
        attributes: &[&str],
    ) -> Result<Self, DocumentError> {
        let mut catalogue = props.section("catalogue", &["ref", "subtype"])?;
        let mut of_catalogue =
            |key: &str| catalogue.as_mut().map_or(Ok(None), |catalogue| catalogue.text(key));
        let (reference, subtype) = (of_catalogue("ref")?, of_catalogue("subtype")?);
        let subtype = subtype.unwrap_or_else(|| MASTER.to_owned());
        let rename = props.section("rename", attributes)?;
        Ok(Self {
            reference: reference.unwrap_or_else(|| default_reference(&subtype, retailer)),
            subtype,
            retailer: retailer.to_owned(),
            languages: props.texts("languages")?.unwrap_or_else(|| vec!["en".to_owned()]),
            by: props.word("reference", &[("key", By::Key), ("id", By::Id)])?.unwrap_or(By::Key),
            status: text_or(props, "status", "ACTIVE")?,
            rename: renamed(rename, attributes)?,
            sync: Sync::read(props)?,
        })
    }

    /// The catalogue's reference.
    pub(crate) fn catalogue(&self) -> &str {
        &self.reference
    }

    /// The languages, the first before the others.
    pub(crate) fn languages(&self) -> Vec<&str> {
        self.languages.iter().map(String::as_str).collect()
    }

    /// A name of at most so many characters.
    pub(crate) fn name(
        &self,
        what: &str,
        name: &LocalizedString,
        most: usize,
    ) -> Result<String, HandlerError> {
        let text = name.text(&self.languages());
        text.map(|text| cut(text, most))
            .ok_or_else(|| unmappable(format!("{what} has no name in any language")))
    }

    /// A summary, where there is a description.
    pub(crate) fn summary(&self, description: Option<&LocalizedString>) -> Option<String> {
        Some(cut(description?.text(&self.languages())?, MOST_OF_SUMMARY))
    }

    /// What the resource is called in Fluent: its key, where it has one and the props do not say otherwise, else its id.
    pub(crate) fn reference(&self, id: &str, key: Option<&str>) -> Result<String, HandlerError> {
        let named = key.filter(|key| self.by == By::Key && !key.trim().is_empty());
        checked(named.unwrap_or(id), id)
    }

    /// What categories are called in Fluent. Their keys are asked for, unless ids will do.
    pub(crate) async fn category_references(
        &self,
        shop: &Client<'_>,
        categories: &[Reference],
    ) -> Result<Vec<String>, HandlerError> {
        let mut known = Vec::new();
        if self.by == By::Key && !categories.is_empty() {
            let ids: Vec<_> = categories.iter().map(|category| quoted(&category.id)).collect();
            let query = Query::filtered(format!("id in ({})", ids.join(", "))).limit(MAX_LIMIT);
            let mut pages = shop.pages::<Category>(query);
            while let Some(page) = pages.next().await? {
                known.extend(page);
            }
        }
        let key = |id: &str| known.iter().find(|category| category.id == id)?.key.as_deref();
        categories.iter().map(|category| self.reference(&category.id, key(&category.id))).collect()
    }

    /// The event of this name on the catalogue.
    pub(crate) fn event(&self, name: &str, attributes: Vec<(&str, Value)>) -> Event {
        let key = || Key::Ref(self.reference.clone());
        let event = Event::new(name, ENTITY, key()).subtype(&self.subtype).root(ENTITY, key());
        attributes.into_iter().fold(event.retailer(&self.retailer), |event, (name, value)| {
            let renamed = self.rename.iter().find(|(from, _)| from == name);
            event.attribute(renamed.map_or(name, |(_, to)| to.as_str()), value)
        })
    }

    /// Sends an event; where the props say so, waits for its workflow to end well.
    pub(crate) async fn send(&self, fluent: &fluent::Client<'_>, event: &Event) -> Result<(), HandlerError> {
        self.sync.send(fluent, event).await
    }
}

/// What a retailer's catalogue is called unless somebody named it otherwise.
pub(crate) fn default_reference(subtype: &str, retailer: &str) -> String {
    format!("PC:{subtype}:{retailer}")
}

/// The attributes that are called otherwise.
fn renamed(section: Option<Document>, known: &[&str]) -> Result<Vec<(String, String)>, DocumentError> {
    let Some(mut section) = section else { return Ok(Vec::new()) };
    let mut renamed = Vec::new();
    for name in known {
        renamed.extend(section.text(name)?.map(|to| ((*name).to_owned(), to)));
    }
    Ok(renamed)
}

/// A reference that Fluent takes.
pub(crate) fn checked(reference: &str, id: &str) -> Result<String, HandlerError> {
    if reference.chars().count() > MOST_OF_REF {
        return Err(unmappable(format!("{id}: its reference has more than {MOST_OF_REF} characters")));
    }
    Ok(reference.to_owned())
}
