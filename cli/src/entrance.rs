//! The ways in, as far as they show from outside: the URL that other systems post to, the queue that commercetools
//! writes to, the event sources that hand queues to functions, and the clock that starts jobs.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_cloudwatch::types::{Datapoint, Statistic};
use aws_sdk_sqs::types::QueueAttributeName as Queued;
use connector::ports::Clock;
use http::HeaderMap;
use jiff::Timestamp;
use serde_json::Value;

use crate::diagnosis::Check;
use crate::load::{Answer, Poster, Webhook};
use crate::metric::Metric;
use crate::session::{Session, refused};
use crate::stack::Resource;

/// commercetools' own AWS user, as its documentation of SQS destinations names it.
const COMMERCETOOLS: &str = "arn:aws:iam::362576667341:user/subscriptions";
/// The receiver may start anew for it.
const TIMEOUT: Duration = Duration::from_secs(20);

const EXTERNAL: &str = "external webhooks";
const POLICY: &str = "ct-queue policy";
const JOBS: &str = "clock of jobs";

/// Posts an empty event of a source that does not exist, which a receiver at work answers with 404 `E_SOURCE`.
pub(crate) async fn external(url: &str, clock: &Clock) -> Check {
    let url = format!("{url}/doctor-{:08x}", fastrand::u32(..));
    match Poster::new(&url, true, TIMEOUT, Arc::clone(clock)) {
        Ok(poster) => {
            answered(&poster.post(Webhook { headers: HeaderMap::new(), body: b"{}".to_vec() }).await)
        }
        Err(error) => Check::fail(EXTERNAL, format!("{error:#}"), "deploy this project's template"),
    }
}

fn answered(answer: &Answer) -> Check {
    let is_ours = answer.says.contains("\"E_SOURCE\"");
    let found = format!("an unknown source is answered {}", answer.result);
    match answer.result.as_str() {
        "404" if is_ours => Check::ok(EXTERNAL, format!("{found} E_SOURCE")),
        "404" => Check::fail(
            EXTERNAL,
            format!("{found}, and not by the receiver"),
            "the API has no such path: deploy this project's template",
        ),
        "503" => Check::fail(
            EXTERNAL,
            format!("{found}: {}", answer.says),
            "E_CONFIG: the receiver cannot read Parameter Store, see its log and its role",
        ),
        status if status.starts_with("E_") => Check::fail(
            EXTERNAL,
            format!("no answer: {status} {}", answer.says),
            "nobody's webhooks arrive, or this machine cannot reach the API: see its network and the stack",
        ),
        _ => Check::fail(EXTERNAL, found, "see the function WebhookReceiver, its alarms and its log"),
    }
}

/// Whether the ct-queue takes what commercetools sends.
pub(crate) async fn policy(url: &str, session: &Session) -> Check {
    let call = session.queues().get_queue_attributes().queue_url(url).attribute_names(Queued::Policy);
    match call.send().await {
        Err(error) => Check::unmade(POLICY, &refused("it cannot be asked for", &error)),
        Ok(answer) => {
            let policy = answer.attributes().and_then(|all| all.get(&Queued::Policy));
            if policy.is_some_and(|policy| lets_commercetools_send(policy)) {
                Check::ok(POLICY, "commercetools may send")
            } else {
                Check::fail(
                    POLICY,
                    format!("{COMMERCETOOLS} may not send"),
                    "commercetools' notifications are refused: deploy again, or allow it sqs:SendMessage",
                )
            }
        }
    }
}

/// Whether a statement allows it, without a condition that could not be judged here, and none denies it.
fn lets_commercetools_send(policy: &str) -> bool {
    let policy: Value = serde_json::from_str(policy).unwrap_or_default();
    let statements = listed(policy.get("Statement"));
    let about = statements.into_iter().filter(|statement| {
        let principal = statement.get("Principal");
        let principals = listed(principal.and_then(|one| one.get("AWS")).or(principal));
        let actions = listed(statement.get("Action"));
        principals.iter().any(|one| [COMMERCETOOLS, "*"].map(Some).contains(&one.as_str()))
            && actions.iter().filter_map(|action| action.as_str()).any(sends)
    });
    let (allowing, denying): (Vec<_>, Vec<_>) =
        about.partition(|statement| statement.get("Effect").and_then(Value::as_str) == Some("Allow"));
    let is_plain = |statement: &&Value| statement.get("Condition").is_none();
    allowing.iter().any(is_plain) && !denying.iter().any(is_plain)
}

fn sends(action: &str) -> bool {
    ["sqs:sendmessage", "sqs:*", "*"].contains(&action.to_ascii_lowercase().as_str())
}

/// One value, or several: policies spell both.
fn listed(value: Option<&Value>) -> Vec<&Value> {
    match value {
        Some(Value::Array(values)) => values.iter().collect(),
        Some(value) => vec![value],
        None => Vec::new(),
    }
}

/// Whether a queue's messages are handed to its function.
pub(crate) async fn event_source(resource: &Resource, session: &Session) -> Check {
    let what = format!("event source {}", resource.logical);
    let asked = session.functions().get_event_source_mapping().uuid(&resource.physical).send().await;
    match asked {
        Err(error) => Check::unmade(what, &refused("it cannot be asked", &error)),
        Ok(answer) => mapped(what, answer.state().unwrap_or("in no state"), &resource.physical),
    }
}

fn mapped(what: String, state: &str, id: &str) -> Check {
    match state {
        "Enabled" => Check::ok(what, state),
        "Disabled" | "Disabling" => Check::fail(
            what,
            format!("{state}: its queue is not read, and fills"),
            format!("where that is not meant: aws lambda update-event-source-mapping --uuid {id} --enabled"),
        ),
        _ => Check::warn(what, state, "wait until its change has ended"),
    }
}

