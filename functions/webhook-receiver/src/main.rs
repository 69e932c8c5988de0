//! Reads the environment, builds the clients, runs. Nothing here makes a network call before the first request.

use std::process::ExitCode;
use std::sync::Arc;

use aws::foundation::{Foundation, ended};
use connector::environment::Environment;
use connector::ports::Cause;
use lambda_http::{Request, service_fn};
use webhook_receiver::http;
use webhook_receiver::receive::{PATIENCE, Receiver};
use webhook_receiver::settings::Settings;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    ended(run().await)
}

async fn run() -> Result<(), Cause> {
    let receiver = receiver().await?;
    lambda_http::run(service_fn(async |request: Request| {
        Ok::<_, std::convert::Infallible>(http::answer(&receiver, request).await)
    }))
    .await
}

#[expect(clippy::disallowed_methods, reason = "environment, clock and chance are read here")]
async fn receiver() -> Result<Receiver, Cause> {
    let settings = Settings::read(Environment::new(&|name| std::env::var(name).ok()))?;
    let foundation = Foundation::build(settings.common, Arc::new(jiff::Timestamp::now)).await?;
    Ok(Receiver {
        keys: foundation.cache().patient(PATIENCE, Arc::new(fastrand::f64)),
        sources: foundation.cache().patient(PATIENCE, Arc::new(fastrand::f64)),
        served: settings.served,
        queue: foundation.event_queue(),
        tracing: foundation.tracing(Arc::new(fastrand::f64)),
        event_log: foundation.event_log,
        console: foundation.console,
        clock: foundation.clock,
    })
}
