//! The checks of a deployed stack, one after the other; one that cannot be made fails and stops no other.

use aws_sdk_cloudwatch::types::StateValue;
use aws_sdk_lambda::types::{LastUpdateStatus, State as FunctionState};
use connector::document::nearest;
use connector::ports::Clock;
use connector::route::Route;
use connector::timetable::Timetable;
use jiff::{SignedDuration, Timestamp};
use outbound::{AddressPolicy, Networks};

use crate::backlog::Backlog;
use crate::check::{Judged, judge};
use crate::commands::handlers;
use crate::diagnosis::Check;
use crate::entrance;
use crate::finding::{Level, counted};
use crate::reach::reachable;
use crate::session::{Session, refused};
use crate::stack::{Resource, Stack};
use crate::store::Store;

/// The outputs that every version of the template has.
const OUTPUTS: [&str; 11] = [
    "WebhookUrl",
    "ExternalWebhookUrl",
    "ConfigPrefix",
    "EventLogGroup",
    "EventQueueUrl",
    "UndeliveredQueueUrl",
    "DeadLetterQueueUrl",
    "CtQueueUrl",
    "CtDeadLetterQueueUrl",
    "ReplayFunctionName",
    "JobSchedulerFunctionName",
];
/// A clock that is farther off is worth a look.
const DOUBTFUL_SKEW: SignedDuration = SignedDuration::from_secs(30);
/// AWS refuses signatures that are older or newer than this (Signature Version 4).
const LONGEST_SKEW: SignedDuration = SignedDuration::from_mins(5);

/// What is looked over.
pub(crate) struct Examination<'a> {
    pub(crate) session: &'a Session,
    pub(crate) stack: &'a Stack,
    pub(crate) clock: &'a Clock,
    /// By the clock of this machine, before the stack was asked for.
    pub(crate) before: Timestamp,
    /// And after its answer.
    pub(crate) after: Timestamp,
}

