//! An endpoint: where deliveries go, as `{prefix}/endpoints/{name}` says.

use std::fmt;

use url::Url;

/// An absolute http or https URL without userinfo and fragment.
#[derive(Clone, PartialEq, Eq)]
pub struct EndpointUrl(Url);

/// Why a text is not an endpoint's URL. Never shows the text: a query may hold a secret.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// Nothing stands in the parameter.
    #[error("the endpoint is empty: give its URL")]
    Empty,
    /// Not an absolute URL.
    #[error("the endpoint is not an absolute URL such as https://shop.example/orders")]
    NotAUrl(#[source] url::ParseError),
    /// Another scheme than http or https.
    #[error(
        "the endpoint's scheme is {scheme:?}: only https (and http to allowed networks) can be delivered to"
    )]
    Scheme {
        /// The scheme it has.
        scheme: String,
    },
    /// User and password in the URL would end in logs.
    #[error("the endpoint's URL holds a user or password: take them out of the URL")]
    Userinfo,
    /// A fragment is never sent.
    #[error("the endpoint's URL has a #fragment, which is never sent: take it out")]
    Fragment,
}

/// Where deliveries go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The whole URL.
    pub url: EndpointUrl,
}

impl Endpoint {
    /// Reads a parameter's value: a bare URL.
    ///
    /// # Errors
    /// [`EndpointError`] says what is wrong.
    pub fn parse(value: &str) -> Result<Self, EndpointError> {
        EndpointUrl::parse(value.trim()).map(|url| Self { url })
    }
}

impl EndpointUrl {
    /// Reads a URL.
    ///
    /// # Errors
    /// [`EndpointError`] says what is wrong.
    pub fn parse(text: &str) -> Result<Self, EndpointError> {
        if text.is_empty() {
            return Err(EndpointError::Empty);
        }
        let url = Url::parse(text).map_err(EndpointError::NotAUrl)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(EndpointError::Scheme { scheme: url.scheme().to_owned() });
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(EndpointError::Userinfo);
        }
        if url.fragment().is_some() {
            return Err(EndpointError::Fragment);
        }
        Ok(Self(url))
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
            let masked =
                |pair: &str| pair.split_once('=').map_or("***".to_owned(), |(name, _)| format!("{name}=***"));
            url.set_query(Some(&query.split('&').map(masked).collect::<Vec<_>>().join("&")));
        }
        url.into()
    }
}

impl fmt::Debug for EndpointUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.redacted())
    }
}

#[cfg(test)]
mod tests {
    use super::{Endpoint, EndpointError, EndpointUrl};

    #[test]
    fn a_bare_url_is_enough() {
        let endpoint = Endpoint::parse(" https://shop.example/orders?x=1\n").unwrap();
        assert_eq!(endpoint.url.as_url().as_str(), "https://shop.example/orders?x=1");
    }

    #[test]
    fn query_values_are_masked_and_names_kept() {
        let url = EndpointUrl::parse("https://shop.example/a?token=hunter2&tenant=acme").unwrap();
        assert_eq!(url.redacted(), "https://shop.example/a?token=***&tenant=***");
        assert!(!format!("{url:?}").contains("hunter2"));
        let bare = EndpointUrl::parse("https://shop.example/a?x=1&hunter2").unwrap();
        assert_eq!(
            bare.redacted(),
            "https://shop.example/a?x=***&***",
            "without a name it may all be secret"
        );
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
        assert!(matches!(Endpoint::parse("  "), Err(EndpointError::Empty)));
        assert!(matches!(Endpoint::parse("shop.example/orders"), Err(EndpointError::NotAUrl(_))));
        assert!(matches!(Endpoint::parse("ftp://shop.example"), Err(EndpointError::Scheme { .. })));
        assert!(matches!(Endpoint::parse("https://user:secret@shop.example"), Err(EndpointError::Userinfo)));
        assert!(matches!(Endpoint::parse("https://shop.example/#a"), Err(EndpointError::Fragment)));
    }
}
