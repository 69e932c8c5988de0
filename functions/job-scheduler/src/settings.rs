//! What the job scheduler's environment says.

use connector::environment::{Environment, EnvironmentError};
use connector::event_log::Component;

/// The job scheduler's settings, from the variables that `template.yaml` sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// What all functions share; it needs no more.
    pub common: aws::foundation::Settings,
}

impl Settings {
    /// Reads all settings.
    ///
    /// # Errors
    /// [`EnvironmentError`] names the first variable that is absent or malformed.
    pub fn read(environment: Environment<'_>) -> Result<Self, EnvironmentError> {
        Ok(Self { common: aws::foundation::Settings::read(environment, Component::JobScheduler)? })
    }
}