/// Whether the clock calls the job scheduler, which it does once a minute, as CloudWatch tells; `Jobs` is the stack's parameter.
pub(crate) async fn jobs(
    scheduled: usize,
    parameter: Option<&str>,
    function: &str,
    session: &Session,
    now: Timestamp,
) -> Check {
    if parameter.is_some_and(|jobs| jobs != "enabled") {
        return switched_off(scheduled);
    }
    match calls(function, session, now).await {
        Err(error) => Check::unmade(JOBS, &error),
        Ok(calls) => ticking(calls, scheduled),
    }
}

fn switched_off(scheduled: usize) -> Check {
    match scheduled {
        0 => Check::ok(JOBS, "off, and no route has a schedule"),
        _ => Check::warn(
            JOBS,
            format!("off, and {scheduled} with a schedule never start by themselves"),
            "deploy with Jobs=enabled, or start them by `connector jobs run`",
        ),
    }
}

fn ticking(calls: f64, scheduled: usize) -> Check {
    let found = format!("{calls:.0} calls within 10 min");
    if calls > 0.0 || scheduled == 0 {
        return Check::ok(JOBS, found);
    }
    Check::warn(
        JOBS,
        found,
        "jobs do not start: is the rule JobTicks enabled in EventBridge? A local AWS does not count",
    )
}

async fn calls(function: &str, session: &Session, now: Timestamp) -> anyhow::Result<f64> {
    let calls = Metric {
        namespace: "AWS/Lambda",
        name: "Invocations",
        dimension: ("FunctionName", function),
        statistic: Statistic::Sum,
    };
    let points = calls.lately(session, now, "its calls are not known").await?;
    Ok(total(&points))
}

/// From 0 on, since Rust's own sum of no number is `-0.0`, and shown as that.
fn total(datapoints: &[Datapoint]) -> f64 {
    datapoints.iter().filter_map(Datapoint::sum).fold(0.0, |total, calls| total + calls)
}

#[cfg(test)]
mod tests {
    use aws_sdk_cloudwatch::types::Datapoint;
    use serde_json::{Value, json};

    use super::{COMMERCETOOLS, answered, lets_commercetools_send, mapped, switched_off, ticking, total};
    use crate::diagnosis::State;
    use crate::load::Answer;

    #[test]
    fn only_the_receivers_own_404_is_well() {
        let state = |result: &str, says: &str| answered(&Answer::new(result, says)).state;
        assert_eq!(state("404", r#"{"code":"E_SOURCE","message":"x"}"#), State::Ok);
        assert_eq!(state("404", r#"{"message":"Not Found"}"#), State::Fail, "API Gateway's own");
        for result in ["200", "401", "403", "503", "E_TIMEOUT", "E_CONNECT"] {
            assert_eq!(state(result, r#"{"code":"E_CONFIG"}"#), State::Fail, "{result}");
        }
    }

    #[test]
    fn a_policy_counts_as_aws_reads_it() {
        let may = |statement: Value| lets_commercetools_send(&json!({ "Statement": statement }).to_string());
        let allow = |principal: Value, action: Value| json!({ "Effect": "Allow", "Principal": principal, "Action": action });
        let template = || allow(json!({ "AWS": COMMERCETOOLS }), json!("sqs:SendMessage"));
        assert!(may(json!([template()])) && may(template()));
        assert!(may(json!([allow(
            json!({ "AWS": ["arn:aws:iam::1:root", COMMERCETOOLS] }),
            json!(["SQS:*"])
        )])));
        assert!(may(json!([allow(json!("*"), json!("sqs:SendMessage"))])));
        assert!(!may(json!([allow(json!({ "AWS": "arn:aws:iam::1:root" }), json!("sqs:SendMessage"))])));
        assert!(!may(json!([allow(json!({ "AWS": COMMERCETOOLS }), json!("sqs:ReceiveMessage"))])));
        assert!(!may(json!([])) && !lets_commercetools_send("") && !lets_commercetools_send("{}"));
        let mut deny = template();
        deny["Effect"] = json!("Deny");
        assert!(!may(json!([template(), deny])));
        let mut over_http = deny.clone();
        over_http["Condition"] = json!({ "Bool": { "aws:SecureTransport": "false" } });
        assert!(may(json!([template(), over_http])), "a denial with a condition is not meant for it");
    }

    #[test]
    fn an_event_source_that_is_off_fails_and_tells_how_to_switch_it_on() {
        let check = |state| mapped("event source X".to_owned(), state, "1f");
        assert_eq!((check("Enabled").state, check("Enabling").state), (State::Ok, State::Warn));
        let off = check("Disabled");
        assert!(off.state == State::Fail && off.todo.ends_with("--uuid 1f --enabled"), "{off:?}");
    }

    #[test]
    fn a_clock_that_stands_matters_where_a_job_waits_for_it() {
        assert_eq!((switched_off(0).state, switched_off(1).state), (State::Ok, State::Warn));
        assert_eq!((ticking(9.0, 1).state, ticking(0.0, 0).state), (State::Ok, State::Ok));
        assert_eq!(ticking(0.0, 1).state, State::Warn);
    }

    #[test]
    fn no_calls_are_none_and_calls_are_added_up() {
        assert_eq!(ticking(total(&[]), 1).found, "0 calls within 10 min");
        let minute = |calls| Datapoint::builder().sum(calls).build();
        assert_eq!(ticking(total(&[minute(1.0), minute(2.0)]), 1).found, "3 calls within 10 min");
    }
}
