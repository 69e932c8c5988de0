//! The batch calls of SQS under half failures, throttling and short answers; the undelivered queue and the event log read.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws::event_log::{CloudWatchEventLogReader, stream_name};
use aws::queue::SqsQueue;
use aws_sdk_cloudwatchlogs::Client as Logs;
use aws_sdk_cloudwatchlogs::operation::filter_log_events::FilterLogEventsOutput;
use aws_sdk_cloudwatchlogs::types::FilteredLogEvent;
use aws_sdk_sqs::Client as Sqs;
use aws_sdk_sqs::operation::change_message_visibility_batch::ChangeMessageVisibilityBatchOutput;
use aws_sdk_sqs::operation::delete_message_batch::DeleteMessageBatchOutput;
use aws_sdk_sqs::operation::get_queue_attributes::GetQueueAttributesOutput;
use aws_sdk_sqs::operation::receive_message::{ReceiveMessageError, ReceiveMessageOutput};
use aws_sdk_sqs::operation::send_message::SendMessageOutput;
use aws_sdk_sqs::operation::send_message_batch::{SendMessageBatchInput, SendMessageBatchOutput};
use aws_sdk_sqs::primitives::Blob;
use aws_sdk_sqs::types::error::OverLimit;
use aws_sdk_sqs::types::{
    BatchResultErrorEntry, ChangeMessageVisibilityBatchResultEntry, DeleteMessageBatchResultEntry, Message,
    MessageAttributeValue, MessageSystemAttributeName as System, MessageSystemAttributeNameForSends,
    QueueAttributeName, SendMessageBatchResultEntry,
};
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use connector::environment::Environment;
use connector::event_log::{Component, Span};
use connector::failure::chain;
use connector::message::Outgoing;
use connector::ports::{EventLogReader as _, Queue as _, QueueError, UndeliveredQueue as _};
use connector::undelivered::{Attribute, AttributeValue, Received, SetAside};
use jiff::Timestamp;

const URL: &str = "https://sqs.eu-west-1.amazonaws.com/123456789012/undelivered.fifo";

fn outgoing(number: usize, bytes: usize) -> Outgoing {
    Outgoing {
        body: "x".repeat(bytes),
        group: format!("group-{number}"),
        deduplication: format!("deduplication-{number}"),
        trace: Some("Root=1-2-3".to_owned()),
        attributes: vec![("reason", "unrouted".to_owned())],
    }
}

fn queue(rules: &[Rule]) -> SqsQueue {
    SqsQueue::new(mock_client!(aws_sdk_sqs, RuleMode::Sequential, rules), URL)
}

fn refused(id: &str) -> BatchResultErrorEntry {
    let entry = BatchResultErrorEntry::builder().id(id).code("InternalError").message("not now");
    entry.sender_fault(false).build().unwrap()
}

/// An answer that confirms and refuses these ids.
fn sent(confirmed: &[&str], failed: &[&str]) -> SendMessageBatchOutput {
    let entry = |id: &&str| {
        let entry = SendMessageBatchResultEntry::builder().id(*id).message_id("m").md5_of_message_body("5");
        entry.build().unwrap()
    };
    SendMessageBatchOutput::builder()
        .set_successful(Some(confirmed.iter().map(entry).collect()))
        .set_failed(Some(failed.iter().map(|id| refused(id)).collect()))
        .build()
        .unwrap()
}

type Calls = Arc<Mutex<Vec<Vec<String>>>>;

/// A send of these confirmed and refused ids; the deduplication ids that it was asked for are kept.
fn send(calls: &Calls, confirmed: &'static [&str], failed: &'static [&str]) -> Rule {
    let calls = calls.clone();
    mock!(Sqs::send_message_batch)
        .match_requests(move |request| {
            calls.lock().unwrap().push(asked(request));
            request.queue_url() == Some(URL)
        })
        .then_output(move || sent(confirmed, failed))
}

fn asked(request: &SendMessageBatchInput) -> Vec<String> {
    request.entries().iter().filter_map(|entry| entry.message_deduplication_id().map(str::to_owned)).collect()
}

#[tokio::test]
async fn a_standard_queue_gets_neither_group_nor_deduplication_id() {
    let url = "https://sqs.eu-west-1.amazonaws.com/123456789012/ct-dead-letters";
    let one = mock!(Sqs::send_message)
        .match_requests(move |request| {
            request.queue_url() == Some(url)
                && (request.message_group_id(), request.message_deduplication_id()) == (None, None)
        })
        .then_output(|| SendMessageOutput::builder().build());
    let many = mock!(Sqs::send_message_batch)
        .match_requests(|request| {
            request.entries().iter().all(|entry| {
                (entry.message_group_id(), entry.message_deduplication_id()) == (None, None)
                    && entry.message_attributes().is_some_and(|all| all.contains_key("reason"))
            })
        })
        .then_output(|| sent(&["0", "1"], &[]));
    let queue = SqsQueue::new(mock_client!(aws_sdk_sqs, RuleMode::Sequential, [&one, &many]), url);
    queue.send(&outgoing(0, 1)).await.unwrap();
    assert!(queue.send_all(&[outgoing(0, 1), outgoing(1, 1)]).await.iter().all(Result::is_ok));
}

