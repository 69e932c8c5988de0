//! The section `auth` of a source's document: how its requests prove themselves.

use std::time::Duration;

use aws_lc_rs::digest;
use aws_lc_rs::hmac;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA384_ASN1, ECDSA_P256_SHA512_ASN1,
    ECDSA_P384_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ECDSA_P384_SHA384_FIXED, ECDSA_P384_SHA512_ASN1, ED25519,
    ParsedPublicKey, RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
    RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY, VerificationAlgorithm,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderName;
use http::header::AUTHORIZATION;
use serde_json::Value;

use super::proof::{FixedValue, Proof};
use super::signed::{Content, Encoding, Form, Keys, Part, Scheme, Signed, TimestampPlace};
use crate::document::{Document, DocumentError};
use crate::keys;
use crate::standard_webhooks::SigningSecret;

/// Written for `auth` where nothing proves a request.
pub const NOTHING: &str = "none-i-know-what-this-means";
/// How far a signed timestamp may be from now, unless the document says otherwise: what the libraries of Standard
/// Webhooks and of Stripe take.
pub const DEFAULT_TOLERANCE: Duration = Duration::from_mins(5);
/// The most that a document may say.
pub const LONGEST_TOLERANCE: Duration = Duration::from_hours(24);

/// Every key of every kind; which ones a kind takes is checked after its type is known.
pub const KEYS: [&str; 12] = [
    "type",
    "algorithm",
    "header",
    "encoding",
    "form",
    "prefix",
    "signed",
    "timestamp",
    "tolerance",
    "username",
    "secrets",
    "keys",
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Hmac,
    StandardWebhooks,
    Rsa,
    Ecdsa,
    Basic,
    Bearer,
    ApiKey,
}

const KINDS: [(&str, Kind); 7] = [
    ("hmac", Kind::Hmac),
    ("standard-webhooks", Kind::StandardWebhooks),
    ("rsa", Kind::Rsa),
    ("ecdsa", Kind::Ecdsa),
    ("basic", Kind::Basic),
    ("bearer", Kind::Bearer),
    ("api-key", Kind::ApiKey),
];

/// The names of the kinds.
pub fn kinds() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|(name, _)| *name)
}

/// The keys that a kind takes beside `type`.
#[must_use]
pub fn keys_of(kind: &str) -> &'static [&'static str] {
    KINDS.iter().find(|(name, _)| *name == kind).map_or(&[], |(_, kind)| kind.keys())
}

impl Kind {
    fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Hmac => {
                &["algorithm", "header", "encoding", "prefix", "signed", "timestamp", "tolerance", "secrets"]
            }
            Self::StandardWebhooks => &["tolerance", "secrets", "keys"],
            Self::Rsa => {
                &["algorithm", "header", "encoding", "prefix", "signed", "timestamp", "tolerance", "keys"]
            }
            Self::Ecdsa => &[
                "algorithm",
                "form",
                "header",
                "encoding",
                "prefix",
                "signed",
                "timestamp",
                "tolerance",
                "keys",
            ],
            Self::Basic => &["username", "secrets"],
            Self::Bearer => &["secrets"],
            Self::ApiKey => &["header", "secrets"],
        }
    }
}

/// The hash within a signature.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    fn algorithm(self) -> &'static digest::Algorithm {
        match self {
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
        }
    }
}

/// Reads `auth` of a document that names no preset.
pub(super) fn of_document(document: &mut Document) -> Result<Proof, DocumentError> {
    match document.peek("auth").and_then(Value::as_str) {
        Some(NOTHING) => {
            document.value("auth");
            return Ok(Proof::Nothing);
        }
        Some(text) if is_none(text) => return Err(no_proof(document, "auth")),
        _ => {}
    }
    let likely = |auth: &Value| {
        let keys = auth.get("type").and_then(Value::as_str).map(keys_of).unwrap_or_default();
        if keys.is_empty() { KEYS.to_vec() } else { [&["type"], keys].concat() }
    };
    let Some(mut auth) = document.section_likely("auth", &KEYS, likely)? else {
        let problem = "says nothing of how requests prove themselves: give a preset, or auth: { type: … }";
        return Err(document.unusable("", problem));
    };
    of_section(&mut auth)
}

