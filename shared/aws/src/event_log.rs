//! CloudWatch Logs as the event log, written and read. What CloudWatch does not take is printed: no entry is lost, no
//! delivery fails.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::error::{BuildError, SdkError};
use aws_sdk_cloudwatchlogs::operation::create_log_stream::CreateLogStreamError;
use aws_sdk_cloudwatchlogs::operation::put_log_events::{PutLogEventsError, PutLogEventsOutput};
use aws_sdk_cloudwatchlogs::types::{InputLogEvent, RejectedLogEventsInfo};
use connector::environment::Environment;
use connector::event_log::{Component, Entry, EventType, Span, plan};
use connector::failure::chain;
use connector::metrics::measured;
use connector::ports::{Clock, Console, EventLog, EventLogError, EventLogReader, LogPage};
use tokio::time::{Instant, timeout_at};

/// Longest time that a flush waits for CloudWatch, whatever the number of entries; what is left then is printed.
pub const LONGEST_FLUSH: Duration = Duration::from_secs(10);

/// Lines of a function's own log that are entries of requests that were kept (CloudWatch Logs, filter pattern syntax for
/// JSON; the local AWS gives every line for such a pattern).
const KEPT: &str = r#"{ ($.type = "inbound.unqueued") || ($.type = "inbound.unverified") }"#;

/// One stream of the event log's group: one writer an execution environment.
pub struct CloudWatchEventLog {
    client: Client,
    group: String,
    stream: String,
    stack: String,
    console: Arc<dyn Console>,
    clock: Clock,
    entries: Mutex<Vec<Entry>>,
}

impl CloudWatchEventLog {
    /// Writes to this group and stream, for this stack's metrics; the stream is created when it is first missed.
    pub fn new(
        client: Client,
        group: impl Into<String>,
        stream: impl Into<String>,
        stack: impl Into<String>,
        console: Arc<dyn Console>,
        clock: Clock,
    ) -> Self {
        let (group, stream, stack) = (group.into(), stream.into(), stack.into());
        Self { client, group, stream, stack, console, clock, entries: Mutex::default() }
    }

    async fn store(&self, batch: &[Entry]) {
        match self.put_creating(batch).await {
            Ok(output) => {
                if let Some(rejected) = output.rejected_log_events_info() {
                    self.print(rejected_of(batch, rejected), "CloudWatch refused entries by their age");
                }
            }
            Err(reason) => self.print(batch.iter(), &reason),
        }
    }

    async fn put_creating(&self, batch: &[Entry]) -> Result<PutLogEventsOutput, String> {
        match self.put(batch).await {
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(PutLogEventsError::is_resource_not_found_exception) =>
            {
                self.create_stream().await?;
                self.put(batch).await.map_err(|error| chain(&error))
            }
            result => result.map_err(|error| chain(&error)),
        }
    }

    async fn put(&self, batch: &[Entry]) -> Result<PutLogEventsOutput, SdkError<PutLogEventsError>> {
        let call = self.client.put_log_events().log_group_name(&self.group).log_stream_name(&self.stream);
        let events: Result<Vec<_>, _> = batch.iter().map(event).collect();
        call.set_log_events(Some(events.map_err(SdkError::construction_failure)?)).send().await
    }

    async fn create_stream(&self) -> Result<(), String> {
        let call = self.client.create_log_stream().log_group_name(&self.group).log_stream_name(&self.stream);
        match call.send().await {
            Ok(_) => Ok(()),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(CreateLogStreamError::is_resource_already_exists_exception) =>
            {
                Ok(())
            }
            Err(error) => Err(chain(&error)),
        }
    }

    fn print<'a>(&self, entries: impl ExactSizeIterator<Item = &'a Entry>, reason: &str) {
        if entries.len() == 0 {
            return;
        }
        let notice = Entry::new(EventType::EventLogRefused, (self.clock)())
            .field("error", reason)
            .field("entries", entries.len());
        self.console.write(&notice);
        entries.for_each(|entry| self.console.write(entry));
    }
}

#[async_trait]
impl EventLog for CloudWatchEventLog {
    fn record(&self, entry: Entry) {
        let entry = measured(entry, &self.stack);
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
    }

