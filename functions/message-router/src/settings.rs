//! What the router's environment says.

use std::time::Duration;

use connector::environment::{Environment, EnvironmentError};

/// The router's settings, from the variables that `template.yaml` sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `CONFIG_PREFIX`: the path of the parameters.
    pub prefix: String,
    /// `CONFIG_TTL_SECONDS`.
    pub ttl: Duration,
    /// `EVENT_QUEUE_URL`.
    pub event_queue: String,
    /// `UNDELIVERED_QUEUE_URL`.
    pub undelivered_queue: String,
    /// `DEAD_LETTER_QUEUE_URL`.
    pub dead_letter_queue: String,
    /// `EVENT_LOG_GROUP`.
    pub event_log_group: String,
    /// `LOCAL_AWS_ENDPOINT_URL`: where `sam local invoke` finds a local AWS; empty in a deployment.
    pub local_endpoint: Option<String>,
}

impl Settings {
    /// Reads all settings.
    ///
    /// # Errors
    /// [`EnvironmentError`] names the first variable that is absent or malformed.
    pub fn read(environment: Environment<'_>) -> Result<Self, EnvironmentError> {
        Ok(Self {
            prefix: environment.path("CONFIG_PREFIX")?,
            ttl: environment.seconds("CONFIG_TTL_SECONDS")?,
            event_queue: environment.url("EVENT_QUEUE_URL")?,
            undelivered_queue: environment.url("UNDELIVERED_QUEUE_URL")?,
            dead_letter_queue: environment.url("DEAD_LETTER_QUEUE_URL")?,
            event_log_group: environment.text("EVENT_LOG_GROUP")?,
            local_endpoint: environment.optional_url("LOCAL_AWS_ENDPOINT_URL")?,
        })
    }
}
