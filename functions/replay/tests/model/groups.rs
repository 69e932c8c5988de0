//! What becomes of the order of groups, and of those behind what does not match.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use testkit::fifo::Fault;

use crate::support::{World, ids, one};

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
