//! Signs as Fluent does, with the development key that stands in the repository.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use rsa::RsaPrivateKey;
use rsa::pkcs1v15::SigningKey;
use rsa::pkcs8::DecodePrivateKey as _;
use rsa::signature::{SignatureEncoding as _, Signer as _};
use sha2::Sha512;

/// The development key's public half, PEM.
pub const DEVELOPMENT_PUBLIC_KEY: &str = include_str!("../keys/development.public.pem");
const DEVELOPMENT_PRIVATE_KEY: &str = include_str!("../keys/development.private.pem");

/// `SHA512withRSA` over `body` by the development key, base64.
#[must_use]
pub fn sign_sha512(body: &[u8]) -> String {
    STANDARD.encode(SigningKey::<Sha512>::new(development_key()).sign(body).to_vec())
}

/// `MD5withRSA` over `body` by the development key, base64.
#[must_use]
pub fn sign_md5(body: &[u8]) -> String {
    STANDARD.encode(SigningKey::<Md5>::new(development_key()).sign(body).to_vec())
}

fn development_key() -> RsaPrivateKey {
    RsaPrivateKey::from_pkcs8_pem(DEVELOPMENT_PRIVATE_KEY).expect("the development key is PKCS#8 PEM")
}