/// Reads what proves a request.
pub(super) fn of_section(auth: &mut Document) -> Result<Proof, DocumentError> {
    if auth.peek("type").and_then(Value::as_str).is_some_and(is_none) {
        return Err(no_proof(auth, "type"));
    }
    let Some(kind) = auth.word("type", &KINDS)? else { return Err(auth.missing("type")) };
    let proof = match kind {
        Kind::Hmac | Kind::Rsa | Kind::Ecdsa => Proof::Signed(signed(auth, kind)?),
        Kind::StandardWebhooks => standard_webhooks(auth)?,
        Kind::Basic => basic(auth)?,
        Kind::Bearer => fixed(AUTHORIZATION, Some("Bearer"), &header_values(auth)?),
        Kind::ApiKey => fixed(header(auth)?, None, &header_values(auth)?),
    };
    match auth.rest() {
        Some(key) => {
            let problem = format!("does not belong to this type, which takes {}", kind.keys().join(", "));
            Err(auth.unusable(&key, problem))
        }
        None => Ok(proof),
    }
}

fn is_none(text: &str) -> bool {
    text.to_ascii_lowercase().starts_with("none")
}

fn no_proof(document: &Document, key: &str) -> DocumentError {
    let problem = format!("is no proof; a source that anybody may send to has auth: {NOTHING}");
    document.unusable(key, problem)
}

fn fixed(header: HeaderName, scheme: Option<&'static str>, values: &[String]) -> Proof {
    Proof::Fixed { header, scheme, values: values.iter().map(|value| FixedValue::new(value)).collect() }
}

fn basic(auth: &mut Document) -> Result<Proof, DocumentError> {
    let username = auth.required_text("username")?;
    if username.contains(':') {
        return Err(auth.unusable("username", "must not hold a colon (RFC 7617)"));
    }
    let credentials = secrets(auth)?
        .iter()
        .map(|secret| STANDARD.encode(format!("{username}:{secret}")))
        .collect::<Vec<_>>();
    Ok(fixed(AUTHORIZATION, Some("Basic"), &credentials))
}

fn standard_webhooks(auth: &mut Document) -> Result<Proof, DocumentError> {
    let tolerance = tolerance(auth)?;
    let (secrets, keys) = (listed(auth, "secrets")?, listed(auth, "keys")?);
    if secrets.is_empty() && keys.is_empty() {
        return Err(auth.missing("secrets"));
    }
    let secrets = each(auth, "secrets", &secrets, |text| {
        SigningSecret::parse(text.trim()).map_err(|error| error.to_string())
    })?;
    let keys = each(auth, "keys", &keys, |text| {
        let key = text.trim().strip_prefix("whpk_").and_then(|encoded| STANDARD.decode(encoded).ok());
        let key = key.filter(|key| key.len() == 32).and_then(|key| ParsedPublicKey::new(&ED25519, key).ok());
        key.ok_or_else(|| "is not whpk_ and the base64 of an ed25519 public key of 32 bytes".to_owned())
    })?;
    Ok(Proof::StandardWebhooks { secrets, keys, tolerance })
}

fn signed(auth: &mut Document, kind: Kind) -> Result<Signed, DocumentError> {
    let encodings = [("hex", Encoding::Hex), ("base64", Encoding::Base64)];
    let usual = if kind == Kind::Hmac { Encoding::Hex } else { Encoding::Base64 };
    Ok(Signed {
        keys: if kind == Kind::Hmac { hmac_keys(auth)? } else { public_keys(auth, kind)? },
        header: header(auth)?,
        encoding: auth.word("encoding", &encodings)?.unwrap_or(usual),
        prefix: prefix(auth)?,
        content: content(auth)?,
    })
}

fn prefix(auth: &mut Document) -> Result<String, DocumentError> {
    let prefix = auth.text("prefix")?.unwrap_or_default();
    if prefix.contains([',', ' ']) {
        return Err(
            auth.unusable("prefix", "holds a comma or a space, which part one signature from the next")
        );
    }
    Ok(prefix)
}

fn hmac_keys(auth: &mut Document) -> Result<Keys, DocumentError> {
    let words = [
        ("sha256", hmac::HMAC_SHA256),
        ("sha512", hmac::HMAC_SHA512),
        ("sha1", hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY),
    ];
    let algorithm = auth.word("algorithm", &words)?.unwrap_or(hmac::HMAC_SHA256);
    Ok(Keys::Hmac(secrets(auth)?.iter().map(|secret| hmac::Key::new(algorithm, secret.as_bytes())).collect()))
}

