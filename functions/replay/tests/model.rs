//! Random messages, filters, failures and deaths against queues that behave as SQS does.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use connector::message::Outgoing;
use connector::undelivered::Received;
use jiff::Timestamp;
use proptest::prelude::*;
use replay::candidate::Candidate;
use replay::filter::{Filter, Match};
use replay::replay::{Invocation, Replay, ReplayError};
use replay::report::Report;
use replay::request::Request;
use serde_json::{Value, json};
use testkit::event_log_reader::FakeEventLogReader;
use testkit::fakes::{FakeLog, ManualClock};
use testkit::fifo::{FakeFifoQueue, Fault, Faults};

/// Longer than any run sleeps.
const A_DAY: Duration = Duration::from_hours(24);
/// As the template has it.
const TIMEOUT: Duration = Duration::from_mins(15);

struct World {
    clock: ManualClock,
    undelivered: Arc<FakeFifoQueue>,
    events: Arc<FakeFifoQueue>,
    /// Of the undelivered queue.
    faults: Faults,
    /// Of the event queue.
    sends: Faults,
    log: Arc<FakeLog>,
    replay: Replay,
    runs: usize,
}

impl World {
    fn new() -> Self {
        let clock = ManualClock::default();
        let (faults, sends) = (Faults::default(), Faults::default());
        let undelivered = Arc::new(FakeFifoQueue::new(clock.port(), faults.clone()));
        let events = Arc::new(FakeFifoQueue::new(clock.port(), sends.clone()));
        let log = Arc::new(FakeLog::default());
        let replay = Replay {
            undelivered_queue: undelivered.clone(),
            event_queue: events.clone(),
            reader: Arc::new(FakeEventLogReader::default()),
            event_log: log.clone(),
            clock: clock.port(),
        };
        Self { clock, undelivered, events, faults, sends, log, replay, runs: 0 }
    }

    fn now(&self) -> Timestamp {
        (self.clock.port())()
    }

    fn park(&self, message: &Parked) {
        self.undelivered.put(&message.outgoing(self.undelivered.contents().len(), self.now()));
        self.clock.advance(Duration::from_secs(1));
    }

    fn park_all(&self, messages: &[Parked]) {
        for message in messages {
            self.park(message);
        }
    }

    /// A run; `None` where it died.
    async fn run(&mut self, input: &Value) -> Option<Report> {
        self.run_within(input, TIMEOUT).await
    }

    async fn run_within(&mut self, input: &Value, timeout: Duration) -> Option<Report> {
        self.runs += 1;
        self.clock.advance(Duration::from_secs(1));
        let invocation = Invocation {
            request_id: format!("run-{}", self.runs),
            deadline: self.now().checked_add(timeout).unwrap(),
        };
        match tokio::time::timeout(A_DAY, self.replay.run(input, &invocation)).await {
            Ok(Ok(report)) => Some(report),
            Ok(Err(ReplayError::Queue(_))) => Some(Report::default()),
            Ok(Err(error)) => panic!("{error}"),
            Err(_) => {
                self.clock.advance(TIMEOUT);
                None
            }
        }
    }

    /// Runs until nothing is left to do.
    async fn run_to_the_end(&mut self, input: &Value) -> Report {
        for _ in 0..400 {
            if let Some(report) = self.run(input).await
                && report.finished
            {
                return report;
            }
            self.clock.advance(TIMEOUT); // what could not be released is back
        }
        panic!("it never ends: {input}");
    }
}

#[derive(Debug, Clone)]
struct Parked {
    group: u8,
    endpoint: u8,
    name: u8,
    entity: u8,
    reason: u8,
    stated: bool,
}

impl Parked {
    fn outgoing(&self, number: usize, now: Timestamp) -> Outgoing {
        let reasons = ["refused", "paused", "bewitched"];
        let body = json!({
            "version": 1, "id": format!("{number:03}"), "name": format!("N{}", self.name), "source": "fluent",
            "receivedAt": "2026-11-20T08:00:00Z", "payload": {"entityRef": format!("E{}", self.entity)}
        });
        let mut attributes = vec![
            ("reason", reasons[usize::from(self.reason)].to_owned()),
            ("endpoint", format!("e{}", self.endpoint)),
            ("attempts", "7".to_owned()),
        ];
        attributes.extend(self.stated.then(|| ("time", format!("{now:.3}"))));
        Outgoing {
            body: body.to_string(),
            group: format!("g{}", self.group),
            deduplication: number.to_string(),
            trace: Some(format!("Root={number}")),
            attributes,
        }
    }
}

