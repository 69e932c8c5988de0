//! Reads the environment, builds the clients, runs. Nothing here makes a network call before the first invocation.

use std::process::ExitCode;
use std::sync::Arc;

use aws::foundation::{Foundation, ended};
use connector::environment::Environment;
use connector::failure::chain;
use connector::ports::Cause;
use jiff::Timestamp;
use job_scheduler::answer::Answer;
use job_scheduler::due::Settled;
use job_scheduler::scheduler::{Invocation, Scheduler};
use job_scheduler::settings::Settings;
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    ended(run().await)
}

async fn run() -> Result<(), Cause> {
    let scheduler = scheduler().await?;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| answer(&scheduler, event).await)).await
}

async fn answer(scheduler: &Scheduler, event: LambdaEvent<Value>) -> Result<Answer, Diagnostic> {
    let LambdaEvent { payload, context } = event;
    let invocation = Invocation { request_id: context.request_id, trace: context.xray_trace_id };
    scheduler
        .answer(&payload, &invocation)
        .await
        .map_err(|error| Diagnostic { error_type: error.kind().to_owned(), error_message: chain(&error) })
}

#[expect(clippy::disallowed_methods, reason = "environment and clock are read here")]
async fn scheduler() -> Result<Scheduler, Cause> {
    let settings = Settings::read(Environment::new(&|name| std::env::var(name).ok()))?;
    let prefix = settings.common.prefix.clone();
    let foundation = Foundation::build(settings.common, Arc::new(Timestamp::now)).await?;
    Ok(Scheduler {
        routes: foundation.cache(),
        jobs: foundation.jobs(),
        event_queue: foundation.event_queue(),
        settled: Settled::default(),
        console: foundation.console,
        clock: foundation.clock,
        prefix,
    })
}
