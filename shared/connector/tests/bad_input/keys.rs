//! Fluent's public keys.

use testkit::signing::DEVELOPMENT_PUBLIC_KEY as GOOD;

use crate::key;

fn pem(kind: &str, body: &str) -> String {
    format!("-----BEGIN {kind}-----\n{body}\n-----END {kind}-----\n")
}

/// The good key without armour.
fn bare() -> String {
    GOOD.lines().filter(|line| !line.starts_with("-----")).collect()
}

/// Its beginning, as a broken copy leaves it.
fn first(characters: usize) -> String {
    bare().chars().take(characters).collect()
}

#[test]
fn keys() {
    insta::assert_snapshot!(key(""), @"the key is empty: give Fluent's public key, bare base64 or PEM");
    insta::assert_snapshot!(key(" \n"), @"the key is empty: give Fluent's public key, bare base64 or PEM");
    insta::assert_snapshot!(key("hunter2"), @"the key is neither bare base64 nor one block of PEM with BEGIN PUBLIC KEY: paste the whole key and nothing else, no quotes, names or further lines: Invalid padding");
    insta::assert_snapshot!(key("https://keys.example/hunter2"), @"the key is neither bare base64 nor one block of PEM with BEGIN PUBLIC KEY: paste the whole key and nothing else, no quotes, names or further lines: Invalid symbol 58, offset 5.");
    insta::assert_snapshot!(key(&format!("\"{}\"", bare())), @"the key is neither bare base64 nor one block of PEM with BEGIN PUBLIC KEY: paste the whole key and nothing else, no quotes, names or further lines: Invalid symbol 34, offset 0.");
    insta::assert_snapshot!(key(&format!("key: {}", bare())), @"the key is neither bare base64 nor one block of PEM with BEGIN PUBLIC KEY: paste the whole key and nothing else, no quotes, names or further lines: Invalid symbol 58, offset 3.");
    insta::assert_snapshot!(key(&first(60)), @"the key is not one whole RSA public key in X.509 SubjectPublicKeyInfo form (MIGf… or MIIB…): paste all of it, once: ASN.1 error: ASN.1 DER message is incomplete: expected 162, actual 45 at DER byte 3");
    insta::assert_snapshot!(key(&first(61)), @"the key is neither bare base64 nor one block of PEM with BEGIN PUBLIC KEY: paste the whole key and nothing else, no quotes, names or further lines: Invalid input length: 61");
    insta::assert_snapshot!(key(&bare().split_off(1)), @"the key is neither bare base64 nor one block of PEM with BEGIN PUBLIC KEY: paste the whole key and nothing else, no quotes, names or further lines: Invalid padding");
    insta::assert_snapshot!(key(&format!("{}{}", bare(), bare())), @"the key is not one whole RSA public key in X.509 SubjectPublicKeyInfo form (MIGf… or MIIB…): paste all of it, once: ASN.1 error: trailing data at end of DER message: decoded 162 bytes, 162 bytes remaining at DER byte 162");
    insta::assert_snapshot!(key(&bare().replace(['+', '/'], "-")), @"the key is neither bare base64 nor one block of PEM with BEGIN PUBLIC KEY: paste the whole key and nothing else, no quotes, names or further lines: Invalid symbol 45, offset 39.");
    insta::assert_snapshot!(key(&pem("RSA PUBLIC KEY", &bare())), @"the PEM block is not one whole PUBLIC KEY, from BEGIN to END: give the X.509 public key, not a certificate, another form of key or a private key");
    insta::assert_snapshot!(key(&pem("PRIVATE KEY", "hunter2")), @"the PEM block is not one whole PUBLIC KEY, from BEGIN to END: give the X.509 public key, not a certificate, another form of key or a private key");
    insta::assert_snapshot!(key(&pem("RSA PRIVATE KEY", "hunter2")), @"the PEM block is not one whole PUBLIC KEY, from BEGIN to END: give the X.509 public key, not a certificate, another form of key or a private key");
    insta::assert_snapshot!(key(&pem("CERTIFICATE", "hunter2")), @"the PEM block is not one whole PUBLIC KEY, from BEGIN to END: give the X.509 public key, not a certificate, another form of key or a private key");
    insta::assert_snapshot!(key("ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQhunter2 ops@acme.example"), @"the key is neither bare base64 nor one block of PEM with BEGIN PUBLIC KEY: paste the whole key and nothing else, no quotes, names or further lines: Invalid symbol 45, offset 3.");
    insta::assert_snapshot!(key(GOOD.replace("-----END PUBLIC KEY-----", "").trim()), @"the PEM block is not one whole PUBLIC KEY, from BEGIN to END: give the X.509 public key, not a certificate, another form of key or a private key");
    insta::assert_snapshot!(key(&bare().replace("MI", "-----BEGIN PUBLIC KEY-----MI")), @"the PEM block is not one whole PUBLIC KEY, from BEGIN to END: give the X.509 public key, not a certificate, another form of key or a private key");
    insta::assert_snapshot!(key(&format!("Fluent sandbox key\n{}", pem("PUBLIC KEY", "hunter2"))), @"the key is neither bare base64 nor one block of PEM with BEGIN PUBLIC KEY: paste the whole key and nothing else, no quotes, names or further lines: Invalid symbol 45, offset 68.");
    insta::assert_snapshot!(key(&format!("{GOOD}\n{GOOD}")), @"the key is neither bare base64 nor one block of PEM with BEGIN PUBLIC KEY: paste the whole key and nothing else, no quotes, names or further lines: Invalid symbol 45, offset 216.");
    insta::assert_snapshot!(key("MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAM0abOB4nl4jYnXSluwNhT3SnCv8C4WnHl59bJ9pq4PF3/UBKB09kJ/IguhMi1v4CxZAfPFpcB/th4psZJLZFWsCAwEAAQ=="), @"the key has 512 bits; 1024 to 4096 are accepted");
    insta::assert_snapshot!(key("MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE72oOUyj8p9ZJRu7wmyG45dnPobwlv8iJ/dbwE6lvEMVJJToTvUOrjIyDFzMeUdCTiyS0mzX1YD07x1FhT9SvNQ=="), @"the key is of another algorithm than RSA, by which Fluent signs: is it Fluent's key?");
    insta::assert_snapshot!(key("MCowBQYDK2VwAyEAVbQ6Im1+bkVJqz15CeGNmXspXg0eguZ8WCyekCwG6i4="), @"the key is of another algorithm than RSA, by which Fluent signs: is it Fluent's key?");
    insta::assert_snapshot!(key("MIGJAoGBAL9rSUPIH6uNovfuEd8EhY/ArPKiTiI4zG9RhF5xd3Ld10o17w8kRVlsZccDymw8dK8LUeDwq7e7FmjHCZfJq5T3aCyS9X3qi+QJ/F6DJbsvmr/cYbDf5ZRDIkJbMetU6BtRw67HZGIroNMJTDsHo2a2BtHTDBedIXx02JY8w6MDAgMBAAE="), @"the key is not one whole RSA public key in X.509 SubjectPublicKeyInfo form (MIGf… or MIIB…): paste all of it, once: ASN.1 error: unexpected ASN.1 DER tag: expected SEQUENCE, got INTEGER at DER byte 3");
}
