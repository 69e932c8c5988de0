//! SSM Parameter Store as the port that keeps how far jobs have come: one parameter a job.

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_ssm::Client;
use aws_sdk_ssm::operation::get_parameter::GetParameterError;
use aws_sdk_ssm::types::{Parameter, ParameterType};
use connector::ports::{JobStore, JobStoreError};
use jiff::Timestamp;

/// Most parameters that one call asks for (SSM API reference, `GetParameters`, `Names`).
const NAMES_A_CALL: usize = 10;

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

    /// The job of a parameter, and when it was last written.
    fn written(&self, parameter: &Parameter) -> Option<(String, Timestamp)> {
        let job = parameter.name()?.strip_prefix(&self.prefix)?.strip_prefix("/jobs/")?;
        let time = parameter.last_modified_date()?;
        let nanos = i32::try_from(time.subsec_nanos()).ok()?;
        Some((job.to_owned(), Timestamp::new(time.secs(), nanos).ok()?))
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

    async fn last_written(&self, jobs: &[&str]) -> Result<BTreeMap<String, Timestamp>, JobStoreError> {
        let mut written = BTreeMap::new();
        for jobs in jobs.chunks(NAMES_A_CALL) {
            let names = jobs.iter().map(|job| self.name(job)).collect();
            let found = self.client.get_parameters().set_names(Some(names)).send().await;
            let found = found.map_err(|error| JobStoreError(error.into()))?;
            written.extend(found.parameters().iter().filter_map(|parameter| self.written(parameter)));
        }
        Ok(written)
    }

    async fn write(&self, job: &str, text: &str) -> Result<(), JobStoreError> {
        let put = self.client.put_parameter().name(self.name(job)).value(text);
        let put = put.r#type(ParameterType::String).overwrite(true).send().await;
        put.map(drop).map_err(|error| JobStoreError(error.into()))
    }
}