fn public_keys(auth: &mut Document, kind: Kind) -> Result<Keys, DocumentError> {
    let (sha256, sha512) = (("sha256", Hash::Sha256), ("sha512", Hash::Sha512));
    let words =
        if kind == Kind::Rsa { vec![sha256, sha512] } else { vec![sha256, ("sha384", Hash::Sha384), sha512] };
    let hash = auth.word("algorithm", &words)?.unwrap_or(Hash::Sha256);
    let forms = [("asn1", Form::Asn1), ("fixed", Form::Fixed)];
    let scheme = match kind {
        Kind::Ecdsa => Scheme::Ecdsa(auth.word("form", &forms)?.unwrap_or(Form::Asn1)),
        _ => Scheme::Rsa,
    };
    if (hash, scheme) == (Hash::Sha512, Scheme::Ecdsa(Form::Fixed)) {
        return Err(
            auth.unusable("form", "is not known with sha512: P-256 has one with sha256, P-384 with sha384")
        );
    }
    let texts = listed(auth, "keys")?;
    if texts.is_empty() {
        return Err(auth.missing("keys"));
    }
    let keys = each(auth, "keys", &texts, |text| match scheme {
        Scheme::Ecdsa(form) => ecdsa_key(text, hash, form),
        Scheme::Rsa => rsa_key(text, hash),
    })?;
    Ok(Keys::Public { scheme, hash: hash.algorithm(), keys })
}

fn rsa_key(text: &str, hash: Hash) -> Result<ParsedPublicKey, String> {
    let algorithm: &'static dyn VerificationAlgorithm = match hash {
        Hash::Sha512 => &RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
        _ => &RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
    };
    let wrong =
        "is no RSA public key of 1024 to 8192 bits in X.509 form, PEM (BEGIN PUBLIC KEY) or bare base64";
    parsed(text, &[algorithm], wrong)
}

fn ecdsa_key(text: &str, hash: Hash, form: Form) -> Result<ParsedPublicKey, String> {
    let algorithms: &[&'static dyn VerificationAlgorithm] = match (hash, form) {
        (Hash::Sha256, Form::Asn1) => &[&ECDSA_P256_SHA256_ASN1, &ECDSA_P384_SHA256_ASN1],
        (Hash::Sha384, Form::Asn1) => &[&ECDSA_P256_SHA384_ASN1, &ECDSA_P384_SHA384_ASN1],
        (Hash::Sha512, Form::Asn1) => &[&ECDSA_P256_SHA512_ASN1, &ECDSA_P384_SHA512_ASN1],
        (Hash::Sha256, Form::Fixed) => &[&ECDSA_P256_SHA256_FIXED],
        (Hash::Sha384, Form::Fixed) => &[&ECDSA_P384_SHA384_FIXED],
        (Hash::Sha512, Form::Fixed) => &[],
    };
    let wrong = match form {
        Form::Asn1 => "is no P-256 or P-384 public key in X.509 form, PEM (BEGIN PUBLIC KEY) or bare base64",
        Form::Fixed => {
            "is no public key in X.509 form (PEM or bare base64) of the curve that this algorithm has a fixed form with: P-256 with sha256, P-384 with sha384"
        }
    };
    parsed(text, algorithms, wrong)
}

