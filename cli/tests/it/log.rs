//! `tail`, against a fake log group.

use serde_json::json;

use crate::aws::FakeAws;

fn with_events() -> FakeAws {
    let aws = FakeAws::start();
    let line = |endpoint: &str| json!({ "type": "outbound.attempt", "time": "2026-11-20T08:30:00.000Z", "endpoint": endpoint, "outcome": "delivered" });
    let event = |id: u8, line: String| json!({ "eventId": id.to_string(), "timestamp": 1_000 - u64::from(id), "message": line });
    aws.state.lock().unwrap().events = vec![
        event(1, line("storefront").to_string()),
        event(2, line("warehouse").to_string()),
        event(3, "no json".to_owned()),
    ];
    aws
}

#[test]
fn entries_are_shown_by_time() {
    insta::assert_snapshot!(with_events().run(&["tail", "--log-group", "g"]).out, @r"
no json
2026-11-20T08:30:00.000Z  outbound.attempt     delivered  →warehouse
2026-11-20T08:30:00.000Z  outbound.attempt     delivered  →storefront
");
}

#[test]
fn filters_choose_and_json_passes_lines_through() {
    let ran = with_events().run(&["tail", "--log-group", "g", "--endpoint", "warehouse", "--json"]);
    assert_eq!(ran.code, 0);
    insta::assert_snapshot!(ran.out, @r#"{"type":"outbound.attempt","time":"2026-11-20T08:30:00.000Z","endpoint":"warehouse","outcome":"delivered"}"#);
    assert_eq!(with_events().run(&["tail", "--log-group", "g", "--type", "message.fault"]).out, "");
}
