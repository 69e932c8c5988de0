//! What every function stands on: the settings that all share, and the clients and adapters made of them in INIT.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use aws_smithy_http_client::HttpClientError;
use connector::cache::{Cache, Snapshot};
use connector::environment::{Environment, EnvironmentError};
use connector::event_log::{Component, Entry, EventType};
use connector::ports::{
    Cause, Chance, Clock, Console, EventLog, EventLogReader, JobStore, Queue, UndeliveredQueue,
};
use connector::subsegment::Tracing;

use crate::clients;
use crate::configuration::SsmConfiguration;
use crate::console::{Stdout, init_failed};
use crate::event_log::{CloudWatchEventLog, CloudWatchEventLogReader, stream_name};
use crate::jobs::SsmJobStore;
use crate::queue::SqsQueue;
use crate::xray::{XrayDaemon, daemon_address};

/// The settings that all functions share, from the variables that `template.yaml` sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `CONFIG_PREFIX`: the path of the parameters.
    pub prefix: String,
    /// `CONFIG_TTL_SECONDS`.
    pub ttl: Duration,
    /// `EVENT_QUEUE_URL`.
    pub event_queue: String,
    /// `EVENT_LOG_GROUP`.
    pub event_log_group: String,
    /// The stream of this execution environment.
    pub event_log_stream: String,
    /// `LOCAL_AWS_ENDPOINT_URL`: where `sam local invoke` finds a local AWS; empty in a deployment.
    pub local_endpoint: Option<String>,
    /// `AWS_XRAY_DAEMON_ADDRESS`, which Lambda sets; without it X-Ray is told nothing.
    pub xray_daemon: Option<SocketAddr>,
    /// Which function this is.
    pub component: Component,
}

/// The adapters of a function; each client is built once.
pub struct Foundation {
    /// The time of day.
    pub clock: Clock,
    /// The function's own log.
    pub console: Arc<Stdout>,
    /// The event log.
    pub event_log: Arc<dyn EventLog>,
    settings: Settings,
    sqs: aws_sdk_sqs::Client,
    logs: aws_sdk_cloudwatchlogs::Client,
    ssm: aws_sdk_ssm::Client,
}

impl Settings {
    /// Reads all settings of this component.
    ///
    /// # Errors
    /// [`EnvironmentError`] names the first variable that is absent or malformed.
    pub fn read(environment: Environment<'_>, component: Component) -> Result<Self, EnvironmentError> {
        Ok(Self {
            prefix: environment.path("CONFIG_PREFIX")?,
            ttl: environment.seconds("CONFIG_TTL_SECONDS")?,
            event_queue: environment.url("EVENT_QUEUE_URL")?,
            event_log_group: environment.text("EVENT_LOG_GROUP")?,
            event_log_stream: stream_name(environment, component),
            local_endpoint: environment.optional_url("LOCAL_AWS_ENDPOINT_URL")?,
            xray_daemon: environment
                .text("AWS_XRAY_DAEMON_ADDRESS")
                .ok()
                .and_then(|value| daemon_address(&value)),
            component,
        })
    }
}

impl Settings {
    /// The stack's name: the last part of the prefix.
    #[must_use]
    pub fn stack(&self) -> &str {
        self.prefix.rsplit('/').next().unwrap_or_default()
    }
}

impl Foundation {
    /// Builds the clients, and says in the log that the function starts. No network call is made.
    ///
    /// # Errors
    /// Where the compiled-in root certificates are refused: a fault of the build.
    pub async fn build(settings: Settings, clock: Clock) -> Result<Self, HttpClientError> {
        let sdk = clients::sdk_config(settings.local_endpoint.as_deref()).await?;
        let console = Arc::new(Stdout::new(settings.stack()));
        let logs = aws_sdk_cloudwatchlogs::Client::new(&sdk);
        let event_log = CloudWatchEventLog::new(
            logs.clone(),
            &settings.event_log_group,
            &settings.event_log_stream,
            settings.stack(),
            console.clone(),
            clock.clone(),
        );
        let started = Entry::new(EventType::FunctionStarted, clock());
        console.write(&started.field("function", settings.component.as_str()));
        let sqs = aws_sdk_sqs::Client::new(&sdk);
        let ssm = aws_sdk_ssm::Client::new(&sdk);
        Ok(Self { clock, console, event_log: Arc::new(event_log), settings, sqs, logs, ssm })
    }

    /// The event queue.
    #[must_use]
    pub fn event_queue(&self) -> Arc<dyn Queue> {
        self.queue(&self.settings.event_queue)
    }

    /// The queue at this URL.
    #[must_use]
    pub fn queue(&self, url: &str) -> Arc<dyn Queue> {
        Arc::new(SqsQueue::new(self.sqs.clone(), url))
    }

    /// The undelivered queue at this URL, to look through.
    #[must_use]
    pub fn undelivered_queue(&self, url: &str) -> Arc<dyn UndeliveredQueue> {
        Arc::new(SqsQueue::new(self.sqs.clone(), url))
    }

    /// What stands in the event log.
    #[must_use]
    pub fn event_log_reader(&self) -> Arc<dyn EventLogReader> {
        Arc::new(CloudWatchEventLogReader::new(self.logs.clone(), &self.settings.event_log_group))
    }

    /// What a function printed of requests that were kept, to the log group of this name.
    #[must_use]
    pub fn own_log_reader(&self, group: &str) -> Arc<dyn EventLogReader> {
        Arc::new(CloudWatchEventLogReader::of_own_log(self.logs.clone(), group))
    }

    /// How far jobs have come.
    #[must_use]
    pub fn jobs(&self) -> Arc<dyn JobStore> {
        Arc::new(SsmJobStore::new(self.ssm.clone(), &self.settings.prefix))
    }

    /// Where subsegments go, by ids of this chance; `None` where no daemon is, or none can be sent to.
    #[must_use]
    pub fn tracing(&self, chance: Chance) -> Option<Tracing> {
        let daemon = XrayDaemon::at(self.settings.xray_daemon?).ok()?;
        Some(Tracing::new(Arc::new(daemon), self.clock.clone(), chance))
    }

    /// A cache of the parameters below the prefix; nothing is read yet.
    #[must_use]
    pub fn cache<S: Snapshot>(&self) -> Cache<S> {
        let source = SsmConfiguration::new(self.ssm.clone(), &self.settings.prefix);
        Cache::new(Arc::new(source), self.settings.ttl, self.clock.clone(), self.console.clone())
    }
}

/// How a function's process ends: a failed start says why in one line.
#[must_use]
pub fn ended(result: Result<(), Cause>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            init_failed(error.as_ref());
            ExitCode::FAILURE
        }
    }
}
