//! Under which name a commercetools notification goes to its routes: one documented file, changed key by key by the
//! parameter `sources/commercetools`.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use serde_json::Value;

use crate::cache::Snapshot;
use crate::document::{Document, DocumentError, name_of};
use crate::failure::chain;
use crate::notification::{Kind, Notification, SOURCE};
use crate::parameter::{Parameter, Problem, Section};

/// The file.
pub const FILE: &str = include_str!("../shipped-names.yaml");

/// A name by `<typeId>.<Type>` or `<typeId>.*`; `None` stands for the plain name.
type Names = BTreeMap<String, Option<String>>;

static SHIPPED: LazyLock<Names> = LazyLock::new(|| parse(FILE).unwrap_or_default());

/// The names of notifications: the shipped ones, and what the parameter says over them.
#[derive(Debug, Default)]
pub struct MessageNames {
    changed: Arc<Names>,
}

impl MessageNames {
    /// The name of a notification. One of an unknown kind has its plain name, whatever the table says of its resource.
    #[must_use]
    pub fn name(&self, notification: &Notification<'_>) -> String {
        let told = match (notification.kind, &notification.type_id) {
            (Kind::Unknown, _) | (_, None) => None,
            (_, Some(type_id)) => self.told(type_id, &notification.type_name),
        };
        told.unwrap_or_else(|| notification.plain_name())
    }

    fn told(&self, type_id: &str, type_name: &str) -> Option<String> {
        let find = |key: &str| self.changed.get(key).or_else(|| SHIPPED.get(key));
        find(&format!("{type_id}.{type_name}")).or_else(|| find(&format!("{type_id}.*")))?.clone()
    }
}

impl Snapshot for MessageNames {
    const SECTIONS: &'static [Section] = &[Section::Sources];

    fn build(parameters: &[Parameter], last: Option<&Self>) -> (Self, Vec<Problem>) {
        let Some(parameter) = parameters.iter().find(|parameter| parameter.is(Section::Sources, SOURCE))
        else {
            return (Self::default(), Vec::new());
        };
        match parse(parameter.value.expose()) {
            Ok(names) => (Self { changed: Arc::new(names) }, Vec::new()),
            Err(error) => {
                let problem = Problem {
                    parameter: format!("{}/{SOURCE}", Section::Sources),
                    reason: chain(&error),
                    last_good_kept: last.is_some(),
                };
                let changed = last.map(|last| Arc::clone(&last.changed)).unwrap_or_default();
                (Self { changed }, vec![problem])
            }
        }
    }
}

fn parse(text: &str) -> Result<Names, DocumentError> {
    let mut document = Document::parse(text, &["names"])?;
    let names = document.mapping("names")?.unwrap_or_default();
    let entry = |(key, value): (String, Value)| {
        if !is_key(&key) {
            let expected = "is neither <typeId>.<Type> nor <typeId>.*, such as order.OrderCreated";
            return Err(document.unusable(&format!("names.{}", name_of(&key)), expected));
        }
        match value {
            Value::Null => Ok((key, None)),
            Value::String(name) if !name.trim().is_empty() => Ok((key, Some(name))),
            _ => Err(document.unusable(&format!("names.{key}"), "must be a name, or ~ for the plain one")),
        }
    };
    names.into_iter().map(entry).collect()
}

