//! What the receiver's environment says.

use std::collections::BTreeSet;

use connector::environment::{Environment, EnvironmentError};
use connector::event_log::Component;
use connector::signature::Md5Policy;

/// The receiver's settings, from the variables that `template.yaml` sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// What all functions share.
    pub common: aws::foundation::Settings,
    /// `FLUENT_ACCOUNTS`: the accounts that this deployment serves.
    pub accounts: BTreeSet<String>,
    /// `ALLOW_MD5_SIGNATURE`.
    pub md5: Md5Policy,
}

impl Settings {
    /// Reads all settings.
    ///
    /// # Errors
    /// [`EnvironmentError`] names the first variable that is absent or malformed.
    pub fn read(environment: Environment<'_>) -> Result<Self, EnvironmentError> {
        Ok(Self {
            common: aws::foundation::Settings::read(environment, Component::WebhookReceiver)?,
            accounts: environment.list("FLUENT_ACCOUNTS")?,
            md5: if environment.switch("ALLOW_MD5_SIGNATURE")? {
                Md5Policy::AllowAlone
            } else {
                Md5Policy::Refuse
            },
        })
    }
}
