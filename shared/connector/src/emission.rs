//! What a subscriber is sent of a message: an envelope of a standard around the event, whole or only what identifies it.
//!
//! The event travels as the JSON that came, every digit kept. Does not know where it goes or how it is signed.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde::ser::{SerializeMap as _, Serializer};
use serde_json::value::{RawValue, to_raw_value};

use crate::delivery::Body;
use crate::event::object;
use crate::message::Message;
use crate::notification;

/// The message's source and name, as a subscription's `topics` choose them; percent-encoded.
pub const WEBHOOK_TOPIC: HeaderName = HeaderName::from_static("webhook-topic");
/// The subscription's name; percent-encoded.
pub const WEBHOOK_SUBSCRIPTION: HeaderName = HeaderName::from_static("webhook-subscription");

/// What no header's value holds as it is (`CloudEvents` HTTP binding 1.0.2, 3.1.3.2); beyond ASCII all is encoded.
const UNSAFE_IN_HEADER: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'%');
/// All but the unreserved characters of a URL (RFC 3986, 2.3).
const UNSAFE_IN_PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A field that identifies, and of a mapping those of its fields that do.
type Identifying = (&'static str, &'static [&'static str]);

/// What is left of an event of Fluent by [`Payload::Light`].
pub const FLUENT_IDENTITY: [Identifying; 12] = [
    ("id", &[]),
    ("name", &[]),
    ("accountId", &[]),
    ("retailerId", &[]),
    ("entityType", &[]),
    ("entitySubtype", &[]),
    ("entityId", &[]),
    ("entityRef", &[]),
    ("entityStatus", &[]),
    ("rootEntityType", &[]),
    ("rootEntityId", &[]),
    ("rootEntityRef", &[]),
];
/// What is left of a notification of commercetools by [`Payload::Light`].
pub const COMMERCETOOLS_IDENTITY: [Identifying; 10] = [
    ("notificationType", &[]),
    ("projectKey", &[]),
    ("id", &[]),
    ("type", &[]),
    ("resourceType", &[]),
    ("version", &[]),
    ("sequenceNumber", &[]),
    ("resourceVersion", &[]),
    ("resource", &["typeId", "id"]),
    ("resourceUserProvidedIdentifiers", &["key", "orderNumber", "customerNumber", "sku", "externalId"]),
];

/// What is sent to a subscriber.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Emission {
    /// The envelope.
    pub format: EventFormat,
    /// What stands in it.
    pub payload: Payload,
}

/// The envelope around an event.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum EventFormat {
    /// `type`, `timestamp` and `data`, as Standard Webhooks recommends.
    #[default]
    StandardWebhooks,
    /// `CloudEvents` 1.0: everything in the body.
    CloudEventsStructured,
    /// `CloudEvents` 1.0: the event is the body, everything else stands in headers.
    CloudEventsBinary,
}

/// How much of an event is sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Payload {
    /// All of it, as it came.
    #[default]
    Full,
    /// What identifies it, for receivers that ask for the rest.
    Light,
}

impl Emission {
    /// The body and headers for a message to the subscription of this name; `id` is what its receiver sees as `webhook-id`.
    ///
    /// # Errors
    /// Where it cannot be written as JSON.
    pub fn of(&self, message: &Message, subscription: &str, id: &str) -> serde_json::Result<Body> {
        let data = self.payload.of(message)?;
        let mut body = match self.format {
            EventFormat::StandardWebhooks => Plain::of(message, &data).body(),
            EventFormat::CloudEventsStructured => Attributes::of(message, id).structured(&data),
            EventFormat::CloudEventsBinary => Ok(Attributes::of(message, id).binary(&data)),
        }?;
        let named = [(WEBHOOK_TOPIC, message.topic()), (WEBHOOK_SUBSCRIPTION, subscription.to_owned())];
        body.headers.extend(named.into_iter().filter_map(|(name, text)| Some((name, header(&text)?))));
        Ok(body)
    }
}

