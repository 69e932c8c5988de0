//! A URL that may be delivered to: absolute, http or https, nothing secret outside its query.

use std::fmt;

use url::Url;

use crate::template::{Format, RenderError, Scope, Template, TemplateError, first_mark, is_template};

/// An absolute http or https URL without userinfo and fragment.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EndpointUrl {
    url: Url,
    /// Of a template the part before it.
    place: String,
}

/// The URL of an endpoint; templates may stand behind its host.
#[derive(Debug, PartialEq)]
pub enum UrlTemplate {
    /// The same for every message.
    Fixed(EndpointUrl),
    /// Made for each message.
    Made {
        /// The whole.
        template: Template,
        /// What stands before the first mark of a template.
        place: EndpointUrl,
    },
}

/// Why a template made no URL of a message.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum MadeUrlError {
    /// The template failed.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// What it made will not do.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// A part of the path that receivers take for a step up.
    #[error("has a part that is . or .. in its path")]
    Dots,
}

/// Why a text is not such a URL. Never shows the text: a query may hold a secret.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Nothing stands there.
    #[error("is empty: give a URL such as https://shop.example/orders")]
    Empty,
    /// Not an absolute URL.
    #[error("is not an absolute URL such as https://shop.example/orders")]
    NotAUrl(#[source] url::ParseError),
    /// A sign that no URL holds: often several URLs, a Markdown link, or a template of another language.
    #[error(
        "holds {0}, which no URL holds: give one URL such as https://shop.example/orders, without anything around it"
    )]
    Sign(&'static str),
    /// A brace that belongs to no template, or to one where none may stand.
    #[error(
        "holds a brace: a template is written ${{ event.entityRef }}, and stands in url and headers alone"
    )]
    Brace,
    /// Another scheme than http or https.
    #[error("must begin with https:// (or http://, to an allowed network)")]
    Scheme,
    /// Not two slashes behind the scheme.
    #[error("must have two slashes and a host behind its scheme, as in https://shop.example/orders")]
    Slashes,
    /// User and password in the URL would end in logs.
    #[error("holds a user or password: take them out of the URL, they have keys of their own")]
    Userinfo,
    /// A fragment is never sent.
    #[error("has a #fragment, which is never sent: take it out")]
    Fragment,
    /// An event must not choose the receiver.
    #[error(
        "may hold templates only behind its host, as in https://shop.example/orders/${{ event.entityRef }}"
    )]
    TemplatedHost,
    /// A template that cannot be compiled.
    #[error(transparent)]
    Template(#[from] TemplateError),
}

impl UrlTemplate {
    /// Reads a URL whose templates may use these variables.
    ///
    /// # Errors
    /// [`UrlError`] says what is wrong.
    pub fn parse(text: &str, variables: &[&str]) -> Result<Self, UrlError> {
        if !is_template(text) {
            return EndpointUrl::parse(text).map(Self::Fixed);
        }
        let place = first_mark(text).and_then(|mark| text.get(..mark)).unwrap_or(text);
        let behind_scheme = place.split_once("://").map_or(place, |(_, rest)| rest);
        if !behind_scheme.contains(['/', '?']) {
            return Err(UrlError::TemplatedHost);
        }
        let place = EndpointUrl::parse(place)?;
        let template = Template::parse_hidden(text, Format::Url, variables)?;
        template.with_stand_ins("x").map_or(Ok(()), |url| EndpointUrl::parse(&url).map(drop))?;
        Ok(Self::Made { template, place })
    }

    /// What is the same for every message: the URL, or what stands before its first template.
    #[must_use]
    pub fn place(&self) -> &EndpointUrl {
        match self {
            Self::Fixed(url) => url,
            Self::Made { place, .. } => place,
        }
    }

    /// Whether it has a query.
    #[must_use]
    pub fn has_query(&self) -> bool {
        match self {
            Self::Fixed(url) => url.url.query().is_some(),
            Self::Made { template, .. } => template.source().contains('?'),
        }
    }

