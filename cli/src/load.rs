//! Many signed webhooks: their bodies, the way they go, and what came of them.
//!
//! They go by the connector's own guarded transport, whose address policy is what keeps a load on this machine.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use connector::delivery::{ANSWER_BYTES, OutboundRequest, Purpose, Shown, Tried};
use connector::endpoint_url::EndpointUrl;
use connector::event_log::{Entry, Subject};
use connector::failure::chain;
use connector::ports::{Clock, EventLog, Transport as _};
use connector::redaction::Redaction;
use connector::retry::Schedule;
use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderValue, Method};
use jiff::Timestamp;
use outbound::{AddressPolicy, HttpTransport, Networks};
use serde_json::{Value, json};
use url::{Host, Url};

use crate::screen::{Cell, Screen, Tone};
use crate::signing::Signer;

/// What stays on this machine.
pub(crate) const LOOPBACK: &str = "127.0.0.0/8, ::1";
/// Every address there is.
const EVERYWHERE: &str = "0.0.0.0/0, ::/0";
/// Characters of an answer that the summary shows.
const SHOWN_CHARACTERS: usize = 120;

/// Bodies as they stand in their files.
pub(crate) struct Bodies(Vec<Vec<u8>>);

impl Bodies {
    /// Reads files, and the `.json` files of folders.
    pub(crate) fn read(paths: &[PathBuf]) -> anyhow::Result<Self> {
        let mut bodies = Vec::new();
        for path in paths {
            let files = if path.is_dir() { json_files(path)? } else { vec![path.clone()] };
            anyhow::ensure!(!files.is_empty(), "the folder {} holds no .json file", path.display());
            for file in files {
                bodies.push(fs::read(&file).with_context(|| format!("{} cannot be read", file.display()))?);
            }
        }
        Ok(Self(bodies))
    }

    pub(crate) fn len(&self) -> u64 {
        u64::try_from(self.0.len()).unwrap_or(u64::MAX)
    }
}

fn json_files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let unreadable = || format!("the folder {} cannot be read", folder.display());
    let entries = fs::read_dir(folder).with_context(unreadable)?;
    let mut files = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()
        .with_context(unreadable)?;
    files.retain(|file| file.is_file() && file.extension().is_some_and(|ending| ending == "json"));
    files.sort();
    Ok(files)
}

/// The webhooks of a run, by number.
pub(crate) struct Batch {
    pub(crate) bodies: Bodies,
    /// What each webhook has besides its proof.
    pub(crate) headers: HeaderMap,
    /// Tells the ids of this run from those of others.
    pub(crate) run: String,
    /// Whether the first of each file gets a new id as well.
    pub(crate) new_ids: bool,
}

impl Batch {
    /// A webhook, signed: the files in turn, from the second turn on with a new id.
    pub(crate) fn signed(&self, number: u64, signer: &Signer, now: Timestamp) -> anyhow::Result<Webhook> {
        let mut webhook = self.unsigned(number, signer);
        signer.sign(&mut webhook.headers, &webhook.body, now)?;
        Ok(webhook)
    }

    fn unsigned(&self, number: u64, signer: &Signer) -> Webhook {
        let (turn, at) = (number / self.bodies.len().max(1), number % self.bodies.len().max(1));
        let body = usize::try_from(at).ok().and_then(|at| self.bodies.0.get(at)).cloned().unwrap_or_default();
        let mut headers = self.headers.clone();
        if turn == 0 && !self.new_ids {
            return Webhook { headers, body };
        }
        let body = signer.renewed(&mut headers, body, &format!("{}-{turn}", self.run));
        Webhook { headers, body }
    }
}

/// A body and its headers.
pub(crate) struct Webhook {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Webhook {
    /// What no answer may show: the secrets that headers carry as they are.
    fn redaction(&self) -> Redaction {
        let sensitive = self.headers.values().filter(|value| value.is_sensitive());
        let texts = sensitive.filter_map(|value| value.to_str().ok());
        let secrets =
            texts.flat_map(|text| text.split_once(' ').map(|(_, secret)| secret).into_iter().chain([text]));
        Redaction::of(&secrets.map(str::to_owned).collect::<Vec<_>>(), &[])
    }
}

/// What came of a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Status, or the code of why there is none.
    pub(crate) result: String,
    ms: u64,
    /// What the answer or the failure says.
    pub(crate) says: String,
}

/// Keeps the record of one attempt.
#[derive(Default)]
pub(crate) struct Kept(Mutex<Option<Entry>>);