impl Payload {
    fn of(self, message: &Message) -> serde_json::Result<Box<RawValue>> {
        match (self, message.source.as_str()) {
            (Self::Full, _) => Ok(message.payload.clone()),
            (Self::Light, "fluent") => to_raw_value(&Picked::of(&message.payload, &FLUENT_IDENTITY)),
            (Self::Light, notification::SOURCE) => {
                to_raw_value(&Picked::of(&message.payload, &COMMERCETOOLS_IDENTITY))
            }
            (Self::Light, _) => to_raw_value(&Identity::of(message)),
        }
    }
}

/// Chosen fields of an object, their values as they came.
struct Picked<'a>(Vec<(&'static str, PickedValue<'a>)>);

#[derive(Serialize)]
#[serde(untagged)]
enum PickedValue<'a> {
    Whole(&'a RawValue),
    Part(Picked<'a>),
}

impl<'a> Picked<'a> {
    /// Of a field that is to be no mapping or list, one that is either is left out.
    fn of(json: &'a RawValue, fields: &[Identifying]) -> Self {
        let given: BTreeMap<String, &'a RawValue> = object(json.get()).unwrap_or_default();
        let value = |raw: &'a RawValue, parts: &[&'static str]| match parts {
            [] => (!raw.get().starts_with(['{', '['])).then_some(PickedValue::Whole(raw)),
            parts => {
                let parts: Vec<Identifying> = parts.iter().map(|name| (*name, [].as_slice())).collect();
                raw.get().starts_with('{').then(|| PickedValue::Part(Self::of(raw, &parts)))
            }
        };
        let picked =
            fields.iter().filter_map(|(name, parts)| Some((*name, value(given.get(*name)?, parts)?)));
        Self(picked.collect())
    }
}

impl Serialize for Picked<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        self.0.iter().try_for_each(|(name, value)| map.serialize_entry(name, value))?;
        map.end()
    }
}

/// What is known of a message of any other source.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Identity {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entity_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entity_ref: Option<String>,
}

impl Identity {
    fn of(message: &Message) -> Self {
        let about = message.about();
        Self {
            id: message.id.clone(),
            account_id: about.account_id,
            entity_type: about.entity_type,
            entity_ref: about.entity_ref,
        }
    }
}

/// The payload that Standard Webhooks recommends.
#[derive(Serialize)]
struct Plain<'a> {
    #[serde(rename = "type")]
    kind: String,
    timestamp: String,
    data: &'a RawValue,
}

impl<'a> Plain<'a> {
    fn of(message: &Message, data: &'a RawValue) -> Self {
        Self { kind: message.topic(), timestamp: time(message), data }
    }

    fn body(&self) -> serde_json::Result<Body> {
        serde_json::to_vec(self).map(Body::from)
    }
}

/// The context attributes of a `CloudEvent`.
#[derive(Serialize)]
struct Attributes<'a> {
    specversion: &'static str,
    id: &'a str,
    source: String,
    #[serde(rename = "type")]
    kind: String,
    time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
}

#[derive(Serialize)]
struct Structured<'a> {
    #[serde(flatten)]
    attributes: &'a Attributes<'a>,
    datacontenttype: &'static str,
    data: &'a RawValue,
}

impl<'a> Attributes<'a> {
    fn of(message: &Message, id: &'a str) -> Self {
        let about = message.about();
        let entity: Vec<_> = [about.entity_type, about.entity_ref].into_iter().flatten().collect();
        Self {
            specversion: "1.0",
            id,
            source: format!("/fluent-connect/{}", utf8_percent_encode(&message.source, UNSAFE_IN_PATH)),
            kind: permitted(&type_of(message)),
            time: time(message),
            subject: (!entity.is_empty()).then(|| permitted(&entity.join("/"))),
        }
    }

    fn structured(&self, data: &RawValue) -> serde_json::Result<Body> {
        let event = Structured { attributes: self, datacontenttype: "application/json", data };
        let content_type = HeaderValue::from_static("application/cloudevents+json");
        Ok(Body { content_type, ..serde_json::to_vec(&event)?.into() })
    }

