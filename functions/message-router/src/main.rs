//! Reads the environment, builds the clients, runs. Nothing here makes a network call before the first batch.

use std::process::ExitCode;
use std::sync::Arc;

use aws::foundation::{Foundation, ended};
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use connector::environment::Environment;
use connector::handler::Registry;
use connector::ports::{Cause, Chance};
use connector::sender::Sender;
use jiff::Timestamp;
use lambda_runtime::{LambdaEvent, service_fn};
use message_router::record::Record;
use message_router::router::{Invocation, Router};
use message_router::settings::Settings;
use outbound::{AddressPolicy, HttpTransport};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    ended(run().await)
}

async fn run() -> Result<(), Cause> {
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

#[expect(clippy::disallowed_methods, reason = "environment, clock and chance are read here")]
async fn router() -> Result<Router, Cause> {
    let settings = Settings::read(Environment::new(&|name| std::env::var(name).ok()))?;
    let foundation = Foundation::build(settings.common, Arc::new(Timestamp::now)).await?;
    let chance: Chance = Arc::new(fastrand::f64);
    let tracing = foundation.tracing(chance.clone());
    Ok(Router {
        table: foundation.cache(),
        handlers: registry().build()?,
        event_queue: foundation.event_queue(),
        jobs: foundation.jobs(),
        undelivered_queue: foundation.queue(&settings.undelivered_queue),
        console: foundation.console.clone(),
        unrouted: settings.unrouted,
        dead_letter_queue: foundation.queue(&settings.dead_letter_queue),
        sender: Sender::new(
            Arc::new(HttpTransport::new(AddressPolicy::new(settings.networks))?),
            foundation.event_log,
            foundation.clock,
            chance,
        )
        .traced(tracing),
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
