//! commercetools' notifications, as a Subscription puts them on a queue: Platform format, or `CloudEvents` around it.
//!
//! Reads what tells one from another and asks for as little as it can: what is not known or not whole is kept as well.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::event::{object, text};

/// The `source` of commercetools' messages.
pub const SOURCE: &str = "commercetools";

/// Why a body is no notification.
#[derive(Debug, thiserror::Error)]
pub enum NotificationError {
    /// The body, or the `data` of a `CloudEvent`, is not one JSON object, or names a field twice.
    #[error("the notification is not a JSON object")]
    NotJson(#[source] serde_json::Error),
    /// A JSON object of something else.
    #[error("field \"notificationType\" must be a non-empty string")]
    NoKind,
}

/// What a notification tells of, by its `notificationType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `Message`: what happened to a resource, often with the resource.
    Message,
    /// `ResourceCreated`.
    Created,
    /// `ResourceUpdated`.
    Updated,
    /// `ResourceDeleted`.
    Deleted,
    /// `Event` (beta): of no resource and no project.
    Event,
    /// Of a later commercetools than this code.
    Unknown,
}

/// A notification: what the connector works with, and the Platform body as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification<'a> {
    /// What it tells of.
    pub kind: Kind,
    /// The same each time that it is sent: the resource's id with the sequence number of a message, or with the version
    /// and kind of a change; an event's own id. `None` where these are not all there.
    pub id: Option<String>,
    /// Key of the project.
    pub project: Option<String>,
    /// Type of the resource, such as `order`; of an event its `resourceType`.
    pub type_id: Option<String>,
    /// The resource's id.
    pub resource_id: Option<String>,
    /// The resource's name among people: its order number, customer number, key, SKU or external id.
    pub reference: Option<String>,
    /// The type, such as `OrderCreated`; of a change, which has none, its `notificationType`.
    pub type_name: String,
    /// The Platform body, byte for byte.
    pub raw: &'a str,
}

/// A `CloudEvent`, as far as it tells that it is one.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a> {
    #[serde(borrow)]
    specversion: Option<&'a RawValue>,
    #[serde(borrow)]
    notification_type: Option<&'a RawValue>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields<'a> {
    #[serde(borrow)]
    notification_type: Option<&'a RawValue>,
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    project_key: Option<&'a RawValue>,
    #[serde(borrow)]
    resource: Option<&'a RawValue>,
    #[serde(borrow)]
    resource_type: Option<&'a RawValue>,
    #[serde(borrow)]
    resource_user_provided_identifiers: Option<&'a RawValue>,
    #[serde(borrow)]
    sequence_number: Option<&'a RawValue>,
    #[serde(borrow)]
    version: Option<&'a RawValue>,
    #[serde(borrow, rename = "type")]
    type_name: Option<&'a RawValue>,
    #[serde(borrow)]
    payload_not_included: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Resource<'a> {
    #[serde(borrow)]
    type_id: Option<&'a RawValue>,
    #[serde(borrow)]
    id: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Identifiers<'a> {
    #[serde(borrow)]
    order_number: Option<&'a RawValue>,
    #[serde(borrow)]
    customer_number: Option<&'a RawValue>,
    #[serde(borrow)]
    key: Option<&'a RawValue>,
    #[serde(borrow)]
    sku: Option<&'a RawValue>,
    #[serde(borrow)]
    external_id: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct NotIncluded<'a> {
    #[serde(borrow)]
    payload_type: Option<&'a RawValue>,
}

impl<'a> Notification<'a> {
    /// Reads a body of the queue, in either format.
    ///
    /// # Errors
    /// [`NotificationError`] for what is no notification.
    pub fn read(body: &'a str) -> Result<Self, NotificationError> {
        let envelope: Envelope<'a> = object(body).map_err(NotificationError::NotJson)?;
        match (text(envelope.specversion), envelope.notification_type) {
            (Some(_), None) => Self::of_platform(envelope.data.map_or("null", RawValue::get)),
            _ => Self::of_platform(body),
        }
    }

