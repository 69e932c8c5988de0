//! `apply`: makes Parameter Store what a folder says. Shows what would change, and writes only when told to.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use serde_json::json;

use crate::Verdict;
use crate::arguments::Shared;
use crate::check::judge;
use crate::difference::{Change, Fate, between};
use crate::document::{Area, Document};
use crate::finding::{self, Finding, Level, count, counted};
use crate::folder::{self, Reading};
use crate::place::Target;
use crate::screen::{Screen, Tone, printable};
use crate::store::Store;

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
pub(crate) struct Asked {
    /// Folder with keys/, endpoints/, routes/, …; a file's name without its ending is the parameter's name
    folder: PathBuf,
    #[command(flatten)]
    target: Target,
    /// Shows what would change and writes nothing: the default
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    /// Writes
    #[arg(long)]
    yes: bool,
    /// Removes what is in Parameter Store and not in the folder; parts that the folder lacks as a whole, such as keys/,
    /// are left alone
    #[arg(long)]
    prune: bool,
    /// Writes in spite of errors that `check` finds
    #[arg(long)]
    force: bool,
}

/// What is to be done, and what is wrong with it.
struct Plan {
    documents: Vec<Document>,
    changes: Vec<Change>,
    findings: Vec<Finding>,
}

pub(crate) async fn run(asked: &Asked, shared: &Shared, screen: &mut Screen) -> anyhow::Result<Verdict> {
    let folder = folder::read(&asked.folder)?;
    let store = asked.target.store(shared).await?;
    let plan = plan(folder, store.read().await?.documents, asked.prune)?;
    let errors = count(&plan.findings, Level::Error);
    let refused = errors > 0 && !asked.force;
    let writes = asked.yes && !refused;
    if !screen.is_json() {
        show(&plan, store.prefix(), screen)?;
    }
    if writes {
        write(&plan, &store).await?;
    }
    if screen.is_json() {
        screen.json(&json!({
            "prefix": store.prefix(), "changes": plan.changes, "findings": plan.findings, "written": writes
        }))?;
    } else {
        screen.line(&ending(&plan, asked, refused))?;
    }
    Ok(Verdict::wrong_if(refused))
}

/// Judges what the store would then hold: a route of the folder may name an endpoint that is only in the store.
fn plan(folder: Reading, stored: Vec<Document>, prune: bool) -> anyhow::Result<Plan> {
    let pruned = if prune { folder.areas.clone() } else { BTreeSet::new() };
    let changes = between(&folder.documents, &stored, &pruned);
    let mine: BTreeSet<_> = folder.documents.iter().map(Document::path).collect();
    let stays = |document: &Document| !pruned.contains(&document.area) && !mine.contains(&document.path());
    let mut documents = folder.documents.clone();
    documents.extend(stored.into_iter().filter(stays));
    let then = Reading { documents, findings: folder.findings.clone(), areas: BTreeSet::new() };
    let mut findings = judge(then, &super::handlers()?).findings;
    findings.retain(|finding| {
        let last_key = pruned.contains(&Area::Keys) && finding.parameter == "keys/";
        last_key || mine.contains(&finding.parameter) || folder.findings.contains(finding)
    });
    Ok(Plan { documents: folder.documents, changes, findings })
}

/// What is named by others is written before them and removed after them: areas stand in that order.
async fn write(plan: &Plan, store: &Store) -> anyhow::Result<()> {
    let work: Vec<_> = plan.changes.iter().filter(|change| change.is_work()).collect();
    let (removed, written): (Vec<_>, Vec<_>) =
        work.iter().copied().partition(|change| change.fate == Fate::Removed);
    for (done, change) in written.iter().chain(removed.iter().rev()).enumerate() {
        let wrote = one(change, &plan.documents, store).await;
        wrote.with_context(|| {
            format!("{done} of {} changes were made before this; apply again to go on", work.len())
        })?;
    }
    Ok(())
}

async fn one(change: &Change, documents: &[Document], store: &Store) -> anyhow::Result<()> {
    if change.fate == Fate::Removed {
        return store.delete(&change.parameter).await;
    }
    let document = documents.iter().find(|document| document.path() == change.parameter);
    let document = document.context("a change is about no document of the folder")?;
    if change.type_changes {
        store.delete(&change.parameter).await?; // AWS changes no parameter's type (PutParameter, HierarchyTypeMismatch)
    }
    store.write(document, change.secure).await
}

fn show(plan: &Plan, prefix: &str, screen: &mut Screen) -> anyhow::Result<()> {
    finding::show(&plan.findings, screen)?;
    if !plan.findings.is_empty() {
        screen.line("")?;
    }
    screen.line(&format!("below {prefix}:"))?;
    for change in &plan.changes {
        let (sign, tone) = match change.fate {
            Fate::Added => ("+", Tone::Good),
            Fate::Changed => ("~", Tone::Doubtful),
            Fate::Removed => ("-", Tone::Bad),
            Fate::Kept => (" ", Tone::Faint),
            Fate::Same => continue,
        };
        screen.line(&tone.paint(&format!("{sign} {}{}", printable(&change.parameter), remarks(change))))?;
        if !change.keys.is_empty() {
            screen.line(&format!("    {} (values not shown)", printable(&change.keys.join(", "))))?;
        }
        for line in &change.lines {
            let tone = if line.starts_with('+') { Tone::Good } else { Tone::Bad };
            screen.line(&format!("    {}", tone.paint(&printable(line))))?;
        }
    }
    Ok(())
}

fn remarks(change: &Change) -> String {
    if change.fate == Fate::Kept {
        return "  only in Parameter Store, kept".to_owned();
    }
    let remarks = [
        (change.secure, "SecureString"),
        (change.advanced, "over 4 KB: an Advanced parameter, which AWS charges for"),
        (change.type_changes, "was String: deleted and written anew, and missing for a moment"),
    ];
    let remarks: Vec<_> = remarks.into_iter().filter_map(|(holds, remark)| holds.then_some(remark)).collect();
    if remarks.is_empty() || change.fate == Fate::Removed {
        String::new()
    } else {
        format!("  ({})", remarks.join("; "))
    }
}

fn ending(plan: &Plan, asked: &Asked, refused: bool) -> String {
    let of = |fate: Fate| plan.changes.iter().filter(|change| change.fate == fate).count();
    let counts = format!(
        "{} added, {} changed, {} removed, {} the same",
        of(Fate::Added),
        of(Fate::Changed),
        of(Fate::Removed),
        of(Fate::Same)
    );
    let work = plan.changes.iter().any(Change::is_work);
    match (refused, asked.yes, work) {
        (true, ..) => format!(
            "nothing was written: mend {} first, or say --force",
            counted(count(&plan.findings, Level::Error), "error")
        ),
        (false, _, false) => "nothing to do".to_owned(),
        (false, true, true) => format!("written: {counts}; in use when ConfigTtlSeconds have passed"),
        (false, false, true) => format!("{counts}; nothing was written: --yes writes"),
    }
}
