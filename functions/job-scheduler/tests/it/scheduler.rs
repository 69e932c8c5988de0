//! JSON in, JSON out, messages on the event queue, and every sample of `events/`.

use std::path::PathBuf;
use std::time::Duration;

use connector::message::Message;
use connector::parameter::Section;
use serde_json::{Value, json};

use crate::support::{ROUTES, World, sample};

#[tokio::test]
async fn every_sample_does_what_it_says() {
    for (name, sent) in [("list", 0), ("run", 1), ("tick", 2)] {
        let world = World::with(&ROUTES);
        world.invoke(sample(&format!("job-scheduler-{name}"))).await.unwrap();
        assert_eq!(world.sent().len(), sent, "{name}");
    }
    let folder = std::fs::read_dir(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../events")).unwrap();
    let names = folder.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(names.filter(|name| name.starts_with("job-scheduler-")).count(), 3, "every file is tested");
}

#[tokio::test]
async fn a_tick_starts_what_is_due_and_twice_the_same_is_one() {
    let world = World::with(&ROUTES);
    let answer = world.invoke(sample("job-scheduler-tick")).await.unwrap();
    assert_eq!(answer, json!({"minute": "2026-11-20T08:30:00Z", "started": ["heartbeat", "inventory-sync"]}));
    assert_eq!(world.sent(), ["heartbeat/2026-11-20T08:30:00Z", "inventory-sync/2026-11-20T08:30:00Z"]);
    world.clock.advance(Duration::from_secs(61));
    world.invoke(sample("job-scheduler-tick")).await.unwrap();
    let sent = world.event_queue.sent();
    assert_eq!(sent[0].deduplication, sent[2].deduplication, "SQS takes one of them");
    assert_ne!(sent[0].group, sent[1].group, "no job waits for another");
    assert_eq!(sent[0].trace.as_deref(), Some("Root=1-2-3;Sampled=1"));
    let message = Message::parse(&sent[1].body).unwrap();
    assert_eq!(message.route.as_deref(), Some("inventory-sync"));
    insta::assert_snapshot!(message.payload.get(), @r#"{"entityType":"JOB","entityRef":"inventory-sync","requestedAt":"2026-11-20T08:30:00Z","asker":"schedule","beginning":"lastEnd"}"#);
    insta::assert_snapshot!(world.lines("job.requested")[1], @r#"{"type":"job.requested","time":"2026-11-20T08:30:00.000Z","message.id":"inventory-sync/2026-11-20T08:30:00Z","route":"inventory-sync","trace.id":"1-2-3","request.id":"request-1","asker":"schedule"}"#);
}

#[tokio::test]
async fn a_tick_that_is_not_wholly_confirmed_is_an_error_and_starts_the_rest() {
    let world = World::with(&ROUTES);
    world.event_queue.fail_next([true, false]);
    let error = world.invoke(sample("job-scheduler-tick")).await.unwrap_err();
    insta::assert_snapshot!(error, @"QueueUnconfirmed: not started: heartbeat: the queue did not confirm the message: the fake queue was told to refuse");
    assert_eq!(world.sent(), ["inventory-sync/2026-11-20T08:30:00Z"]);
    assert_eq!(world.lines("message.fault")[0]["message.id"], "heartbeat/2026-11-20T08:30:00Z");
    world.invoke(sample("job-scheduler-tick")).await.unwrap();
    assert_eq!(world.sent().len(), 3);
}

#[tokio::test]
async fn a_tick_without_any_routes_is_an_error_and_the_last_good_ones_serve_on() {
    let world = World::with(&ROUTES);
    world.configuration.set_unreadable(true);
    let error = world.invoke(sample("job-scheduler-tick")).await.unwrap_err();
    assert!(error.starts_with("ConfigurationUnreadable: the routes cannot be read: "), "{error}");
    world.configuration.set_unreadable(false);
    world.clock.advance(Duration::from_secs(31));
    world.invoke(sample("job-scheduler-tick")).await.unwrap();
    world.configuration.set_unreadable(true);
    world.clock.advance(Duration::from_secs(31));
    world.invoke(sample("job-scheduler-tick")).await.unwrap();
    assert_eq!(world.sent().len(), 4);
}

#[tokio::test]
async fn what_is_asked_by_hand_starts_now_from_where_it_says() {
    for (from, beginning, told) in [
        (json!(null), json!("lastEnd"), "the end of the last run"),
        (json!("beginning"), json!("everything"), "the beginning"),
        (json!("2026-01-01T00:00:00Z"), json!({"since": "2026-01-01T00:00:00Z"}), "2026-01-01T00:00:00Z"),
    ] {
        let world = World::with(&ROUTES);
        let answer = world.invoke(json!({"run": "by-hand", "from": from})).await.unwrap();
        assert_eq!((&answer["started"], &answer["id"]), (&json!("by-hand"), &json!("by-hand/request-1")));
        assert_eq!(answer["from"], told);
        let message = Message::parse(&world.event_queue.sent()[0].body).unwrap();
        let payload: Value = serde_json::from_str(message.payload.get()).unwrap();
        assert_eq!((&payload["beginning"], &payload["asker"]), (&beginning, &json!("person")));
    }
}

#[tokio::test]
async fn who_asks_is_told_of_the_run_that_is_under_way() {
    let world = World::with(&ROUTES);
    let kept = json!({"run": {"id": "by-hand/other", "step": 3, "to": "2026-11-20T08:00:00Z"}});
    world.jobs.put("by-hand", &kept.to_string());
    let answer = world.invoke(json!({"run": "by-hand"})).await.unwrap();
    insta::assert_snapshot!(answer["next"].as_str().unwrap(), @"run by-hand/other is under way, at step 3: this one begins when it has ended, or takes its place where it stands still");
    world.jobs.put("by-hand", "lastEndDate: yesterday");
    let answer = world.invoke(json!({"run": "by-hand"})).await.unwrap();
    insta::assert_snapshot!(answer["next"].as_str().unwrap(), @r#"it may not come far: jobs/by-hand cannot be read: "lastEndDate" must be a time such as 2026-11-20T08:30:00Z"#);
    assert_eq!(world.sent().len(), 2);
}

#[tokio::test]
async fn what_cannot_be_started_says_what_to_do() {
    let world = World::with(&ROUTES);
    let mut refusals = Vec::new();
    for name in ["off", "broken", "status", "inventroy-sync", "zzz"] {
        let refusal = world.invoke(json!({"run": name})).await.unwrap_err();
        let (told, jobs) = refusal.split_once(" Jobs are ").unwrap_or((&refusal, "by-hand"));
        assert!(jobs.contains("by-hand"), "{jobs}");
        refusals.push(told.to_owned());
    }
    insta::assert_snapshot!(refusals.join("\n"), @r#"
    JobRefused: job "off" is disabled: write `enabled: true` into the parameter /fluent-connect/shop/routes/off, and ask again
    JobRefused: job "broken" is broken, mend the parameter /fluent-connect/shop/routes/broken: "schedule.every" (line 1) must be whole minutes, from 1m to 744h
    JobRefused: route "status" has no schedule: messages start it.
    JobRefused: there is no job "inventroy-sync"; did you mean "inventory-sync"?
    JobRefused: there is no job "zzz".
    "#);
    let shipped = World::with(&[]).invoke(json!({"run": "order-ready-sms"})).await.unwrap_err();
    assert!(shipped.contains("has no schedule: messages start it"), "{shipped}");
    assert!(world.sent().is_empty());
}

#[tokio::test]
async fn the_list_tells_of_every_job_and_starts_none() {
    let world = World::with(&ROUTES);
    world.jobs.put(
        "inventory-sync",
        r#"{"lastEndDate": "2026-11-20T08:15:00Z", "startedAt": "2026-11-20T08:15:00Z"}"#,
    );
    world.jobs.put(
        "nightly",
        r#"{"startedAt": "2026-11-20T02:00:00Z", "run": {"id": "nightly/2026-11-20T02:00:00Z", "step": 3, "to": "2026-11-20T02:00:00Z"}}"#,
    );
    world.jobs.put("heartbeat", "lastEndDate: yesterday");
    let answer = world.invoke(json!({})).await.unwrap();
    let ours = |job: &&Value| ROUTES.iter().any(|(_, name, _)| job["job"] == *name);
    let jobs: Vec<_> = answer["jobs"].as_array().unwrap().iter().filter(ours).map(Value::to_string).collect();
    insta::assert_snapshot!(jobs.join("\n"), @r#"
    {"job":"broken","enabled":false,"problem":"\"schedule.every\" (line 1) must be whole minutes, from 1m to 744h"}
    {"job":"by-hand","schedule":"manual","enabled":true}
    {"job":"heartbeat","schedule":"{ every: 1m }","enabled":true,"nextStart":"2026-11-20T08:31:00Z","problem":"jobs/heartbeat cannot be read: \"lastEndDate\" must be a time such as 2026-11-20T08:30:00Z"}
    {"job":"inventory-sync","schedule":"{ every: 15m }","enabled":true,"nextStart":"2026-11-20T08:45:00Z","lastEndDate":"2026-11-20T08:15:00Z","startedAt":"2026-11-20T08:15:00Z"}
    {"job":"nightly","schedule":"{ every: 24h, offset: 2h }","enabled":true,"nextStart":"2026-11-21T02:00:00Z","startedAt":"2026-11-20T02:00:00Z","run":{"id":"nightly/2026-11-20T02:00:00Z","step":3,"from":null,"to":"2026-11-20T02:00:00Z"}}
    {"job":"off","schedule":"{ every: 1m }","enabled":false}
    "#);
    assert_eq!(answer["next"], "nothing was started; {\"run\": \"<job>\"} starts one");
    assert!(world.sent().is_empty());
}

#[tokio::test]
async fn a_state_that_cannot_be_read_is_one_jobs_problem() {
    let world = World::with(&[ROUTES[0], ROUTES[3]]);
    world.jobs.fail_next([true]);
    let answer = world.invoke(json!({})).await.unwrap();
    let problems: Vec<_> =
        answer["jobs"].as_array().unwrap().iter().filter(|job| job["problem"].is_string()).collect();
    assert_eq!(problems.len(), 1);
}

#[tokio::test]
async fn it_reads_nothing_but_routes() {
    let mut parameters = ROUTES.to_vec();
    parameters.push((Section::Accounts, "ACME", "broken"));
    let world = World::with(&parameters);
    world.invoke(sample("job-scheduler-tick")).await.unwrap();
    let told = world.lines("configuration.problem");
    let told: Vec<_> = told.iter().map(|line| line["parameter"].as_str().unwrap()).collect();
    assert_eq!(told, ["routes/broken"], "and of what is broken there it tells");
}
