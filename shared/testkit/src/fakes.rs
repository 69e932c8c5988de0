//! Fakes of the ports: they remember what was asked of them, and fail when told to.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use connector::delivery::{Attempt, OutboundRequest, Response, TransportFailure};
use connector::event_log::Entry;
use connector::message::Outgoing;
use connector::outcome::NoAnswer;
use connector::parameter::{Parameter, Section};
use connector::ports::{
    Clock, ConfigurationError, ConfigurationSource, Console, EventLog, JobStore, JobStoreError, Queue,
    QueueError, Tracer, Transport,
};
use connector::secret::Secret;
use connector::subsegment::{Subsegment, Tracing};
use jiff::Timestamp;
use serde_json::Value;

/// A lock that a failed test cannot poison.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// A clock that stands still until it is moved.
#[derive(Clone)]
pub struct ManualClock(Arc<Mutex<Timestamp>>);

impl Default for ManualClock {
    fn default() -> Self {
        Self(Arc::new(Mutex::new("2026-11-20T08:30:00Z".parse().expect("a timestamp"))))
    }
}

impl ManualClock {
    /// The clock as a port.
    #[must_use]
    pub fn port(&self) -> Clock {
        let clock = self.clone();
        Arc::new(move || *locked(&clock.0))
    }

    /// Moves it on.
    pub fn advance(&self, by: Duration) {
        let mut now = locked(&self.0);
        *now = now.checked_add(by).expect("a time in range");
    }
}

/// A queue in memory.
#[derive(Default)]
pub struct FakeQueue {
    sent: Mutex<Vec<Outgoing>>,
    postponed: Mutex<Vec<(String, Duration)>>,
    failing: Mutex<VecDeque<bool>>,
}

impl FakeQueue {
    /// What was sent and confirmed, in order.
    #[must_use]
    pub fn sent(&self) -> Vec<Outgoing> {
        locked(&self.sent).clone()
    }

    /// Receipts and their delays.
    #[must_use]
    pub fn postponed(&self) -> Vec<(String, Duration)> {
        locked(&self.postponed).clone()
    }

    /// Whether each of the next calls fails; after these all succeed.
    pub fn fail_next(&self, calls: impl IntoIterator<Item = bool>) {
        locked(&self.failing).extend(calls);
    }

    /// Lets every call succeed from now on.
    pub fn recover(&self) {
        locked(&self.failing).clear();
    }

    fn fails(&self) -> bool {
        locked(&self.failing).pop_front().unwrap_or(false)
    }
}

#[async_trait]
impl Queue for FakeQueue {
    async fn send(&self, message: &Outgoing) -> Result<(), QueueError> {
        if self.fails() {
            return Err(QueueError::Send("the fake queue was told to refuse".into()));
        }
        locked(&self.sent).push(message.clone());
        Ok(())
    }

    async fn send_all(&self, messages: &[Outgoing]) -> Vec<Result<(), QueueError>> {
        let mut results = Vec::new();
        for message in messages {
            results.push(self.send(message).await);
        }
        results
    }

    async fn postpone(&self, receipt: &str, delay: Duration) -> Result<(), QueueError> {
        if self.fails() {
            return Err(QueueError::Postpone("the fake queue was told to refuse".into()));
        }
        locked(&self.postponed).push((receipt.to_owned(), delay));
        Ok(())
    }
}

/// How far jobs have come, in memory.
#[derive(Default)]
pub struct FakeJobs {
    kept: Mutex<BTreeMap<String, (String, Timestamp)>>,
    failing: Mutex<VecDeque<bool>>,
    clock: ManualClock,
}

impl FakeJobs {
    /// The time of what is written is told by this clock.
    #[must_use]
    pub fn by(clock: ManualClock) -> Self {
        Self { clock, ..Self::default() }
    }

    /// What is kept for a job.
    #[must_use]
    pub fn text(&self, job: &str) -> Option<String> {
        locked(&self.kept).get(job).map(|(text, _)| text.clone())
    }

    /// Keeps a text for a job, as somebody does by hand.
    pub fn put(&self, job: &str, text: &str) {
        let now = self.clock.port()();
        locked(&self.kept).insert(job.to_owned(), (text.to_owned(), now));
    }