    fn binary(&self, data: &RawValue) -> Body {
        let attributes = [
            ("ce-specversion", self.specversion),
            ("ce-id", self.id),
            ("ce-source", &self.source),
            ("ce-type", &self.kind),
            ("ce-time", &self.time),
        ];
        let subject = self.subject.as_deref().map(|subject| ("ce-subject", subject));
        let pair = |(name, text)| Some((HeaderName::from_static(name), header(text)?));
        let headers = attributes.into_iter().chain(subject).filter_map(pair).collect::<HeaderMap>();
        Body { headers, ..data.get().as_bytes().to_vec().into() }
    }
}

/// When the connector received it: the same over all attempts and replays.
fn time(message: &Message) -> String {
    format!("{:.3}", message.received_at)
}

/// `<source>.<name>`; a name that begins so already is not lengthened.
fn type_of(message: &Message) -> String {
    let Message { source, name, .. } = message;
    if name.strip_prefix(source.as_str()).is_some_and(|rest| rest.starts_with('.')) {
        return name.clone();
    }
    format!("{source}.{name}")
}

/// The text without what no String of `CloudEvents` holds (specification 1.0.2, Type System): control characters and
/// noncharacters.
fn permitted(text: &str) -> String {
    let is_noncharacter = |c| matches!(u32::from(c), 0xFDD0..=0xFDEF) || u32::from(c) & 0xFFFE == 0xFFFE;
    let permitted = |c: char| if c.is_control() || is_noncharacter(c) { '\u{fffd}' } else { c };
    text.chars().map(permitted).collect()
}

