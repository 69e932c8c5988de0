//! The listener against its contract: random records, random failures, each record in exactly one place.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use connector::cache::Cache;
use connector::message::Message;
use ct_queue_listener::listen::{Invocation, Listener};
use ct_queue_listener::record::Record;
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};
use testkit::fakes::{FakeConfiguration, FakeLog, FakeQueue, ManualClock};

/// What a generated record is, and so where it has to end when nothing fails.
#[derive(Debug, Clone)]
enum Kind {
    Message,
    Change,
    CloudEvent,
    Unknown,
    Test,
    NoNotification,
    Garbage(String),
    Json(Value),
}

/// Where a record ends.
#[derive(Debug, PartialEq)]
enum Place {
    EventQueue,
    DeadLetters,
    Dropped,
    Either,
}

impl Kind {
    /// Each body holds the record's id, so that it is found again.
    fn body(&self, id: &str) -> String {
        let notification = |kind: &str, type_id: &str| {
            json!({
                "notificationType": kind, "projectKey": "shop", "resource": {"typeId": type_id, "id": id},
                "type": "OrderCreated", "sequenceNumber": 1, "version": 1,
            })
        };
        match self {
            Self::Message => notification("Message", "order").to_string(),
            Self::Change => notification("ResourceUpdated", "customer").to_string(),
            Self::CloudEvent => {
                json!({"specversion": "1.0", "data": notification("Message", "order")}).to_string()
            }
            Self::Unknown => notification("ResourceArchived", "order").to_string(),
            Self::Test => notification("ResourceCreated", "subscription").to_string(),
            Self::NoNotification => json!({ "resource": id }).to_string(),
            Self::Garbage(text) => format!("{text}{id}"),
            Self::Json(value) => json!({ "notificationType": value, "mark": id }).to_string(),
        }
    }

    fn place(&self) -> Place {
        match self {
            Self::Message | Self::Change | Self::CloudEvent | Self::Unknown => Place::EventQueue,
            Self::Test => Place::Dropped,
            Self::NoNotification | Self::Garbage(_) => Place::DeadLetters,
            Self::Json(_) => Place::Either,
        }
    }
}

fn kind() -> impl Strategy<Value = Kind> {
    let value = prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::from),
        "[a-zA-Z]{0,9}".prop_map(Value::from)
    ];
    prop_oneof![
        2 => Just(Kind::Message),
        1 => Just(Kind::Change),
        1 => Just(Kind::CloudEvent),
        1 => Just(Kind::Unknown),
        1 => Just(Kind::Test),
        1 => Just(Kind::NoNotification),
        1 => "[^{]\\PC{0,12}".prop_map(Kind::Garbage),
        1 => value.prop_map(Kind::Json),
    ]
}

fn failures(weight: f64) -> impl Strategy<Value = Vec<bool>> {
    prop::collection::vec(prop::bool::weighted(weight), 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn each_record_ends_in_exactly_one_place(
        kinds in prop::collection::vec((kind(), 1..120_u32), 0..11),
        event_queue_fails in failures(0.3),
        dead_letters_fail in failures(0.3),
        ct_queue_fails in failures(0.3),
        unreadable in prop::bool::weighted(0.1),
    ) {
        let configuration = Arc::new(FakeConfiguration::default());
        configuration.set_unreadable(unreadable);
        let (clock, console) = (ManualClock::default(), Arc::new(FakeLog::default()));
        let [events, ct, dead]: [Arc<FakeQueue>; 3] = Default::default();
        events.fail_next(event_queue_fails);
        dead.fail_next(dead_letters_fail);
        ct.fail_next(ct_queue_fails);
        let listener = Listener {
            names: Cache::new(configuration, Duration::from_secs(30), clock.port(), console.clone()),
            event_queue: events.clone(),
            ct_queue: ct.clone(),
            dead_letter_queue: dead.clone(),
            console: console.clone(),
            clock: clock.port(),
            tracing: None,
        };
        let records: Vec<_> = kinds.iter().enumerate().map(|(at, (kind, receives))| Record {
            id: format!("record-{at}-"),
            receipt: format!("receipt-{at}"),
            body: kind.body(&format!("record-{at}-")),
            receives: *receives,
            trace: None,
        }).collect();
        let invocation = Invocation { request_id: "request".to_owned(), deadline: Timestamp::MAX, trace: None };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();

        let kept = runtime.block_on(listener.listen(&records, &invocation));

        let kept_set: BTreeSet<_> = kept.iter().cloned().collect();
        prop_assert_eq!(kept_set.len(), kept.len(), "a record is reported once");
        let lines = console.entries();
        let told = |kind: &str, id: &str| {
            lines.iter().filter(|line| line["type"] == kind && line["sqs.message_id"] == id).count()
        };
        for ((kind, _), record) in kinds.iter().zip(&records) {
            let queued = events.sent().iter().filter(|sent| {
                Message::parse(&sent.body).unwrap().payload.get().contains(&record.id)
            }).count();
            let refused = dead.sent().iter().filter(|sent| sent.body == record.body && sent.deduplication == record.id).count();
            let dropped = told("inbound.dropped", &record.id);
            let stays = usize::from(kept_set.contains(&record.id));
            prop_assert_eq!(queued + refused + dropped + stays, 1, "{:?}", record);
            if stays == 0 {
                let place = if queued == 1 { Place::EventQueue } else if refused == 1 { Place::DeadLetters } else { Place::Dropped };
                prop_assert!(kind.place() == Place::Either || kind.place() == place, "{:?} is in {:?}", record, place);
            }
            prop_assert_eq!(told("inbound.accepted", &record.id), queued);
            prop_assert_eq!(told("inbound.refused", &record.id), refused);
            prop_assert_eq!(told("message.fault", &record.id), stays);
        }
        prop_assert!(ct.postponed().iter().all(|(_, delay)| *delay <= Duration::from_hours(1)));
        prop_assert!(ct.sent().is_empty());
    }
}
