//! `check` and `routes`.

use serde_json::Value;

use crate::aws::FakeAws;
use crate::{folder, run};

#[test]
fn a_good_folder_is_fine() {
    let ran = run(&["check", &folder("good")]);
    insta::assert_snapshot!(ran.out);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
}

#[test]
fn everything_that_is_wrong_stands_in_one_report() {
    let ran = run(&["check", &folder("bad")]);
    insta::assert_snapshot!(ran.out);
    assert_eq!((ran.code, ran.err.as_str()), (1, ""));
}

#[test]
fn the_report_is_json_for_scripts() {
    let ran = run(&["check", "--json", &folder("bad")]);
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(ran.code, 1);
    let findings = report["findings"].as_array().unwrap();
    assert_eq!(report["errors"], findings.iter().filter(|finding| finding["level"] == "error").count());
    assert!(
        findings.iter().any(|finding| finding["parameter"] == "endpoints/storefront" && finding["line"] == 3)
    );
}

#[test]
fn routes_tell_why_they_are_inactive() {
    insta::assert_snapshot!(run(&["routes", &folder("good")]).out, @"
    ROUTE                          STATE     MESSAGE                                SOURCE         HANDLER                        PRIORITY  ENDPOINT               WHY
    moves                          inactive  StockMoved, Stock*                     fluent         webhook                        0         warehouse              endpoint paused
    order-status                   active    OrderStatusChange                      any            webhook                        0         storefront
    retired                        inactive  Old*                                   any            webhook                        0         storefront             disabled
    subscriptions/acme-bi          inactive  fluent/Order*, commercetools/*         any            subscription                   0         subscriptions/acme-bi  paused
    subscriptions/archive          inactive  fluent/*                               any            subscription                   0         subscriptions/archive  inactive
    commercetools-category-upsert  active    commercetools.connect.category.upsert  commercetools  commercetools-category-upsert  0         -
    commercetools-customer-upsert  active    commercetools.connect.customer.upsert  commercetools  commercetools-customer-upsert  0         -
    commercetools-order-create     active    commercetools.connect.order.create     commercetools  commercetools-order-create     0         -
    commercetools-product-upsert   active    commercetools.connect.product.upsert   commercetools  commercetools-product-upsert   0         -
    ");
    let ran = run(&["routes", &folder("bad")]);
    insta::assert_snapshot!(ran.out, @r#"
    ROUTE                          STATE     MESSAGE                                SOURCE         HANDLER                        PRIORITY  ENDPOINT                      WHY
    disabled                       inactive  A                                      any            webhook                        0         gone                          disabled
    nowhere                        inactive  A                                      any            webhook                        0         -                             no endpoint
    to-broken                      inactive  A                                      any            webhook                        0         storefront                    endpoint broken
    to-missing                     inactive  A                                      any            webhook                        0         warehose                      endpoint missing
    unknown-handler                inactive  A                                      fluentt        webhok                         -         warehouse                     handler unknown
    subscriptions/no-secret        inactive                                         any            -                              -         -                             broken: unknown key "secret"; did you mean "secrets"?
    subscriptions/unknown-source   active    fluent/*, fluentt/*                    any            subscription                   0         subscriptions/unknown-source
    commercetools-category-upsert  active    commercetools.connect.category.upsert  commercetools  commercetools-category-upsert  0         -
    commercetools-customer-upsert  active    commercetools.connect.customer.upsert  commercetools  commercetools-customer-upsert  0         -
    commercetools-order-create     active    commercetools.connect.order.create     commercetools  commercetools-order-create     0         -
    commercetools-product-upsert   active    commercetools.connect.product.upsert   commercetools  commercetools-product-upsert   0         -
    "#);
    assert_eq!(ran.code, 0);
    let lines: Value = serde_json::from_str(&run(&["--json", "routes", &folder("bad")]).out).unwrap();
    assert_eq!(lines[0]["why"], "disabled");
}

#[test]
fn a_route_with_a_schedule_shows_it_in_place_of_messages() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("routes")).unwrap();
    let route = |name: &str, text: &str| {
        std::fs::write(folder.path().join("routes").join(name), text).unwrap();
    };
    route("nightly.yaml", "handler: ignore\nschedule: { every: 24h, offset: 90m }\n");
    route("by-hand.yaml", "handler: ignore\nschedule: manual\n");
    route("slip.yaml", "handler: ignore\nschedule:\n  every: 90s\n");
    let folder = folder.path().to_str().unwrap();
    insta::assert_snapshot!(run(&["routes", folder]).out, @r#"
    ROUTE                          STATE     MESSAGE                                SOURCE         HANDLER                        PRIORITY  ENDPOINT  WHY
    by-hand                        active    schedule: manual                       -              ignore                         0         -
    nightly                        active    schedule: { every: 24h, offset: 90m }  -              ignore                         0         -
    slip                           inactive                                         any            -                              -         -         broken: "schedule.every" must be whole minutes, from 1m to 744h
    commercetools-category-upsert  active    commercetools.connect.category.upsert  commercetools  commercetools-category-upsert  0         -
    commercetools-customer-upsert  active    commercetools.connect.customer.upsert  commercetools  commercetools-customer-upsert  0         -
    commercetools-order-create     active    commercetools.connect.order.create     commercetools  commercetools-order-create     0         -
    commercetools-product-upsert   active    commercetools.connect.product.upsert   commercetools  commercetools-product-upsert   0         -
    "#);
    let lines: Value = serde_json::from_str(&run(&["--json", "routes", folder]).out).unwrap();
    assert_eq!(lines[0]["schedule"], "manual");
    insta::assert_snapshot!(run(&["check", folder]).out, @r#"
             PARAMETER       LINE  PROBLEM
    error    routes/slip     3     "schedule.every" must be whole minutes, from 1m to 744h
    warning  keys/                 there is no key: unless one is in Parameter Store already, every webhook is refused
    note     routes/by-hand  2     "schedule" starts handler ignore, which is no job: each start is one message, and one that was missed is not caught up
    note     routes/nightly  2     "schedule" starts handler ignore, which is no job: each start is one message, and one that was missed is not caught up
    3 parameters, 1 error, 1 warning, 2 notes
    "#);
}

#[test]
fn a_route_that_does_not_fit_its_handler_says_what_to_change() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("routes")).unwrap();
    let job = "handler: commercetools-location-sync\nprops: { account: ACME }\n";
    for (name, keys) in [
        ("fits.yaml", "schedule: manual\n"),
        ("no-schedule.yaml", "message: LocationChanged\n"),
        ("responds.yaml", "schedule: manual\nrespond: { name: Told }\n"),
        ("fetches.yaml", "schedule: manual\nfetch: { query: '{ me }' }\nenabled: false\n"),
    ] {
        std::fs::write(folder.path().join("routes").join(name), format!("{job}{keys}")).unwrap();
    }
    let folder = folder.path().to_str().unwrap();
    insta::assert_snapshot!(run(&["check", folder]).out, @r#"
             PARAMETER           LINE  PROBLEM
    error    routes/no-schedule  1     "handler" names commercetools-location-sync, which is a job: its route needs a schedule in place of message (schedule: manual leaves the start to people)
    error    routes/responds     4     "respond" does nothing here, take it out: handler commercetools-location-sync is a job, which asks and answers by itself
    warning  keys/                     there is no key: unless one is in Parameter Store already, every webhook is refused
    warning  routes/fetches      4     "fetch" does nothing here, take it out: handler commercetools-location-sync is a job, which asks and answers by itself
    4 parameters, 2 errors, 2 warnings, 0 notes
    "#);
    insta::assert_snapshot!(run(&["routes", folder]).out, @r#"
    ROUTE                          STATE     MESSAGE                                SOURCE         HANDLER                        PRIORITY  ENDPOINT  WHY
    fetches                        inactive  schedule: manual                       -              commercetools-location-sync    0         -         disabled
    fits                           active    schedule: manual                       -              commercetools-location-sync    0         -
    no-schedule                    inactive  LocationChanged                        any            commercetools-location-sync    0         -         "handler" names commercetools-location-sync, which is a job: its route needs a schedule in place of message (schedule: manual leaves the start to people)
    responds                       inactive  schedule: manual                       -              commercetools-location-sync    0         -         "respond" does nothing here, take it out: handler commercetools-location-sync is a job, which asks and answers by itself
    commercetools-category-upsert  active    commercetools.connect.category.upsert  commercetools  commercetools-category-upsert  0         -
    commercetools-customer-upsert  active    commercetools.connect.customer.upsert  commercetools  commercetools-customer-upsert  0         -
    commercetools-order-create     active    commercetools.connect.order.create     commercetools  commercetools-order-create     0         -
    commercetools-product-upsert   active    commercetools.connect.product.upsert   commercetools  commercetools-product-upsert   0         -
    "#);
}

#[test]
fn no_secret_of_a_folder_is_shown() {
    for name in ["good", "bad"] {
        for command in ["check", "routes"] {
            for json in [&["--json"][..], &[]] {
                let ran = run(&[&[command, &folder(name)], json].concat());
                assert!(
                    !ran.out.contains("MARKED") && !ran.err.contains("MARKED"),
                    "{} {}",
                    ran.out,
                    ran.err
                );
            }
        }
    }
}

#[test]
fn what_parameter_store_would_refuse_is_told_before() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("endpoints")).unwrap();
    let endpoint = "# where to\nurl: https://shop.example/{{ event.entityRef }}/status\n";
    std::fs::write(folder.path().join("endpoints/shop.yaml"), endpoint).unwrap();
    let ran = run(&["check", folder.path().to_str().unwrap()]);
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("2     holds {{ }}: Parameter Store refuses it"), "{}", ran.out);
}

#[test]
fn what_is_stored_is_checked_to_its_last_page() {
    let key = testkit::signing::DEVELOPMENT_PUBLIC_KEY;
    let aws = FakeAws::with(&[
        ("/p/keys/a", "String", key),
        (
            "/p/endpoints/in-the-clear",
            "String",
            "url: https://a.example\nauth: { type: bearer, token: MARKED }",
        ),
        (
            "/p/endpoints/encrypted",
            "SecureString",
            "url: https://a.example\nauth: { type: bearer, token: MARKED }",
        ),
        ("/p/endpoints/too/deep", "String", "https://a.example"),
        ("/p/jobs/commercetools-inventory-sync", "String", "lastEndDate: 2026-11-20T08:30:00Z"),
        ("/p/routes/a", "String", "message: a\nendpoint: encrypted"),
        ("/p/routes/b", "String", "message: a\nendpoint: in-the-clear"),
        ("/p/routes/z", "String", "message: a\nendpoint: encryptd"),
    ]);
    let ran = aws.run(&["check", "--prefix", "/p/"]);
    insta::assert_snapshot!(ran.out, @r#"
         PARAMETER               LINE  PROBLEM
error    routes/z                2     "endpoint" names "encryptd", which is missing; did you mean "encrypted"?
warning  endpoints/in-the-clear        holds secrets and is stored as String: store it as SecureString
warning  endpoints/too/deep            is never read: the connector reads <area>/<name>
6 parameters, 1 error, 2 warnings, 0 notes
"#);
    assert_eq!(ran.code, 1, "{}", ran.err);
}

#[test]
fn what_stands_in_the_wrong_place_or_twice_is_told_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let project = "authUrl: https://auth.example\napiUrl: https://api.example\nclientId: a\nclientSecret: MARKED\naccountId: ACNE\nretailerId: 1\n";
    let account = "baseUrl: https://acme.example\nusername: a\npassword: MARKED\nclientId: a\nclientSecret: MARKED\nretailerId: 1\n";
    write("accounts/ACME.yaml", account);
    write("commercetools/shop.yaml", project);
    write(
        "commercetools/doubled.yaml",
        &project.replace("api.example", "api.example/doubled").replace("ACNE", "ACME"),
    );
    write("endpoints/storefront.yaml", "https://shop.example");
    write("routes/by-file.yaml", "message: A\nendpoint: storefront.yaml\n");
    write("jobs/nightly.yaml", "schedule: { every: 5m }\n");
    insta::assert_snapshot!(run(&["check", folder.path().to_str().unwrap()]).out);
}
