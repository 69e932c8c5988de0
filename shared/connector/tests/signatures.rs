//! Signatures made by others, damaged signatures, and two implementations held against each other.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use connector::keys::{KeyError, PublicKey};
use connector::signature::{Md5Policy, SignatureError, SignatureHeaders, Verifier};
use proptest::prelude::*;
use rsa::pkcs1v15::{Signature, VerifyingKey};
use rsa::pkcs8::DecodePublicKey as _;
use rsa::signature::Verifier as _;
use rsa::{RsaPublicKey, pkcs1v15};
use serde::Deserialize;
use sha2::Sha512;

#[derive(Deserialize, Clone, Debug)]
struct Vector {
    maker: String,
    algorithm: String,
    bits: usize,
    key: String,
    body: String,
    signature: String,
}

impl Vector {
    fn body(&self) -> Vec<u8> {
        STANDARD.decode(&self.body).unwrap()
    }

    fn signature(&self) -> Vec<u8> {
        STANDARD.decode(&self.signature).unwrap()
    }

    fn verify(&self, body: &[u8], signature: &str) -> Result<(), SignatureError> {
        let keys = [Arc::new(PublicKey::parse(&self.key).unwrap())];
        let value = [signature.as_bytes()];
        let (fluent, flex): (&[&[u8]], &[&[u8]]) =
            if self.algorithm == "SHA512withRSA" { (&value, &[]) } else { (&[], &value) };
        let headers = SignatureHeaders { fluent: fluent.to_vec(), flex: flex.to_vec() };
        Verifier::new(&keys, Md5Policy::AllowAlone).verify(body, &headers).map(drop)
    }
}

fn vectors() -> Vec<Vector> {
    let made = [include_str!("vectors/openssl.json"), include_str!("vectors/jdk.json")];
    made.iter().flat_map(|json| serde_json::from_str::<Vec<Vector>>(json).unwrap()).collect()
}

fn one(algorithm: &str) -> Vector {
    vectors().into_iter().find(|vector| vector.algorithm == algorithm).unwrap()
}

#[test]
fn signatures_of_openssl_and_the_jdk_are_accepted() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 60);
    for vector in vectors {
        let result = vector.verify(&vector.body(), &vector.signature);
        assert_eq!(result, Ok(()), "{} {} {}", vector.maker, vector.algorithm, vector.bits);
    }
}

