//! What the router's environment says.

use connector::environment::{Environment, EnvironmentError};
use connector::event_log::Component;
use outbound::Networks;

/// What becomes of a message that no route wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unrouted {
    /// It waits in the undelivered queue for a route.
    Hold,
    /// It is recorded, and that is all.
    Drop,
}

impl Unrouted {
    fn parse(text: &str) -> Result<Self, ()> {
        match text {
            "hold" => Ok(Self::Hold),
            "drop" => Ok(Self::Drop),
            _ => Err(()),
        }
    }
}

/// The router's settings, from the variables that `template.yaml` sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// What all functions share.
    pub common: aws::foundation::Settings,
    /// `UNDELIVERED_QUEUE_URL`.
    pub undelivered_queue: String,
    /// `DANGEROUSLY_ALLOW_NETWORKS`: networks that deliveries may reach though they are not public; empty in most deployments.
    pub networks: Networks,
    /// `UNROUTED`: `hold` or `drop`.
    pub unrouted: Unrouted,
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
            unrouted: environment.parsed("UNROUTED", "hold or drop", Unrouted::parse)?,
            dead_letter_queue: environment.url("DEAD_LETTER_QUEUE_URL")?,
        })
    }
}