    /// Reads a Platform body.
    ///
    /// # Errors
    /// [`NotificationError`] for what is no notification.
    pub fn of_platform(raw: &'a str) -> Result<Self, NotificationError> {
        let fields: Fields<'a> = object(raw).map_err(NotificationError::NotJson)?;
        let notification_type = text(fields.notification_type).ok_or(NotificationError::NoKind)?;
        let kind = Kind::of(&notification_type);
        let resource: Resource<'a> = part(fields.resource);
        let resource_id = text(resource.id);
        let id = match kind {
            Kind::Message => joined([resource_id.clone(), text(fields.sequence_number)]),
            Kind::Created | Kind::Updated | Kind::Deleted => {
                joined([resource_id.clone(), text(fields.version), Some(notification_type.clone())])
            }
            Kind::Event => text(fields.id),
            Kind::Unknown => None,
        };
        let payload_type = || text(part::<NotIncluded<'a>>(fields.payload_not_included).payload_type);
        Ok(Self {
            kind,
            id,
            project: text(fields.project_key),
            type_id: text(resource.type_id).or_else(|| text(fields.resource_type)),
            resource_id,
            reference: part::<Identifiers<'a>>(fields.resource_user_provided_identifiers).first(),
            type_name: text(fields.type_name).or_else(payload_type).unwrap_or(notification_type),
            raw,
        })
    }

    /// Whether it only tells that a Subscription was made or changed: commercetools' test of the queue.
    #[must_use]
    pub fn is_test(&self) -> bool {
        self.kind == Kind::Created && self.type_id.as_deref() == Some("subscription")
    }

    /// The name of what no table names: `commercetools.<type of the resource>.<type>`.
    #[must_use]
    pub fn plain_name(&self) -> String {
        format!("{SOURCE}.{}.{}", self.type_id.as_deref().unwrap_or("unknown"), self.type_name)
    }
}

impl Kind {
    fn of(notification_type: &str) -> Self {
        match notification_type {
            "Message" => Self::Message,
            "ResourceCreated" => Self::Created,
            "ResourceUpdated" => Self::Updated,
            "ResourceDeleted" => Self::Deleted,
            "Event" => Self::Event,
            _ => Self::Unknown,
        }
    }
}

impl Identifiers<'_> {
    /// The one that people would say. A slug is not among them: it has one text for each language.
    fn first(&self) -> Option<String> {
        let all = [self.order_number, self.customer_number, self.key, self.sku, self.external_id];
        all.into_iter().find_map(text)
    }
}

/// A field that holds an object; nothing of it where it holds anything else.
fn part<'a, T: Deserialize<'a> + Default>(field: Option<&'a RawValue>) -> T {
    field.and_then(|raw| object(raw.get()).ok()).unwrap_or_default()
}