#[tokio::test(start_paused = true)]
async fn entries_that_failed_are_sent_again_alone_and_with_the_same_ids() {
    let calls = Calls::default();
    let rules = [send(&calls, &["0", "2"], &["1"]), send(&calls, &["1"], &[])];
    let messages = [outgoing(0, 1), outgoing(1, 1), outgoing(2, 1)];
    let results = queue(&rules).send_all(&messages).await;
    assert!(results.len() == 3 && results.iter().all(Result::is_ok), "{results:?}");
    let calls = calls.lock().unwrap();
    assert_eq!(
        *calls,
        [vec!["deduplication-0", "deduplication-1", "deduplication-2"], vec!["deduplication-1"]]
    );
}

#[tokio::test(start_paused = true)]
async fn an_entry_that_fails_three_times_is_an_error_that_tells_why() {
    let calls = Calls::default();
    let rules = [send(&calls, &["0"], &["1"]), send(&calls, &[], &["1"]), send(&calls, &[], &["1"])];
    let results = queue(&rules).send_all(&[outgoing(0, 1), outgoing(1, 1)]).await;
    assert!(results[0].is_ok());
    let error = chain(results[1].as_ref().unwrap_err());
    assert_eq!(error, "the queue did not confirm the message: InternalError: not now");
    assert_eq!(calls.lock().unwrap().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_entry_that_the_answer_does_not_name_has_failed() {
    let calls = Calls::default();
    let rules = [send(&calls, &["0"], &[]), send(&calls, &[], &[]), send(&calls, &["1"], &[])];
    let results = queue(&rules).send_all(&[outgoing(0, 1), outgoing(1, 1)]).await;
    assert!(results.iter().all(Result::is_ok));
    assert_eq!(*calls.lock().unwrap()[2], ["deduplication-1"]);
}

#[tokio::test(start_paused = true)]
async fn a_throttled_batch_is_tried_again() {
    let throttled = r#"{"__type":"ThrottlingException","message":"slow down"}"#;
    let rule = mock!(Sqs::send_message_batch)
        .sequence()
        .http_status(503, None)
        .http_status(400, Some(throttled.to_owned()))
        .output(|| sent(&["0"], &[]))
        .build();
    let queue = queue(std::slice::from_ref(&rule));
    assert!(queue.send_all(&[outgoing(0, 1)]).await[0].is_ok());
    assert_eq!(rule.num_calls(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_fails_fails_each_of_its_entries() {
    let denied = r#"{"__type":"AccessDenied","message":"not for you"}"#;
    let rule = mock!(Sqs::send_message_batch)
        .sequence()
        .http_status(403, Some(denied.to_owned()))
        .repeatedly()
        .build();
    let queue = queue(std::slice::from_ref(&rule));
    let results = queue.send_all(&[outgoing(0, 1), outgoing(1, 1)]).await;
    for result in results {
        let error = chain(&result.unwrap_err());
        assert!(error.contains("the call failed") && error.contains("not for you"), "{error}");
    }
    assert_eq!(rule.num_calls(), 3);
}

#[tokio::test(start_paused = true)]
async fn batches_keep_to_ten_entries_and_one_mebibyte() {
    let calls = Calls::default();
    let all: &[&str] = &["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"];
    let messages: Vec<_> = (0..12).map(|number| outgoing(number, 1)).collect();
    let rules = [send(&calls, all, &[]), send(&calls, all, &[])];
    assert!(queue(&rules).send_all(&messages).await.iter().all(Result::is_ok));
    // What SQS counts besides the body: the attribute's name, type and value.
    let rest = "reason".len() + "String".len() + "unrouted".len();
    let half = 524_288 - rest;
    let sizes = [half, half, 1, 2_000_000, half, half + 1];
    let messages: Vec<_> = sizes.iter().enumerate().map(|(number, bytes)| outgoing(number, *bytes)).collect();
    let rules: Vec<_> = (0..5).map(|_| send(&calls, all, &[])).collect();
    assert!(queue(&rules).send_all(&messages).await.iter().all(Result::is_ok));
    let lengths: Vec<_> = calls.lock().unwrap().iter().map(Vec::len).collect();
    assert_eq!(lengths, [10, 2, 2, 1, 1, 1, 1]);
}

#[tokio::test]
async fn nothing_to_send_delete_or_release_is_no_call() {
    let queue = queue(&[]);
    assert!(queue.send_all(&[]).await.is_empty());
    assert!(queue.delete(&[]).await.is_empty());
    assert!(queue.release(&[]).await.is_empty());
}

#[tokio::test]
async fn messages_are_received_with_all_that_they_carry() {
    let rule = mock!(Sqs::receive_message)
        .match_requests(|request| {
            (request.queue_url(), request.receive_request_attempt_id()) == (Some(URL), Some("run/1"))
                && request.max_number_of_messages() == Some(10)
                && request.visibility_timeout() == Some(900)
                && request.wait_time_seconds().is_some_and(|seconds| seconds <= 1)
                && request.message_system_attribute_names() == [System::All]
                && request.message_attribute_names() == ["All"]
        })
        .then_output(|| {
            let text = MessageAttributeValue::builder().data_type("String").string_value("paused");
            let bytes = MessageAttributeValue::builder().data_type("Binary").binary_value(Blob::new([7]));
            let message = Message::builder()
                .message_id("id")
                .receipt_handle("receipt")
                .body("body")
                .attributes(System::MessageGroupId, "group")
                .attributes(System::MessageDeduplicationId, "deduplication")
                .attributes(System::SentTimestamp, "1795000000123")
                .attributes(System::AwsTraceHeader, "Root=1-2-3")
                .message_attributes("reason", text.build().unwrap())
                .message_attributes("blob", bytes.build().unwrap());
            let bare = Message::builder().message_id("bare").receipt_handle("receipt").build();
            let nothing = Message::builder().build();
            ReceiveMessageOutput::builder().messages(message.build()).messages(bare).messages(nothing).build()
        });
    let mut received = queue(&[rule]).receive("run/1", Duration::from_mins(15)).await.unwrap();
    assert_eq!(received.len(), 2);
    assert_eq!((received[1].id.as_str(), received[1].sent), ("bare", Timestamp::UNIX_EPOCH));
    received[0].attributes.sort_by(|a, b| a.name.cmp(&b.name));
    assert_eq!(received[0], message());
    assert_eq!(received[0].stated().reason, Some(connector::disposition::Reason::Paused));
}

fn message() -> Received {
    let blob = Attribute {
        name: "blob".to_owned(),
        kind: "Binary".to_owned(),
        value: AttributeValue::Bytes(vec![7]),
    };
    Received {
        id: "id".to_owned(),
        receipt: "receipt".to_owned(),
        body: "body".to_owned(),
        group: "group".to_owned(),
        deduplication: "deduplication".to_owned(),
        sent: Timestamp::from_millisecond(1_795_000_000_123).unwrap(),
        trace: Some("Root=1-2-3".to_owned()),
        attributes: vec![blob, Attribute::text("reason", "paused")],
    }
}

#[tokio::test]
async fn a_full_flight_is_told_from_other_failures() {
    let rule = mock!(Sqs::receive_message)
        .then_error(|| ReceiveMessageError::OverLimit(OverLimit::builder().message("120000").build()));
    let error = queue(&[rule]).receive("run/1", Duration::ZERO).await.unwrap_err();
    assert!(matches!(error, QueueError::InFlight(_)), "{error}");
    let rule = mock!(Sqs::receive_message).sequence().http_status(403, None).build();
    let error = queue(&[rule]).receive("run/1", Duration::ZERO).await.unwrap_err();
    assert!(matches!(error, QueueError::Receive(_)), "{error}");
}

#[tokio::test]
async fn a_copy_carries_all_that_its_message_does_under_an_id_of_its_own() {
    let rule = mock!(Sqs::send_message_batch)
        .match_requests(|request| {
            let entry = &request.entries()[0];
            let trace = MessageSystemAttributeNameForSends::AwsTraceHeader;
            let sent = entry.message_system_attributes().and_then(|all| all.get(&trace)?.string_value());
            let attribute = |name: &str| entry.message_attributes().and_then(|all| all.get(name));
            (entry.message_body(), entry.message_group_id()) == ("body", Some("group"))
                && entry.message_deduplication_id() == Some("aside/1")
                && sent == Some("Root=1-2-3")
                && attribute("reason").and_then(MessageAttributeValue::string_value) == Some("paused")
                && attribute("blob").and_then(|blob| Some(blob.binary_value()?.as_ref())) == Some(&[7])
        })
        .then_output(|| sent(&["0"], &[]));
    let message = message();
    let copy = SetAside { message: &message, deduplication: "aside/1".to_owned() };
    assert!(queue(&[rule]).set_aside(&[copy]).await[0].is_ok());
}

#[tokio::test]
async fn deletes_and_releases_tell_the_end_of_every_entry() {
    let deleted = |id: &str| DeleteMessageBatchResultEntry::builder().id(id).build().unwrap();
    let rule = mock!(Sqs::delete_message_batch)
        .match_requests(|request| request.entries()[1].receipt_handle() == "b")
        .then_output(move || {
            let output = DeleteMessageBatchOutput::builder().successful(deleted("0")).failed(refused("1"));
            output.build().unwrap()
        });
    let results = queue(&[rule]).delete(&["a", "b", "c"]).await;
    assert_eq!(results.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, false]);

    let released = |id: &str| ChangeMessageVisibilityBatchResultEntry::builder().id(id).build().unwrap();
    let rule = mock!(Sqs::change_message_visibility_batch)
        .match_requests(|request| request.entries().iter().all(|entry| entry.visibility_timeout() == Some(0)))
        .then_output(move || {
            let output = ChangeMessageVisibilityBatchOutput::builder().successful(released("1"));
            output.failed(refused("0")).build().unwrap()
        });
    let denied = mock!(Sqs::change_message_visibility_batch).sequence().http_status(403, None).build();
    let results = queue(&[rule, denied]).release(&["r"; 11]).await;
    let fine: Vec<_> = results.iter().enumerate().filter(|(_, result)| result.is_ok()).collect();
    assert_eq!((results.len(), fine.len(), fine[0].0), (11, 1, 1));
}

#[tokio::test]
async fn what_waits_is_counted_or_said_to_be_unknown() {
    let name = QueueAttributeName::ApproximateNumberOfMessages;
    let count = mock!(Sqs::get_queue_attributes)
        .then_output(move || GetQueueAttributesOutput::builder().attributes(name.clone(), "7").build());
    assert_eq!(queue(&[count]).waiting().await.unwrap(), 7);
    let silent = mock!(Sqs::get_queue_attributes).then_output(|| GetQueueAttributesOutput::builder().build());
    assert!(matches!(queue(&[silent]).waiting().await, Err(QueueError::Count(_))));
}

#[tokio::test]
async fn the_event_log_is_read_page_by_page_from_one_components_streams() {
    let at = |ms: i64| Timestamp::from_millisecond(ms).unwrap();
    let rule = mock!(Logs::filter_log_events)
        .match_requests(|request| {
            (request.log_group_name(), request.log_stream_name_prefix()) == (Some("group"), Some("replay/"))
                && (request.start_time(), request.end_time()) == (Some(1), Some(2))
                && (request.filter_pattern(), request.next_token()) == (None, Some("1"))
        })
        .then_output(|| {
            let event = FilteredLogEvent::builder().message("{}").build();
            FilterLogEventsOutput::builder().events(event).next_token("2").build()
        });
    let denied = mock!(Logs::filter_log_events).sequence().http_status(403, None).build();
    let client = mock_client!(aws_sdk_cloudwatchlogs, RuleMode::Sequential, &[rule, denied]);
    let reader = CloudWatchEventLogReader::new(client, "group");
    let span = Span { component: Component::Replay, from: at(1), to: at(2) };
    let page = reader.page(&span, Some("1")).await.unwrap();
    assert_eq!((page.lines, page.next.as_deref()), (vec!["{}".to_owned()], Some("2")));
    assert!(reader.page(&span, None).await.is_err());
}

#[tokio::test]
async fn of_a_functions_own_log_all_streams_are_read_and_only_what_was_kept() {
    const KEPT: &str = r#"{ ($.type = "inbound.unqueued") || ($.type = "inbound.unverified") }"#;
    let rule = mock!(Logs::filter_log_events)
        .match_requests(|request| {
            (request.log_group_name(), request.log_stream_name_prefix()) == (Some("own"), None)
                && request.filter_pattern() == Some(KEPT)
        })
        .then_output(|| FilterLogEventsOutput::builder().build());
    let client = mock_client!(aws_sdk_cloudwatchlogs, [&rule]);
    let reader = CloudWatchEventLogReader::of_own_log(client, "own");
    let at = |second| Timestamp::from_second(second).unwrap();
    let span = Span { component: Component::WebhookReceiver, from: at(1), to: at(2) };
    assert!(reader.page(&span, None).await.unwrap().lines.is_empty());
    assert_eq!(rule.num_calls(), 1);
}

#[test]
fn a_stream_begins_with_its_component() {
    let look_up = |name: &str| {
        (name == "AWS_LAMBDA_LOG_STREAM_NAME").then(|| "2026/11/20/shop-replay[$LATEST]0a:1*b".to_owned())
    };
    let name = stream_name(Environment::new(&look_up), Component::Replay);
    assert_eq!(name, "replay/2026/11/20/shop-replay[$LATEST]0a-1-b");
}
