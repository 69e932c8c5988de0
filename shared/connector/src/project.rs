//! Access to a project of commercetools, as `{prefix}/commercetools/{projectKey}` says, and the Fluent account that it
//! belongs to.

use crate::document::{Document, DocumentError};
use crate::endpoint_url::EndpointUrl;
use crate::failure::chain;
use crate::grant::{ClientCredentials, Grant};

/// Every key of the document.
pub const KEYS: [&str; 7] =
    ["authUrl", "apiUrl", "clientId", "clientSecret", "scopes", "accountId", "retailerId"];
/// What the shared client's calls need (commercetools' API reference, `securedBy`); each for the project alone. Stock is
/// among the products: there is no narrower scope to write it.
pub const DEFAULT_SCOPES: [&str; 4] = ["manage_orders", "manage_products", "view_customers", "view_messages"];

/// Where commercetools gives tokens (its HTTP API reference, "Authorization").
const TOKEN_PATH: &str = "/oauth/token";

/// A project of commercetools: where its API is, how a token is had, and which account and retailer it is in Fluent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    key: String,
    api: EndpointUrl,
    account_id: String,
    retailer: String,
    grant: Grant,
}

/// Why a parameter is no project.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProjectError {
    /// The parameter's name would not do as a part of a URL.
    #[error("its name is no project key: letters, digits, hyphens and underscores")]
    Key,
    /// Its document is wrong.
    #[error(transparent)]
    Document(#[from] DocumentError),
}

impl Project {
    /// Reads the document of the project with this key.
    ///
    /// # Errors
    /// [`ProjectError`] names what is wrong; no value is shown.
    pub fn parse(key: &str, text: &str) -> Result<Self, ProjectError> {
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)) {
            return Err(ProjectError::Key);
        }
        let mut document = Document::parse(text.trim_start_matches('\u{feff}'), &KEYS)?;
        let api = base(&mut document, "apiUrl", &format!("/{key}"))?;
        let credentials = ClientCredentials {
            token_url: base(&mut document, "authUrl", TOKEN_PATH)?.below(TOKEN_PATH),
            client_id: document.required_text("clientId")?,
            client_secret: document.required_secret("clientSecret")?,
            scope: Some(scope(&mut document, key)?),
        };
        let account_id = document.required_id("accountId")?;
        let retailer = document.required_id("retailerId")?;
        Ok(Self {
            key: key.to_owned(),
            api,
            account_id,
            retailer,
            grant: Grant::ClientCredentials(credentials),
        })
    }

    /// The key by which commercetools knows it.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The URL of this path below the project, with this query; `None` where a segment of the path names nothing.
    #[must_use]
    pub fn url(&self, path: &[&str], query: &[(&str, &str)]) -> Option<EndpointUrl> {
        self.api.at(&[&[self.key.as_str()], path].concat(), query)
    }

    /// The id of the Fluent account that it belongs to.
    #[must_use]
    pub fn account_id(&self) -> &str {
        &self.account_id
    }

    /// The retailer's id in that account.
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

/// The URL of a host; `end` is what the connector puts behind it.
fn base(document: &mut Document, key: &str, end: &str) -> Result<EndpointUrl, DocumentError> {
    let text = document.required_text(key)?;
    let url = EndpointUrl::parse(text.trim()).map_err(|error| document.unusable(key, chain(&error)))?;
    if url.as_url().query().is_some() {
        return Err(document.unusable(key, "has a query: give the host alone"));
    }
    if url.as_url().path().trim_end_matches('/').ends_with(end) {
        let problem = format!("ends in {end}, which the connector puts there itself: give the host alone");
        return Err(document.unusable(key, problem));
    }
    Ok(url)
}

/// The scopes in one text, as a token is asked for them (RFC 6749, 3.3).
fn scope(document: &mut Document, key: &str) -> Result<String, DocumentError> {
    let scopes = document.texts("scopes")?;
    let scopes = scopes.unwrap_or_else(|| DEFAULT_SCOPES.map(|scope| format!("{scope}:{key}")).to_vec());
    if scopes.is_empty() {
        return Err(document.unusable("scopes", "must hold at least one scope, or be left out"));
    }
    let is_one = |scope: &String| scope.contains(':') && !scope.contains(char::is_whitespace);
    if !scopes.iter().all(is_one) {
        return Err(document.unusable("scopes", format!("must each be like view_orders:{key}")));
    }
    Ok(scopes.join(" "))
}

#[cfg(test)]
mod tests {
    use super::Project;
    use crate::grant::Grant;

    const FULL: &str = "
authUrl: https://auth.europe-west1.gcp.commercetools.com
apiUrl: https://api.europe-west1.gcp.commercetools.com/
clientId: connect
clientSecret: hunter2-secret
accountId: ACME
retailerId: 1
";

    fn error(text: &str) -> String {
        Project::parse("acme-shop", text).unwrap_err().to_string()
    }