fn one(group: u8, endpoint: u8, name: u8) -> Parked {
    Parked { group, endpoint, name, entity: 0, reason: 0, stated: true }
}

fn parked() -> impl Strategy<Value = Parked> {
    let endpoint = prop_oneof![4 => Just(0_u8), 1 => Just(1_u8)];
    let entity = prop_oneof![4 => Just(0_u8), 1 => Just(1_u8)];
    (0..3_u8, endpoint, 0..2_u8, entity, 0..3_u8, prop::bool::weighted(0.8)).prop_map(
        |(group, endpoint, name, entity, reason, stated)| Parked {
            group,
            endpoint,
            name,
            entity,
            reason,
            stated,
        },
    )
}

fn input() -> impl Strategy<Value = Value> {
    let maybe = || prop::bool::weighted(0.3);
    let time = || prop::option::weighted(0.2, 0..60_u64);
    ((maybe(), maybe(), maybe(), maybe()), time(), time(), prop::option::of(1..30_u64), 1..100_u64).prop_map(
        |((endpoint, name, entity, reason), from, to, limit, rate)| {
            let start: Timestamp = "2026-11-20T08:30:00Z".parse().unwrap();
            let at = |seconds: u64| start.checked_add(Duration::from_secs(seconds)).unwrap().to_string();
            let (from, to) = match (from, to) {
                (Some(from), Some(to)) => (Some(from.min(to)), Some(from.max(to))),
                times => times,
            };
            json!({
                "endpoint": endpoint.then_some("e0"), "name": name.then_some("N0"), "entityRef": entity.then_some("E0"),
                "reason": reason.then_some("paused"), "from": from.map(at), "to": to.map(at),
                "limit": limit, "ratePerSecond": rate, "dryRun": false
            })
        },
    )
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        12 => Just(Fault::None), 2 => Just(Fault::Refused), 2 => Just(Fault::Lost),
        1 => Just(Fault::Death), 1 => Just(Fault::DeathAfter),
    ]
}

fn failure() -> impl Strategy<Value = Fault> {
    prop_oneof![4 => Just(Fault::None), 1 => Just(Fault::Refused)]
}

/// Ids by group, in order.
fn ids(messages: &[Received]) -> BTreeMap<String, Vec<String>> {
    let mut ids: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for message in messages {
        ids.entry(message.group.clone()).or_default().push(id(message));
    }
    ids
}

fn id(message: &Received) -> String {
    let body: Value = serde_json::from_str(&message.body).unwrap();
    body["id"].as_str().unwrap().to_owned()
}

fn all(messages: &[Received]) -> Vec<String> {
    let mut ids: Vec<_> = messages.iter().map(id).collect();
    ids.sort();
    ids
}

fn meant(messages: &[Received], filter: &Filter) -> Vec<String> {
    let meant = |message: &&Received| filter.matches(&Candidate::of((*message).clone())) == Match::Yes;
    messages.iter().filter(meant).map(id).collect()
}

