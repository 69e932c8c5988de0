//! A deployed stack, as `CloudFormation` tells of it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use aws_sdk_cloudformation::config::interceptors::BeforeDeserializationInterceptorContextRef;
use aws_sdk_cloudformation::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_cloudformation::error::{BoxError, ProvideErrorMetadata as _};
use jiff::Timestamp;
use url::Url;

use crate::load::is_local;
use crate::session::{Session, refused};

/// A stack and what it was deployed with.
#[derive(Debug)]
pub(crate) struct Stack {
    pub(crate) name: String,
    pub(crate) status: String,
    pub(crate) outputs: BTreeMap<String, String>,
    pub(crate) parameters: BTreeMap<String, String>,
    /// The time by AWS's clock when it answered.
    pub(crate) answered: Option<Timestamp>,
}

/// A resource of a stack.
#[derive(Debug)]
pub(crate) struct Resource {
    pub(crate) logical: String,
    pub(crate) physical: String,
    pub(crate) kind: String,
}

/// Keeps the `Date` of the last answer.
#[derive(Debug, Clone, Default)]
struct DateOfAnswer(Arc<Mutex<Option<Timestamp>>>);

impl Intercept for DateOfAnswer {
    fn name(&self) -> &'static str {
        "DateOfAnswer"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date =
            context.response().headers().get("date").and_then(|date| httpdate::parse_http_date(date).ok());
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = date.and_then(|date| date.try_into().ok());
        Ok(())
    }
}

impl Stack {
    /// Finds a stack by its name.
    pub(crate) async fn find(session: &Session, name: &str) -> anyhow::Result<Self> {
        let date = DateOfAnswer::default();
        let call =
            session.cloudformation().describe_stacks().stack_name(name).customize().interceptor(date.clone());
        let answer = call.send().await.map_err(|error| match error.message() {
            // CloudFormation has no code of its own for it.
            Some(message) if message.contains("does not exist") => anyhow::anyhow!(
                "there is no stack {name:?} in this account and region: see --stack, --profile and --region"
            ),
            _ => refused(&format!("CloudFormation cannot be asked for stack {name:?}"), &error),
        })?;
        let stack = answer.stacks().first().with_context(|| format!("there is no stack {name:?}"))?;
        let outputs =
            stack.outputs().iter().filter_map(|output| pair(output.output_key(), output.output_value()));
        let parameters = stack
            .parameters()
            .iter()
            .filter_map(|given| pair(given.parameter_key(), given.parameter_value()));
        let answered = *date.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Self {
            name: name.to_owned(),
            status: stack.stack_status().map_or("unknown", |status| status.as_str()).to_owned(),
            outputs: outputs.collect(),
            parameters: parameters.collect(),
            answered,
        })
    }

    /// An output of this name.
    pub(crate) fn output(&self, name: &str) -> anyhow::Result<&str> {
        self.outputs.get(name).map(String::as_str).with_context(|| {
            format!(
                "stack {:?} has no output {name}: is it this project's stack, and deployed to the end?",
                self.name
            )
        })
    }

    /// The URL that an output tells, as it is reached from here: where another place stands for AWS, its API has a name
    /// there.
    pub(crate) fn url(&self, output: &str, session: &Session) -> anyhow::Result<String> {
        let url = self.output(output)?;
        Ok(session.endpoint_url().and_then(|aws| reached_by(url, aws)).unwrap_or_else(|| url.to_owned()))
    }

    /// Its resources.
    pub(crate) async fn resources(&self, session: &Session) -> anyhow::Result<Vec<Resource>> {
        let client = session.cloudformation();
        let mut pages = client.list_stack_resources().stack_name(&self.name).into_paginator().send();
        let mut resources = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| {
                refused(&format!("the resources of stack {:?} cannot be listed", self.name), &error)
            })?;
            resources.extend(page.stack_resource_summaries().iter().filter_map(|summary| {
                Some(Resource {
                    logical: summary.logical_resource_id()?.to_owned(),
                    physical: summary.physical_resource_id()?.to_owned(),
                    kind: summary.resource_type()?.to_owned(),
                })
            }));
        }
        Ok(resources)
    }
}

/// The URL of an API at a local AWS; names below localhost never leave this machine (RFC 6761, 6.3).
fn reached_by(url: &str, aws: &str) -> Option<String> {
    let (url, aws) = (Url::parse(url).ok()?, Url::parse(aws).ok()?);
    let (api, _) = url.host_str()?.split_once(".execute-api.")?;
    let host = if is_local(&aws) { "localhost" } else { aws.host_str()? };
    let port = aws.port_or_known_default()?;
    Some(format!("{}://{api}.execute-api.{host}:{port}{}", aws.scheme(), url.path()))
}

fn pair(key: Option<&str>, value: Option<&str>) -> Option<(String, String)> {
    Some((key?.to_owned(), value?.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::reached_by;

    #[test]
    fn the_api_of_a_local_aws_has_a_name_below_localhost() {
        let url = "https://a1.execute-api.eu-west-1.amazonaws.com/api/v1/webhook";
        let local = "http://a1.execute-api.localhost:4566/api/v1/webhook";
        assert_eq!(reached_by(url, "http://127.0.0.1:4566").as_deref(), Some(local));
        let named = "http://a1.execute-api.aws.test:80/api/v1/webhook";
        assert_eq!(reached_by(url, "http://aws.test").as_deref(), Some(named));
        assert_eq!(
            reached_by("https://hooks.example/webhook", "http://127.0.0.1:4566"),
            None,
            "a name of one's own"
        );
    }
}