    async fn flush(&self) {
        let entries = std::mem::take(&mut *self.entries.lock().unwrap_or_else(PoisonError::into_inner));
        let plan = plan(entries);
        self.print(plan.oversized.iter(), "an entry is larger than CloudWatch takes");
        let deadline = Instant::now() + LONGEST_FLUSH;
        for batch in &plan.batches {
            if timeout_at(deadline, self.store(batch)).await.is_err() {
                self.print(batch.iter(), "CloudWatch did not take the entries in time");
            }
        }
    }
}

/// Reads entries back, from the event log's group or from that of a function's own log.
#[derive(Debug, Clone)]
pub struct CloudWatchEventLogReader {
    client: Client,
    group: String,
    of: Lines,
}

/// Which lines of a group are read.
#[derive(Debug, Clone, Copy)]
enum Lines {
    /// All of a component's streams, which hold little else than what is looked for.
    OfComponent,
    /// Those of requests that were kept, of whatever stream: in a function's own log Lambda gives the names.
    OfKeptRequests,
}

impl CloudWatchEventLogReader {
    /// Reads the event log's group: the streams of the component that is asked for.
    #[must_use]
    pub fn new(client: Client, group: impl Into<String>) -> Self {
        Self { client, group: group.into(), of: Lines::OfComponent }
    }

    /// Reads what stands in a function's own log of the requests that were kept, for CloudWatch did not take their entries.
    #[must_use]
    pub fn of_own_log(client: Client, group: impl Into<String>) -> Self {
        Self { client, group: group.into(), of: Lines::OfKeptRequests }
    }
}

#[async_trait]
impl EventLogReader for CloudWatchEventLogReader {
    async fn page(&self, span: &Span, next: Option<&str>) -> Result<LogPage, EventLogError> {
        let call = self.client.filter_log_events().log_group_name(&self.group);
        let call = match self.of {
            Lines::OfComponent => call.log_stream_name_prefix(prefix_of(span.component)),
            Lines::OfKeptRequests => call.filter_pattern(KEPT),
        };
        let call = call
            .start_time(span.from.as_millisecond())
            .end_time(span.to.as_millisecond())
            .set_next_token(next.map(str::to_owned));
        let page = call.send().await.map_err(|error| EventLogError(error.into()))?;
        let lines = page.events().iter().filter_map(|event| event.message().map(str::to_owned)).collect();
        Ok(LogPage { lines, next: page.next_token().map(str::to_owned) })
    }
}

fn event(entry: &Entry) -> Result<InputLogEvent, BuildError> {
    InputLogEvent::builder().timestamp(entry.time().as_millisecond()).message(entry.line()).build()
}

/// The rejected entries: those before the end of the too old and expired, and those from the start of the too new.
fn rejected_of<'a>(
    batch: &'a [Entry],
    rejected: &RejectedLogEventsInfo,
) -> impl ExactSizeIterator<Item = &'a Entry> {
    let index = |value: i32| usize::try_from(value).unwrap_or_default().min(batch.len());
    let ends = [rejected.too_old_log_event_end_index(), rejected.expired_log_event_end_index()];
    let old = ends.into_iter().flatten().map(index).max().unwrap_or_default();
    let new = rejected.too_new_log_event_start_index().map_or(batch.len(), index).max(old);
    let select = |range: Range<usize>| batch.get(range).unwrap_or_default();
    select(0..old).iter().chain(select(new..batch.len())).collect::<Vec<_>>().into_iter()
}

/// The stream of this execution environment: its component and Lambda's own name of its log stream, which is unique.
#[must_use]
pub fn stream_name(environment: Environment<'_>, component: Component) -> String {
    let stream = environment.text("AWS_LAMBDA_LOG_STREAM_NAME").unwrap_or_else(|_| "local".to_owned());
    let stream = stream.replace([':', '*'], "-"); // the two characters that a stream's name must not have
    format!("{}{stream}", prefix_of(component))
}

/// How the names of a component's streams begin.
fn prefix_of(component: Component) -> String {
    format!("{}/", component.as_str())
}