fn is_key(key: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty()
            && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    key.split_once('.').is_some_and(|(type_id, name)| is_word(type_id) && (is_word(name) || name == "*"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{FILE, MessageNames, parse};
    use crate::cache::Snapshot as _;
    use crate::notification::Notification;
    use crate::parameter::{Parameter, Section};
    use crate::secret::Secret;

    fn parameter(section: Section, name: &str, value: &str) -> Parameter {
        Parameter { section, name: name.to_owned(), value: Secret::new(value), version: 1 }
    }

    fn names(value: &str) -> MessageNames {
        let (names, problems) =
            MessageNames::build(&[parameter(Section::Sources, "commercetools", value)], None);
        assert_eq!(problems, []);
        names
    }

    fn name(names: &MessageNames, type_id: &str, type_name: &str) -> String {
        let body = match type_name {
            "ResourceCreated" | "ResourceUpdated" | "ResourceDeleted" | "ResourceArchived" => {
                json!({"notificationType": type_name, "resource": {"typeId": type_id}})
            }
            _ => json!({"notificationType": "Message", "type": type_name, "resource": {"typeId": type_id}}),
        };
        names.name(&Notification::read(&body.to_string()).unwrap())
    }

    #[test]
    fn the_shipped_table_names_what_handlers_are_for() {
        assert!(!parse(FILE).unwrap().is_empty());
        let names = MessageNames::default();
        for (type_id, type_name, expected) in [
            ("order", "OrderCreated", "commercetools.connect.order.create"),
            ("order", "OrderImported", "commercetools.connect.order.create"),
            ("order", "OrderCreatedFromRecurringOrder", "commercetools.connect.order.create"),
            ("order", "OrderStateChanged", "commercetools.order.OrderStateChanged"),
            ("customer", "CustomerCreated", "commercetools.connect.customer.upsert"),
            ("customer", "CustomerEmailChanged", "commercetools.connect.customer.upsert"),
            ("customer", "ResourceUpdated", "commercetools.connect.customer.upsert"),
            ("customer", "CustomerDeleted", "commercetools.customer.CustomerDeleted"),
            ("customer", "ResourceDeleted", "commercetools.customer.ResourceDeleted"),
            ("category", "CategoryCreated", "commercetools.connect.category.upsert"),
            ("category", "ResourceUpdated", "commercetools.connect.category.upsert"),
            ("product", "ProductPublished", "commercetools.connect.product.upsert"),
            ("product", "ProductUnpublished", "commercetools.product.ProductUnpublished"),
            ("inventory-entry", "ResourceUpdated", "commercetools.inventory-entry.ResourceUpdated"),
        ] {
            assert_eq!(name(&names, type_id, type_name), expected);
        }
    }

    #[test]
    fn an_unknown_kind_of_change_is_no_upsert() {
        assert_eq!(
            name(&MessageNames::default(), "customer", "ResourceArchived"),
            "commercetools.customer.ResourceArchived"
        );
    }

    #[test]
    fn the_parameter_changes_the_table_key_by_key() {
        let names = names("names:\n  order.OrderCreated: Ours\n  order.*: Other\n  product.*: ~\n");
        assert_eq!(name(&names, "order", "OrderCreated"), "Ours");
        assert_eq!(name(&names, "order", "OrderImported"), "commercetools.connect.order.create");
        assert_eq!(name(&names, "order", "OrderStateChanged"), "Other");
        assert_eq!(name(&names, "product", "ProductPublished"), "commercetools.product.ProductPublished");
        assert_eq!(name(&names, "category", "CategoryCreated"), "commercetools.connect.category.upsert");
    }

    #[test]
    fn a_broken_parameter_is_told_and_the_last_good_or_the_shipped_table_serves() {
        let broken = [parameter(Section::Sources, "commercetools", "names: { order.OrderCreated: 5 }")];
        let (fresh, problems) = MessageNames::build(&broken, None);
        assert_eq!(
            (problems[0].parameter.as_str(), problems[0].last_good_kept),
            ("sources/commercetools", false)
        );
        insta::assert_snapshot!(problems[0].reason, @r#""names.order.OrderCreated" must be a name, or ~ for the plain one"#);
        assert_eq!(name(&fresh, "order", "OrderCreated"), "commercetools.connect.order.create");
        let last = names("names: { order.OrderCreated: Ours }");
        let (kept, problems) = MessageNames::build(&broken, Some(&last));
        assert!(problems[0].last_good_kept);
        assert_eq!(name(&kept, "order", "OrderCreated"), "Ours");
    }

    #[test]
    fn another_source_is_nothing_to_it() {
        let (_, problems) = MessageNames::build(&[parameter(Section::Sources, "fynd", "preset: fynd")], None);
        assert_eq!(problems, []);
    }

    #[test]
    fn a_key_that_would_never_match_is_refused() {
        let error = |text: &str| parse(text).unwrap_err().to_string();
        insta::assert_snapshot!(error("names: { OrderCreated: x }"), @r#""names.OrderCreated" is neither <typeId>.<Type> nor <typeId>.*, such as order.OrderCreated"#);
        insta::assert_snapshot!(error("nmaes: {}"), @r#"unknown key "nmaes"; did you mean "names"?"#);
        for text in [
            "names: { order.OrderCreated:x }",
            "names: { order.: x }",
            "names: { \"*.ResourceDeleted\": x }",
            "names: [x]",
            "x",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
