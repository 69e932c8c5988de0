//! A job as people see it: its route, how far it has come, and what is wrong with it.

use connector::configuration::{Found, Routes};
use connector::document::nearest;
use connector::failure::chain;
use connector::job::State;
use connector::ports::JobStore;
use connector::route::Route;
use connector::shipped;
use connector::timetable::Timetable;
use jiff::Timestamp;
use serde::Serialize;

/// A route with a schedule, or one so broken that it may be meant to have one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// The route's name.
    pub name: String,
    /// Whether anything starts it.
    pub enabled: bool,
    /// When the clock starts it; what is wrong with the route where it is broken.
    pub schedule: Result<Timetable, String>,
}

/// Why a job cannot be started.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nothing has this name.
    #[error("there is no job {name:?}{} {}", suggestion(name, jobs), listed(jobs))]
    Unknown {
        /// What was asked for.
        name: String,
        /// What there is.
        jobs: Vec<String>,
    },
    /// Messages start it.
    #[error("route {name:?} has no schedule: messages start it. {}", listed(jobs))]
    NoSchedule {
        /// The route.
        name: String,
        /// What there is.
        jobs: Vec<String>,
    },
    /// Somebody has switched it off, or nobody on.
    #[error("job {name:?} is disabled: write `enabled: true` into the parameter {parameter}, and ask again")]
    Disabled {
        /// The route.
        name: String,
        /// Its parameter.
        parameter: String,
    },
    /// Its route cannot be used.
    #[error("job {name:?} is broken, mend the parameter {parameter}: {reason}")]
    Broken {
        /// The route.
        name: String,
        /// Its parameter.
        parameter: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// A job, and how far it has come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Standing {
    /// The route's name.
    pub job: String,
    /// As its document says it; absent where that is broken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// Whether anything starts it.
    pub enabled: bool,
    /// When the clock starts it next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_start: Option<Timestamp>,
    /// How far it has come; nothing where that cannot be read.
    #[serde(flatten)]
    pub state: State,
    /// What is wrong with the route, or with what is kept of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

impl Job {
    /// Every job, by name, those of the deployment that nobody has switched on too.
    #[must_use]
    pub fn all(routes: &Routes) -> Vec<Self> {
        let there = routes.all().filter_map(|(name, found)| Self::of(name, found));
        let shipped = shipped::names().filter(|name| routes.get(name).is_none());
        let shipped = shipped.filter_map(|name| Self::of_route(name, &shipped::route(name)?.ok()?));
        let mut jobs: Vec<_> = there.chain(shipped).collect();
        jobs.sort_by(|one, other| one.name.cmp(&other.name));
        jobs
    }

    /// The job that somebody asks for, where it can be started; `prefix` is where its parameter stands.
    ///
    /// # Errors
    /// [`Refusal`] says what to do.
    pub fn to_run(routes: &Routes, name: &str, prefix: &str) -> Result<Self, Refusal> {
        let jobs = Self::all(routes);
        let (name, parameter) = (name.to_owned(), format!("{prefix}/routes/{name}"));
        let Some(job) = jobs.iter().find(|job| job.name == name) else {
            let is_route = routes.get(&name).is_some() || shipped::names().any(|known| known == name);
            let jobs = jobs.into_iter().map(|job| job.name).collect();
            return Err(if is_route {
                Refusal::NoSchedule { name, jobs }
            } else {
                Refusal::Unknown { name, jobs }
            });
        };
        match &job.schedule {
            Err(reason) => Err(Refusal::Broken { name, parameter, reason: reason.clone() }),
            Ok(_) if !job.enabled => Err(Refusal::Disabled { name, parameter }),
            Ok(_) => Ok(job.clone()),
        }
    }

    /// How far it has come. What cannot be read of it is its problem and no other's.
    pub async fn standing(&self, store: &dyn JobStore, now: Timestamp) -> Standing {
        let state = match store.read(&self.name).await {
            Ok(text) => State::parse(&self.name, text.as_deref()).map_err(|error| chain(&error)),
            Err(error) => Err(chain(&error)),
        };
        let problem = self.schedule.clone().err().or_else(|| state.clone().err());
        let schedule = self.schedule.as_ref().ok();
        Standing {
            job: self.name.clone(),
            schedule: schedule.map(ToString::to_string),
            enabled: self.enabled,
            next_start: schedule.filter(|_| self.enabled).and_then(|schedule| schedule.next_after(now)),
            state: state.unwrap_or_default(),
            problem,
        }
    }

    fn of(name: &str, found: Found<'_>) -> Option<Self> {
        match found {
            Found::Usable(route) => Self::of_route(name, route),
            Found::Broken(broken) => broken.may_have_schedule().then(|| Self {
                name: name.to_owned(),
                enabled: false,
                schedule: Err(broken.reason.clone()),
            }),
        }
    }

    fn of_route(name: &str, route: &Route) -> Option<Self> {
        Some(Self { name: name.to_owned(), enabled: route.enabled, schedule: Ok(route.schedule?) })
    }
}

fn suggestion(name: &str, jobs: &[String]) -> String {
    let jobs: Vec<_> = jobs.iter().map(String::as_str).collect();
    nearest(name, &jobs).map_or_else(|| ".".to_owned(), |near| format!("; did you mean {near:?}?"))
}

fn listed(jobs: &[String]) -> String {
    if jobs.is_empty() {
        return "No route has a schedule".to_owned();
    }
    format!("Jobs are {}", jobs.join(", "))
}
