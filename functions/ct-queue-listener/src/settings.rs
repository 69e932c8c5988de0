//! What the listener's environment says.

use connector::environment::{Environment, EnvironmentError};
use connector::event_log::Component;

/// The listener's settings, from the variables that `template.yaml` sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// What all functions share.
    pub common: aws::foundation::Settings,
    /// `CT_QUEUE_URL`: where records come from.
    pub ct_queue: String,
    /// `CT_DEAD_LETTER_QUEUE_URL`.
    pub dead_letter_queue: String,
}

impl Settings {
    /// Reads all settings.
    ///
    /// # Errors
    /// [`EnvironmentError`] names the first variable that is absent or malformed.
    pub fn read(environment: Environment<'_>) -> Result<Self, EnvironmentError> {
        Ok(Self {
            common: aws::foundation::Settings::read(environment, Component::CtQueueListener)?,
            ct_queue: environment.url("CT_QUEUE_URL")?,
            dead_letter_queue: environment.url("CT_DEAD_LETTER_QUEUE_URL")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use connector::environment::{Environment, EnvironmentError};

    use super::Settings;

    const QUEUE: &str = "https://sqs.eu-west-1.amazonaws.com/123456789012/";

    fn read(left_out: &str) -> Result<Settings, EnvironmentError> {
        let look_up = |name: &str| match name {
            _ if name == left_out => None,
            "CONFIG_PREFIX" => Some("/fluent-connect/shop".to_owned()),
            "CONFIG_TTL_SECONDS" => Some("30".to_owned()),
            "EVENT_QUEUE_URL" => Some(format!("{QUEUE}events.fifo")),
            "EVENT_LOG_GROUP" => Some("/fluent-connect/shop/event-log".to_owned()),
            "CT_QUEUE_URL" => Some(format!("{QUEUE}ct")),
            "CT_DEAD_LETTER_QUEUE_URL" => Some(format!("{QUEUE}ct-dead")),
            _ => None,
        };
        Settings::read(Environment::new(&look_up))
    }

    #[test]
    fn both_queues_are_read_and_named_where_they_are_missing() {
        let settings = read("").unwrap();
        assert_eq!(
            (settings.ct_queue, settings.dead_letter_queue),
            (format!("{QUEUE}ct"), format!("{QUEUE}ct-dead"))
        );
        for name in ["CT_QUEUE_URL", "CT_DEAD_LETTER_QUEUE_URL", "EVENT_QUEUE_URL"] {
            assert_eq!(read(name), Err(EnvironmentError::Absent { name }));
        }
    }
}
