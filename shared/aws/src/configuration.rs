//! SSM Parameter Store as the configuration port.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_ssm::Client;
use connector::parameter::{Parameter, Section};
use connector::ports::{ConfigurationError, ConfigurationSource};
use connector::secret::Secret;
use futures_util::future::try_join_all;

/// Most parameters of a page (SSM API reference, `GetParametersByPath`).
const PAGE: i32 = 10;

/// The parameters below a prefix.
#[derive(Debug, Clone)]
pub struct SsmConfiguration {
    client: Client,
    prefix: String,
}

impl SsmConfiguration {
    /// The parameters below this prefix, which has no slash at its end.
    #[must_use]
    pub fn new(client: Client, prefix: impl Into<String>) -> Self {
        Self { client, prefix: prefix.into() }
    }

    async fn section(&self, section: Section) -> Result<Vec<Parameter>, ConfigurationError> {
        let path = format!("{}/{section}", self.prefix);
        let call = self.client.get_parameters_by_path().path(&path).with_decryption(true).max_results(PAGE);
        let mut pages = call.into_paginator().send();
        let mut parameters = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| ConfigurationError(Arc::new(error)))?;
            parameters.extend(page.parameters().iter().filter_map(|read| parameter(section, &path, read)));
        }
        Ok(parameters)
    }
}

#[async_trait]
impl ConfigurationSource for SsmConfiguration {
    async fn read(&self, sections: &[Section]) -> Result<Vec<Parameter>, ConfigurationError> {
        let read = try_join_all(sections.iter().map(|section| self.section(*section))).await?;
        Ok(read.into_iter().flatten().collect())
    }
}

fn parameter(section: Section, path: &str, read: &aws_sdk_ssm::types::Parameter) -> Option<Parameter> {
    let name = read.name()?.strip_prefix(path)?.strip_prefix('/')?.to_owned();
    let value = Secret::new(read.value()?);
    Some(Parameter { section, name, value, version: read.version() })
}
