//! `send`: posts signed webhooks, of Fluent or of an external system, one or many, and sums up the answers. A load tool,
//! therefore for loopback unless told otherwise.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use connector::ports::Clock;
use futures_util::StreamExt as _;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::time::{Instant, sleep_until};

use crate::Verdict;
use crate::arguments::Shared;
use crate::load::{Answer, Batch, Bodies, Poster, Summary};
use crate::screen::Screen;
use crate::signing::{Identity, Signer};

/// Most webhooks of a run.
const MAX_TOTAL: u64 = 1_000_000;

#[derive(Debug, Args)]
pub(crate) struct Asked {
    /// Bodies: files, or folders whose .json files are taken
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Where to; by default the stack's URL for Fluent's webhooks, or for those of the source
    #[arg(long, required_unless_present = "stack")]
    url: Option<String>,
    /// How often each file is sent: the first time as it is, then each time with a new id, or deduplication would
    /// swallow it
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=MAX_TOTAL))]
    count: u64,
    /// Gives a new id to the first of each file as well
    #[arg(long)]
    new_ids: bool,
    /// Most webhooks started in a second; as fast as they are answered where absent
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rate: Option<u32>,
    /// Most webhooks at once
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    concurrency: u16,
    /// Of one webhook, in seconds; API Gateway gives up after 30
    #[arg(long, default_value_t = 35, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=300))]
    timeout: u64,
    /// Sends to other machines than this one
    #[arg(long)]
    allow_remote: bool,
    #[command(flatten)]
    identity: Identity,
}

pub(crate) async fn run(
    asked: &Asked,
    shared: &Shared,
    clock: Clock,
    screen: &mut Screen,
) -> anyhow::Result<Verdict> {
    let url = match &asked.url {
        Some(url) => url.clone(),
        None => asked.identity.url(shared).await?.context("say --url or --stack")?,
    };
    let timeout = Duration::from_secs(asked.timeout);
    let poster = Poster::new(&url, asked.allow_remote, timeout, Arc::clone(&clock))?;
    let signer = asked.identity.signer(shared).await?;
    let bodies = Bodies::read(&asked.files)?;
    let total = asked.count.saturating_mul(bodies.len());
    anyhow::ensure!(total <= MAX_TOTAL, "{total} webhooks are asked for: at most {MAX_TOTAL} in one run");
    let run = format!("{:08x}", fastrand::u32(..));
    let batch = Batch { bodies, headers: asked.identity.headers(), run, new_ids: asked.new_ids };
    let work = Arc::new(Work { batch, signer, clock });
    let bar = progress(total, screen.is_json());
    let start = Instant::now();
    let mut summary = Summary::default();
    let mut answers = futures_util::stream::iter(0..total)
        .map(|number| one(number, asked.rate, start, &work, &poster))
        .buffer_unordered(usize::from(asked.concurrency));
    while let Some(answer) = answers.next().await {
        summary.add(answer?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    summary.show(start.elapsed(), screen)?;
    Ok(Verdict::wrong_if(!summary.all_queued()))
}

/// What webhooks are made of.
struct Work {
    batch: Batch,
    signer: Signer,
    clock: Clock,
}

async fn one(
    number: u64,
    rate: Option<u32>,
    start: Instant,
    work: &Arc<Work>,
    poster: &Poster,
) -> anyhow::Result<Answer> {
    if let Some(rate) = rate {
        let micros = number.saturating_mul(1_000_000) / u64::from(rate);
        sleep_until(start + Duration::from_micros(micros)).await;
    }
    let work = Arc::clone(work);
    let signed = move || work.batch.signed(number, &work.signer, (work.clock)());
    Ok(poster.post(tokio::task::spawn_blocking(signed).await??).await)
}

/// On stderr and on terminals alone.
fn progress(total: u64, hidden: bool) -> ProgressBar {
    if hidden {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} {per_sec} {eta}");
    let bar = ProgressBar::new(total);
    style.map(|style| bar.clone().with_style(style)).unwrap_or(bar)
}
