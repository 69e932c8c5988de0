//! The engine behind templates: minijinja, set up once for each format.

use std::sync::LazyLock;

use minijinja::value::ValueKind;
use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value, escape_formatter,
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Format, MAX_STEPS, filters};

/// All but the unreserved characters of RFC 3986, 2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// How deep a printed value is looked through for what is undefined.
const MAX_DEPTH: usize = 8;

/// An engine without templates; what it is made of is shared.
pub(super) fn environment(format: Format) -> Environment<'static> {
    static JSON: LazyLock<Environment<'static>> = LazyLock::new(|| base(Format::Json));
    static XML: LazyLock<Environment<'static>> = LazyLock::new(|| base(Format::Xml));
    static URL: LazyLock<Environment<'static>> = LazyLock::new(|| base(Format::Url));
    static TEXT: LazyLock<Environment<'static>> = LazyLock::new(|| base(Format::Text));
    match format {
        Format::Json => JSON.clone(),
        Format::Xml => XML.clone(),
        Format::Url => URL.clone(),
        Format::Text => TEXT.clone(),
    }
}

fn base(format: Format) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_debug(true); // its errors then name the path of what is undefined
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(MAX_STEPS));
    environment.set_auto_escape_callback(move |_| match format {
        Format::Json => AutoEscape::Json,
        Format::Xml => AutoEscape::Html,
        Format::Url | Format::Text => AutoEscape::None,
    });
    match format {
        Format::Json => environment.set_formatter(write_json),
        Format::Xml => environment.set_formatter(write_xml),
        Format::Url => environment.set_formatter(write_url),
        Format::Text => environment.set_formatter(write_text),
    }
    filters::add_to(&mut environment);
    environment
}

/// What is no text and no number is written as JSON, not as the engine's Python.
fn write_json(out: &mut Output, state: &mut State, value: &Value) -> Result<(), Error> {
    if holds_undefined(value, MAX_DEPTH) {
        return Err(invalid("a value in this list or mapping is undefined"));
    }
    escape_formatter(out, state, value)
}

/// Whether a list or mapping that a template made holds what is not there: it would be written as null.
fn holds_undefined(value: &Value, depth: usize) -> bool {
    let items = || value.try_iter().into_iter().flatten();
    let is_it = |item: &Value| item.is_undefined() || (depth > 0 && holds_undefined(item, depth - 1));
    match value.kind() {
        ValueKind::Seq => items().any(|item| is_it(&item)),
        ValueKind::Map => items().any(|key| value.get_item(&key).is_ok_and(|item| is_it(&item))),
        _ => false,
    }
}

fn write_text(out: &mut Output, state: &mut State, value: &Value) -> Result<(), Error> {
    match value.kind() {
        ValueKind::None => Ok(()),
        ValueKind::Bool | ValueKind::Seq | ValueKind::Map => {
            let json =
                serde_json::to_string(value).map_err(|_| invalid("a value cannot be written as JSON"))?;
            escape_formatter(out, state, &Value::from(json))
        }
        _ => escape_formatter(out, state, value),
    }
}

fn write_xml(out: &mut Output, state: &mut State, value: &Value) -> Result<(), Error> {
    let forbidden = |c: char| match c {
        '\t' | '\n' | '\r' => false,
        '\u{fffe}' | '\u{ffff}' => true, // no characters of XML 1.0, 2.2
        c => c.is_control(),
    };
    if value.as_str().is_some_and(|text| text.contains(forbidden)) {
        return Err(invalid("a value holds a character that XML cannot carry"));
    }
    write_text(out, state, value)
}

fn write_url(out: &mut Output, state: &mut State, value: &Value) -> Result<(), Error> {
    if value.is_safe() {
        return escape_formatter(out, state, value);
    }
    let text = match value.to_str() {
        Some(text) => text.to_string(),
        None if value.is_number() => value.to_string(),
        None => return Err(invalid("a value in a URL must be a text or a number")),
    };
    if text.is_empty() {
        return Err(invalid("a value in a URL is empty"));
    }
    Ok(out.write_fmt(format_args!("{}", utf8_percent_encode(&text, RESERVED)))?)
}

fn invalid(problem: &'static str) -> Error {
    Error::new(ErrorKind::InvalidOperation, problem)
}
