//! A folder of documents: `endpoints/storefront.yaml` is the parameter `endpoints/storefront`.
//!
//! Takes no file for a document that could be an accident: what it does not know it names.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::Context as _;
use connector::document::nearest;
use connector::secret::Secret;

use crate::document::{Area, Document, Origin};
use crate::finding::Finding;

/// The endings that are no part of a parameter's name.
const ENDINGS: [&str; 5] = ["yaml", "yml", "json", "pem", "txt"];
/// What a job is looked for under, and is not.
const JOBS: &str = "jobs";
/// No document is near as large: such a file is something else.
const MAX_FILE_BYTES: u64 = 1_048_576;

/// What was read of a configuration, and what could not be taken for a document.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    /// By area and name.
    pub(crate) documents: Vec<Document>,
    pub(crate) findings: Vec<Finding>,
    /// The areas that are there at all, be they empty.
    pub(crate) areas: BTreeSet<Area>,
}

/// Reads a folder.
pub(crate) fn read(folder: &Path) -> anyhow::Result<Reading> {
    let mut reading = Reading::default();
    for (name, path) in entries(folder)? {
        match Area::named(&name) {
            Some(area) if path.is_dir() => {
                reading.areas.insert(area);
                read_area(area, &path, &mut reading)?;
            }
            _ if path.is_dir() => {
                reading.findings.push(Finding::error(format!("{name}/"), unknown_area(&name)));
            }
            _ => {} // a README, a script
        }
    }
    reading.documents.sort_by(|one, other| (one.area, &one.name).cmp(&(other.area, &other.name)));
    let doubles = reading.documents.windows(2).filter_map(|pair| match pair {
        [one, other] if one.path() == other.path() => Some(one.path()),
        _ => None,
    });
    let problem = "is named by two files: the ending is no part of the name";
    let doubles: Vec<_> = doubles.map(|path| Finding::error(path, problem)).collect();
    reading.findings.extend(doubles);
    reading.documents.dedup_by_key(|document| document.path());
    Ok(reading)
}

fn unknown_area(name: &str) -> String {
    let known = Area::ALL.map(Area::as_str);
    if name == JOBS {
        return "jobs are routes with a schedule: put them under routes/".to_owned();
    }
    match nearest(name, &known) {
        Some(near) => format!("no such part of the configuration; did you mean {near}/?"),
        None => format!("no such part of the configuration; known are {}", known.join(", ")),
    }
}

/// Names and paths of a folder, sorted; hidden ones are left out.
fn entries(folder: &Path) -> anyhow::Result<Vec<(String, std::path::PathBuf)>> {
    let unreadable = || format!("the folder {} cannot be read", folder.display());
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).with_context(unreadable)? {
        let entry = entry.with_context(unreadable)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') {
            entries.push((name, entry.path()));
        }
    }
    entries.sort();
    Ok(entries)
}

fn read_area(area: Area, folder: &Path, reading: &mut Reading) -> anyhow::Result<()> {
    for (file, path) in entries(folder)? {
        match read_file(area, &file, &path) {
            Ok(document) => reading.documents.push(document),
            Err(problem) => reading.findings.push(Finding::error(format!("{area}/{file}"), problem)),
        }
    }
    Ok(())
}

fn read_file(area: Area, file: &str, path: &Path) -> Result<Document, String> {
    if path.is_dir() {
        return Err("is a folder: parameters are not read any deeper".to_owned());
    }
    let name = name_of(file)?;
    let unreadable = |error: std::io::Error| format!("cannot be read: {error}");
    let metadata = fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() {
        return Err("is no regular file".to_owned());
    }
    if metadata.len() > MAX_FILE_BYTES {
        return Err("is larger than 1 MiB: no document".to_owned());
    }
    let bytes = fs::read(path).map_err(unreadable)?;
    let text = String::from_utf8(bytes).map_err(|_| "is not UTF-8 text".to_owned())?;
    let value = Secret::new(text.trim_end());
    Ok(Document { area, name: name.to_owned(), value, origin: Origin::File(path.to_owned()) })
}

/// A name without the ending of a document; `None` where it has none.
pub(crate) fn without_ending(name: &str) -> Option<&str> {
    name.rsplit_once('.').filter(|(_, ending)| ENDINGS.contains(ending)).map(|(name, _)| name)
}

/// The parameter's name in a file's name.
fn name_of(file: &str) -> Result<&str, String> {
    let name = match (without_ending(file), file.rsplit_once('.')) {
        (Some(name), _) => name,
        (None, Some((_, ending))) => {
            return Err(format!(
                "ends in .{ending}: a document ends in .{}, or has no ending",
                ENDINGS.join(", .")
            ));
        }
        (None, None) => file,
    };
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')) {
        return Err("cannot be a parameter's name: letters, digits, hyphens, underscores and dots".to_owned());
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::name_of;

    #[test]
    fn an_ending_is_no_part_of_the_name() {
        for (file, name) in [("a.yaml", "a"), ("a.b.yml", "a.b"), ("a", "a"), ("k_1-2.pem", "k_1-2")] {
            assert_eq!(name_of(file), Ok(name));
        }
    }

    #[test]
    fn an_accident_is_no_document() {
        for file in ["a.yaml.bak", "a.yaml~", "ä.yaml", "a b.yaml", "a.swp", ".yaml"] {
            assert!(name_of(file).is_err(), "{file}");
        }
    }
}
