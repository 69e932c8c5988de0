//! What CloudWatch heard of a metric in the last minutes.

use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Datapoint, Dimension, Statistic};
use jiff::Timestamp;

use crate::session::{Session, refused};

/// How long ago CloudWatch may have heard of it, in seconds: AWS's services tell it a few minutes late.
const HEARD_WITHIN_S: i64 = 600;

/// A metric of AWS's own, and which statistic of each minute is asked for.
pub(crate) struct Metric<'a> {
    pub(crate) namespace: &'a str,
    pub(crate) name: &'a str,
    /// Name and value.
    pub(crate) dimension: (&'a str, &'a str),
    pub(crate) statistic: Statistic,
}

impl Metric<'_> {
    /// Its last minutes, in no order; those without a number are absent. `unknown` says what is not known if it fails.
    pub(crate) async fn lately(
        self,
        session: &Session,
        now: Timestamp,
        unknown: &str,
    ) -> anyhow::Result<Vec<Datapoint>> {
        let (name, value) = self.dimension;
        let client = session.cloudwatch();
        let call = client
            .get_metric_statistics()
            .namespace(self.namespace)
            .metric_name(self.name)
            .dimensions(Dimension::builder().name(name).value(value).build())
            .statistics(self.statistic)
            .period(60)
            .start_time(DateTime::from_secs(now.as_second() - HEARD_WITHIN_S))
            .end_time(DateTime::from_secs(now.as_second()));
        let answer = call.send().await.map_err(|error| refused(unknown, &error))?;
        Ok(answer.datapoints.unwrap_or_default())
    }
}
