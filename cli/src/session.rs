//! The AWS account that commands talk to: credentials and region as the AWS CLI finds them.

use std::time::Duration;

use anyhow::Context as _;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;

use aws_sdk_ssm::config::{SharedCredentialsProvider, SharedHttpClient};
use aws_sdk_ssm::error::{ProvideErrorMetadata, SdkError};
use connector::failure::chain;

use crate::arguments::Shared;

/// Longest time to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest time of one call with all its tries.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);
/// Longest run of the replay function, and a little more.
const LONGEST_RUN: Duration = Duration::from_secs(930);

/// Tries of a call, the first included: Parameter Store takes few writes a second.
const TRIES: u32 = 6;

/// What AWS clients are made of.
pub(crate) struct Session(SdkConfig);

impl Session {
    /// Finds the region; credentials are looked for at the first call.
    pub(crate) async fn open(shared: &Shared) -> anyhow::Result<Self> {
        let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc)).build_https();
        let timeouts =
            TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).operation_timeout(CALL_TIMEOUT).build();
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(http.clone())
            .timeout_config(timeouts)
            .retry_config(RetryConfig::standard().with_max_attempts(TRIES));
        if let Some(profile) = &shared.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(region) = &shared.region {
            loader = loader.region(Region::new(region.clone()));
        }
        if let Some(url) = &shared.endpoint_url {
            loader = loader.endpoint_url(url);
        }
        let config = loader.load().await;
        config.region().context("no AWS region: give --region, or set AWS_REGION or one in the profile")?;
        Ok(Self(match &shared.profile {
            Some(profile) => signed_in_as(profile, config, http),
            None => config,
        }))
    }

    /// What stands in the place of AWS's own endpoints, such as a local AWS.
    pub(crate) fn endpoint_url(&self) -> Option<&str> {
        self.0.endpoint_url()
    }

    pub(crate) fn cloudformation(&self) -> aws_sdk_cloudformation::Client {
        aws_sdk_cloudformation::Client::new(&self.0)
    }

    pub(crate) fn cloudwatch(&self) -> aws_sdk_cloudwatch::Client {
        aws_sdk_cloudwatch::Client::new(&self.0)
    }

    pub(crate) fn logs(&self) -> aws_sdk_cloudwatchlogs::Client {
        aws_sdk_cloudwatchlogs::Client::new(&self.0)
    }

    pub(crate) fn parameters(&self) -> aws_sdk_ssm::Client {
        aws_sdk_ssm::Client::new(&self.0)
    }

    pub(crate) fn queues(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&self.0)
    }

    /// To ask about functions.
    pub(crate) fn functions(&self) -> aws_sdk_lambda::Client {
        aws_sdk_lambda::Client::new(&self.0)
    }

    /// To invoke one: waits as long as it may run, and never invokes it a second time by itself.
    pub(crate) fn invoker(&self) -> aws_sdk_lambda::Client {
        let timeouts =
            TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).operation_timeout(LONGEST_RUN).build();
        let config = aws_sdk_lambda::config::Builder::from(&self.0);
        let config = config.timeout_config(timeouts).retry_config(RetryConfig::disabled());
        aws_sdk_lambda::Client::from_conf(config.build())
    }
}

/// With the credentials of this profile, whatever stands in the environment: as the AWS CLI takes `--profile`.
fn signed_in_as(profile: &str, config: SdkConfig, http: SharedHttpClient) -> SdkConfig {
    let surroundings =
        ProviderConfig::without_region().with_http_client(http).with_region(config.region().cloned());
    let credentials =
        ProfileFileCredentialsProvider::builder().profile_name(profile).configure(&surroundings);
    let credentials = SharedCredentialsProvider::new(credentials.build());
    config.into_builder().credentials_provider(credentials).build()
}

/// What was not done, and what AWS says to it.
pub(crate) fn refused<E, R>(undone: &str, error: &SdkError<E, R>) -> anyhow::Error
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
    R: std::fmt::Debug + 'static,
{
    match (error.code(), error.message()) {
        (Some(code), Some(message)) => anyhow::anyhow!("{undone}: {code}: {message}"),
        (Some(code), None) => anyhow::anyhow!("{undone}: {code}"),
        (None, _) => anyhow::anyhow!(
            "{undone}: {}\nsee the credentials, --profile, --region and --endpoint-url",
            chain(error).trim_end()
        ),
    }
}
