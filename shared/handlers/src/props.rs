//! How a handler reads its route's `props`: whole, before it does anything else, and with the same words for the same
//! mistakes. A handler refuses keys that it does not know; where the route's own templates use `props`, any key is theirs.

use connector::document::{Document, DocumentError};
use connector::handler::{Context, HandlerError};

use crate::problem::unusable_props;

/// What `read` makes of the props, of which these keys are known.
///
/// # Errors
/// `E_ROUTE` where there is another key, or `read` cannot use one.
pub(crate) fn read<T>(
    context: &Context<'_>,
    known: &[&str],
    read: impl FnOnce(&mut Document) -> Result<T, DocumentError>,
) -> Result<T, HandlerError> {
    let document = Document::of_value(context.props().clone().into(), known);
    document.and_then(|mut props| read(&mut props)).map_err(|error| unusable_props(&error))
}

/// The same of a handler without code of its own, whose templates may use any key.
///
/// # Errors
/// `E_ROUTE` where `read` cannot use a key.
pub(crate) fn read_open<T>(
    context: &Context<'_>,
    known: impl FnOnce(&mut Document) -> Result<T, DocumentError>,
) -> Result<T, HandlerError> {
    let keys: Vec<_> = context.props().keys().map(String::as_str).collect();
    read(context, &keys, known)
}

/// A text, or its default.
pub(crate) fn text_or(props: &mut Document, key: &str, default: &str) -> Result<String, DocumentError> {
    Ok(props.text(key)?.unwrap_or_else(|| default.to_owned()))
}

/// A list of texts, or its default.
pub(crate) fn texts_or(
    props: &mut Document,
    key: &str,
    default: &[&str],
) -> Result<Vec<String>, DocumentError> {
    let texts = props.texts(key)?;
    Ok(texts.unwrap_or_else(|| default.iter().map(|text| (*text).to_owned()).collect()))
}
