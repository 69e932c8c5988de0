//! Accounts: access to Fluent's API.

use crate::{ACCOUNT, account};

fn with(from: &str, to: &str) -> String {
    assert!(ACCOUNT.contains(from), "{from}");
    account(&ACCOUNT.replace(from, to))
}

#[test]
fn accounts() {
    insta::assert_snapshot!(account(""), @"the document is empty: it needs keys and values, such as baseUrl: …");
    insta::assert_snapshot!(account("hunter2"), @"the document must be a mapping of keys to values, such as baseUrl: …; write one a line");
    insta::assert_snapshot!(account("https://acme.example"), @"the document must be a mapping of keys to values, such as baseUrl: …; a URL alone is no such document");
    insta::assert_snapshot!(account("baseUrl: https://acme.example\nusername: a\npassword: hunter2"), @r#"key "clientId" is missing"#);
    insta::assert_snapshot!(with("baseUrl", "baseURL"), @r#"unknown key "baseURL"; did you mean "baseUrl"?"#);
    insta::assert_snapshot!(with("baseUrl", "url"), @r#"unknown key "url"; did you mean "baseUrl"?"#);
    insta::assert_snapshot!(with("clientId", "client_id"), @r#"unknown key "client_id"; did you mean "clientId"?"#);
    insta::assert_snapshot!(with("clientSecret", "client-secret"), @r#"unknown key "client-secret"; did you mean "clientSecret"?"#);
    insta::assert_snapshot!(with("username", "user"), @r#"unknown key "user"; did you mean "username"?"#);
    insta::assert_snapshot!(with("retailerId", "retailer"), @r#"unknown key "retailer"; did you mean "retailerId"?"#);
    insta::assert_snapshot!(with("https://acme.example", "acme.example/hunter2"), @r#""baseUrl" is not an absolute URL such as https://shop.example/orders"#);
    insta::assert_snapshot!(with("https://acme.example", "https://a:hunter2@acme.example"), @r#""baseUrl" holds a user or password: take them out of the URL, they have keys of their own"#);
    insta::assert_snapshot!(with("https://acme.example", "https://acme.example?x=hunter2"), @r#""baseUrl" has a query: give the host alone"#);
    insta::assert_snapshot!(with("https://acme.example", "https://{{ account }}.example"), @r#""baseUrl" holds a brace: a template is written ${ event.entityRef }, and stands in url and headers alone"#);
    insta::assert_snapshot!(with("https://acme.example", "https://acme.example/graphql"), @r#""baseUrl" has the path of one call: give the host alone"#);
    insta::assert_snapshot!(with("https://acme.example", "https://acme.example/oauth/token"), @r#""baseUrl" has the path of one call: give the host alone"#);
    insta::assert_snapshot!(with("\"b\"", "12345"), @r#""password" must be text: put it in quotes"#);
    insta::assert_snapshot!(with("\"b\"", "\"\""), @r#""password" must be a text that is not empty"#);
    insta::assert_snapshot!(with("\"b\"", "null"), @r#"key "password" is missing"#);
    insta::assert_snapshot!(with("\"b\"", "[\"hunter2\"]"), @r#""password" must be one text, not a list"#);
    insta::assert_snapshot!(with("\"b\"", "hunter2: x"), @r#"cannot be read as YAML (line 1, column 73): in JSON a comma stands between two entries, and texts stand in ""#);
    insta::assert_snapshot!(with("\"b\"", "\"hunter2\"\""), @r#"cannot be read as YAML (line 1, column 75): "baseUrl": a quote or a bracket is not closed, or one too many: put a value that holds one in quotes"#);
    insta::assert_snapshot!(with("\"1\"", "1.5"), @r#""retailerId" must be text: put it in quotes"#);
    insta::assert_snapshot!(with("\"1\"", "[1, 2]"), @r#""retailerId" must be one text, not a list"#);
    insta::assert_snapshot!(with("\"1\"", "-1"), @r#""retailerId" must be text: put it in quotes"#);
    insta::assert_snapshot!(with("\"1\"}", "\"1\", \"apiKey\": \"hunter2\"}"), @r#"unknown key "apiKey"; known are baseUrl, username, password, clientId, clientSecret, retailerId"#);
}
