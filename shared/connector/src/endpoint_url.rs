//! A URL that may be delivered to: absolute, http or https, nothing secret outside its query.

use std::fmt;

use url::Url;

/// An absolute http or https URL without userinfo and fragment.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EndpointUrl(Url);

/// Why a text is not such a URL. Never shows the text: a query may hold a secret.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Nothing stands there.
    #[error("is empty: give a URL such as https://shop.example/orders")]
    Empty,
    /// Not an absolute URL.
    #[error("is not an absolute URL such as https://shop.example/orders")]
    NotAUrl(#[source] url::ParseError),
    /// Another scheme than http or https.
    #[error("must begin with https:// (or http://, to an allowed network)")]
    Scheme,
    /// User and password in the URL would end in logs.
    #[error("holds a user or password: take them out of the URL and use auth")]
    Userinfo,
    /// A fragment is never sent.
    #[error("has a #fragment, which is never sent: take it out")]
    Fragment,
}

impl EndpointUrl {
    /// Reads a URL.
    ///
    /// # Errors
    /// [`UrlError`] says what is wrong.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        if text.is_empty() {
            return Err(UrlError::Empty);
        }
        let url = Url::parse(text).map_err(UrlError::NotAUrl)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(UrlError::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(UrlError::Userinfo);
        }
        if url.fragment().is_some() {
            return Err(UrlError::Fragment);
        }
        Ok(Self(url))
    }

    /// The values of its query, as sent and decoded: no log may show them.
    #[must_use]
    pub fn query_values(&self) -> Vec<String> {
        let raw = self.0.query().unwrap_or_default().split('&').map(|pair| name_and_value(pair).1.to_owned());
        let decoded = self.0.query_pairs().flat_map(|(name, value)| {
            let bare = value.is_empty().then(|| name.into_owned());
            bare.into_iter().chain([value.into_owned()])
        });
        raw.chain(decoded).collect()
    }

    /// The URL itself: for the transport, never for a log.
    #[must_use]
    pub fn as_url(&self) -> &Url {
        &self.0
    }

    /// The URL for people: names of the query kept, its values masked.
    #[must_use]
    pub fn redacted(&self) -> String {
        let mut url = self.0.clone();
        if let Some(query) = self.0.query() {
            let masked = |pair: &str| format!("{}***", name_and_value(pair).0);
            url.set_query(Some(&query.split('&').map(masked).collect::<Vec<_>>().join("&")));
        }
        url.into()
    }
}

/// A pair of a query as name with `=`, and value; a pair that may be all secret has no name: `?key`, `?key=`, `?key==`.
fn name_and_value(pair: &str) -> (&str, &str) {
    match pair.find('=').and_then(|equals| pair.split_at_checked(equals + 1)) {
        Some((name, value)) if !value.trim_matches('=').is_empty() => (name, value),
        _ => ("", pair.trim_end_matches('=')),
    }
}

impl fmt::Debug for EndpointUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.redacted())
    }
}

#[cfg(test)]
mod tests {
    use super::{EndpointUrl, UrlError};

    #[test]
    fn query_values_are_masked_and_names_kept() {
        let url = EndpointUrl::parse("https://shop.example/a?token=hunter2&tenant=acme").unwrap();
        assert_eq!(url.redacted(), "https://shop.example/a?token=***&tenant=***");
        assert!(!format!("{url:?}").contains("hunter2"));
        let bare = EndpointUrl::parse("https://shop.example/a?x=1&hunter2&hunter3==&x%2Fy").unwrap();
        assert_eq!(
            bare.redacted(),
            "https://shop.example/a?x=***&***&***&***",
            "without a value it may all be secret"
        );
        let values = bare.query_values();
        for secret in ["1", "hunter2", "hunter3", "x%2Fy", "x/y"] {
            assert!(values.iter().any(|value| value == secret), "{secret}");
        }
    }

    #[test]
    fn a_url_without_a_query_stays_as_it_is() {
        assert_eq!(
            EndpointUrl::parse("https://shop.example/a").unwrap().redacted(),
            "https://shop.example/a"
        );
    }

    #[test]
    fn what_is_not_a_deliverable_url_is_refused_by_cause() {
        assert!(matches!(EndpointUrl::parse(""), Err(UrlError::Empty)));
        assert!(matches!(EndpointUrl::parse("shop.example/orders"), Err(UrlError::NotAUrl(_))));
        assert!(matches!(EndpointUrl::parse("ftp://shop.example"), Err(UrlError::Scheme)));
        assert!(matches!(EndpointUrl::parse("https://user:secret@shop.example"), Err(UrlError::Userinfo)));
        assert!(matches!(EndpointUrl::parse("https://shop.example/#a"), Err(UrlError::Fragment)));
    }
}
