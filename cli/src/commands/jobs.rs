//! `jobs`: the jobs of a stack, as the job scheduler tells of them, and a run of one, asked for by hand.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::Verdict;
use crate::arguments::Shared;
use crate::function::{Function, invoke};
use crate::screen::{Cell, Screen, Tone};
use crate::session::Session;

/// The stack's output with the job scheduler's name.
const OUTPUT: &str = "JobSchedulerFunctionName";
const LOOK: &str = "look with `connector jobs`";

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Asked {
    #[command(flatten)]
    function: Function,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Starts a job now; where a run is under way this one waits for its end
    Run(RunAsked),
}

#[derive(Debug, Args)]
struct RunAsked {
    /// Name of the job: that of its route
    job: String,
    /// Where to begin: `beginning`, or a time (RFC 3339); without it where the last run ended
    #[arg(long)]
    from: Option<String>,
    #[command(flatten)]
    function: Function,
}

pub(crate) async fn run(asked: &Asked, shared: &Shared, screen: &mut Screen) -> anyhow::Result<Verdict> {
    let session = Session::open(shared).await?;
    match &asked.action {
        None => list(&asked.function, &session, screen).await,
        Some(Action::Run(asked)) => start(asked, &session, screen).await,
    }
}

async fn list(function: &Function, session: &Session, screen: &mut Screen) -> anyhow::Result<Verdict> {
    let answer = answer(function, session, &json!({}), "jobs").await?;
    let jobs = answer.get("jobs").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if screen.is_json() {
        screen.json(&jobs)?;
    } else if jobs.is_empty() {
        screen.line("there is no job: no route has a schedule")?;
    } else {
        let head = ["JOB", "STATE", "SCHEDULE", "NEXT START", "LAST END", "STARTED", "RUN", "PROBLEM"];
        screen.table(&head, jobs.iter().map(row).collect())?;
    }
    Ok(Verdict::wrong_if(jobs.iter().any(|job| job.get("problem").is_some())))
}

async fn start(asked: &RunAsked, session: &Session, screen: &mut Screen) -> anyhow::Result<Verdict> {
    let input = json!({ "run": asked.job, "from": asked.from });
    let answer = answer(&asked.function, session, &input, "started").await?;
    if screen.is_json() {
        screen.json(&answer)?;
    } else {
        let keys = ["started", "id", "from", "next"];
        let rows = keys.iter().map(|key| vec![Cell::plain(key), Cell::plain(text(&answer, key))]);
        screen.table(&["RUN", ""], rows.collect())?;
    }
    Ok(Verdict::Fine)
}

/// What the job scheduler answers; `key` stands in every answer of this kind.
async fn answer(function: &Function, session: &Session, input: &Value, key: &str) -> anyhow::Result<Value> {
    let function = function.name(session, OUTPUT).await?;
    let answer = invoke(&session.invoker(), &function, input, LOOK).await?;
    anyhow::ensure!(
        answer.get(key).is_some(),
        "{function} answered nothing of jobs: is it the job scheduler?"
    );
    Ok(answer)
}

fn row(job: &Value) -> Vec<Cell> {
    let problem = text(job, "problem");
    let (state, tone) = match job.get("enabled").and_then(Value::as_bool) {
        _ if !problem.is_empty() => ("broken", Tone::Bad),
        Some(true) => ("enabled", Tone::Good),
        Some(false) | None => ("disabled", Tone::Doubtful),
    };
    let run = job.get("run").map(|run| {
        let step = run.get("step").map(Value::to_string).unwrap_or_default();
        format!("{}, step {step}", text(run, "id"))
    });
    vec![
        Cell::plain(text(job, "job")),
        Cell::new(state, tone),
        Cell::plain(text(job, "schedule")),
        Cell::plain(text(job, "nextStart")),
        Cell::plain(text(job, "lastEndDate")),
        Cell::plain(text(job, "startedAt")),
        Cell::plain(run.unwrap_or_default()),
        Cell::new(problem, Tone::Bad),
    ]
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}