#[async_trait]
impl EventLog for Kept {
    fn record(&self, entry: Entry) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(entry);
    }

    async fn flush(&self) {}
}

impl Kept {
    /// The record as JSON; `null` where nothing was tried.
    pub(crate) fn kept(&self) -> Value {
        serde_json::to_value(&*self.0.lock().unwrap_or_else(PoisonError::into_inner)).unwrap_or_default()
    }
}

/// The way of all webhooks of a run.
pub(crate) struct Poster {
    transport: HttpTransport,
    url: EndpointUrl,
    headers: HeaderMap,
    timeout: Duration,
    clock: Clock,
}

impl Poster {
    pub(crate) fn new(
        url: &str,
        allow_remote: bool,
        timeout: Duration,
        clock: Clock,
    ) -> anyhow::Result<Self> {
        let mut url = Url::parse(url).context("--url is not an absolute URL")?;
        anyhow::ensure!(
            allow_remote || is_local(&url),
            "{} is another machine, and this is a load tool: say --allow-remote if you mean it",
            url.host_str().unwrap_or_default()
        );
        let mut headers =
            HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        if let Some(host) = loopback_name(&url) {
            headers.insert(HOST, HeaderValue::try_from(host).context("--url has no usable host")?);
            url.set_host(Some("127.0.0.1")).context("--url has no usable host")?;
        }
        let networks = Networks::parse(if allow_remote { EVERYWHERE } else { LOOPBACK })?;
        let transport = HttpTransport::new(AddressPolicy::new(networks))?;
        let url =
            EndpointUrl::parse(url.as_str()).map_err(|error| anyhow::anyhow!("--url {}", chain(&error)))?;
        Ok(Self { transport, url, headers, timeout, clock })
    }

    /// Posts one webhook.
    pub(crate) async fn post(&self, webhook: Webhook) -> Answer {
        let (mut headers, redaction) = (self.headers.clone(), webhook.redaction());
        headers.extend(webhook.headers);
        let request = OutboundRequest {
            method: Method::POST,
            url: self.url.clone(),
            headers,
            body: webhook.body,
            timeout: self.timeout,
            answer_bytes: ANSWER_BYTES,
            answer: Shown::Without(redaction),
        };
        let attempt = self.transport.send(request).await;
        let (kept, schedule) = (Kept::default(), Schedule::default());
        let purpose = Purpose::Delivery { token_may_be_outdated: false };
        let tried =
            Tried { subject: &Subject::default(), number: 1, schedule: &schedule, chance: 0.0, purpose };
        let result = match attempt.conclude(&tried, &kept, &self.clock) {
            Ok(response) => response.status.to_string(),
            Err(failure) => {
                failure.status.map_or_else(|| failure.code.to_string(), |status| status.to_string())
            }
        };
        Answer::of(result, &kept.kept())
    }
}

impl Answer {
    #[cfg(test)]
    pub(crate) fn new(result: &str, says: &str) -> Self {
        Self { result: result.to_owned(), ms: 0, says: says.to_owned() }
    }

    fn of(result: String, record: &Value) -> Self {
        let says = record.get("error").or_else(|| record.get("response.body")).and_then(Value::as_str);
        let says = says.unwrap_or_default().chars().take(SHOWN_CHARACTERS).collect();
        Self { result, ms: record.get("duration_ms").and_then(Value::as_u64).unwrap_or_default(), says }
    }
}

/// Whether the URL names this machine: an address of its own, or a name that never leaves it (RFC 6761, 6.3).
pub(crate) fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

/// The `Host` of a name below `localhost`, which not every resolver knows.
fn loopback_name(url: &Url) -> Option<String> {
    let name = url.host_str().filter(|name| name.ends_with(".localhost"))?;
    Some(url.port().map_or_else(|| name.to_owned(), |port| format!("{name}:{port}")))
}

/// All answers of a run.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    by_result: BTreeMap<String, (u64, String)>,
    ms: Vec<u64>,
}

impl Summary {
    pub(crate) fn add(&mut self, answer: Answer) {
        self.ms.push(answer.ms);
        self.by_result.entry(answer.result).or_insert_with(|| (0, answer.says)).0 += 1;
    }

    /// Whether every webhook was answered 200.
    pub(crate) fn all_queued(&self) -> bool {
        self.by_result.keys().all(|result| result == "200")
    }

