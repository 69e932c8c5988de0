//! `sign`: the signature header of a file, or a curl line that sends it.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use connector::signature::FLUENT_SIGNATURE;
use serde_json::json;

use crate::Verdict;
use crate::screen::Screen;
use crate::signing::PrivateKey;

#[derive(Debug, Args)]
pub(crate) struct Asked {
    /// The body, signed byte for byte
    file: PathBuf,
    /// Private key, PEM
    #[arg(long, value_name = "PEM")]
    key: PathBuf,
    /// Prints a curl line that posts the file to this URL
    #[arg(long, value_name = "URL")]
    curl: Option<String>,
}

pub(crate) fn run(asked: &Asked, screen: &mut Screen) -> anyhow::Result<Verdict> {
    let key = PrivateKey::read(&asked.key)?;
    let path = asked.file.to_str().with_context(|| format!("{} is not UTF-8", asked.file.display()))?;
    let body = std::fs::read(path).with_context(|| format!("{path} cannot be read"))?;
    let signature = key.sign(&body);
    let curl = asked.curl.as_deref().map(|url| curl(path, url, &signature));
    if screen.is_json() {
        let answer = json!({ "file": path, "header": FLUENT_SIGNATURE, "value": signature, "curl": curl });
        screen.json(&answer)?;
    } else {
        screen.line(&curl.unwrap_or_else(|| format!("{FLUENT_SIGNATURE}: {signature}")))?;
    }
    Ok(Verdict::Fine)
}

/// `--data-binary` sends the file as it is, whatever quotes and line ends it holds.
fn curl(path: &str, url: &str, signature: &str) -> String {
    let file = if path.starts_with('-') { format!("@./{path}") } else { format!("@{path}") };
    let words = [
        "curl -i -X POST -H 'content-type: application/json'".to_owned(),
        format!("-H '{FLUENT_SIGNATURE}: {signature}'"),
        format!("--data-binary {}", quoted(&file)),
        quoted(url),
    ];
    words.join(" ")
}

/// One word of a POSIX shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::curl;

    #[test]
    fn a_curl_line_survives_any_file_name() {
        insta::assert_snapshot!(
            curl("it's $HOME.json", "http://127.0.0.1/a?b=1&c", "c2ln"),
            @r"curl -i -X POST -H 'content-type: application/json' -H 'fluent-signature: c2ln' --data-binary '@it'\''s $HOME.json' 'http://127.0.0.1/a?b=1&c'"
        );
    }
}
