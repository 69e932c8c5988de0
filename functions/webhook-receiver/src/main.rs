//! Reads the environment, builds the clients, runs. Nothing here makes a network call before the first request.

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;

use aws::configuration::SsmConfiguration;
use aws::console::Stdout;
use aws::event_log::CloudWatchEventLog;
use aws::queue::SqsQueue;
use connector::cache::Cache;
use connector::environment::Environment;
use connector::ports::Clock;
use lambda_http::{Request, service_fn};
use webhook_receiver::http;
use webhook_receiver::receive::Receiver;
use webhook_receiver::settings::Settings;

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
    let receiver = receiver().await?;
    lambda_http::run(service_fn(async |request: Request| {
        Ok::<_, std::convert::Infallible>(http::answer(&receiver, request).await)
    }))
    .await
}

async fn receiver() -> Result<Receiver, Box<dyn Error + Send + Sync>> {
    #[expect(clippy::disallowed_methods, reason = "the environment is read here")]
    let variable = |name: &str| std::env::var(name).ok();
    #[expect(clippy::disallowed_methods, reason = "the clock is read here")]
    let clock: Clock = Arc::new(jiff::Timestamp::now);
    let settings = Settings::read(Environment::new(&variable))?;
    let stream = aws::event_log::stream_name(&variable);

    let sdk = aws::clients::sdk_config(settings.local_endpoint).await?;
    let source = Arc::new(SsmConfiguration::new(aws::clients::ssm(&sdk), settings.prefix));
    let console = Arc::new(Stdout);
    let logs = aws::clients::logs(&sdk);
    let event_log =
        CloudWatchEventLog::new(logs, settings.event_log_group, stream, console.clone(), clock.clone());
    Ok(Receiver {
        keys: Cache::new(source, settings.ttl, clock.clone(), console.clone()),
        md5: settings.md5,
        accounts: settings.accounts,
        queue: Arc::new(SqsQueue::new(aws::clients::sqs(&sdk), settings.event_queue)),
        event_log: Arc::new(event_log),
        console,
        clock,
    })
}
