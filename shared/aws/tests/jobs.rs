//! What Parameter Store is asked of jobs, and what its answers mean.

use std::collections::BTreeMap;

use aws::jobs::SsmJobStore;
use aws_sdk_ssm::Client as Ssm;
use aws_sdk_ssm::operation::get_parameters::{GetParametersError, GetParametersOutput};
use aws_sdk_ssm::primitives::DateTime;
use aws_sdk_ssm::types::Parameter;
use aws_sdk_ssm::types::error::InternalServerError;
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use connector::failure::chain;
use connector::ports::JobStore as _;
use jiff::Timestamp;

fn store(rules: &[Rule]) -> SsmJobStore {
    SsmJobStore::new(mock_client!(aws_sdk_ssm, RuleMode::Sequential, rules), "/fluent-connect/shop")
}

fn parameter(name: &str) -> Parameter {
    let written = DateTime::from_millis(1_795_163_400_250);
    Parameter::builder().name(name).value("{}").last_modified_date(written).build()
}

/// Answers a call for so many names with these parameters.
fn call(names: usize, found: &'static [&'static str]) -> Rule {
    mock!(Ssm::get_parameters)
        .match_requests(move |request| {
            request.names().len() == names
                && request.names().iter().all(|name| name.starts_with("/fluent-connect/shop/jobs/"))
        })
        .then_output(move || {
            let found = found.iter().map(|name| parameter(name)).collect();
            GetParametersOutput::builder().set_parameters(Some(found)).invalid_parameters("x").build()
        })
}

#[tokio::test]
async fn many_jobs_are_asked_for_ten_at_a_time_and_those_that_never_ran_are_absent() {
    let rules = [
        call(10, &["/fluent-connect/shop/jobs/job-0", "/fluent-connect/shop/jobs/team/job-9"]),
        call(2, &["/fluent-connect/shop/jobs/job-11"]),
    ];
    let jobs: Vec<_> =
        (0..12).map(|n| if n == 9 { "team/job-9".to_owned() } else { format!("job-{n}") }).collect();
    let jobs: Vec<_> = jobs.iter().map(String::as_str).collect();
    let written: Timestamp = "2026-11-20T08:30:00.250Z".parse().unwrap();
    let expected = ["job-0", "job-11", "team/job-9"].map(|job| (job.to_owned(), written));
    assert_eq!(store(&rules).last_written(&jobs).await.unwrap(), BTreeMap::from(expected));
    assert_eq!(rules.map(|rule| rule.num_calls()), [1, 1]);
}

#[tokio::test]
async fn no_job_is_no_call() {
    assert_eq!(store(&[]).last_written(&[]).await.unwrap(), BTreeMap::new());
}

#[tokio::test]
async fn a_call_that_fails_is_an_error_and_not_half_an_answer() {
    let failing = mock!(Ssm::get_parameters).then_error(|| {
        GetParametersError::InternalServerError(InternalServerError::builder().message("not now").build())
    });
    let jobs: Vec<_> = (0..11).map(|n| format!("job-{n}")).collect();
    let jobs: Vec<_> = jobs.iter().map(String::as_str).collect();
    let rules = [call(10, &["/fluent-connect/shop/jobs/job-0"]), failing];
    let error = store(&rules).last_written(&jobs).await.unwrap_err();
    assert!(chain(&error).contains("not now"), "{}", chain(&error));
}