#[test]
fn a_signature_of_one_algorithm_or_key_is_refused_under_another() {
    let vectors = vectors();
    for pair in vectors.windows(11) {
        let (first, other) = (&pair[0], &pair[10]); // ten vectors a key size
        assert!(first.bits == other.bits || first.verify(&first.body(), &other.signature).is_err());
        let swapped = Vector {
            algorithm: if first.algorithm == "MD5withRSA" { "SHA512withRSA" } else { "MD5withRSA" }
                .to_owned(),
            ..first.clone()
        };
        assert_eq!(swapped.verify(&first.body(), &first.signature), Err(SignatureError::Wrong));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn any_flipped_bit_is_refused(pick in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), bit in 0..8_u8, in_body: bool) {
        let vectors = vectors();
        let vector = &vectors[pick.index(vectors.len())];
        let (mut body, mut signature) = (vector.body(), vector.signature());
        let target = if in_body { &mut body } else { &mut signature };
        let at = at.index(target.len());
        target[at] ^= 1 << bit;
        prop_assert_eq!(vector.verify(&body, &STANDARD.encode(signature)), Err(SignatureError::Wrong));
    }

    #[test]
    fn any_text_as_a_signature_is_refused_and_never_panics(text in "\\PC{0,200}") {
        prop_assert!(one("SHA512withRSA").verify(b"body", &text).is_err());
        prop_assert!(one("MD5withRSA").verify(b"body", &text).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn aws_lc_and_rsa_agree_on_valid_and_damaged_signatures(
        pick in any::<prop::sample::Index>(),
        damage in prop::option::of((any::<prop::sample::Index>(), 1..=255_u8)),
        cut in prop::option::weighted(0.1, 0..200_usize),
    ) {
        let vectors: Vec<_> = vectors().into_iter().filter(|vector| vector.algorithm == "SHA512withRSA").collect();
        let vector = &vectors[pick.index(vectors.len())];
        let mut signature = vector.signature();
        if let Some((at, mask)) = &damage {
            let at = at.index(signature.len());
            signature[at] ^= mask;
        }
        if let Some(cut) = cut {
            signature.truncate(cut);
        }
        let key = RsaPublicKey::from_public_key_der(&STANDARD.decode(&vector.key).unwrap()).unwrap();
        let by_rsa = Signature::try_from(signature.as_slice())
            .is_ok_and(|signature: pkcs1v15::Signature| VerifyingKey::<Sha512>::new(key).verify(&vector.body(), &signature).is_ok());
        let ours = PublicKey::parse(&vector.key).unwrap().verifies_sha512(&vector.body(), &signature);
        prop_assert_eq!(ours, by_rsa);
        prop_assert_eq!(ours, damage.is_none() && cut.is_none_or(|cut| cut >= vector.signature().len()));
    }
}

#[test]
fn fluent_signature_decides_alone_even_when_empty_or_wrong() {
    let md5 = one("MD5withRSA");
    let keys = [Arc::new(PublicKey::parse(&md5.key).unwrap())];
    let body = md5.body();
    let flex = vec![md5.signature.as_bytes()];
    let verify = |fluent: Vec<&[u8]>, policy| {
        let headers = SignatureHeaders { fluent, flex: flex.clone() };
        Verifier::new(&keys, policy).verify(&body, &headers).map(drop)
    };
    assert_eq!(verify(vec![], Md5Policy::AllowAlone), Ok(()));
    assert_eq!(verify(vec![], Md5Policy::Refuse), Err(SignatureError::Md5NotAllowed));
    assert_eq!(verify(vec![b""], Md5Policy::AllowAlone), Err(SignatureError::Wrong));
    assert_eq!(verify(vec![b"AAAA"], Md5Policy::AllowAlone), Err(SignatureError::Wrong));
}

#[test]
fn duplicate_and_malformed_headers_are_refused() {
    let sha = one("SHA512withRSA");
    let keys = [Arc::new(PublicKey::parse(&sha.key).unwrap())];
    let (body, good) = (sha.body(), sha.signature.as_bytes());
    let joined = [good, b",", good].concat();
    let unpadded = sha.signature.trim_end_matches('=').to_owned();
    let url_safe = sha.signature.replace('+', "-").replace('/', "_");
    for (values, error) in [
        (vec![good, good], SignatureError::Duplicate),
        (vec![joined.as_slice()], SignatureError::Duplicate),
        (vec![unpadded.as_bytes()], SignatureError::Malformed),
        (vec![url_safe.as_bytes()], SignatureError::Malformed),
        (vec![b"%%%".as_slice()], SignatureError::Malformed),
    ] {
        let headers = SignatureHeaders { fluent: values, flex: vec![] };
        let result = Verifier::new(&keys, Md5Policy::Refuse).verify(&body, &headers);
        assert_eq!(result.map(drop), Err(error));
    }
}

#[test]
fn without_a_usable_key_everything_is_refused() {
    let sha = one("SHA512withRSA");
    let headers = SignatureHeaders { fluent: vec![sha.signature.as_bytes()], flex: vec![] };
    let result = Verifier::new(&[], Md5Policy::AllowAlone).verify(b"body", &headers);
    assert_eq!(result.map(drop), Err(SignatureError::NoKey));
}

#[test]
fn a_key_is_read_bare_or_as_pem_and_with_any_white_space() {
    let bare = one("SHA512withRSA").key;
    let (first, rest) = bare.split_at(64);
    for text in [
        bare.clone(),
        format!("  {first}\n{rest}\r\n"),
        format!("-----BEGIN PUBLIC KEY-----\n{first}\n{rest}\n-----END PUBLIC KEY-----\n"),
    ] {
        assert!(PublicKey::parse(&text).is_ok(), "{text}");
    }
}

#[test]
fn what_is_not_a_usable_key_is_refused_by_cause() {
    let private = include_str!("vectors/rsa-1024.private.pem");
    assert!(matches!(PublicKey::parse(private), Err(KeyError::WrongPem)));
    assert!(matches!(PublicKey::parse("not base64!"), Err(KeyError::NotBase64(_))));
    assert!(matches!(PublicKey::parse(""), Err(KeyError::Empty)));
    assert!(matches!(PublicKey::parse("AAAA"), Err(KeyError::NotAnRsaKey(_))));
    let small = "MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAKj34GkxFhD90vcNLYLInFEX6Ppy1tPf9Cnzj4p4WGeKLs1Pt8QuKUpRKfFLfRYC9AIKjbJTWit+CqvjWYzvQwECAwEAAQ==";
    assert!(matches!(PublicKey::parse(small), Err(KeyError::Size { bits: 512 })));
}