/// A header's value that any text can be.
fn header(text: &str) -> Option<HeaderValue> {
    HeaderValue::try_from(utf8_percent_encode(text, UNSAFE_IN_HEADER).to_string()).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;
    use serde_json::value::RawValue;

    use super::{Body, Emission, EventFormat, Message, Payload};

    const EVENT: &str = r#"{"id":"e1","name":"OrderX","accountId":"ACME","retailerId":1,"entityId":12345678901234567890123,"entityRef":"HD_1","entityType":"ORDER","entityStatus":{"no":"text"},"attributes":{"total":19.90,"big":0.12345678901234567890}}"#;
    const NOTIFICATION: &str = r#"{"notificationType":"Message","projectKey":"acme","id":"m1","version":1,"sequenceNumber":2,"resource":{"typeId":"order","id":"o1","obj":{"customerEmail":"a@shop.example"}},"resourceVersion":3,"resourceUserProvidedIdentifiers":{"orderNumber":"HD_1","slug":{"en":"x"}},"type":"OrderCreated","order":{"id":"o1"}}"#;

    fn message(source: &str, name: &str, payload: &str) -> Message {
        let (source, name) = (Value::from(source), Value::from(name));
        let text = format!(
            r#"{{"version":1,"id":"e1","name":{name},"source":{source},"receivedAt":"2026-11-20T08:30:00Z","payload":{payload}}}"#
        );
        Message::parse(&text).unwrap()
    }

    fn made(format: EventFormat, payload: Payload, message: &Message) -> Body {
        Emission { format, payload }.of(message, "bi", "msg_1").unwrap()
    }

    fn text(body: &Body) -> &str {
        std::str::from_utf8(&body.bytes).unwrap()
    }

    /// Headers and body, as they go.
    fn shown(body: &Body) -> String {
        let headers = body.headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()));
        let head = [format!("content-type: {}", body.content_type.to_str().unwrap())];
        let lines: Vec<_> = head.into_iter().chain(headers).chain([text(body).to_owned()]).collect();
        lines.join("\n")
    }

    #[test]
    fn each_format_says_what_its_standard_says_and_keeps_every_digit() {
        let message = message("fluent", "OrderX", EVENT);
        let all = [
            EventFormat::StandardWebhooks,
            EventFormat::CloudEventsStructured,
            EventFormat::CloudEventsBinary,
        ];
        let all = all.map(|format| shown(&made(format, Payload::Full, &message)));
        insta::assert_snapshot!(all.join("\n\n"));
    }

    #[test]
    fn light_is_what_identifies_and_no_more() {
        let light = |source: &str, payload: &str| {
            let body = made(EventFormat::CloudEventsBinary, Payload::Light, &message(source, "N", payload));
            text(&body).to_owned()
        };
        let all = [
            light("fluent", EVENT),
            light("commercetools", NOTIFICATION),
            light(
                "commercetools",
                r#"{"id":"i1","notificationType":"Event","type":"ImportContainerCreated","resourceType":"import-api","data":{"key":"c"}}"#,
            ),
            light("fynd", r#"{"entityRef":"F1","payload":{"secret":1}}"#),
            light("fynd", "[1]"),
        ];
        insta::assert_snapshot!(all.join("\n"));
    }

    #[test]
    fn a_type_does_not_say_its_source_twice() {
        let kind = |source: &str, name: &str| {
            let body = made(EventFormat::CloudEventsBinary, Payload::Full, &message(source, name, "{}"));
            body.headers["ce-type"].to_str().unwrap().to_owned()
        };
        assert_eq!(kind("fluent", "OrderX"), "fluent.OrderX");
        assert_eq!(kind("commercetools", "commercetools.order.Created"), "commercetools.order.Created");
        assert_eq!(kind("fynd", "fynder.x"), "fynd.fynder.x");
    }

    #[test]
    fn what_no_header_holds_is_percent_encoded() {
        let body =
            made(EventFormat::CloudEventsBinary, Payload::Full, &message("f y", "Euro €\r\n\"50%\"", "{}"));
        assert_eq!(body.headers["ce-type"], "f%20y.Euro%20%E2%82%AC%EF%BF%BD%EF%BF%BD%2250%25%22");
        assert_eq!(body.headers["webhook-topic"], "f%20y/Euro%20%E2%82%AC%0D%0A%2250%25%22");
        assert_eq!(body.headers["ce-source"], "/fluent-connect/f%2520y", "a URI's own encoding is encoded");
        assert!(!body.headers.contains_key("ce-subject"));
    }

    proptest! {
        #[test]
        fn any_name_makes_headers_that_give_it_back(source in ".{1,20}", name in ".{1,20}", reference in ".{1,20}") {
            let payload = serde_json::json!({"entityType": "ORDER", "entityRef": reference}).to_string();
            let message = message(&source, &name, &payload);
            let body = made(EventFormat::CloudEventsBinary, Payload::Full, &message);
            prop_assert_eq!(body.headers.len(), 8, "none was left out");
            for (_, value) in &body.headers {
                prop_assert!(value.as_bytes().iter().all(|byte| (0x21..=0x7e).contains(byte) && *byte != b'"'));
            }
            let topic = percent_encoding::percent_decode(body.headers["webhook-topic"].as_bytes());
            prop_assert_eq!(topic.decode_utf8().unwrap(), message.topic());
        }

        #[test]
        fn the_event_is_in_each_envelope_as_it_came(
            name in ".{1,20}", integer in "-?[1-9][0-9]{0,40}", fraction in "[0-9]{1,30}",
        ) {
            let payload = format!(r#"{{ "n":{integer}.{fraction}, "m" : [{integer}e5] }}"#);
            let message = message("fluent", &name, &payload);
            for format in [EventFormat::StandardWebhooks, EventFormat::CloudEventsStructured] {
                let body = made(format, Payload::Full, &message);
                let envelope: std::collections::BTreeMap<String, Box<RawValue>> =
                    serde_json::from_slice(&body.bytes).unwrap();
                prop_assert_eq!(envelope["data"].get(), &payload);
            }
            let body = made(EventFormat::CloudEventsBinary, Payload::Full, &message);
            prop_assert_eq!(text(&body), &payload);
        }
    }
}
