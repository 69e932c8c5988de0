//! Reads the environment, builds the clients, runs. Nothing here makes a network call before the first batch.

use std::process::ExitCode;
use std::sync::Arc;

use aws::foundation::{Foundation, ended};
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use connector::environment::Environment;
use connector::ports::Cause;
use ct_queue_listener::listen::Listener;
use ct_queue_listener::record::answer;
use ct_queue_listener::settings::Settings;
use jiff::Timestamp;
use lambda_runtime::{LambdaEvent, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    ended(run().await)
}

async fn run() -> Result<(), Cause> {
    let listener = listener().await?;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<SqsEvent>| {
        Ok::<SqsBatchResponse, std::convert::Infallible>(answer(&listener, event).await)
    }))
    .await
}

#[expect(clippy::disallowed_methods, reason = "environment, clock and chance are read here")]
async fn listener() -> Result<Listener, Cause> {
    let settings = Settings::read(Environment::new(&|name| std::env::var(name).ok()))?;
    let foundation = Foundation::build(settings.common, Arc::new(Timestamp::now)).await?;
    Ok(Listener {
        names: foundation.cache(),
        tracing: foundation.tracing(Arc::new(fastrand::f64)),
        event_queue: foundation.event_queue(),
        ct_queue: foundation.queue(&settings.ct_queue),
        dead_letter_queue: foundation.queue(&settings.dead_letter_queue),
        console: foundation.console,
        clock: foundation.clock,
    })
}
