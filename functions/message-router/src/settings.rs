//! What the router's environment says.

use connector::environment::{Environment, EnvironmentError};
use connector::event_log::Component;
use outbound::Networks;

/// The router's settings, from the variables that `template.yaml` sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// What all functions share.
    pub common: aws::foundation::Settings,
    /// `UNDELIVERED_QUEUE_URL`.
    pub undelivered_queue: String,
    /// `DANGEROUSLY_ALLOW_NETWORKS`: networks that deliveries may reach though they are not public; empty in most deployments.
    pub networks: Networks,
    /// `DEAD_LETTER_QUEUE_URL`.
    pub dead_letter_queue: String,
}

impl Settings {
    /// Reads all settings.
    ///
    /// # Errors
    /// [`EnvironmentError`] names the first variable that is absent or malformed.
    pub fn read(environment: Environment<'_>) -> Result<Self, EnvironmentError> {
        Ok(Self {
            common: aws::foundation::Settings::read(environment, Component::MessageRouter)?,
            undelivered_queue: environment.url("UNDELIVERED_QUEUE_URL")?,
            networks: environment.parsed(
                "DANGEROUSLY_ALLOW_NETWORKS",
                "networks, comma-separated",
                Networks::parse,
            )?,
            dead_letter_queue: environment.url("DEAD_LETTER_QUEUE_URL")?,
        })
    }
}
