//! Starts that no tick told of: caught up within an hour, once, and only where nothing was written of the job since.

use std::collections::BTreeSet;
use std::time::Duration;

use connector::message::Message;
use connector::parameter::Section;
use jiff::{SignedDuration, Timestamp};
use job_scheduler::due::Settled;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::World;

const DAILY: (Section, &str, &str) =
    (Section::Routes, "daily", "handler: location-check\nschedule: { every: 24h, offset: 8h }");
const HEARTBEAT: (Section, &str, &str) =
    (Section::Routes, "heartbeat", "schedule: { every: 1m }\nendpoint: x");
/// The start of `daily` that no tick told of.
const MISSED: &str = "daily/2026-11-21T08:00:00Z";
const STATE: &str = r#"{"lastEndDate": "2026-11-20T08:00:05Z", "startedAt": "2026-11-20T08:00:05Z"}"#;
const STANDING_STILL: &str = r#"{"startedAt": "2026-11-20T08:00:05Z", "run": {"id": "daily/2026-11-20T08:00:00Z", "step": 3, "to": "2026-11-20T08:00:05Z"}}"#;

/// 21 November, 8:05: this was written of `daily` the day before.
fn day_after(state: &str) -> World {
    let world = World::with(&[DAILY, HEARTBEAT]);
    world.jobs.put("daily", state);
    world.clock.advance(Duration::from_mins(24 * 60 - 25));
    world
}

/// What was sent for `daily`.
fn sent(world: &World) -> Vec<String> {
    world.sent().into_iter().filter(|id| id.starts_with("daily/")).collect()
}