impl Examination<'_> {
    pub(crate) async fn run(&self) -> Vec<Check> {
        let mut checks = vec![self.status(), clock(self.before, self.stack.answered, self.after)];
        checks.extend(OUTPUTS.map(|output| self.output(output)));
        checks.extend(self.external().await);
        checks.extend(self.configuration().await);
        checks.extend(self.queues().await);
        checks.extend(self.log_group().await);
        match self.stack.resources(self.session).await {
            Ok(resources) => {
                checks.extend(self.functions(&resources).await);
                checks.extend(self.event_sources(&resources).await);
                checks.extend(self.alarms(&resources).await);
            }
            Err(error) => checks.push(Check::unmade("resources", &error)),
        }
        checks
    }

    fn status(&self) -> Check {
        let status = &self.stack.status;
        match status.as_str() {
            "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "IMPORT_COMPLETE" => Check::ok("stack", status),
            _ if status.ends_with("IN_PROGRESS") => {
                Check::warn("stack", status, "wait until the deployment has ended")
            }
            "UPDATE_ROLLBACK_COMPLETE" => Check::warn(
                "stack",
                status,
                "the last deployment failed and was undone: see the stack's events",
            ),
            _ => Check::fail("stack", status, "see the stack's events, mend the cause, deploy again"),
        }
    }

    fn output(&self, name: &str) -> Check {
        if let Some(value) = self.stack.outputs.get(name) {
            return Check::ok(format!("output {name}"), value);
        }
        let known: Vec<_> = self.stack.outputs.keys().map(String::as_str).collect();
        let near = nearest(name, &known).map(|near| format!("; there is {near}")).unwrap_or_default();
        Check::fail(format!("output {name}"), format!("missing{near}"), "deploy this project's template")
    }

    async fn configuration(&self) -> Vec<Check> {
        match self.judged().await {
            Ok((judged, documents)) => {
                let mut checks = vec![keys(&judged)];
                checks.extend(parameters(&judged, documents));
                checks.extend(self.endpoints(&judged).await);
                checks.extend(self.jobs(&judged).await);
                checks
            }
            Err(error) => vec![Check::unmade("parameters", &error)],
        }
    }

    async fn judged(&self) -> anyhow::Result<(Judged, usize)> {
        let store = Store::new(self.session.parameters(), self.stack.output("ConfigPrefix")?)?;
        let reading = store.read().await?;
        let documents = reading.documents.len();
        Ok((judge(reading, &handlers()?), documents))
    }

    async fn endpoints(&self, judged: &Judged) -> Vec<Check> {
        let given =
            self.stack.parameters.get("DangerouslyAllowNetworks").map(String::as_str).unwrap_or_default();
        let networks = match Networks::parse(given) {
            Ok(networks) => networks,
            Err(error) => {
                return vec![Check::fail(
                    "DangerouslyAllowNetworks",
                    error.to_string(),
                    "deploy with a list of networks, or none",
                )];
            }
        };
        let mut checks = Vec::new();
        if !networks.is_empty() {
            checks.push(Check::warn(
                "DangerouslyAllowNetworks",
                given,
                "whoever writes endpoints reaches these networks: leave it empty in production",
            ));
        }
        let policy = AddressPolicy::new(networks);
        let subscribed = judged.table.subscriptions().map(|(name, subscribed)| (name, &subscribed.endpoint));
        for (name, endpoint) in judged.table.endpoints().chain(subscribed) {
            checks.push(reachable(name, endpoint, &policy).await);
        }
        checks
    }

    async fn external(&self) -> Option<Check> {
        let url = self.stack.url("ExternalWebhookUrl", self.session).ok()?; // a missing output is a check of its own
        Some(entrance::external(&url, self.clock).await)
    }

    async fn jobs(&self, judged: &Judged) -> Option<Check> {
        let function = self.stack.outputs.get("JobSchedulerFunctionName")?;
        let waits = |route: &Route| route.enabled && matches!(route.schedule, Some(Timetable::Every { .. }));
        let scheduled = judged.table.usable_routes().filter(|(_, route)| waits(route)).count();
        let parameter = self.stack.parameters.get("Jobs").map(String::as_str);
        Some(entrance::jobs(scheduled, parameter, function, self.session, self.after).await)
    }

    async fn queues(&self) -> Vec<Check> {
        let mut checks = Vec::new();
        for (output, backlog) in [
            ("EventQueueUrl", Backlog::Event),
            ("UndeliveredQueueUrl", Backlog::Undelivered),
            ("DeadLetterQueueUrl", Backlog::DeadLetter),
            ("CtQueueUrl", Backlog::Ct),
            ("CtDeadLetterQueueUrl", Backlog::CtDeadLetter),
        ] {
            if let Some(url) = self.stack.outputs.get(output) {
                checks.push(backlog.examine(url, self.session, self.after).await);
            }
        }
        if let Some(url) = self.stack.outputs.get("CtQueueUrl") {
            checks.push(entrance::policy(url, self.session).await);
        }
        checks
    }

    async fn log_group(&self) -> Option<Check> {
        let name = self.stack.outputs.get("EventLogGroup")?;
        let asked = self.session.logs().describe_log_groups().log_group_name_prefix(name).send().await;
        Some(match asked {
            Err(error) => Check::unmade("event log", &refused("it cannot be asked for", &error)),
            Ok(answer) => match answer.log_groups().iter().find(|group| group.log_group_name() == Some(name))
            {
                None => Check::fail(
                    "event log",
                    format!("{name} is missing"),
                    "deploy again: without it entries go to the functions' own logs",
                ),
                Some(group) => Check::ok(
                    "event log",
                    match group.retention_in_days() {
                        Some(days) => format!(
                            "there, kept for {}",
                            counted(usize::try_from(days).unwrap_or_default(), "day")
                        ),
                        None => "there, kept for good".to_owned(),
                    },
                ),
            },
        })
    }

    async fn functions(&self, resources: &[Resource]) -> Vec<Check> {
        let client = self.session.functions();
        let mut checks = Vec::new();
        for function in resources.iter().filter(|resource| resource.kind == "AWS::Lambda::Function") {
            let what = format!("function {}", function.logical);
            let asked = client.get_function_configuration().function_name(&function.physical).send().await;
            checks.push(match asked {
                Err(error) => Check::unmade(what, &refused("it cannot be asked", &error)),
                Ok(answer) => {
                    let state = answer.state().map_or("Active", FunctionState::as_str);
                    let update = answer.last_update_status().map_or("Successful", LastUpdateStatus::as_str);
                    let found = format!(
                        "{state}, last update {update} {}",
                        answer.last_modified().unwrap_or_default()
                    );
                    match (state, update) {
                        ("Active" | "Inactive", "Successful") => Check::ok(what, found),
                        ("Pending", _) | (_, "InProgress") => {
                            Check::warn(what, found, "wait until its update has ended")
                        }
                        _ => Check::fail(what, found, "see the function in the Lambda console, deploy again"),
                    }
                }
            });
        }
        checks
    }

    async fn event_sources(&self, resources: &[Resource]) -> Vec<Check> {
        let mut checks = Vec::new();
        for mapping in resources.iter().filter(|resource| resource.kind == "AWS::Lambda::EventSourceMapping")
        {
            checks.push(entrance::event_source(mapping, self.session).await);
        }
        if checks.is_empty() {
            let found = "there is none: no queue is read";
            checks.push(Check::fail("event sources", found, "deploy this project's template"));
        }
        checks
    }

    async fn alarms(&self, resources: &[Resource]) -> Vec<Check> {
        let alarms = resources.iter().filter(|resource| resource.kind == "AWS::CloudWatch::Alarm");
        let names: Vec<_> = alarms.clone().map(|alarm| alarm.physical.clone()).collect();
        if names.is_empty() {
            return vec![Check::fail("alarms", "there is none", "deploy this project's template")];
        }
        let answer =
            match self.session.cloudwatch().describe_alarms().set_alarm_names(Some(names)).send().await {
                Ok(answer) => answer,
                Err(error) => {
                    return vec![Check::unmade("alarms", &refused("they cannot be asked for", &error))];
                }
            };
        let judged = alarms.map(|alarm| {
            let what = format!("alarm {}", alarm.logical);
            let there = answer
                .metric_alarms()
                .iter()
                .find(|there| there.alarm_name() == Some(alarm.physical.as_str()));
            match there.map(|there| (there.state_value(), there.alarm_description())) {
                None => Check::fail(what, "missing", "deploy again"),
                Some((Some(StateValue::Alarm), description)) => {
                    Check::fail(what, "ALARM", description.unwrap_or_default())
                }
                Some((state, _)) => Check::ok(what, state.map_or("no state yet", StateValue::as_str)),
            }
        });
        judged.collect()
    }
}

