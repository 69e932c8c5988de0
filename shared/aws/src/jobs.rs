//! SSM Parameter Store as the port that keeps how far jobs have come: one parameter a job.

use async_trait::async_trait;
use aws_sdk_ssm::Client;
use aws_sdk_ssm::operation::get_parameter::GetParameterError;
use aws_sdk_ssm::types::ParameterType;
use connector::ports::{JobStore, JobStoreError};

/// The jobs' parameters below a prefix.
#[derive(Debug, Clone)]
pub struct SsmJobStore {
    client: Client,
    prefix: String,
}

impl SsmJobStore {
    /// The parameters `{prefix}/jobs/{job}`; the prefix has no slash at its end.
    #[must_use]
    pub fn new(client: Client, prefix: impl Into<String>) -> Self {
        Self { client, prefix: prefix.into() }
    }

    fn name(&self, job: &str) -> String {
        format!("{}/jobs/{job}", self.prefix)
    }
}

#[async_trait]
impl JobStore for SsmJobStore {
    async fn read(&self, job: &str) -> Result<Option<String>, JobStoreError> {
        match self.client.get_parameter().name(self.name(job)).send().await {
            Ok(found) => Ok(found.parameter.and_then(|parameter| parameter.value)),
            Err(error) if error.as_service_error().is_some_and(GetParameterError::is_parameter_not_found) => {
                Ok(None)
            }
            Err(error) => Err(JobStoreError(error.into())),
        }
    }

    async fn write(&self, job: &str, text: &str) -> Result<(), JobStoreError> {
        let put = self.client.put_parameter().name(self.name(job)).value(text);
        let put = put.r#type(ParameterType::String).overwrite(true).send().await;
        put.map(drop).map_err(|error| JobStoreError(error.into()))
    }
}
