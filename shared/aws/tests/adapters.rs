//! The adapters under throttling, partial failures and refusals.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws::configuration::SsmConfiguration;
use aws::event_log::{CloudWatchEventLog, LONGEST_FLUSH};
use aws::queue::SqsQueue;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_cloudwatchlogs::Client as Logs;
use aws_sdk_cloudwatchlogs::operation::create_log_stream::{CreateLogStreamError, CreateLogStreamOutput};
use aws_sdk_cloudwatchlogs::operation::put_log_events::{PutLogEventsError, PutLogEventsOutput};
use aws_sdk_cloudwatchlogs::types::RejectedLogEventsInfo;
use aws_sdk_cloudwatchlogs::types::error::{
    ResourceAlreadyExistsException, ResourceNotFoundException, ServiceUnavailableException,
};
use aws_sdk_sqs::Client as Sqs;
use aws_sdk_sqs::operation::change_message_visibility::ChangeMessageVisibilityOutput;
use aws_sdk_sqs::operation::send_message::{SendMessageError, SendMessageOutput};
use aws_sdk_sqs::types::MessageSystemAttributeNameForSends;
use aws_sdk_sqs::types::error::{KmsDisabled, QueueDoesNotExist};
use aws_sdk_ssm::Client as Ssm;
use aws_sdk_ssm::operation::get_parameters_by_path::{GetParametersByPathError, GetParametersByPathOutput};
use aws_sdk_ssm::types::Parameter;
use aws_sdk_ssm::types::error::InvalidKeyId;
use aws_smithy_http_client::test_util::NeverClient;
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use connector::event_log::{Entry, EventType, MAX_BATCH_SPAN_MS};
use connector::failure::chain;
use connector::message::Outgoing;
use connector::parameter::Section;
use connector::ports::{ConfigurationSource as _, EventLog as _, Queue as _};
use jiff::Timestamp;
use testkit::fakes::{FakeLog, ManualClock};

const URL: &str = "https://sqs.eu-west-1.amazonaws.com/123456789012/event-queue.fifo";

fn outgoing() -> Outgoing {
    Outgoing {
        body: "{}".to_owned(),
        group: "group".to_owned(),
        deduplication: "deduplication".to_owned(),
        trace: Some("Root=1-2-3".to_owned()),
        attributes: vec![("reason", "unrouted".to_owned())],
    }
}

fn queue(rule: &Rule) -> SqsQueue {
    SqsQueue::new(mock_client!(aws_sdk_sqs, [rule]), URL)
}