/// The key by the first algorithm that takes it.
fn parsed(
    text: &str,
    algorithms: &[&'static dyn VerificationAlgorithm],
    wrong: &str,
) -> Result<ParsedPublicKey, String> {
    let der = keys::der(text).map_err(|_| wrong.to_owned())?;
    let key = algorithms.iter().find_map(|algorithm| ParsedPublicKey::new(*algorithm, &der).ok());
    key.ok_or_else(|| wrong.to_owned())
}

fn content(auth: &mut Document) -> Result<Content, DocumentError> {
    let signed = auth.text("signed")?.unwrap_or_else(|| "body".to_owned());
    let parts = parts(&signed).map_err(|problem| auth.unusable("signed", problem))?;
    if parts == [Part::Body] {
        let key = ["timestamp", "tolerance"].into_iter().find(|key| auth.peek(key).is_some());
        return key.map_or(Ok(Content::Body), |key| {
            let problem =
                "tells of a timestamp, and none is signed: write signed: timestamp.body, or take it out";
            Err(auth.unusable(key, problem))
        });
    }
    let written = auth.required_text("timestamp")?;
    let place = timestamp_place(&written).ok_or_else(|| {
        let problem =
            "must be header:<name>, or field:<name> for a part of the header that holds the signatures";
        auth.unusable("timestamp", problem)
    })?;
    Ok(Content::Timed { parts, place, tolerance: tolerance(auth)? })
}

fn timestamp_place(written: &str) -> Option<TimestampPlace> {
    match written.trim().split_once(':')? {
        ("header", name) => HeaderName::try_from(name.trim()).ok().map(TimestampPlace::Header),
        ("field", name) if !name.is_empty() && !name.contains(['=', ',', ' ']) => {
            Some(TimestampPlace::Field(name.to_owned()))
        }
        _ => None,
    }
}

/// What is signed: `body`, `timestamp.body`, or a text with `{timestamp}` and `{body}`.
fn parts(signed: &str) -> Result<Vec<Part>, &'static str> {
    let text = match signed.trim() {
        "body" => "{body}",
        "timestamp.body" => "{timestamp}.{body}",
        text => text,
    };
    let (mut parts, mut rest) = (Vec::new(), text);
    while let Some((before, behind)) = rest.split_once('{') {
        let (name, after) = behind.split_once('}').ok_or("holds a brace that is not closed")?;
        let part = match name {
            "timestamp" => Part::Timestamp,
            "body" => Part::Body,
            _ => return Err("holds braces around something else than {timestamp} and {body}"),
        };
        parts.extend([Part::Text(before.to_owned()), part]);
        rest = after;
    }
    parts.push(Part::Text(rest.to_owned()));
    parts.retain(|part| *part != Part::Text(String::new()));
    let count = |wanted: &Part| parts.iter().filter(|part| *part == wanted).count();
    match (count(&Part::Body), count(&Part::Timestamp)) {
        (1, 0) if parts.len() == 1 => Ok(parts),
        (1, 1) => Ok(parts),
        _ => Err(
            "must be body, timestamp.body, or a text with {timestamp} and {body} once each, such as \"v0:{timestamp}:{body}\"",
        ),
    }
}

fn tolerance(auth: &mut Document) -> Result<Duration, DocumentError> {
    match auth.duration("tolerance")? {
        None => Ok(DEFAULT_TOLERANCE),
        Some(tolerance) if (Duration::from_secs(1)..=LONGEST_TOLERANCE).contains(&tolerance) => Ok(tolerance),
        Some(_) => Err(auth.unusable("tolerance", "must be from 1s to 24h")),
    }
}

fn header(auth: &mut Document) -> Result<HeaderName, DocumentError> {
    let name = auth.required_text("header")?;
    HeaderName::try_from(name.trim())
        .map_err(|_| auth.unusable("header", "is no header's name: letters, digits and hyphens"))
}

/// The secrets that have to be there, at least one. A line break at the end of one came with pasting it.
fn secrets(auth: &mut Document) -> Result<Vec<String>, DocumentError> {
    let secrets = listed(auth, "secrets")?;
    if secrets.is_empty() {
        return Err(auth.missing("secrets"));
    }
    Ok(secrets.iter().map(|secret| secret.trim_end_matches(['\r', '\n']).to_owned()).collect())
}

/// The secrets that stand in a header as they are: what no header can hold would never be found there.
fn header_values(auth: &mut Document) -> Result<Vec<String>, DocumentError> {
    let secrets = secrets(auth)?;
    each(auth, "secrets", &secrets, |secret| {
        let secret = secret.trim();
        if secret.chars().all(|c| c == ' ' || c.is_ascii_graphic()) {
            return Ok(secret.to_owned());
        }
        Err("no header can hold: it has a sign outside of ASCII, or a line break".to_owned())
    })
}

fn listed(auth: &mut Document, key: &str) -> Result<Vec<String>, DocumentError> {
    match auth.texts(key)? {
        Some(texts) if texts.is_empty() => Err(auth.unusable(key, "must hold at least one")),
        texts => Ok(texts.unwrap_or_default()),
    }
}

/// Each of a list's texts, read; the error tells which one is wrong, and shows none.
fn each<T>(
    auth: &Document,
    key: &str,
    texts: &[String],
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<Vec<T>, DocumentError> {
    let read = |(text, number): (&String, usize)| {
        read(text).map_err(|error| auth.unusable(key, format!("holds one, number {number}, that {error}")))
    };
    texts.iter().zip(1..).map(read).collect()
}