    /// The URL for a message.
    ///
    /// # Errors
    /// [`MadeUrlError`] by cause.
    pub fn resolve(&self, scope: &Scope) -> Result<EndpointUrl, MadeUrlError> {
        let (template, place) = match self {
            Self::Fixed(url) => return Ok(url.clone()),
            Self::Made { template, place } => (template, place),
        };
        let text = template.render(scope)?;
        let text = text.replace(['\t', '\n', '\r'], ""); // as every parser of URLs does
        let path = text.split(['?', '#']).next().unwrap_or_default();
        let is_dots =
            |part: &str| matches!(part.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..");
        if path.split(['/', '\\']).any(is_dots) {
            return Err(MadeUrlError::Dots);
        }
        let made = EndpointUrl::parse(&text)?;
        if made.url.origin() != place.url.origin() {
            return Err(UrlError::TemplatedHost.into());
        }
        Ok(EndpointUrl { place: place.place.clone(), ..made })
    }
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
        if let Some(sign) = forbidden(text) {
            return Err(sign);
        }
        let url = Url::parse(text).map_err(UrlError::NotAUrl)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(UrlError::Scheme);
        }
        // What the parser mends: https:shop.example, https:/shop.example, https:///shop.example.
        let behind_scheme = text.get(url.scheme().len()..).and_then(|rest| rest.strip_prefix("://"));
        if behind_scheme.is_none_or(|rest| rest.starts_with(['/', '\\'])) {
            return Err(UrlError::Slashes);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(UrlError::Userinfo);
        }
        if url.fragment().is_some() {
            return Err(UrlError::Fragment);
        }
        Ok(Self { place: url.as_str().to_owned(), url })
    }

    /// The part of it that is the same for every message: what is known of one is good for all.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// The values of its query, as sent and decoded: no log may show them.
    #[must_use]
    pub fn query_values(&self) -> Vec<String> {
        let raw =
            self.url.query().unwrap_or_default().split('&').map(|pair| name_and_value(pair).1.to_owned());
        let decoded = self.url.query_pairs().flat_map(|(name, value)| {
            let bare = value.is_empty().then(|| name.into_owned());
            bare.into_iter().chain([value.into_owned()])
        });
        raw.chain(decoded).collect()
    }

    /// The URL of `path`, which begins with a slash, below this one; a slash at this one's end does not count. A query
    /// stays.
    #[must_use]
    pub fn below(&self, path: &str) -> Self {
        let mut url = self.url.clone();
        url.set_path(&format!("{}{path}", self.url.path().trim_end_matches('/')));
        Self { place: url.as_str().to_owned(), url }
    }

    /// The URL of these path segments below this one, with this query in place of its own; both are encoded. Segments
    /// that are empty or made of dots name nothing: `None`.
    #[must_use]
    pub fn at(&self, segments: &[&str], query: &[(&str, &str)]) -> Option<Self> {
        if segments.iter().any(|segment| matches!(*segment, "" | "." | "..")) {
            return None;
        }
        let mut url = self.url.clone();
        url.path_segments_mut().ok()?.pop_if_empty().extend(segments);
        url.set_query(None);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
            let without_plus = url.query().unwrap_or_default().replace('+', "%20"); // which every server reads as a space
            url.set_query(Some(&without_plus));
        }
        Some(Self { place: self.place.clone(), url })
    }

    /// The URL itself: for the transport, never for a log.
    #[must_use]
    pub fn as_url(&self) -> &Url {
        &self.url
    }

    /// The URL for people: names of the query kept, its values masked.
    #[must_use]
    pub fn redacted(&self) -> String {
        let mut url = self.url.clone();
        if let Some(query) = self.url.query() {
            let masked = |pair: &str| format!("{}***", name_and_value(pair).0);
            url.set_query(Some(&query.split('&').map(masked).collect::<Vec<_>>().join("&")));
        }
        url.into()
    }

    /// Scheme, host, port and path.
    #[must_use]
    pub fn without_query(&self) -> String {
        let mut url = self.url.clone();
        url.set_query(None);
        url.into()
    }

    /// The host's name or address, without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default().trim_matches(['[', ']'])
    }
}

fn forbidden(text: &str) -> Option<UrlError> {
    let sign = |c: char| match c {
        '{' | '}' => Some(UrlError::Brace),
        c if c.is_whitespace() => Some(UrlError::Sign("a space or a line break")),
        '"' | '\'' | '“' | '”' | '‘' | '’' | '„' => Some(UrlError::Sign("a quote")),
        '<' | '>' => Some(UrlError::Sign("< or >")),
        '(' | ')' if text.starts_with('[') => Some(UrlError::Sign("brackets around it")),
        c if c.is_control() => Some(UrlError::Sign("a control character")),
        _ => None,
    };
    text.chars().find_map(sign)
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
    use super::{EndpointUrl, MadeUrlError, Scope, UrlError, UrlTemplate};

    fn made(url: &str, reference: &str) -> Result<String, MadeUrlError> {
        let scope =
            Scope::default().with_json("event", &serde_json::json!({"ref": reference}).to_string()).unwrap();
        let url = UrlTemplate::parse(url, &["event"]).unwrap().resolve(&scope)?;
        assert_eq!(url.place(), "https://shop.example/orders/");
        Ok(url.as_url().as_str().to_owned())
    }

    #[test]
    fn a_value_cannot_leave_its_place_in_a_url() {
        let url = "https://shop.example/orders/{{ event.ref }}/status?by={{ event.ref }}";
        for (reference, sent) in [
            ("HD_1", "https://shop.example/orders/HD_1/status?by=HD_1"),
            ("a/b?c#d", "https://shop.example/orders/a%2Fb%3Fc%23d/status?by=a%2Fb%3Fc%23d"),
            ("@evil.example", "https://shop.example/orders/%40evil.example/status?by=%40evil.example"),
            ("\\..", "https://shop.example/orders/%5C../status?by=%5C.."),
            ("...", "https://shop.example/orders/.../status?by=..."),
        ] {
            assert_eq!(made(url, reference).as_deref(), Ok(sent), "{reference}");
        }
        for reference in [".", ".."] {
            assert_eq!(made(url, reference), Err(MadeUrlError::Dots), "{reference}");
        }
        assert!(matches!(made(url, ""), Err(MadeUrlError::Render(_))));
        let joined = "https://shop.example/orders/.{{ event.ref }}";
        assert_eq!(made(joined, "."), Err(MadeUrlError::Dots));
    }

    #[test]
    fn an_event_cannot_choose_the_receiver() {
        for url in [
            "{{ event.url }}",
            "https://{{ event.host }}/orders",
            "https://shop.example{{ event.path }}",
            "https://shop.example:{{ event.port }}/",
            "{% if true %}https://shop.example/{% endif %}",
        ] {
            assert_eq!(UrlTemplate::parse(url, &["event"]), Err(UrlError::TemplatedHost), "{url}");
        }
    }

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
