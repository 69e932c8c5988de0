//! As whom a webhook is signed: as Fluent, with a key of one's own, or as an external system, as its document says.
//!
//! What a document tells of headers and signatures the connector reads, and writes by the same table; no secret is shown.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use connector::document::nearest;
use connector::secret::Secret;
use connector::signature::FLUENT_SIGNATURE;
use connector::source::{PrivateKey, ProofError, Request, Source, renewed_at};
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;

use crate::arguments::Shared;
use crate::document::Area;
use crate::folder::{self, Reading};
use crate::place::store;
use crate::session::Session;
use crate::stack::Stack;

/// Who sends.
#[derive(Debug, Args)]
#[command(next_help_heading = "As whom")]
pub(crate) struct Identity {
    /// Private key, a file: PEM, or whsk_… of Standard Webhooks. Of a source only where its document holds public keys
    #[arg(long, value_name = "FILE", required_unless_present = "source")]
    key: Option<PathBuf>,
    /// Signs as this external system does, as its document sources/<NAME> says; as Fluent where absent
    #[arg(long, value_name = "NAME", requires = "told")]
    source: Option<String>,
    /// The source's document: its file, or the folder of the configuration
    #[arg(long, value_name = "PATH", group = "told", requires = "source")]
    document: Option<PathBuf>,
    /// Name of a deployed stack: the source's document is read there, and `send` sends there
    #[arg(long, group = "told")]
    stack: Option<String>,
    /// Path in Parameter Store that the source's document is read from, such as /fluent-connect/fluent-connect
    #[arg(long, group = "told", requires = "source")]
    prefix: Option<String>,
    /// A header that the system sends besides, such as 'x-github-event: push'; once for each
    #[arg(long = "header", value_name = "NAME: VALUE", value_parser = header)]
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// Signs webhooks.
#[derive(Debug)]
pub(crate) enum Signer {
    /// As Fluent does.
    Fluent(PrivateKey),
    /// As the system of a source does.
    Source { source: Box<Source>, key: Option<PrivateKey> },
}

impl Identity {
    /// Whoever signs; a private key that the receiver would not know is refused.
    pub(crate) async fn signer(&self, shared: &Shared) -> anyhow::Result<Signer> {
        let key = self.key.as_deref().map(read_key).transpose()?;
        let Some(name) = &self.source else { return fluent(key, self.key.as_deref()) };
        anyhow::ensure!(
            name != "fluent",
            "fluent is no source: its webhooks are signed by --key alone, without --source"
        );
        anyhow::ensure!(
            !Source::is_of_another_kind(name),
            "{name} sends no webhooks: its messages come through the ct-queue"
        );
        let text = self.document(name, shared).await?;
        let source =
            Source::parse(name, text.expose()).with_context(|| format!("sources/{name} is broken"))?;
        let signer = Signer::Source { source: Box::new(source), key };
        signer.is_believed(name)?;
        Ok(signer)
    }

    /// What stands in every webhook besides its proof.
    pub(crate) fn headers(&self) -> HeaderMap {
        self.headers.iter().cloned().collect()
    }

    /// Where the stack takes such webhooks; `None` without a stack.
    pub(crate) async fn url(&self, shared: &Shared) -> anyhow::Result<Option<String>> {
        let Some(stack) = &self.stack else { return Ok(None) };
        let session = Session::open(shared).await?;
        let stack = Stack::find(&session, stack).await?;
        Ok(Some(match &self.source {
            Some(source) => format!("{}/{source}", stack.url("ExternalWebhookUrl", &session)?),
            None => stack.url("WebhookUrl", &session)?,
        }))
    }

    async fn document(&self, name: &str, shared: &Shared) -> anyhow::Result<Secret> {
        let reading = match &self.document {
            Some(path) if path.is_dir() => folder::read(path)?,
            Some(path) => return read(path, "the source's document").map(Secret::new),
            None => store(self.stack.as_deref(), self.prefix.as_deref(), shared).await?.read().await?,
        };
        found(name, reading)
    }
}

impl Signer {
    /// Adds what proves a webhook of this body.
    pub(crate) fn sign(&self, headers: &mut HeaderMap, body: &[u8], now: Timestamp) -> anyhow::Result<()> {
        match self {
            Self::Fluent(key) => {
                let signature = key.sha512_with_rsa(body).context("the private key is not RSA")?;
                let value = HeaderValue::try_from(STANDARD.encode(signature))?;
                headers.insert(HeaderName::from_static(FLUENT_SIGNATURE), value);
                Ok(())
            }
            Self::Source { source, key } => source
                .sign(headers, body, key.as_ref(), now)
                .with_context(|| format!("a webhook of sources/{} cannot be signed", source.name())),
        }
    }

