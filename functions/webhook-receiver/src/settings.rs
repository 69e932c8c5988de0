//! What the receiver's environment says.

use connector::environment::{Environment, EnvironmentError};
use connector::event_log::Component;
use connector::webhook::Served;

/// The receiver's settings, from the variables that `template.yaml` sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// What all functions share.
    pub common: aws::foundation::Settings,
    /// `FLUENT_ACCOUNTS` and `ALLOW_MD5_SIGNATURE`: what is taken of Fluent.
    pub served: Served,
}

impl Settings {
    /// Reads all settings.
    ///
    /// # Errors
    /// [`EnvironmentError`] names the first variable that is absent or malformed.
    pub fn read(environment: Environment<'_>) -> Result<Self, EnvironmentError> {
        Ok(Self {
            common: aws::foundation::Settings::read(environment, Component::WebhookReceiver)?,
            served: Served::read(environment)?,
        })
    }
}
