//! Parameter Store below a prefix, read and written.

use anyhow::Context as _;
use aws_sdk_ssm::Client;
use aws_sdk_ssm::error::ProvideErrorMetadata as _;
use aws_sdk_ssm::types::{Parameter, ParameterTier, ParameterType};
use connector::secret::Secret;

use crate::document::{Area, Document, Origin, STANDARD_BYTES};
use crate::finding::Finding;
use crate::folder::Reading;
use crate::session::refused;

/// Most parameters of a page (SSM API reference, `GetParametersByPath`).
const PAGE: i32 = 10;

/// The parameters below a prefix such as `/fluent-connect/fluent-connect`.
pub(crate) struct Store {
    client: Client,
    prefix: String,
}

/// Where the functions keep how far jobs have come.
const JOBS: &str = "jobs/";

impl Store {
    pub(crate) fn new(client: Client, prefix: &str) -> anyhow::Result<Self> {
        let prefix = prefix.trim_end_matches('/').to_owned();
        anyhow::ensure!(
            prefix.starts_with('/'),
            "the prefix must begin with a slash, such as /fluent-connect/fluent-connect"
        );
        Ok(Self { client, prefix })
    }

    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Reads all of them, decrypted.
    pub(crate) async fn read(&self) -> anyhow::Result<Reading> {
        let call =
            self.client.get_parameters_by_path().path(&self.prefix).recursive(true).with_decryption(true);
        let mut pages = call.max_results(PAGE).into_paginator().send();
        let mut reading = Reading::default();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| {
                refused(&format!("the parameters below {} cannot be read", self.prefix), &error)
            })?;
            for parameter in page.parameters() {
                self.take(parameter, &mut reading)?;
            }
        }
        reading.documents.sort_by(|one, other| (one.area, &one.name).cmp(&(other.area, &other.name)));
        Ok(reading)
    }

    fn take(&self, parameter: &Parameter, reading: &mut Reading) -> anyhow::Result<()> {
        let whole = parameter.name().context("Parameter Store gave a parameter without a name")?;
        let path = whole.strip_prefix(&self.prefix).unwrap_or(whole).trim_start_matches('/');
        let place = path.split_once('/').and_then(|(area, name)| Some((Area::named(area)?, name)));
        match place {
            Some((area, name)) if !name.contains('/') => reading.documents.push(Document {
                area,
                name: name.to_owned(),
                value: Secret::new(parameter.value().unwrap_or_default()),
                origin: Origin::Store {
                    secure: parameter.r#type() == Some(&ParameterType::SecureString),
                    version: parameter.version(),
                },
            }),
            _ if path.starts_with(JOBS) => {} // how far a job has come: nobody's configuration
            _ => reading
                .findings
                .push(Finding::warning(path, "is never read: the connector reads <area>/<name>")),
        }
        Ok(())
    }

    /// Writes a document, over whatever stands there.
    pub(crate) async fn write(&self, document: &Document, secure: bool) -> anyhow::Result<()> {
        let kind = if secure { ParameterType::SecureString } else { ParameterType::String };
        let value = document.value.expose();
        let tier = (value.len() > STANDARD_BYTES).then_some(ParameterTier::Advanced);
        let name = format!("{}/{}", self.prefix, document.path());
        let call =
            self.client.put_parameter().name(&name).value(value).r#type(kind).overwrite(true).set_tier(tier);
        call.send().await.map(drop).map_err(|error| match error.code() {
            // A message about a value may quote it.
            Some(code) if document.holds_secrets() => anyhow::anyhow!("{name} was not written: {code}"),
            _ => refused(&format!("{name} was not written"), &error),
        })
    }

    /// Deletes a parameter.
    pub(crate) async fn delete(&self, path: &str) -> anyhow::Result<()> {
        let name = format!("{}/{path}", self.prefix);
        let deleted = self.client.delete_parameter().name(&name).send().await;
        deleted.map(drop).map_err(|error| refused(&format!("{name} was not deleted"), &error))
    }
}
