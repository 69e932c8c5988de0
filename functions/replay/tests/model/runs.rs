//! A single run: what it leaves, and what it answers.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::fifo::Fault;

use crate::support::{World, one};

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
