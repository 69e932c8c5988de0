//! The version before, as `local/previous` records it: its messages and its parameters are read as they were written, and
//! what comes behind them keeps to their groups and their identities.
//!
//! No queue is needed for it; what a deployed update makes of the same record is tried in `local/tests/test_update.py`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::sync::Arc;

use connector::cache::Snapshot;
use connector::configuration::{Found, KeyRing, RoutingTable};
use connector::event::FluentEvent;
use connector::keys::PublicKey;
use connector::message::{Message, group_of, group_of_notification};
use connector::notification::Notification;
use connector::parameter::{Parameter, Section};
use connector::secret::Secret;
use connector::signature::{Md5Policy, SignatureHeaders, Verifier};
use connector::undelivered::Parked;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    parameters: BTreeMap<String, String>,
    queues: BTreeMap<String, Vec<Waiting>>,
    webhook_ids: BTreeMap<String, String>,
}

/// A message as it waited in a queue.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Waiting {
    body: String,
    group: String,
    deduplication: String,
    attributes: BTreeMap<String, String>,
}

impl Record {
    fn read() -> Self {
        serde_json::from_str(include_str!("../../../local/previous/waiting.json")).unwrap()
    }

    fn queue(&self, output: &str) -> &[Waiting] {
        self.queues.get(output).unwrap()
    }

    /// Everything that waited and is a message.
    fn messages(&self) -> impl Iterator<Item = &Waiting> {
        self.queue("EventQueueUrl").iter().chain(self.queue("UndeliveredQueueUrl"))
    }

    fn parameters(&self) -> Vec<Parameter> {
        let parameter = |(name, value): (&String, &String)| {
            let (section, name) = name.split_once('/').unwrap();
            let sections = KeyRing::SECTIONS.iter().chain(RoutingTable::SECTIONS);
            let section = *sections.into_iter().find(|known| known.as_str() == section).unwrap();
            let value = Secret::new(value.replace("{receiver}", "https://receiver.example"));
            Parameter { section, name: name.to_owned(), value, version: 1 }
        };
        self.parameters.iter().map(parameter).collect()
    }
}

/// The group of the entity that a message is about, as it would be received today.
fn group_today(message: &Message) -> String {
    let payload = message.payload.get();
    if message.source == "commercetools" {
        return group_of_notification(&Notification::of_platform(payload).unwrap(), message);
    }
    let keys = [Arc::new(PublicKey::parse(testkit::signing::DEVELOPMENT_PUBLIC_KEY).unwrap())];
    let signature = testkit::signing::sign_sha512(payload.as_bytes());
    let headers = SignatureHeaders { fluent: vec![signature.as_bytes()], flex: vec![] };
    let verified = Verifier::new(&keys, Md5Policy::Refuse).verify(payload.as_bytes(), &headers).unwrap();
    group_of(&FluentEvent::from_verified(&verified).unwrap())
}

#[test]
fn every_message_is_written_again_as_it_was() {
    let record = Record::read();
    assert!(record.messages().count() >= 10);
    for waiting in record.messages() {
        let message = Message::parse(&waiting.body).unwrap();
        let outgoing = message.outgoing(waiting.group.clone(), None).unwrap();
        assert_eq!(outgoing.body, waiting.body);
    }
}

#[test]
fn a_webhook_that_comes_once_more_is_known_again() {
    let record = Record::read();
    for waiting in record.queue("EventQueueUrl") {
        let message = Message::parse(&waiting.body).unwrap();
        let outgoing = message.outgoing(waiting.group.clone(), None).unwrap();
        assert_eq!(outgoing.deduplication, waiting.deduplication);
    }
}

#[test]
fn what_comes_behind_a_message_joins_its_group() {
    let record = Record::read();
    let (table, _) = RoutingTable::build(&record.parameters(), None);
    for waiting in record.messages() {
        let message = Message::parse(&waiting.body).unwrap();
        let entity = group_today(&message);
        let endpoint = |route| match table.route(route) {
            Some(Found::Usable(route)) => route.endpoint.as_deref(),
            Some(Found::Broken(_)) | None => None,
        };
        let group = match &message.route {
            None => entity,
            Some(route) => message.group_in(&entity, table.lane(route, endpoint(route))),
        };
        let group = if message.answer.is_some() { Message::answer_group(&group) } else { group };
        assert_eq!(group, waiting.group);
    }
}

#[test]
fn a_receiver_is_shown_the_webhook_id_that_it_knows() {
    let record = Record::read();
    let mut shown = 0;
    for waiting in record.messages() {
        let message = Message::parse(&waiting.body).unwrap();
        let (Some(route), Some(known)) = (&message.route, record.webhook_ids.get(&message.id)) else {
            continue;
        };
        assert_eq!(&message.webhook_id(route), known);
        shown += 1;
    }
    assert!(shown >= 3);
}

#[test]
fn what_parked_messages_say_of_themselves_is_read() {
    for waiting in Record::read().queue("UndeliveredQueueUrl") {
        let attributes = waiting.attributes.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let stated = Parked::of(attributes);
        let read = [
            stated.reason.map(|reason| ("reason", reason.as_str().to_owned())),
            stated.code.map(|code| ("code", code)),
            stated.route.map(|route| ("route", route)),
            stated.endpoint.map(|endpoint| ("endpoint", endpoint)),
            stated.attempts.map(|attempts| ("attempts", attempts.to_string())),
            stated.status.map(|status| ("status", status.to_string())),
            stated.time.map(|time| ("time", format!("{time:.3}"))),
        ];
        let read: BTreeMap<_, _> =
            read.into_iter().flatten().map(|(name, value)| (name.to_owned(), value)).collect();
        assert_eq!(read, waiting.attributes);
    }
}

#[test]
fn no_parameter_is_broken() {
    let parameters = Record::read().parameters();
    let of = |sections: &[Section]| -> Vec<Parameter> {
        parameters.iter().filter(|parameter| sections.contains(&parameter.section)).cloned().collect()
    };
    assert_eq!(KeyRing::build(&of(KeyRing::SECTIONS), None).1, []);
    assert_eq!(RoutingTable::build(&of(RoutingTable::SECTIONS), None).1, []);
}
