//! Reads the environment, builds the clients, runs. Nothing here makes a network call before the first batch.

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;

use aws::configuration::SsmConfiguration;
use aws::console::Stdout;
use aws::event_log::CloudWatchEventLog;
use aws::queue::SqsQueue;
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use connector::cache::Cache;
use connector::environment::Environment;
use connector::handler::{Capabilities, Registry};
use connector::ports::Clock;
use jiff::Timestamp;
use lambda_runtime::{LambdaEvent, service_fn};
use message_router::record::Record;
use message_router::router::{Invocation, Router};
use message_router::settings::Settings;
use outbound::HttpTransport;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            aws::console::init_failed(error.as_ref());
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error + Send + Sync>> {
    let router = router().await?;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<SqsEvent>| {
        Ok::<_, std::convert::Infallible>(route(&router, event).await)
    }))
    .await
}

async fn route(router: &Router, event: LambdaEvent<SqsEvent>) -> SqsBatchResponse {
    let deadline = i64::try_from(event.context.deadline).ok();
    let invocation = Invocation {
        request_id: event.context.request_id,
        deadline: deadline.and_then(|ms| Timestamp::from_millisecond(ms).ok()).unwrap_or(Timestamp::MAX),
    };
    let records = event.payload.records.into_iter().map(Record::from).collect();
    let mut response = SqsBatchResponse::default();
    for id in router.route(records, &invocation).await {
        response.add_failure(id);
    }
    response
}

async fn router() -> Result<Router, Box<dyn Error + Send + Sync>> {
    #[expect(clippy::disallowed_methods, reason = "the environment is read here")]
    let variable = |name: &str| std::env::var(name).ok();
    #[expect(clippy::disallowed_methods, reason = "the clock is read here")]
    let clock: Clock = Arc::new(Timestamp::now);
    let settings = Settings::read(Environment::new(&variable))?;
    let handlers = registry().build()?;
    let stream = aws::event_log::stream_name(&variable);

    let sdk = aws::clients::sdk_config(settings.local_endpoint).await?;
    let source = Arc::new(SsmConfiguration::new(aws::clients::ssm(&sdk), settings.prefix));
    let console = Arc::new(Stdout);
    let logs = aws::clients::logs(&sdk);
    let event_log =
        CloudWatchEventLog::new(logs, settings.event_log_group, stream, console.clone(), clock.clone());
    let sqs = aws::clients::sqs(&sdk);
    Ok(Router {
        table: Cache::new(source, settings.ttl, clock.clone(), console),
        handlers,
        capabilities: Capabilities {
            transport: Arc::new(HttpTransport::new()?),
            event_log: Arc::new(event_log),
            clock,
        },
        event_queue: Arc::new(SqsQueue::new(sqs.clone(), settings.event_queue)),
        undelivered_queue: Arc::new(SqsQueue::new(sqs.clone(), settings.undelivered_queue)),
        dead_letter_queue: Arc::new(SqsQueue::new(sqs, settings.dead_letter_queue)),
    })
}

#[cfg(not(feature = "fault-injection"))]
fn registry() -> Registry {
    handlers::registry()
}

#[cfg(feature = "fault-injection")]
fn registry() -> Registry {
    handlers::registry().register::<testkit::handlers::Panics>()
}
