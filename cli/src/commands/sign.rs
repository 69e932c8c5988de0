//! `sign`: the headers that prove a file to be Fluent's or an external system's webhook, or a curl line that sends it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use connector::ports::Clock;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use serde_json::json;

use crate::Verdict;
use crate::arguments::Shared;
use crate::screen::Screen;
use crate::signing::Identity;

#[derive(Debug, Args)]
pub(crate) struct Asked {
    /// The body, signed byte for byte
    file: PathBuf,
    /// Prints a curl line that posts the file to this URL
    #[arg(long, value_name = "URL")]
    curl: Option<String>,
    #[command(flatten)]
    identity: Identity,
}

pub(crate) async fn run(
    asked: &Asked,
    shared: &Shared,
    clock: &Clock,
    screen: &mut Screen,
) -> anyhow::Result<Verdict> {
    let signer = asked.identity.signer(shared).await?;
    let path = asked.file.to_str().with_context(|| format!("{} is not UTF-8", asked.file.display()))?;
    let body = std::fs::read(path).with_context(|| format!("{path} cannot be read"))?;
    let mut headers = asked.identity.headers();
    signer.sign(&mut headers, &body, clock())?;
    let headers = shown(&headers)?;
    anyhow::ensure!(
        !headers.is_empty() || asked.curl.is_some() || screen.is_json(),
        "there is nothing to sign: the source's document asks for no proof"
    );
    let curl = asked.curl.as_deref().map(|url| curl(path, url, &headers));
    if screen.is_json() {
        let named: BTreeMap<_, _> = headers.into_iter().collect();
        screen.json(&json!({ "file": path, "headers": named, "curl": curl }))?;
    } else if let Some(curl) = curl {
        screen.line(&curl)?;
    } else {
        for (name, value) in headers {
            screen.line(&format!("{name}: {value}"))?;
        }
    }
    Ok(Verdict::Fine)
}

/// Names and values, in the order in which they were made; a header that is the secret itself is not shown.
fn shown(headers: &HeaderMap) -> anyhow::Result<Vec<(&str, &str)>> {
    if let Some((name, _)) = headers.iter().find(|(_, value)| value.is_sensitive()) {
        anyhow::bail!(
            "the secret itself stands in the header {name}, and no secret is shown: let `connector send` send it"
        );
    }
    let texts = headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    Ok(texts.collect())
}

/// `--data-binary` sends the file as it is, whatever quotes and line ends it holds.
fn curl(path: &str, url: &str, headers: &[(&str, &str)]) -> String {
    let file = if path.starts_with('-') { format!("@./{path}") } else { format!("@{path}") };
    let is_typed = headers.iter().any(|(name, _)| *name == CONTENT_TYPE);
    let typed = if is_typed { None } else { Some(&(CONTENT_TYPE.as_str(), "application/json")) };
    let headers = typed.into_iter().chain(headers);
    let headers: Vec<_> =
        headers.map(|(name, value)| format!("-H {}", quoted(&format!("{name}: {value}")))).collect();
    format!("curl -i -X POST {} --data-binary {} {}", headers.join(" "), quoted(&file), quoted(url))
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
            curl("it's $HOME.json", "http://127.0.0.1/a?b=1&c", &[("fluent-signature", "c2ln"), ("x", "it's")]),
            @r"curl -i -X POST -H 'content-type: application/json' -H 'fluent-signature: c2ln' -H 'x: it'\''s' --data-binary '@it'\''s $HOME.json' 'http://127.0.0.1/a?b=1&c'"
        );
    }
}