    /// The same event under another id; as it is where it has none.
    pub(crate) fn renewed(&self, headers: &mut HeaderMap, body: Vec<u8>, ending: &str) -> Vec<u8> {
        match self {
            Self::Fluent(_) => renewed_at(&body, &["id"], ending).unwrap_or(body),
            Self::Source { source, .. } => source.renewed(headers, body, ending),
        }
    }

    /// Whether what it signs is taken: a private key may be none of those that the document knows.
    fn is_believed(&self, name: &str) -> anyhow::Result<()> {
        let (mut headers, body, now) = (HeaderMap::new(), b"{}", Timestamp::UNIX_EPOCH);
        self.sign(&mut headers, body, now)?;
        let Self::Source { source, .. } = self else { return Ok(()) };
        match source.prove(Request { headers: &headers, body }, now) {
            Err(ProofError::Wrong) => anyhow::bail!(
                "--key is the private half of none of the public keys that sources/{name} holds: it would be refused"
            ),
            proven => {
                proven.map(drop).with_context(|| format!("sources/{name} would refuse its own webhooks"))
            }
        }
    }
}

fn fluent(key: Option<PrivateKey>, path: Option<&Path>) -> anyhow::Result<Signer> {
    let key = key.filter(|key| key.sha512_with_rsa(b"{}").is_some()).with_context(|| {
        let path = path.unwrap_or(Path::new("--key"));
        format!("{} is no RSA key, by which Fluent signs: make one with `connector keygen`", path.display())
    })?;
    Ok(Signer::Fluent(key))
}

fn read_key(path: &Path) -> anyhow::Result<PrivateKey> {
    let text = read(path, "the private key")?;
    PrivateKey::parse(&text)
        .with_context(|| format!("{}: make one with `connector keygen`, or see --help", path.display()))
}

fn read(path: &Path, what: &str) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("{what} {} cannot be read", path.display()))
}

fn found(name: &str, reading: Reading) -> anyhow::Result<Secret> {
    let sources = reading.documents.into_iter().filter(|document| document.area == Area::Sources);
    let (wanted, others): (Vec<_>, Vec<_>) = sources.partition(|document| document.name == name);
    wanted.into_iter().next().map(|document| document.value).with_context(|| {
        let known: Vec<_> = others.iter().map(|document| document.name.as_str()).collect();
        let near = nearest(name, &known).map(|near| format!("; did you mean {near:?}?"));
        format!("there is no source sources/{name}{}", near.unwrap_or_default())
    })
}

/// A header as curl takes it; the error shows no value.
fn header(text: &str) -> Result<(HeaderName, HeaderValue), &'static str> {
    let (name, value) = text.split_once(':').ok_or("write it as NAME: VALUE")?;
    let name = HeaderName::try_from(name.trim()).map_err(|_| "its name is no header's name")?;
    let value =
        HeaderValue::try_from(value.trim()).map_err(|_| "its value is none that a header can hold")?;
    Ok((name, value))
}

#[cfg(test)]
mod tests {
    use connector::signature::FLUENT_SIGNATURE;
    use connector::source::PrivateKey;
    use http::HeaderMap;
    use jiff::Timestamp;

    use super::{Signer, header};

    const DEVELOPMENT: &str = include_str!("../../shared/testkit/keys/development.private.pem");

    #[test]
    fn signs_as_the_sample_events_are_signed() {
        let signer = Signer::Fluent(PrivateKey::parse(DEVELOPMENT).unwrap());
        let mut headers = HeaderMap::new();
        signer.sign(&mut headers, b"{}", Timestamp::UNIX_EPOCH).unwrap();
        let signature = headers.get(FLUENT_SIGNATURE).unwrap();
        assert_eq!(signature.to_str().unwrap(), testkit::signing::sign_sha512(b"{}"));
        assert_eq!(format!("{signer:?}"), "Fluent(PrivateKey(RSA [REDACTED]))");
    }

    #[test]
    fn a_header_is_written_as_for_curl() {
        let (name, value) = header("X-GitHub-Event: push: it").unwrap();
        assert_eq!((name.as_str(), value.to_str().unwrap()), ("x-github-event", "push: it"));
        for text in ["push", ": push", "a b: c", "a: b\nc: d"] {
            assert!(header(text).is_err(), "{text}");
        }
    }
}
