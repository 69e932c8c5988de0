//! `keygen`: a key pair for development. Fluent's own private key is Fluent's alone.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::{Args, ValueEnum};
use serde_json::json;

use crate::Verdict;
use crate::screen::Screen;

/// Characters of a line of PEM (RFC 7468, section 2).
const PEM_LINE: usize = 64;

#[derive(Debug, Args)]
pub(crate) struct Asked {
    /// Beginning of both files' names: <NAME>.private.pem and <NAME>.public.txt
    #[arg(default_value = "development")]
    name: PathBuf,
    /// Size of the key
    #[arg(long, value_enum, default_value = "2048")]
    bits: Bits,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Bits {
    #[value(name = "2048")]
    Rsa2048,
    #[value(name = "3072")]
    Rsa3072,
    #[value(name = "4096")]
    Rsa4096,
}

pub(crate) fn run(asked: &Asked, screen: &mut Screen) -> anyhow::Result<Verdict> {
    let (private, public) = (with_ending(&asked.name, "private.pem"), with_ending(&asked.name, "public.txt"));
    refuse_to_overwrite(&[&private, &public])?;
    let pair = KeyPair::generate(size(asked.bits)).context("no key could be made")?;
    let secret: Pkcs8V1Der<'_> = pair.as_der().context("the private key cannot be written out")?;
    let known: PublicKeyX509Der<'_> =
        pair.public_key().as_der().context("the public key cannot be written out")?;
    write(&private, &pem(secret.as_ref()), true)?;
    let bare = STANDARD.encode(known.as_ref());
    write(&public, &format!("{bare}\n"), false)?;
    if screen.is_json() {
        screen.json(&json!({ "privateKey": private, "publicKey": public, "public": bare }))?;
    } else {
        screen.line(&format!("private key  {} (sign with it, keep it to yourself)", private.display()))?;
        screen.line(&format!(
            "public key   {} (bare base64 X.509, as Fluent publishes its own)",
            public.display()
        ))?;
        screen.line("Put the public key into keys/ of a development deployment alone: who holds the private key can forge webhooks.")?;
    }
    Ok(Verdict::Fine)
}

fn size(bits: Bits) -> KeySize {
    match bits {
        Bits::Rsa2048 => KeySize::Rsa2048,
        Bits::Rsa3072 => KeySize::Rsa3072,
        Bits::Rsa4096 => KeySize::Rsa4096,
    }
}

fn with_ending(name: &Path, ending: &str) -> PathBuf {
    let mut whole = name.as_os_str().to_owned();
    whole.push(".");
    whole.push(ending);
    whole.into()
}

fn refuse_to_overwrite(paths: &[&PathBuf]) -> anyhow::Result<()> {
    for path in paths {
        anyhow::ensure!(
            !path.exists(),
            "{} is already there: choose another name, or take it away",
            path.display()
        );
    }
    Ok(())
}

/// Makes a new file; one of the same name that came up meanwhile is left alone.
fn write(path: &Path, text: &str, secret: bool) -> anyhow::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if secret {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    let write = |mut file: File| file.write_all(text.as_bytes());
    options.open(path).and_then(write).with_context(|| format!("{} cannot be written", path.display()))
}

fn pem(der: &[u8]) -> String {
    let mut text = "-----BEGIN PRIVATE KEY-----\n".to_owned();
    for (at, character) in STANDARD.encode(der).chars().enumerate() {
        if at > 0 && at % PEM_LINE == 0 {
            text.push('\n');
        }
        text.push(character);
    }
    text + "\n-----END PRIVATE KEY-----\n"
}