/// How far this machine's clock is off AWS's: the answer was made after `before` and read before `after`.
fn clock(before: Timestamp, answered: Option<Timestamp>, after: Timestamp) -> Check {
    let Some(answered) = answered else {
        return Check::warn("clock", "AWS's answer had no date", "");
    };
    let whole_second = SignedDuration::from_secs(1); // a date has no more
    let ahead = before.duration_since(answered).checked_sub(whole_second).unwrap_or_default();
    let skew = ahead.max(answered.duration_since(after)).max(SignedDuration::ZERO);
    let found = format!("{} s off AWS's", skew.as_secs());
    if skew > LONGEST_SKEW {
        Check::fail("clock", found, "set this machine's clock: AWS refuses signatures five minutes off")
    } else if skew > DOUBTFUL_SKEW {
        Check::warn("clock", found, "set this machine's clock")
    } else {
        Check::ok("clock", found)
    }
}

fn keys(judged: &Judged) -> Check {
    match judged.keys {
        0 => Check::fail(
            "keys",
            "no usable key",
            "put Fluent's public key below keys/: every webhook is refused",
        ),
        usable => Check::ok("keys", counted(usable, "usable key")),
    }
}

/// One check for all that is well, and one for each finding that matters.
fn parameters(judged: &Judged, documents: usize) -> Vec<Check> {
    let others = judged.findings.iter().filter(|finding| finding.parameter != "keys/"); // a check of its own
    let findings = others.filter_map(|finding| {
        let what = format!("parameter {}", finding.parameter);
        match finding.level {
            Level::Error => {
                Some(Check::fail(what, &finding.problem, "mend it: a broken parameter is not used"))
            }
            Level::Warning => Some(Check::warn(what, &finding.problem, "mend it where it is not meant")),
            Level::Note => None,
        }
    });
    let findings: Vec<_> = findings.collect();
    if findings.is_empty() {
        vec![Check::ok("parameters", format!("{}, none broken", counted(documents, "parameter")))]
    } else {
        findings
    }
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::clock;
    use crate::diagnosis::State;

    #[test]
    fn a_clock_is_off_by_what_the_answer_cannot_explain() {
        let before: Timestamp = "2026-11-20T08:30:00.900Z".parse().unwrap();
        let after = before + SignedDuration::from_secs(3);
        let state = |answered: &str| clock(before, Some(answered.parse().unwrap()), after).state;
        assert_eq!(state("2026-11-20T08:30:00Z"), State::Ok, "a date has whole seconds");
        assert_eq!(state("2026-11-20T08:30:03Z"), State::Ok, "the answer took its time");
        assert_eq!(state("2026-11-20T08:31:03Z"), State::Warn);
        assert_eq!(state("2026-11-20T08:29:00Z"), State::Warn);
        assert_eq!(state("2026-11-20T08:40:00Z"), State::Fail);
        assert_eq!(clock(before, None, after).state, State::Warn);
    }
}