    /// Whether each of the next calls fails; after these all succeed. A write that fails may have been kept.
    pub fn fail_next(&self, calls: impl IntoIterator<Item = bool>) {
        locked(&self.failing).extend(calls);
    }

    /// Lets every call succeed from now on.
    pub fn recover(&self) {
        locked(&self.failing).clear();
    }

    fn done(&self) -> Result<(), JobStoreError> {
        let fails = locked(&self.failing).pop_front().unwrap_or(false);
        if fails { Err(JobStoreError("the fake store was told to fail".into())) } else { Ok(()) }
    }
}

#[async_trait]
impl JobStore for FakeJobs {
    async fn read(&self, job: &str) -> Result<Option<String>, JobStoreError> {
        self.done()?;
        Ok(self.text(job))
    }

    async fn last_written(&self, jobs: &[&str]) -> Result<BTreeMap<String, Timestamp>, JobStoreError> {
        self.done()?;
        let kept = locked(&self.kept);
        let written = |job: &&str| Some(((*job).to_owned(), kept.get(*job)?.1));
        Ok(jobs.iter().filter_map(written).collect())
    }

    async fn write(&self, job: &str, text: &str) -> Result<(), JobStoreError> {
        self.put(job, text);
        self.done()
    }
}

/// Parameters in memory.
#[derive(Default)]
pub struct FakeConfiguration {
    parameters: Mutex<Vec<Parameter>>,
    unreadable: Mutex<bool>,
    reads: AtomicUsize,
}

impl FakeConfiguration {
    /// With these parameters: section, name, value.
    #[must_use]
    pub fn with(parameters: &[(Section, &str, &str)]) -> Self {
        let fake = Self::default();
        for (section, name, value) in parameters {
            fake.put(*section, name, value);
        }
        fake
    }

    /// Writes a parameter.
    pub fn put(&self, section: Section, name: &str, value: &str) {
        let mut parameters = locked(&self.parameters);
        let is_it = |parameter: &Parameter| (parameter.section, parameter.name.as_str()) == (section, name);
        let version = parameters.iter().find(|parameter| is_it(parameter)).map_or(1, |last| last.version + 1);
        parameters.retain(|parameter| !is_it(parameter));
        parameters.push(Parameter { section, name: name.to_owned(), value: Secret::new(value), version });
    }

    /// Removes a parameter.
    pub fn remove(&self, section: Section, name: &str) {
        locked(&self.parameters)
            .retain(|parameter| (parameter.section, parameter.name.as_str()) != (section, name));
    }

    /// Whether reads fail from now on.
    pub fn set_unreadable(&self, unreadable: bool) {
        *locked(&self.unreadable) = unreadable;
    }

    /// How often it was read.
    #[must_use]
    pub fn reads(&self) -> usize {
        self.reads.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl ConfigurationSource for FakeConfiguration {
    async fn read(&self, sections: &[Section]) -> Result<Vec<Parameter>, ConfigurationError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        if *locked(&self.unreadable) {
            return Err(ConfigurationError(Arc::new(std::io::Error::other(
                "the fake store was told to fail",
            ))));
        }
        let wanted = |parameter: &&Parameter| sections.contains(&parameter.section);
        Ok(locked(&self.parameters).iter().filter(wanted).cloned().collect())
    }
}

/// The event log and the console in memory.
#[derive(Default)]
pub struct FakeLog {
    entries: Mutex<Vec<Entry>>,
    flushed: AtomicUsize,
}

impl FakeLog {
    /// What was recorded, as JSON.
    #[must_use]
    pub fn entries(&self) -> Vec<serde_json::Value> {
        let parse = |entry: &Entry| serde_json::from_str(&entry.line()).expect("an entry is JSON");
        locked(&self.entries).iter().map(parse).collect()
    }