    pub(crate) fn show(&mut self, took: Duration, screen: &mut Screen) -> anyhow::Result<()> {
        self.ms.sort_unstable();
        let per_second = self.per_second(took);
        let [median, p90, p99, max] = [50, 90, 99, 100].map(|percent| percentile(&self.ms, percent));
        if screen.is_json() {
            let results: Vec<_> = self
                .by_result
                .iter()
                .map(|(result, (count, says))| json!({ "result": result, "count": count, "firstAnswer": says }))
                .collect();
            return screen.json(&json!({
                "sent": self.ms.len(), "seconds": took.as_secs_f64(), "perSecond": per_second, "results": results,
                "milliseconds": { "p50": median, "p90": p90, "p99": p99, "max": max }
            }));
        }
        let row = |(result, (count, says)): (&String, &(u64, String))| {
            let tone = if result == "200" { Tone::Good } else { Tone::Bad };
            vec![Cell::new(result, tone), Cell::plain(count.to_string()), Cell::plain(says)]
        };
        screen.table(&["ANSWER", "COUNT", "FIRST OF THEM"], self.by_result.iter().map(row).collect())?;
        screen.line(&format!(
            "{} sent in {:.1} s ({per_second:.1}/s); ms: median {median}, 90 % {p90}, 99 % {p99}, longest {max}",
            self.ms.len(),
            took.as_secs_f64()
        ))
    }

    fn per_second(&self, took: Duration) -> f64 {
        let sent = u32::try_from(self.ms.len()).unwrap_or(u32::MAX);
        f64::from(sent) / took.as_secs_f64().max(0.001)
    }
}

/// The value that so many percent do not exceed, by nearest rank; of sorted values.
fn percentile(sorted: &[u64], percent: usize) -> u64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use connector::source::{PrivateKey, Source};
    use http::HeaderMap;
    use url::Url;

    use super::{Batch, Bodies, is_local, loopback_name, percentile};
    use crate::signing::Signer;

    const DEVELOPMENT: &str = include_str!("../../shared/testkit/keys/development.private.pem");

    fn batch(bodies: &[&[u8]]) -> Batch {
        let bodies = Bodies(bodies.iter().map(|body| body.to_vec()).collect());
        Batch { bodies, headers: HeaderMap::new(), run: "r".to_owned(), new_ids: false }
    }

    #[test]
    fn a_repeated_event_has_a_new_id_and_every_digit_of_the_rest() {
        let first = br#"{"id": "a", "n": 1.10, "b": 12345678901234567890123}"#;
        let (batch, fluent) =
            (batch(&[first, b"[]"]), Signer::Fluent(PrivateKey::parse(DEVELOPMENT).unwrap()));
        let body = |number| batch.unsigned(number, &fluent).body;
        assert_eq!(body(0), first, "the first time byte for byte");
        assert_eq!(body(2), br#"{"b":12345678901234567890123,"id":"a-r-1","n":1.10}"#);
        assert_eq!(body(5), b"[]", "what has no id is sent as it is");
    }

    #[test]
    fn a_source_has_its_new_ids_where_its_document_says_that_they_stand() {
        let source = Source::parse("github", "preset: github\nsecrets: [s]").unwrap();
        let (batch, github) = (batch(&[b"{}"]), Signer::Source { source: Box::new(source), key: None });
        let id = |number| batch.unsigned(number, &github).headers.get("x-github-delivery").cloned();
        assert_eq!([id(0), id(1)], [None, Some("r-1".parse().unwrap())]);
    }

    #[test]
    fn only_names_and_addresses_of_this_machine_are_local() {
        for (url, local) in [
            ("http://127.0.0.1:1/", true),
            ("http://[::1]:1/", true),
            ("http://localhost/", true),
            ("http://a.localhost:4566/", true),
            ("http://localhost.example/", false),
            ("https://10.0.0.1/", false),
            ("https://shop.example/", false),
        ] {
            assert_eq!(is_local(&Url::parse(url).unwrap()), local, "{url}");
        }
        let url = Url::parse("http://a.localhost:4566/x").unwrap();
        assert_eq!(loopback_name(&url).as_deref(), Some("a.localhost:4566"));
    }

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        let hundred: Vec<u64> = (1..=100).collect();
        assert_eq!([50, 90, 99, 100].map(|percent| percentile(&hundred, percent)), [50, 90, 99, 100]);
        assert_eq!((percentile(&[7], 50), percentile(&[], 50)), (7, 0));
    }
}