    #[test]
    fn what_the_connector_puts_behind_a_host_stands_there_once() {
        for (host, twice, says) in [
            (
                "gcp.commercetools.com/\n",
                "gcp.commercetools.com/acme-shop/\n",
                "\"apiUrl\" (line 3) ends in /acme-shop,",
            ),
            (
                "commercetools.com\napi",
                "commercetools.com/oauth/token\napi",
                "\"authUrl\" (line 2) ends in /oauth/token,",
            ),
        ] {
            let error = error(&FULL.replace(host, twice));
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn a_project_is_read_and_shows_no_secret() {
        let project = Project::parse("acme-shop", FULL).unwrap();
        assert_eq!((project.key(), project.account_id(), project.retailer()), ("acme-shop", "ACME", "1"));
        let Grant::ClientCredentials(credentials) = project.grant() else {
            panic!("commercetools has these")
        };
        let token_url = credentials.token_url.as_url().as_str();
        assert_eq!(token_url, "https://auth.europe-west1.gcp.commercetools.com/oauth/token");
        assert_eq!(
            credentials.scope.as_deref(),
            Some(
                "manage_orders:acme-shop manage_products:acme-shop view_customers:acme-shop view_messages:acme-shop"
            )
        );
        assert!(!format!("{project:?}").contains("hunter2"), "{project:?}");
    }

    #[test]
    fn a_url_is_below_the_project_and_no_part_of_it_can_leave_it() {
        let project = Project::parse("acme-shop", FULL).unwrap();
        let url = |path: &[&str], query: &[(&str, &str)]| {
            let url = project.url(path, query)?;
            Some(
                url.as_url()
                    .as_str()
                    .strip_prefix("https://api.europe-west1.gcp.commercetools.com")?
                    .to_owned(),
            )
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(url(&["orders", "o-1"], &[]), some("/acme-shop/orders/o-1"));
        assert_eq!(
            url(&["orders", "../x?y#z%2F ü"], &[]),
            some("/acme-shop/orders/..%2Fx%3Fy%23z%252F%20%C3%BC")
        );
        let query = [("where", "sku = \"a&b+c\""), ("limit", "1")];
        assert_eq!(
            url(&["inventory"], &query),
            some("/acme-shop/inventory?where=sku%20%3D%20%22a%26b%2Bc%22&limit=1")
        );
        for nothing in ["", ".", ".."] {
            assert_eq!(url(&["orders", nothing], &[]), None);
        }
        let proxied = Project::parse("acme-shop", &FULL.replace(".com/", ".com/ct/")).unwrap();
        assert_eq!(proxied.url(&["orders"], &[]).unwrap().as_url().path(), "/ct/acme-shop/orders");
    }

    #[test]
    fn scopes_may_be_chosen() {
        let text = format!("{FULL}scopes: ['view_orders:acme-shop', 'view_customers:acme-shop:berlin']");
        let project = Project::parse("acme-shop", &text).unwrap();
        let Grant::ClientCredentials(credentials) = project.grant() else {
            panic!("commercetools has these")
        };
        assert_eq!(
            credentials.scope.as_deref(),
            Some("view_orders:acme-shop view_customers:acme-shop:berlin")
        );
    }

    #[test]
    fn a_broken_project_says_what_is_wrong_and_shows_no_value() {
        let with = |from: &str, to: &str| error(&FULL.replace(from, to));
        for key in ["", "a/b", "a b", ".."] {
            insta::allow_duplicates! {
                insta::assert_snapshot!(Project::parse(key, FULL).unwrap_err(), @"its name is no project key: letters, digits, hyphens and underscores");
            }
        }
        insta::assert_snapshot!(with("clientSecret: hunter2-secret", ""), @r#"key "clientSecret" is missing"#);
        insta::assert_snapshot!(with("authUrl", "authURL"), @r#"unknown key "authURL" (line 2); did you mean "authUrl"?"#);
        insta::assert_snapshot!(with("hunter2-secret", "123456"), @r#""clientSecret" (line 5) must be text: put it in quotes"#);
        insta::assert_snapshot!(with("https://api", "ftp://api"), @r#""apiUrl" (line 3) must begin with https:// (or http://, to an allowed network)"#);
        insta::assert_snapshot!(with(".com/", ".com/?a=hunter2"), @r#""apiUrl" (line 3) has a query: give the host alone"#);
        insta::assert_snapshot!(with("accountId: ACME", ""), @r#"key "accountId" is missing"#);
        insta::assert_snapshot!(error(&format!("{FULL}scopes: []")), @r#""scopes" (line 8) must hold at least one scope, or be left out"#);
        insta::assert_snapshot!(error(&format!("{FULL}scopes: [view_orders]")), @r#""scopes" (line 8) must each be like view_orders:acme-shop"#);
        insta::assert_snapshot!(error(&format!("{FULL}scopes: view_orders")), @r#""scopes" (line 8) must be a list of texts, such as [a, b]"#);
    }
}
