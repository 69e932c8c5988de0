//! What the receiver's environment says.

use std::collections::BTreeSet;
use std::time::Duration;

use connector::environment::{Environment, EnvironmentError};
use connector::signature::Md5Policy;

/// The receiver's settings, from the variables that `template.yaml` sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `CONFIG_PREFIX`: the path of the parameters.
    pub prefix: String,
    /// `CONFIG_TTL_SECONDS`.
    pub ttl: Duration,
    /// `FLUENT_ACCOUNTS`: the accounts that this deployment serves.
    pub accounts: BTreeSet<String>,
    /// `ALLOW_MD5_SIGNATURE`.
    pub md5: Md5Policy,
    /// `EVENT_QUEUE_URL`.
    pub event_queue: String,
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
            accounts: environment.list("FLUENT_ACCOUNTS")?,
            md5: if environment.switch("ALLOW_MD5_SIGNATURE")? {
                Md5Policy::AllowAlone
            } else {
                Md5Policy::Refuse
            },
            event_queue: environment.url("EVENT_QUEUE_URL")?,
            event_log_group: environment.text("EVENT_LOG_GROUP")?,
            local_endpoint: environment.optional_url("LOCAL_AWS_ENDPOINT_URL")?,
        })
    }
}
