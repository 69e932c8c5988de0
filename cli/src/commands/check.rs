//! `check`: all that is wrong with a configuration, in one report.

use clap::Args;
use serde_json::json;

use crate::Verdict;
use crate::arguments::Shared;
use crate::check::{Judged, judge};
use crate::finding::{Level, count, counted, show};
use crate::place::Place;
use crate::screen::Screen;

#[derive(Debug, Args)]
pub(crate) struct Asked {
    #[command(flatten)]
    place: Place,
}

pub(crate) async fn run(asked: &Asked, shared: &Shared, screen: &mut Screen) -> anyhow::Result<Verdict> {
    let reading = asked.place.read(shared).await?;
    let documents = reading.documents.len();
    let judged = judge(reading, &super::handlers()?);
    report(&judged, documents, screen)?;
    Ok(Verdict::wrong_if(count(&judged.findings, Level::Error) > 0))
}

fn report(judged: &Judged, documents: usize, screen: &mut Screen) -> anyhow::Result<()> {
    let [errors, warnings, notes] =
        [Level::Error, Level::Warning, Level::Note].map(|level| count(&judged.findings, level));
    if screen.is_json() {
        return screen.json(&json!({
            "parameters": documents, "errors": errors, "warnings": warnings, "notes": notes, "findings": judged.findings
        }));
    }
    show(&judged.findings, screen)?;
    let parts = [
        counted(documents, "parameter"),
        counted(errors, "error"),
        counted(warnings, "warning"),
        counted(notes, "note"),
    ];
    screen.line(&parts.join(", "))
}