    /// The `type` of each entry.
    #[must_use]
    pub fn types(&self) -> Vec<String> {
        self.entries().iter().map(|entry| entry["type"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// How many entries were recorded when it was last flushed.
    #[must_use]
    pub fn flushed(&self) -> usize {
        self.flushed.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl EventLog for FakeLog {
    fn record(&self, entry: Entry) {
        locked(&self.entries).push(entry);
    }

    async fn flush(&self) {
        self.flushed.store(locked(&self.entries).len(), Ordering::SeqCst);
    }
}

impl Console for FakeLog {
    fn write(&self, entry: &Entry) {
        locked(&self.entries).push(entry.clone());
    }
}

/// X-Ray's daemon in memory.
#[derive(Default)]
pub struct FakeTracer(Mutex<Vec<Value>>);

impl FakeTracer {
    /// The documents that were sent.
    #[must_use]
    pub fn documents(&self) -> Vec<Value> {
        locked(&self.0).clone()
    }

    /// What makes subsegments that come here; each with another id.
    #[must_use]
    pub fn tracing(self: &Arc<Self>, clock: Clock) -> Tracing {
        let drawn = AtomicU32::new(0);
        let chance = Arc::new(move || f64::from(drawn.fetch_add(1, Ordering::SeqCst)) + 0.5);
        Tracing::new(self.clone(), clock, chance)
    }
}

impl Tracer for FakeTracer {
    fn send(&self, subsegment: &Subsegment) {
        let document = serde_json::from_str(&subsegment.document()).expect("a document is JSON");
        locked(&self.0).push(document);
    }
}

/// What a receiver answers to a request.
type Answering = Arc<dyn Fn(&OutboundRequest) -> Response + Send + Sync>;

/// A receiver in memory: answers from a script, then as it was told to, then 200.
#[derive(Default)]
pub struct FakeTransport {
    script: Mutex<VecDeque<Result<Response, NoAnswer>>>,
    answering: Mutex<Option<Answering>>,
    requests: Mutex<Vec<OutboundRequest>>,
}

impl FakeTransport {
    /// The next answers: a status, or why there is none.
    pub fn answer_next(&self, answers: impl IntoIterator<Item = Result<u16, NoAnswer>>) {
        self.answer_with(answers.into_iter().map(|answer| answer.map(answered)));
    }

    /// The next answers, whole.
    pub fn answer_with(&self, answers: impl IntoIterator<Item = Result<Response, NoAnswer>>) {
        locked(&self.script).extend(answers);
    }

    /// What is answered from now on, where the script says nothing.
    pub fn answer_by(&self, answering: impl Fn(&OutboundRequest) -> Response + Send + Sync + 'static) {
        *locked(&self.answering) = Some(Arc::new(answering));
    }

    fn answer(&self, request: &OutboundRequest) -> Result<Response, NoAnswer> {
        if let Some(answer) = locked(&self.script).pop_front() {
            return answer;
        }
        let answering = locked(&self.answering).clone();
        Ok(answering.map_or_else(|| answered(200), |answering| answering(request)))
    }

    /// What was sent.
    #[must_use]
    pub fn requests(&self) -> Vec<OutboundRequest> {
        locked(&self.requests).clone()
    }
}

fn answered(status: u16) -> Response {
    Response { status, retry_after: None, body: b"{}".to_vec() }
}

#[async_trait]
impl Transport for FakeTransport {
    async fn send(&self, request: OutboundRequest) -> Attempt {
        let result = self.answer(&request).map_err(|cause| TransportFailure {
            cause,
            detail: "the fake transport was told to fail".to_owned(),
        });
        locked(&self.requests).push(request.clone());
        tokio::task::yield_now().await; // as a network does: whoever works beside it has its turn
        Attempt::new(request, Duration::from_millis(1), result)
    }
}

/// A receiver that never answers.
pub struct HangingTransport;

#[async_trait]
impl Transport for HangingTransport {
    async fn send(&self, _request: OutboundRequest) -> Attempt {
        std::future::pending().await
    }
}

/// A queue that never answers, but takes delays.
pub struct HangingQueue;

#[async_trait]
impl Queue for HangingQueue {
    async fn send(&self, _message: &Outgoing) -> Result<(), QueueError> {
        std::future::pending().await
    }

    async fn send_all(&self, _messages: &[Outgoing]) -> Vec<Result<(), QueueError>> {
        std::future::pending().await
    }

    async fn postpone(&self, _receipt: &str, _delay: Duration) -> Result<(), QueueError> {
        Ok(())
    }
}