#[tokio::test]
async fn a_message_is_sent_with_its_ids_trace_and_attributes() {
    let rule = mock!(Sqs::send_message)
        .match_requests(|request| {
            let trace = MessageSystemAttributeNameForSends::AwsTraceHeader;
            let sent = request.message_system_attributes().and_then(|all| all.get(&trace)?.string_value());
            let reason = request.message_attributes().and_then(|all| all.get("reason")?.string_value());
            request.queue_url() == Some(URL)
                && request.message_body() == Some("{}")
                && request.message_group_id() == Some("group")
                && request.message_deduplication_id() == Some("deduplication")
                && (sent, reason) == (Some("Root=1-2-3"), Some("unrouted"))
        })
        .then_output(|| SendMessageOutput::builder().build());
    queue(&rule).send(&outgoing()).await.unwrap();
    assert_eq!(rule.num_calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_throttled_send_is_tried_again() {
    let throttled = r#"{"__type":"ThrottlingException","message":"slow down"}"#;
    let rule = mock!(Sqs::send_message)
        .sequence()
        .http_status(503, None)
        .http_status(400, Some(throttled.to_owned()))
        .output(|| SendMessageOutput::builder().build())
        .build();
    queue(&rule).send(&outgoing()).await.unwrap();
    assert_eq!(rule.num_calls(), 3);
}

#[tokio::test]
async fn a_refused_send_is_an_error_that_tells_the_services_reason() {
    let rule = mock!(Sqs::send_message).then_error(|| {
        SendMessageError::KmsDisabled(KmsDisabled::builder().message("the key is off").build())
    });
    let error = queue(&rule).send(&outgoing()).await.unwrap_err();
    assert!(chain(&error).contains("KmsDisabled: the key is off"), "{}", chain(&error));
}

#[tokio::test]
async fn a_refusal_that_the_sdk_does_not_model_tells_its_code_and_message() {
    let denied = r#"{"__type":"AccessDenied","message":"not for you"}"#;
    let rule = mock!(Sqs::send_message).sequence().http_status(403, Some(denied.to_owned())).build();
    let error = queue(&rule).send(&outgoing()).await.unwrap_err();
    let chain = chain(&error);
    assert!(chain.contains("AccessDenied") && chain.contains("not for you"), "{chain}");
}

#[tokio::test]
async fn a_delay_is_rounded_up_and_stays_below_what_sqs_refuses() {
    for (delay, seconds) in [
        (Duration::ZERO, 0),
        (Duration::from_nanos(1), 1),
        (Duration::from_millis(1), 1),
        (Duration::from_secs(5), 5),
        (Duration::from_hours(12), 43_199),
        (Duration::MAX, 43_199),
    ] {
        let rule = mock!(Sqs::change_message_visibility)
            .match_requests(move |request| {
                request.visibility_timeout() == Some(seconds) && request.receipt_handle() == Some("receipt")
            })
            .then_output(|| ChangeMessageVisibilityOutput::builder().build());
        queue(&rule).postpone("receipt", delay).await.unwrap();
        assert_eq!(rule.num_calls(), 1, "{delay:?}");
    }
}

#[tokio::test]
async fn a_refused_delay_is_an_error() {
    let rule = mock!(Sqs::change_message_visibility).then_error(|| {
        let gone = QueueDoesNotExist::builder().message("no such queue").build();
        aws_sdk_sqs::operation::change_message_visibility::ChangeMessageVisibilityError::QueueDoesNotExist(
            gone,
        )
    });
    let error = queue(&rule).postpone("receipt", Duration::ZERO).await.unwrap_err();
    assert!(chain(&error).contains("no such queue"), "{}", chain(&error));
}

fn page(names: &[&str], next: Option<&str>) -> GetParametersByPathOutput {
    let parameters =
        names.iter().map(|name| Parameter::builder().name(*name).value("value").version(3).build()).collect();
    let output = GetParametersByPathOutput::builder().set_parameters(Some(parameters));
    output.set_next_token(next.map(str::to_owned)).build()
}

fn pages_of(
    section: &'static str,
    token: Option<&'static str>,
) -> aws_smithy_mocks::RuleBuilder<
    aws_sdk_ssm::operation::get_parameters_by_path::GetParametersByPathInput,
    GetParametersByPathOutput,
    GetParametersByPathError,
> {
    mock!(Ssm::get_parameters_by_path).match_requests(move |request| {
        request.path() == Some(&format!("/fluent-connect/shop/{section}"))
            && request.with_decryption() == Some(true)
            && request.recursive() != Some(true)
            && request.max_results() == Some(10)
            && request.next_token() == token
    })
}

#[tokio::test]
async fn all_pages_of_all_sections_are_read_and_decrypted() {
    let rules = [
        pages_of("routes", None).then_output(|| {
            page(&["/fluent-connect/shop/routes/a", "/fluent-connect/shop/routes/b"], Some("2"))
        }),
        pages_of("routes", Some("2")).then_output(|| page(&["/fluent-connect/shop/routes/c"], None)),
        pages_of("endpoints", None).then_output(|| page(&["/fluent-connect/shop/endpoints/a"], None)),
    ];
    let client = mock_client!(aws_sdk_ssm, RuleMode::MatchAny, &rules);
    let source = SsmConfiguration::new(client, "/fluent-connect/shop");
    let read = source.read(&[Section::Endpoints, Section::Routes]).await.unwrap();
    let names: Vec<_> =
        read.iter().map(|read| format!("{}/{}@{}", read.section, read.name, read.version)).collect();
    assert_eq!(names, ["endpoints/a@3", "routes/a@3", "routes/b@3", "routes/c@3"]);
}

#[tokio::test]
async fn a_page_that_cannot_be_read_is_an_error_and_no_half_configuration() {
    let rules = [
        pages_of("routes", None).then_output(|| page(&["/fluent-connect/shop/routes/a"], Some("2"))),
        pages_of("routes", Some("2")).then_error(|| {
            GetParametersByPathError::InvalidKeyId(InvalidKeyId::builder().message("cannot decrypt").build())
        }),
    ];
    let client = mock_client!(aws_sdk_ssm, RuleMode::MatchAny, &rules);
    let error =
        SsmConfiguration::new(client, "/fluent-connect/shop").read(&[Section::Routes]).await.unwrap_err();
    assert!(chain(&error).contains("cannot decrypt"), "{}", chain(&error));
}

#[tokio::test]
async fn a_parameter_without_a_name_or_a_value_is_skipped() {
    let rule = pages_of("routes", None).then_output(|| {
        let nameless = Parameter::builder().value("value").build();
        let empty = Parameter::builder().name("/fluent-connect/shop/routes/empty").build();
        let whole = Parameter::builder().name("/fluent-connect/shop/routes/whole").value("value").build();
        GetParametersByPathOutput::builder().parameters(nameless).parameters(empty).parameters(whole).build()
    });
    let client = mock_client!(aws_sdk_ssm, [&rule]);
    let read = SsmConfiguration::new(client, "/fluent-connect/shop").read(&[Section::Routes]).await.unwrap();
    assert_eq!(read.iter().map(|read| read.name.as_str()).collect::<Vec<_>>(), ["whole"]);
}

struct World {
    log: CloudWatchEventLog,
    console: Arc<FakeLog>,
}

fn world(rules: &[Rule]) -> World {
    let console = Arc::new(FakeLog::default());
    let client = mock_client!(aws_sdk_cloudwatchlogs, RuleMode::Sequential, rules);
    let log = CloudWatchEventLog::new(
        client,
        "group",
        "stream",
        "acme",
        console.clone(),
        ManualClock::default().port(),
    );
    World { log, console }
}

fn entry(ms: i64, filler: usize) -> Entry {
    let time = Timestamp::from_millisecond(ms).unwrap();
    Entry::new(EventType::OutboundAttempt, time).field("ms", ms).field("filler", "x".repeat(filler))
}

fn stored() -> Rule {
    mock!(Logs::put_log_events).then_output(|| PutLogEventsOutput::builder().build())
}

fn missing() -> Rule {
    mock!(Logs::put_log_events).then_error(|| {
        PutLogEventsError::ResourceNotFoundException(ResourceNotFoundException::builder().build())
    })
}

fn refused() -> Rule {
    mock!(Logs::put_log_events).then_error(|| {
        let unavailable = ServiceUnavailableException::builder().message("not today").build();
        PutLogEventsError::ServiceUnavailableException(unavailable)
    })
}

/// The `ms` of the entries that were printed, after the notice.
fn printed(console: &FakeLog) -> Vec<i64> {
    console.entries().iter().filter_map(|entry| entry.get("ms")?.as_i64()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_cloudwatch_that_does_not_answer_holds_nobody_up_for_long_and_loses_no_entry() {
    let config = aws_sdk_cloudwatchlogs::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .with_test_defaults()
        .http_client(NeverClient::new())
        .build();
    let (console, clock) = (Arc::new(FakeLog::default()), ManualClock::default().port());
    let client = aws_sdk_cloudwatchlogs::Client::from_conf(config);
    let log = CloudWatchEventLog::new(client, "group", "stream", "acme", console.clone(), clock);
    for ms in 0..3 {
        let time = Timestamp::from_millisecond(ms * MAX_BATCH_SPAN_MS).unwrap(); // a batch each
        log.record(Entry::new(EventType::OutboundAttempt, time).field("ms", ms));
    }
    let start = tokio::time::Instant::now();
    log.flush().await;
    assert_eq!(start.elapsed(), LONGEST_FLUSH);
    assert_eq!(printed(&console), [0, 1, 2]);
}

#[tokio::test]
async fn nothing_recorded_is_no_call() {
    let world = world(&[]);
    world.log.flush().await;
    assert!(world.console.entries().is_empty());
}

#[tokio::test]
async fn entries_are_stored_sorted_by_time_and_once() {
    let seen: Arc<Mutex<Vec<i64>>> = Arc::default();
    let seen_by_rule = seen.clone();
    let rule = mock!(Logs::put_log_events)
        .match_requests(move |request| {
            let times =
                request.log_events().iter().map(aws_sdk_cloudwatchlogs::types::InputLogEvent::timestamp);
            seen_by_rule.lock().unwrap().extend(times);
            (request.log_group_name(), request.log_stream_name()) == (Some("group"), Some("stream"))
        })
        .then_output(|| PutLogEventsOutput::builder().build());
    let world = world(&[rule]);
    for ms in [3, 1, 2] {
        world.log.record(entry(ms, 0));
    }
    world.log.flush().await;
    world.log.flush().await;
    assert_eq!(*seen.lock().unwrap(), [1, 2, 3]);
    assert!(world.console.entries().is_empty());
}

#[tokio::test]
async fn a_missing_stream_is_created_and_the_batch_sent_again() {
    let created = mock!(Logs::create_log_stream).then_output(|| CreateLogStreamOutput::builder().build());
    let exists = mock!(Logs::create_log_stream).then_error(|| {
        CreateLogStreamError::ResourceAlreadyExistsException(
            ResourceAlreadyExistsException::builder().build(),
        )
    });
    for creation in [created, exists] {
        let rules = [missing(), creation, stored()];
        let world = world(&rules);
        world.log.record(entry(1, 0));
        world.log.flush().await;
        assert!(world.console.entries().is_empty());
        assert!(rules.iter().all(|rule| rule.num_calls() == 1));
    }
}

#[tokio::test]
async fn a_stream_that_cannot_be_created_prints_the_entries() {
    let denied = mock!(Logs::create_log_stream).then_error(|| {
        CreateLogStreamError::ResourceNotFoundException(
            ResourceNotFoundException::builder().message("no such group").build(),
        )
    });
    let world = world(&[missing(), denied]);
    world.log.record(entry(1, 0));
    world.log.flush().await;
    assert_eq!(printed(&world.console), [1]);
    assert_eq!(world.console.types(), ["event-log.refused", "outbound.attempt"]);
}

#[tokio::test]
async fn entries_that_cloudwatch_rejects_by_age_are_printed() {
    let rejected = || {
        let info =
            RejectedLogEventsInfo::builder().too_old_log_event_end_index(1).expired_log_event_end_index(2);
        let info = info.too_new_log_event_start_index(4).build();
        PutLogEventsOutput::builder().rejected_log_events_info(info).build()
    };
    let world = world(&[mock!(Logs::put_log_events).then_output(rejected)]);
    for ms in 0..5 {
        world.log.record(entry(ms, 0));
    }
    world.log.flush().await;
    assert_eq!(printed(&world.console), [0, 1, 4]);
}

#[tokio::test(start_paused = true)]
async fn a_refused_batch_is_printed_whole_and_the_other_is_stored() {
    // The service's refusal is transient, so that the SDK tries it three times.
    let rules = [stored(), refused(), refused(), refused()];
    let world = world(&rules);
    for ms in 0..3 {
        world.log.record(entry(ms, 400_000));
    }
    world.log.flush().await;
    assert_eq!(printed(&world.console), [2]);
    let notice = world.console.entries().remove(0);
    let reason = notice.get("error").and_then(|error| error.as_str()).unwrap();
    assert!(reason.contains("ServiceUnavailableException: not today"), "{notice}");
    assert!(!reason.contains("SdkBody"), "the response is no part of the reason: {notice}");
}

#[tokio::test]
async fn indexes_that_cannot_be_are_read_as_far_as_the_batch_goes() {
    let rejected = || {
        let info =
            RejectedLogEventsInfo::builder().too_old_log_event_end_index(-1).expired_log_event_end_index(9);
        let info = info.too_new_log_event_start_index(0).build();
        PutLogEventsOutput::builder().rejected_log_events_info(info).build()
    };
    let world = world(&[mock!(Logs::put_log_events).then_output(rejected)]);
    for ms in 0..2 {
        world.log.record(entry(ms, 0));
    }
    world.log.flush().await;
    assert_eq!(printed(&world.console), [0, 1]);
}

#[tokio::test]
async fn an_entry_larger_than_a_batch_is_printed_and_the_rest_is_stored() {
    let rule = stored();
    let world = world(std::slice::from_ref(&rule));
    world.log.record(entry(1, 1_048_576));
    world.log.record(entry(2, 0));
    world.log.flush().await;
    assert_eq!((printed(&world.console), rule.num_calls()), (vec![1], 1));
}