#[tokio::test]
async fn a_start_that_no_tick_told_of_is_caught_up_once() {
    let world = day_after(STATE);
    let answer = world.tick("2026-11-21T08:05:00Z").await.unwrap();
    assert_eq!(
        answer,
        json!({"minute": "2026-11-21T08:05:00Z", "started": ["heartbeat"], "caughtUp": [MISSED]})
    );
    let answer = world.tick("2026-11-21T08:06:00Z").await.unwrap();
    assert_eq!(answer, json!({"minute": "2026-11-21T08:06:00Z", "started": ["heartbeat"]}));
    assert_eq!(sent(&world), [MISSED]);
    let message = Message::parse(&world.event_queue.sent()[1].body).unwrap();
    insta::assert_snapshot!(message.payload.get(), @r#"{"entityType":"JOB","entityRef":"daily","requestedAt":"2026-11-21T08:00:00Z","asker":"schedule","beginning":"lastEnd"}"#);
    assert_eq!(world.lines("job.requested")[1]["message.id"], MISSED);
}

#[tokio::test]
async fn a_start_is_caught_up_within_an_hour_and_not_later() {
    for (minute, is_caught_up) in [
        ("2026-11-21T08:01:00Z", true),
        ("2026-11-21T09:00:00Z", true),
        ("2026-11-21T09:01:00Z", false),
        ("2026-11-22T07:59:00Z", false),
    ] {
        let world = day_after(STATE);
        world.tick(minute).await.unwrap();
        assert_eq!(sent(&world) == [MISSED], is_caught_up, "{minute}");
    }
}

#[tokio::test]
async fn a_job_that_never_ran_starts_at_its_minute_alone() {
    let world = World::with(&[DAILY]);
    world.tick("2026-11-21T08:05:00Z").await.unwrap();
    world.jobs.fail_next([true]);
    world.tick("2026-11-21T08:06:00Z").await.unwrap();
    assert!(world.lines("message.fault").is_empty(), "it is not asked for again");
    world.jobs.recover();
    world.tick("2026-11-22T08:00:00Z").await.unwrap();
    assert_eq!(sent(&world), ["daily/2026-11-22T08:00:00Z"]);
}

#[tokio::test]
async fn a_job_of_which_something_was_written_since_missed_nothing() {
    let ended = STATE.replace("20T08", "21T08");
    for state in [ended.as_str(), STANDING_STILL, STATE] {
        let world = day_after(STATE);
        world.jobs.put("daily", state);
        world.clock.advance(Duration::from_mins(1));
        world.tick("2026-11-21T08:06:00Z").await.unwrap();
        assert!(sent(&world).is_empty(), "a run began, or went on, or somebody wrote it: {state}");
    }
}

#[tokio::test]
async fn a_run_that_stands_still_since_before_is_met_once_and_not_every_minute() {
    let world = day_after(STANDING_STILL);
    for minute in 1..60 {
        world.tick(&format!("2026-11-21T08:{minute:02}:00Z")).await.unwrap();
    }
    assert_eq!(sent(&world), [MISSED]);
}

#[tokio::test]
async fn a_start_that_the_queue_has_confirmed_is_not_sent_again_however_long_it_waits() {
    let world = day_after(STATE);
    for minute in 0..60 {
        world.tick(&format!("2026-11-21T08:{minute:02}:00Z")).await.unwrap();
    }
    assert_eq!(sent(&world), [MISSED]);
}

#[tokio::test]
async fn what_is_due_now_starts_although_what_is_kept_of_jobs_cannot_be_read() {
    let world = day_after(STATE);
    world.jobs.fail_next([true]);
    let answer = world.tick("2026-11-21T08:05:00Z").await.unwrap();
    assert_eq!(answer, json!({"minute": "2026-11-21T08:05:00Z", "started": ["heartbeat"]}));
    let faults = world.lines("message.fault");
    let told: Vec<_> = faults.iter().map(Value::to_string).collect();
    insta::assert_snapshot!(told.join("\n"), @r#"{"type":"message.fault","time":"2026-11-21T08:05:00.000Z","code":"E_CONFIG","request.id":"request-1","error":"whether a start was missed cannot be told of daily: how far the job has come could not be read or kept: the fake store was told to fail"}"#);
    world.tick("2026-11-21T08:06:00Z").await.unwrap();
    assert_eq!(sent(&world), [MISSED], "and the next tick looks again");
}

#[tokio::test]
async fn a_start_that_the_queue_does_not_confirm_is_an_error_and_sent_at_the_next_tick() {
    let world = day_after(STATE);
    world.event_queue.fail_next([false, true]);
    let error = world.tick("2026-11-21T08:05:00Z").await.unwrap_err();
    assert!(error.starts_with("QueueUnconfirmed: not started: daily: "), "{error}");
    world.event_queue.fail_next([true, false]);
    let error = world.tick("2026-11-21T08:06:00Z").await.unwrap_err();
    assert!(error.starts_with("QueueUnconfirmed: not started: heartbeat: "), "{error}");
    assert_eq!(sent(&world), [MISSED]);
}

#[tokio::test]
async fn another_environment_sends_the_same_message() {
    let mut world = day_after(STATE);
    world.tick("2026-11-21T08:05:00Z").await.unwrap();
    world.scheduler.settled = Settled::default();
    world.tick("2026-11-21T08:06:00Z").await.unwrap();
    let sent = world.event_queue.sent();
    let copies: Vec<_> = sent.iter().filter(|sent| sent.body.contains(MISSED)).collect();
    let ids: BTreeSet<_> = copies.iter().map(|sent| &sent.deduplication).collect();
    assert_eq!((copies.len(), ids.len()), (2, 1), "SQS takes one of them");
}

#[tokio::test]
async fn what_the_clock_does_not_start_was_not_missed() {
    let world = World::with(&[
        (Section::Routes, "off", "schedule: { every: 24h, offset: 8h }\nendpoint: x\nenabled: false"),
        (Section::Routes, "by-hand", "schedule: manual\nendpoint: x"),
        (Section::Routes, "broken", "schedule: { every: 90s }\nendpoint: x"),
        (Section::Routes, "status", "message: OrderStatusChange\nendpoint: x"),
    ]);
    for job in ["off", "by-hand", "broken", "status"] {
        world.jobs.put(job, STATE);
    }
    world.clock.advance(Duration::from_hours(24));
    let answer = world.tick("2026-11-21T08:05:00Z").await.unwrap();
    assert_eq!(answer, json!({"minute": "2026-11-21T08:05:00Z", "started": []}));
}

/// What becomes of a minute's tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tick {
    Comes,
    IsLost,
    /// It comes to a new environment.
    Anew,
    /// It comes, and Parameter Store does not answer.
    Blind,
}

fn tick() -> impl Strategy<Value = Tick> {
    prop_oneof![
        4 => Just(Tick::Comes),
        12 => Just(Tick::IsLost),
        1 => Just(Tick::Anew),
        2 => Just(Tick::Blind),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Each tick that comes starts the last run that was due, where that is within an hour and was not started before.
    #[test]
    fn whichever_ticks_are_lost_each_start_of_the_last_hour_is_sent_once(
        ticks in proptest::collection::vec(tick(), 1..300),
        period in 1..150_u32,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let route = format!("handler: location-check\nschedule: {{ every: {period}m }}");
            let mut world = World::with(&[(Section::Routes, "daily", &route)]);
            world.jobs.put("daily", STATE);
            let written = (world.scheduler.clock)();
            let mut expected: Vec<String> = Vec::new();
            for tick in ticks {
                world.clock.advance(Duration::from_mins(1));
                let now = (world.scheduler.clock)();
                match tick {
                    Tick::IsLost => continue,
                    Tick::Comes => {}
                    Tick::Anew => world.scheduler.settled = Settled::default(),
                    Tick::Blind => world.jobs.fail_next([true]),
                }
                world.tick(&now.to_string()).await.unwrap();
                world.jobs.recover();
                if world.sent().len() > expected.len() {
                    world.jobs.put("daily", STATE); // the run begins
                }
                let due = due(period, now, tick);
                let due = due.filter(|due| *due > written).map(|due| format!("daily/{due}"));
                expected.extend(due.filter(|id| !expected.contains(id)));
            }
            assert_eq!(world.sent(), expected);
        });
    }
}

/// The start that a tick is to send where no other did.
fn due(period: u32, now: Timestamp, tick: Tick) -> Option<Timestamp> {
    let ago = now.as_second() / 60 % i64::from(period);
    let is_meant = ago == 0 || (ago <= 60 && tick != Tick::Blind);
    is_meant.then(|| now - SignedDuration::from_mins(ago))
}
