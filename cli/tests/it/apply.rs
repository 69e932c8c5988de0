//! `apply`, against a fake Parameter Store.

use serde_json::Value;

use crate::aws::FakeAws;
use crate::folder;

fn half_deployed() -> FakeAws {
    FakeAws::with(&[
        ("/p/accounts/ACME", "SecureString", "username: connector\npassword: MARKED-old"),
        ("/p/endpoints/storefront", "String", "https://old.example/orders"),
        (
            "/p/endpoints/warehouse",
            "String",
            "url: https://warehouse.example/moves\nauth: { type: bearer, token: MARKED-old }",
        ),
        ("/p/routes/gone", "String", "message: Gone\nendpoint: storefront"),
    ])
}

#[test]
fn the_difference_is_shown_without_any_secret_and_nothing_is_written() {
    let aws = half_deployed();
    let ran = aws.run(&["apply", &folder("good"), "--prefix", "/p"]);
    insta::assert_snapshot!(ran.out);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert!(aws.state.lock().unwrap().calls.iter().all(|call| call.starts_with("GetParametersByPath")));
    assert!(!ran.out.contains("MARKED"));
    let json = aws.run(&["apply", &folder("good"), "--prefix", "/p", "--json"]).out;
    assert_eq!(serde_json::from_str::<Value>(&json).unwrap()["written"], false);
    assert!(!json.contains("MARKED"));
}

#[test]
fn what_was_shown_is_written_secrets_encrypted_and_then_nothing_is_left_to_do() {
    let aws = half_deployed();
    let ran = aws.run(&["apply", &folder("good"), "--prefix", "/p", "--yes", "--prune"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(!ran.out.contains("MARKED"));
    let mut state = aws.state.lock().unwrap();
    let writes: Vec<_> = state.calls.iter().filter(|call| !call.starts_with("Get")).cloned().collect();
    insta::assert_snapshot!(writes.join("\n"), @r"
PutParameter /p/keys/development String -
PutParameter /p/accounts/ACME SecureString -
PutParameter /p/sources/commercetools SecureString -
PutParameter /p/sources/fynd SecureString -
PutParameter /p/endpoints/storefront String -
DeleteParameter /p/endpoints/warehouse - -
PutParameter /p/endpoints/warehouse SecureString -
PutParameter /p/routes/moves String -
PutParameter /p/routes/order-status String -
PutParameter /p/routes/retired String -
PutParameter /p/subscriptions/acme-bi SecureString -
PutParameter /p/subscriptions/archive SecureString -
DeleteParameter /p/routes/gone - -
");
    assert_eq!(state.parameters["/p/endpoints/storefront"].1, "https://shop.example/orders");
    state.calls.clear();
    drop(state);
    let again = aws.run(&["apply", &folder("good"), "--prefix", "/p", "--yes", "--prune"]);
    assert!(again.out.ends_with("nothing to do\n"), "{}", again.out);
}

#[test]
fn pruning_takes_nothing_of_a_part_that_the_folder_lacks_and_never_the_last_key() {
    let aws = FakeAws::with(&[
        ("/p/keys/production", "String", testkit::signing::DEVELOPMENT_PUBLIC_KEY),
        ("/p/routes/gone", "String", "message: Gone\nendpoint: x"),
    ]);
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("routes")).unwrap();
    let apply = ["apply", folder.path().to_str().unwrap(), "--prefix", "/p", "--yes", "--prune"];
    assert_eq!(aws.run(&apply).code, 0);
    assert_eq!(aws.state.lock().unwrap().parameters.keys().collect::<Vec<_>>(), ["/p/keys/production"]);
    std::fs::create_dir(folder.path().join("keys")).unwrap();
    let ran = aws.run(&apply);
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("there is no usable key"), "{}", ran.out);
    assert_eq!(aws.state.lock().unwrap().parameters.len(), 1);
}

#[test]
fn what_is_broken_is_refused_unless_it_is_forced() {
    let aws = FakeAws::start();
    let ran = aws.run(&["apply", &folder("bad"), "--prefix", "/p", "--yes"]);
    assert_eq!(ran.code, 1);
    assert!(aws.state.lock().unwrap().parameters.is_empty());
    assert!(!ran.out.contains("MARKED") && ran.out.contains("nothing was written: mend "), "{}", ran.out);
    let ran = aws.run(&["apply", &folder("bad"), "--prefix", "/p", "--yes", "--force"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(!ran.out.contains("MARKED"), "{}", ran.out);
    let state = aws.state.lock().unwrap();
    assert_eq!(
        state.parameters["/p/endpoints/storefront"].0, "SecureString",
        "a broken endpoint may hold secrets"
    );
}

fn account(password: &str) -> String {
    format!(
        "{{ baseUrl: https://acme.api.example, username: u, password: {password}, clientId: c, clientSecret: MARKED-s, retailerId: 1 }}"
    )
}

#[test]
fn a_refused_write_does_not_show_the_value_that_aws_may_quote() {
    let aws = FakeAws::start();
    aws.state.lock().unwrap().refusal = Some("Value 'password: MARKED' failed to satisfy".to_owned());
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("accounts")).unwrap();
    std::fs::write(folder.path().join("accounts/ACME.yaml"), account("MARKED")).unwrap();
    let ran = aws.run(&["apply", folder.path().to_str().unwrap(), "--prefix", "/p", "--yes"]);
    assert_eq!(ran.code, 2);
    insta::assert_snapshot!(ran.err, @r"error: 0 of 1 changes were made before this; apply again to go on: /p/accounts/ACME was not written: ValidationException");
}

#[test]
fn a_large_document_becomes_an_advanced_parameter() {
    let aws = FakeAws::start();
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("accounts")).unwrap();
    std::fs::write(folder.path().join("accounts/ACME.yaml"), account(&"x".repeat(4_096))).unwrap();
    let ran = aws.run(&["apply", folder.path().to_str().unwrap(), "--prefix", "/p", "--yes"]);
    assert!(ran.out.contains("an Advanced parameter, which AWS charges for"), "{}", ran.out);
    let calls = aws.state.lock().unwrap().calls.join("\n");
    assert!(calls.contains("PutParameter /p/accounts/ACME SecureString Advanced"), "{calls}");
}
