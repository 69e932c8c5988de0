//! Reads the environment, builds the clients, runs. Nothing here makes a network call before the first invocation.

use std::process::ExitCode;
use std::sync::Arc;

use aws::foundation::{Foundation, ended};
use connector::environment::Environment;
use connector::failure::chain;
use connector::ports::Cause;
use jiff::Timestamp;
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use replay::replay::{Invocation, Replay};
use replay::report::Report;
use replay::settings::Settings;
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    ended(run().await)
}

async fn run() -> Result<(), Cause> {
    let replay = replay().await?;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| answer(&replay, event).await)).await
}

async fn answer(replay: &Replay, event: LambdaEvent<Value>) -> Result<Report, Diagnostic> {
    let deadline = i64::try_from(event.context.deadline).ok();
    let invocation = Invocation {
        request_id: event.context.request_id,
        deadline: deadline.and_then(|ms| Timestamp::from_millisecond(ms).ok()).unwrap_or(Timestamp::MAX),
    };
    replay
        .run(&event.payload, &invocation)
        .await
        .map_err(|error| Diagnostic { error_type: error.kind().to_owned(), error_message: chain(&error) })
}

#[expect(clippy::disallowed_methods, reason = "environment and clock are read here")]
async fn replay() -> Result<Replay, Cause> {
    let settings = Settings::read(Environment::new(&|name| std::env::var(name).ok()))?;
    let foundation = Foundation::build(settings.common, Arc::new(Timestamp::now)).await?;
    Ok(Replay {
        undelivered_queue: foundation.undelivered_queue(&settings.undelivered_queue),
        event_queue: foundation.event_queue(),
        reader: foundation.event_log_reader(),
        receiver_log: foundation.own_log_reader(&settings.receiver_log_group),
        keys: foundation.cache(),
        sources: foundation.cache(),
        served: settings.served,
        event_log: foundation.event_log,
        clock: foundation.clock,
    })
}
