//! Access to a Fluent account's API, as `{prefix}/accounts/{accountId}` says.

use crate::document::{Document, DocumentError};
use crate::endpoint_url::EndpointUrl;
use crate::grant::{Grant, PasswordCredentials};

/// Every key of an account; all are required.
pub const KEYS: [&str; 6] = ["baseUrl", "username", "password", "clientId", "clientSecret", "retailerId"];
/// What Fluent's tokens are for (Fluent's documentation of `/oauth/token`).
const SCOPE: &str = "api";

/// A Fluent account: where its API is, how a token is had, and which retailer is meant where nothing else is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    base: EndpointUrl,
    retailer: String,
    grant: Grant,
}

impl Account {
    /// Reads an account's document.
    ///
    /// # Errors
    /// [`DocumentError`] names the key; no value is shown.
    pub fn parse(text: &str) -> Result<Self, DocumentError> {
        let mut document = Document::parse(text.trim_start_matches('\u{feff}'), &KEYS)?;
        let base = base(&mut document)?;
        let credentials = PasswordCredentials {
            token_url: base.below("/oauth/token"),
            username: document.required_text("username")?,
            password: document.required_secret("password")?,
            client_id: document.required_text("clientId")?,
            client_secret: document.required_secret("clientSecret")?,
            scope: SCOPE.to_owned(),
        };
        let retailer = document.required_id("retailerId")?;
        Ok(Self { base, retailer, grant: Grant::Password(credentials) })
    }

    /// The URL of a path of its API, which begins with a slash.
    #[must_use]
    pub fn url(&self, path: &str) -> EndpointUrl {
        self.base.below(path)
    }

    /// The retailer's id.
    #[must_use]
    pub fn retailer(&self) -> &str {
        &self.retailer
    }

    /// How its access token is had.
    #[must_use]
    pub fn grant(&self) -> &Grant {
        &self.grant
    }
}

fn base(document: &mut Document) -> Result<EndpointUrl, DocumentError> {
    let text = document.required_text("baseUrl")?;
    let url =
        EndpointUrl::parse(text.trim()).map_err(|error| document.unusable("baseUrl", error.to_string()))?;
    let path = url.as_url().path().trim_end_matches('/');
    if url.as_url().query().is_some() {
        return Err(document.unusable("baseUrl", "has a query: give the host alone"));
    }
    if ["/graphql", "/oauth/token", "/event/async", "/event/sync"].iter().any(|end| path.ends_with(end)) {
        return Err(document.unusable("baseUrl", "has the path of one call: give the host alone"));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::Account;
    use crate::grant::Grant;

    const FULL: &str = "
baseUrl: https://acme.api.fluentretail.com/
username: acme_api
password: hunter2-password
clientId: ACME
clientSecret: hunter2-client
retailerId: 1
";

    fn error(text: &str) -> String {
        Account::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn an_account_is_read_and_shows_no_secret() {
        let account = Account::parse(FULL).unwrap();
        assert_eq!(account.url("/graphql").as_url().as_str(), "https://acme.api.fluentretail.com/graphql");
        assert_eq!(account.retailer(), "1");
        let Grant::Password(credentials) = account.grant() else { panic!("Fluent has the password grant") };
        assert_eq!(credentials.token_url.as_url().as_str(), "https://acme.api.fluentretail.com/oauth/token");
        assert_eq!((credentials.username.as_str(), credentials.client_id.as_str()), ("acme_api", "ACME"));
        assert_eq!(account.grant().secrets(), ["hunter2-password", "hunter2-client"]);
        assert!(!format!("{account:?}").contains("hunter2"), "{account:?}");
    }

    #[test]
    fn a_retailer_may_be_text_and_the_base_may_have_a_path_or_no_slash() {
        for (base, retailer) in [("https://a.example", "\"1\""), ("https://a.example///", "'1'")] {
            let text = FULL.replace("https://acme.api.fluentretail.com/", base);
            let account = Account::parse(&text.replace("retailerId: 1", &format!("retailerId: {retailer}")));
            let account = account.unwrap();
            assert_eq!(account.url("/graphql").as_url().as_str(), "https://a.example/graphql");
            assert_eq!(account.retailer(), "1");
        }
        let proxied = Account::parse(&FULL.replace(".com/", ".com/fluent/")).unwrap();
        assert_eq!(proxied.url("/graphql").as_url().path(), "/fluent/graphql");
        let json = r#"{"baseUrl": "https://a.example", "username": "a", "password": "b", "clientId": "c", "clientSecret": "d", "retailerId": 18446744073709551615}"#;
        assert_eq!(Account::parse(json).unwrap().retailer(), "18446744073709551615");
    }

    #[test]
    fn a_broken_account_says_what_is_wrong_and_shows_no_value() {
        let with = |from: &str, to: &str| error(&FULL.replace(from, to));
        insta::assert_snapshot!(error(""), @"the document is empty: it needs keys and values, such as baseUrl: …");
        insta::assert_snapshot!(with("clientSecret: hunter2-client", ""), @r#"key "clientSecret" is missing"#);
        insta::assert_snapshot!(with("password:", "pasword:"), @r#"unknown key "pasword" (line 4); did you mean "password"?"#);
        insta::assert_snapshot!(with("hunter2-password", "123456"), @r#""password" (line 4) must be text: put it in quotes"#);
        insta::assert_snapshot!(with("retailerId: 1", "retailerId: 1.5"), @r#""retailerId" (line 7) must be text: put it in quotes"#);
        insta::assert_snapshot!(with("retailerId: 1", "retailerId: [hunter2]"), @r#""retailerId" (line 7) must be one text, not a list"#);
        insta::assert_snapshot!(with("retailerId: 1", ""), @r#"key "retailerId" is missing"#);
        insta::assert_snapshot!(with("https://", "ftp://"), @r#""baseUrl" (line 2) must begin with https:// (or http://, to an allowed network)"#);
        insta::assert_snapshot!(with("https://", "https://a:hunter2@"), @r#""baseUrl" (line 2) holds a user or password: take them out of the URL, they have keys of their own"#);
        insta::assert_snapshot!(with(".com/", ".com/?a=hunter2"), @r#""baseUrl" (line 2) has a query: give the host alone"#);
    }
}