fn in_time(future: impl Future<Output = Result<(), TestCaseError>>) -> Result<(), TestCaseError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.unwrap().block_on(future)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn whatever_fails_nothing_is_lost_and_nothing_that_is_meant_stays(
        messages in prop::collection::vec(parked(), 0..50),
        input in input(),
        faults in prop::collection::vec(fault(), 0..60),
        sends in prop::collection::vec(fault(), 0..20),
    ) {
        in_time(async {
            let mut world = World::new();
            world.park_all(&messages);
            let given = all(&world.undelivered.contents());
            let filter = Request::parse(&input, world.now()).unwrap().filter;
            world.faults.next(faults);
            world.sends.next(sends);
            world.run_to_the_end(&input).await;
            let mut found = all(&world.undelivered.contents());
            prop_assert_eq!(meant(&world.undelivered.contents(), &filter), Vec::<String>::new());
            found.extend(all(&world.events.contents()));
            found.sort();
            found.dedup();
            prop_assert_eq!(found, given);
            Ok(())
        })?;
    }

    #[test]
    fn while_nobody_dies_each_message_ends_once_and_each_group_keeps_its_order(
        messages in prop::collection::vec(parked(), 0..60),
        input in input(),
        sends in prop::collection::vec(failure(), 0..20),
    ) {
        in_time(async {
            let mut world = World::new();
            world.park_all(&messages);
            let before = world.undelivered.contents();
            let filter = Request::parse(&input, world.now()).unwrap().filter;
            let expected = meant(&before, &filter);
            world.sends.next(sends);
            world.run_to_the_end(&input).await;
            let (left, taken) = (world.undelivered.contents(), world.events.contents());
            prop_assert!(ids(&left).values().all(|ids| ids.is_sorted()), "left {:?}", ids(&left));
            prop_assert!(ids(&taken).values().all(|ids| ids.is_sorted()), "taken {:?}", ids(&taken));
            let mut expected = expected;
            expected.sort();
            prop_assert_eq!(all(&taken), expected);
            let mut found = all(&left);
            found.extend(all(&taken));
            found.sort();
            prop_assert_eq!(found, all(&before));
            let recorded = world.log.types().iter().filter(|kind| *kind == "message.replayed").count();
            prop_assert_eq!(recorded, taken.len());
            Ok(())
        })?;
    }

    #[test]
    fn a_dry_run_moves_nothing_and_gives_everything_back(
        messages in prop::collection::vec(parked(), 0..40),
        input in input(),
    ) {
        in_time(async {
            let mut world = World::new();
            world.park_all(&messages);
            let before = all(&world.undelivered.contents());
            let mut input = input;
            input["dryRun"] = json!(null);
            let report = world.run(&input).await.unwrap();
            prop_assert_eq!(all(&world.undelivered.contents()), before);
            prop_assert_eq!(world.undelivered.hidden(), 0);
            prop_assert_eq!(world.events.contents().len() + world.log.entries().len(), 0);
            prop_assert!(report.dry_run && report.moved == 0 && report.next.starts_with("noth"));
            Ok(())
        })?;
    }

    #[test]
    fn the_limit_is_kept(messages in prop::collection::vec(parked(), 0..40), limit in 1..20_u64) {
        in_time(async {
            let mut world = World::new();
            world.park_all(&messages);
            let matching = world.undelivered.contents().len() as u64;
            let report = world.run(&json!({"dryRun": false, "limit": limit})).await.unwrap();
            prop_assert_eq!(report.moved, matching.min(limit));
            prop_assert_eq!(world.events.contents().len() as u64, matching.min(limit));
            prop_assert_eq!(world.undelivered.hidden(), 0);
            Ok(())
        })?;
    }
}

#[tokio::test(start_paused = true)]
async fn what_stands_behind_the_first_ten_of_a_group_is_told_by_a_dry_run_and_reached_by_the_run() {
    let mut world = World::new();
    (0..25).for_each(|at| world.park(&one(0, 0, u8::from(at < 24))));
    let report = world.run(&json!({"name": "N0"})).await.unwrap();
    assert_eq!((report.matched, report.left, report.unseen), (0, 10, Some(15)));
    assert!(report.next.contains("about 15 more"), "{}", report.next);
    let report = world.run(&json!({"name": "N0", "dryRun": false})).await.unwrap();
    assert_eq!(
        (report.moved, report.set_aside, report.left, report.finished),
        (1, 24, 0, true),
        "{report:?}"
    );
    let kept = world.undelivered.contents();
    assert!(kept.iter().all(|message| message.attributes.len() == 4 && message.trace.is_some()));
}

#[tokio::test(start_paused = true)]
async fn groups_of_another_endpoint_are_left_where_they_stand() {
    let mut world = World::new();
    (0..3).for_each(|group| (0..3).for_each(|_| world.park(&one(group, group, 0))));
    let report = world.run(&json!({"endpoint": "e1", "dryRun": false})).await.unwrap();
    assert_eq!((report.moved, report.left, report.set_aside), (3, 6, 0));
    assert_eq!(report.by_endpoint, BTreeMap::from([("e1".to_owned(), 3)]));
    assert_eq!(report.by_reason, BTreeMap::from([("refused".to_owned(), 3)]));
}

#[tokio::test(start_paused = true)]
async fn of_a_group_no_two_messages_travel_in_one_call_and_of_several_groups_they_do() {
    let mut world = World::new();
    (0..3).for_each(|_| (0..3).for_each(|group| world.park(&one(group, 0, 0))));
    world.run(&json!({"dryRun": false})).await.unwrap();
    assert_eq!(world.events.calls(), [3, 3, 3]);
}