/// The parts with dots between them, where all are there.
fn joined<const N: usize>(parts: [Option<String>; N]) -> Option<String> {
    let all: Option<Vec<_>> = parts.into_iter().collect();
    all.map(|all| all.join("."))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::{Kind, Notification, NotificationError};

    fn message() -> Value {
        json!({
            "notificationType": "Message", "projectKey": "shop", "id": "m-1", "version": 1, "sequenceNumber": 2,
            "resource": {"typeId": "order", "id": "o-1"}, "resourceVersion": 7,
            "resourceUserProvidedIdentifiers": {"orderNumber": "HD_1", "key": "k"}, "type": "OrderCreated",
            "order": {"id": "o-1", "totalPrice": {"centAmount": 12345}},
        })
    }

    fn change(kind: &str) -> Value {
        json!({
            "notificationType": kind, "projectKey": "shop", "resource": {"typeId": "customer", "id": "c-1"},
            "resourceUserProvidedIdentifiers": {}, "version": 3, "modifiedAt": "2026-11-20T08:30:00Z",
        })
    }

    #[test]
    fn a_message_is_told_by_its_resource_and_sequence_number() {
        let body = message().to_string();
        let read = Notification::read(&body).unwrap();
        let expected = Notification {
            kind: Kind::Message,
            id: Some("o-1.2".to_owned()),
            project: Some("shop".to_owned()),
            type_id: Some("order".to_owned()),
            resource_id: Some("o-1".to_owned()),
            reference: Some("HD_1".to_owned()),
            type_name: "OrderCreated".to_owned(),
            raw: &body,
        };
        assert_eq!(read, expected);
    }

    #[test]
    fn a_change_is_told_by_its_resource_version_and_kind() {
        for (name, kind) in [
            ("ResourceCreated", Kind::Created),
            ("ResourceUpdated", Kind::Updated),
            ("ResourceDeleted", Kind::Deleted),
        ] {
            let body = change(name).to_string();
            let read = Notification::read(&body).unwrap();
            assert_eq!((read.kind, read.type_name.as_str(), read.reference.as_deref()), (kind, name, None));
            assert_eq!(read.id, Some(format!("c-1.3.{name}")));
            assert_eq!(read.plain_name(), format!("commercetools.customer.{name}"));
        }
    }

    #[test]
    fn an_event_has_neither_project_nor_resource() {
        let body = json!({
            "id": "e-1", "notificationType": "Event", "type": "ImportContainerCreated",
            "resourceType": "import-api", "data": {"version": 1, "key": "container"},
        })
        .to_string();
        let read = Notification::read(&body).unwrap();
        assert_eq!(
            (read.kind, read.id.as_deref(), read.project, read.resource_id),
            (Kind::Event, Some("e-1"), None, None)
        );
        assert_eq!(
            (read.raw, read.type_id.as_deref()),
            (body.as_str(), Some("import-api")),
            "its data is no CloudEvent's"
        );
    }

    #[test]
    fn a_cloud_event_is_its_platform_body_byte_for_byte() {
        let platform = message().to_string().replacen('{', "{ \"longer\":12345678901234567890.100, ", 1);
        let body = format!(
            "{{\"specversion\":\"1.0\",\"id\":\"m-1\",\"type\":\"com.commercetools.order.message.OrderCreated\",\"source\":\"/shop/orders\",\"data\":{platform}}}"
        );
        let read = Notification::read(&body).unwrap();
        assert_eq!(read, Notification::of_platform(&platform).unwrap());
        assert_eq!(read.raw, platform);
    }

    #[test]
    fn a_payload_that_is_not_included_names_its_type() {
        let mut without = message();
        without["payloadNotIncluded"] =
            json!({"reason": "Payload too large.", "payloadType": "ProductPublished"});
        let mut untyped = without.clone();
        untyped.as_object_mut().unwrap().remove("type");
        for (body, name) in [(without, "OrderCreated"), (untyped, "ProductPublished")] {
            assert_eq!(Notification::read(&body.to_string()).unwrap().type_name, name);
        }
    }

    #[test]
    fn only_a_created_subscription_is_a_test() {
        let mut test = change("ResourceCreated");
        test["resource"]["typeId"] = json!("subscription");
        assert!(Notification::read(&test.to_string()).unwrap().is_test());
        test["notificationType"] = json!("ResourceDeleted");
        assert!(!Notification::read(&test.to_string()).unwrap().is_test());
        assert!(!Notification::read(&change("ResourceCreated").to_string()).unwrap().is_test());
    }

    #[test]
    fn an_unknown_notification_is_one_all_the_same() {
        let unknown = change("ResourceArchived").to_string();
        let read = Notification::read(&unknown).unwrap();
        assert_eq!((read.kind, read.id.as_deref()), (Kind::Unknown, None));
        assert_eq!(read.plain_name(), "commercetools.customer.ResourceArchived");
        let bare = Notification::read(r#"{"notificationType":"Message","resource":[1],"type":{}}"#).unwrap();
        assert_eq!((bare.id.as_deref(), bare.plain_name().as_str()), (None, "commercetools.unknown.Message"));
    }

    #[test]
    fn anything_else_is_no_notification() {
        for body in [
            "",
            "hello",
            "[]",
            "null",
            "{",
            "{}{}",
            r#"{"specversion":"1.0","data":[1]}"#,
            r#"{"specversion":"1.0"}"#,
        ] {
            assert!(matches!(Notification::read(body), Err(NotificationError::NotJson(_))), "{body}");
        }
        for body in
            ["{}", r#"{"notificationType":""}"#, r#"{"notificationType":true,"specversion":"1.0","data":{}}"#]
        {
            assert!(matches!(Notification::read(body), Err(NotificationError::NoKind)), "{body}");
        }
        let twice = r#"{"notificationType":"Message","notificationType":"Event"}"#;
        assert!(matches!(Notification::read(twice), Err(NotificationError::NotJson(_))));
    }

    fn json_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "[ -~]{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 6, |inner| {
            let keys = prop_oneof![
                prop::sample::select(
                    &[
                        "notificationType",
                        "resource",
                        "typeId",
                        "id",
                        "type",
                        "data",
                        "specversion",
                        "version",
                        "sequenceNumber",
                        "payloadNotIncluded",
                        "payloadType",
                        "resourceUserProvidedIdentifiers",
                        "key",
                    ][..]
                )
                .prop_map(str::to_owned),
                "[a-z]{0,4}",
            ];
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(keys, inner, 0..8)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_json_is_read_or_refused(value in json_value()) {
            let body = value.to_string();
            if let Ok(read) = Notification::read(&body) {
                prop_assert!(body.contains(read.raw));
                prop_assert!(!read.type_name.is_empty() && read.id.as_deref() != Some(""));
            }
        }

        #[test]
        fn any_text_is_read_or_refused(body in "\\PC{0,64}") {
            let _ = Notification::read(&body);
        }
    }
}