#[tokio::test(start_paused = true)]
async fn sends_keep_to_the_rate() {
    let mut world = World::new();
    (0..9).for_each(|group| world.park(&one(group, 0, 0)));
    let before = tokio::time::Instant::now();
    world.run(&json!({"dryRun": false, "ratePerSecond": 2})).await.unwrap();
    assert_eq!(world.events.calls(), [2, 2, 2, 2, 1]);
    assert!(before.elapsed() >= Duration::from_secs(4));
}

#[tokio::test(start_paused = true)]
async fn after_a_failed_send_nothing_more_of_its_group_is_sent() {
    let mut world = World::new();
    (0..3).for_each(|_| (0..2).for_each(|group| world.park(&one(group, 0, 0))));
    world.sends.next([Fault::Refused]);
    let report = world.run(&json!({"dryRun": false})).await.unwrap();
    assert_eq!((report.moved, report.failed, report.left, report.finished), (3, 1, 3, false));
    assert_eq!(ids(&world.events.contents()).keys().collect::<Vec<_>>(), ["g1"]);
    assert!(report.error.unwrap().contains("told to fail"));
    assert_eq!(world.log.types().iter().filter(|kind| *kind == "message.fault").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_set_aside_for_want_of_room_is_not_overtaken_when_there_is_room_again() {
    let mut world = World::new();
    for (group, name) in [(0, 1), (0, 0), (1, 1), (1, 0), (1, 0)] {
        world.park(&one(group, 0, name));
    }
    world.sends.next([Fault::Refused]); // the room that the first message of g0 took
    let input = json!({"name": "N0", "limit": 1, "dryRun": false});
    world.run(&input).await.unwrap();
    assert!(world.events.contents().is_empty());
    world.run_to_the_end(&input).await;
    assert_eq!(ids(&world.events.contents())["g1"], ["003", "004"]);
}

#[tokio::test(start_paused = true)]
async fn an_original_that_cannot_be_deleted_is_told_and_its_repetition_is_swallowed() {
    let mut world = World::new();
    world.park(&one(0, 0, 0));
    let (fine, refused) = (Fault::None, Fault::Refused);
    let (receive, deletes, empty, last_delete) = ([fine], [refused; 3], [fine; 2], [refused]);
    world.faults.next(receive.into_iter().chain(deletes).chain(empty).chain(last_delete));
    let timeout = Duration::from_mins(4); // back within the five minutes of deduplication
    let report = world.run_within(&json!({"dryRun": false}), timeout).await.unwrap();
    assert_eq!((report.moved, report.sent_but_not_removed, report.finished), (1, 1, false));
    world.clock.advance(timeout);
    world.run_to_the_end(&json!({"dryRun": false})).await;
    assert_eq!((world.undelivered.contents().len(), world.events.contents().len()), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn where_too_little_time_is_left_nothing_is_taken() {
    let mut world = World::new();
    world.park(&one(0, 0, 0));
    let report = world.run_within(&json!({"dryRun": false}), Duration::from_mins(1)).await.unwrap();
    assert_eq!(
        (report.moved, report.finished, report.stopped.as_str()),
        (0, false, "the function's time is nearly over")
    );
}

#[tokio::test(start_paused = true)]
async fn the_answer_can_be_read_in_the_console() {
    let mut world = World::new();
    world.park(&one(0, 0, 0));
    let report = world.run(&json!({})).await.unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&report).unwrap(), @r#"
    {
      "dryRun": true,
      "finished": true,
      "stopped": "all messages were seen",
      "next": "nothing was moved; set \"dryRun\" to false to move the messages",
      "matched": 1,
      "moved": 0,
      "left": 0,
      "setAside": 0,
      "failed": 0,
      "sentButNotRemoved": 0,
      "unseen": 0,
      "byReason": {
        "refused": 1
      },
      "byEndpoint": {
        "e0": 1
      },
      "messages": [
        {
          "id": "000",
          "name": "N0",
          "entityRef": "E0",
          "route": null,
          "endpoint": "e0",
          "reason": "refused",
          "code": null,
          "attempts": 7,
          "status": null,
          "time": "2026-11-20T08:30:00Z"
        }
      ]
    }
    "#);
}

#[tokio::test(start_paused = true)]
async fn the_sample_input_is_understood() {
    let sample =
        std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../events/replay-dry-run.json");
    let sample: Value = serde_json::from_str(&std::fs::read_to_string(sample).unwrap()).unwrap();
    assert!(World::new().run(&sample).await.unwrap().dry_run);
}
