//! The filters that integrations need beside the engine's own.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use minijinja::value::Kwargs;
use minijinja::{Environment, Error, ErrorKind, Value};
use sha2::{Digest as _, Sha256};

use super::MAX_RENDERED_BYTES;
use crate::hex;

/// From this number on a time is one of milliseconds: as seconds it would lie beyond the year 5138.
const FIRST_MILLISECONDS: i64 = 100_000_000_000;
/// Most digits behind the point of an amount.
const MAX_DIGITS: usize = 8;

/// The filters' names, for telling the nearest one: the engine's own and ours.
pub(super) const NAMES: &[&str] = &[
    "abs",
    "attr",
    "b64decode",
    "b64encode",
    "bool",
    "capitalize",
    "count",
    "date",
    "decimal",
    "default",
    "dictsort",
    "escape",
    "first",
    "float",
    "groupby",
    "int",
    "items",
    "join",
    "last",
    "length",
    "lines",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "money",
    "reject",
    "rejectattr",
    "replace",
    "required",
    "reverse",
    "round",
    "safe",
    "select",
    "selectattr",
    "sha256",
    "sort",
    "split",
    "string",
    "sum",
    "title",
    "tojson",
    "trim",
    "unique",
    "upper",
    "urlencode",
];

/// The tests' names, for telling the nearest one.
pub(super) const TESTS: &[&str] = &[
    "boolean",
    "defined",
    "divisibleby",
    "endingwith",
    "eq",
    "even",
    "false",
    "float",
    "ge",
    "gt",
    "in",
    "integer",
    "iterable",
    "le",
    "lower",
    "lt",
    "mapping",
    "ne",
    "none",
    "number",
    "odd",
    "safe",
    "sequence",
    "startingwith",
    "string",
    "true",
    "undefined",
    "upper",
];

/// The statements' names and what stands in them, for telling what is no secret.
pub(super) const STATEMENTS: &[&str] = &[
    "if",
    "elif",
    "else",
    "endif",
    "for",
    "in",
    "endfor",
    "set",
    "endset",
    "and",
    "or",
    "not",
    "is",
    "end",
    "event",
    "of",
    "input",
    "string",
    "loop",
    "macro",
    "include",
    "block",
    "expression",
    "entityRef",
];

pub(super) fn add_to(environment: &mut Environment<'static>) {
    for unbounded in ["batch", "format", "indent", "pprint", "slice"] {
        environment.remove_filter(unbounded); // a number of an event would decide how much they make
    }
    environment.add_filter("replace", replace);
    environment.add_filter("join", join);
    environment.add_filter("tojson", tojson);
    environment.add_filter("decimal", decimal);
    environment.add_filter("required", required);
    environment.add_filter("date", date);
    environment.add_filter("money", money);
    environment.add_filter("sha256", sha256);
    environment.add_filter("b64encode", |text: &str| STANDARD.encode(text));
    environment.add_filter("b64decode", b64decode);
}

/// `${ event.attributes.pickUpBy | date("%d.%m.%Y %H:%M", "Europe/Berlin") }`: a time in RFC 3339, or of unix seconds or
/// milliseconds; strftime's marks, `%Y-%m-%d` by default; UTC by default.
fn date(value: &Value, format: Option<&str>, zone: Option<&str>) -> Result<String, Error> {
    let time =
        timestamp(value).ok_or_else(|| invalid("date: the value is no time such as 2026-11-20T08:30:00Z"))?;
    let zone = match zone {
        None => TimeZone::UTC,
        Some(name) => TimeZone::get(name)
            .map_err(|_| invalid(format!("date: there is no time zone {name:?} such as Europe/Berlin")))?,
    };
    let mut text = String::new();
    let format = format.unwrap_or("%Y-%m-%d");
    write!(text, "{}", time.to_zoned(zone).strftime(format))
        .map_err(|_| invalid(format!("date: {format:?} is no format such as %Y-%m-%d")))?;
    Ok(text)
}

fn timestamp(value: &Value) -> Option<Timestamp> {
    match value.as_str() {
        Some(text) => text.trim().parse().ok(),
        None => match value.as_i64()? {
            seconds if seconds.abs() < FIRST_MILLISECONDS => Timestamp::from_second(seconds).ok(),
            milliseconds => Timestamp::from_millisecond(milliseconds).ok(),
        },
    }
}

/// The engine's own, but within the size of what may be rendered.
fn replace(text: &str, from: &str, to: &str) -> Result<String, Error> {
    let grows = text.matches(from).count().saturating_mul(to.len());
    bounded(text.len().saturating_add(grows)).map(|()| text.replace(from, to))
}

/// The engine's own, but within the size of what may be rendered.
fn join(items: &Value, between: Option<&str>, attribute: Option<&str>) -> Result<String, Error> {
    let mut joined = String::new();
    for (number, item) in items.try_iter()?.enumerate() {
        let item = attribute.map_or_else(|| Ok(item.clone()), |name| item.get_attr(name))?;
        if item.is_undefined() {
            return Err(invalid("join: an item is undefined"));
        }
        if number > 0 {
            joined.push_str(between.unwrap_or_default());
        }
        joined.push_str(&item.to_string());
        bounded(joined.len())?;
    }
    Ok(joined)
}

fn bounded(bytes: usize) -> Result<(), Error> {
    if bytes <= MAX_RENDERED_BYTES {
        return Ok(());
    }
    Err(invalid(format!("it would make more than {MAX_RENDERED_BYTES} bytes")))
}

/// The engine's own, but undefined is an error.
fn tojson(value: &Value, args: Kwargs) -> Result<Value, Error> {
    if value.is_undefined() {
        return Err(Error::new(ErrorKind::UndefinedError, "the value before tojson is undefined"));
    }
    minijinja::filters::tojson(value, None, args)
}

/// `${ response.bookingNumber | required }`: the value, or an error where it is missing, null or an empty text.
fn required(value: Value) -> Result<Value, Error> {
    if value.is_none() || value.as_str().is_some_and(|text| text.trim().is_empty()) {
        return Err(invalid("required: the value is null or empty"));
    }
    Ok(value) // what is undefined is told with its path where it is written
}

/// `${ line.price | decimal }`: a number, or the text of one, with that many digits behind its point, 2 by default; rounded
/// half up, no digit lost.
fn decimal(value: &Value, digits: Option<usize>) -> Result<String, Error> {
    let digits = digits.unwrap_or(2);
    let text = value.to_string();
    let wrong = || invalid(format!("decimal: takes a number such as 12.5, and at most {MAX_DIGITS} digits"));
    let (sign, number) = text.strip_prefix('-').map_or(("", text.as_str()), |number| ("-", number));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !plain(whole) || !plain(fraction) || digits > MAX_DIGITS {
        return Err(wrong());
    }
    let padded = format!("{fraction:0<width$}", width = digits + 1);
    let (kept, dropped) = padded.split_at_checked(digits).ok_or_else(wrong)?;
    let minor: i128 = format!("{whole}{kept}").parse().map_err(|_| wrong())?;
    let minor = minor + i128::from(dropped.starts_with(['5', '6', '7', '8', '9']));
    let sign = if minor == 0 { "" } else { sign };
    money(&Value::from(format!("{sign}{minor}")), Some(digits))
}

/// `${ event.attributes.amountInCents | money }`: an amount in minor units with a decimal point; two digits behind it by
/// default, `money(0)` for yen.
fn money(value: &Value, digits: Option<usize>) -> Result<String, Error> {
    let digits = digits.unwrap_or(2);
    let text = value.to_string();
    let (sign, amount) = text.strip_prefix('-').map_or(("", text.as_str()), |amount| ("-", amount));
    let whole = !amount.is_empty() && amount.bytes().all(|byte| byte.is_ascii_digit());
    if !whole || digits > MAX_DIGITS {
        return Err(invalid(format!(
            "money: takes a whole number of minor units, and at most {MAX_DIGITS} digits"
        )));
    }
    if digits == 0 {
        return Ok(text);
    }
    let padded = format!("{amount:0>width$}", width = digits + 1);
    let (major, minor) = padded.split_at_checked(padded.len() - digits).unwrap_or((&padded, ""));
    Ok(format!("{sign}{major}.{minor}"))
}

/// SHA-256 in hex digits.
fn sha256(text: &str) -> String {
    hex::encoded(&Sha256::digest(text))
}

fn b64decode(text: &str) -> Result<String, Error> {
    let bytes = STANDARD.decode(text.trim()).map_err(|_| invalid("b64decode: the value is not base64"))?;
    String::from_utf8(bytes).map_err(|_| invalid("b64decode: the value holds bytes that are no text"))
}

fn invalid(problem: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::InvalidOperation, problem)
}

#[cfg(test)]
mod tests {
    use crate::template::{Format, Scope, Template};

    fn rendered(source: &str) -> String {
        let scope = Scope::default()
            .with_json("event", r#"{"cents":1999,"time":"2026-11-20T23:30:00Z","unix":1795163400}"#)
            .unwrap();
        let template = Template::parse(source, Format::Text, &["event"]).unwrap();
        template.render(&scope).unwrap_or_else(|error| error.to_string())
    }

    #[test]
    fn dates_are_written_as_asked() {
        assert_eq!(rendered("{{ event.time | date }}"), "2026-11-20");
        assert_eq!(
            rendered("{{ event.time | date('%d.%m.%Y %H:%M', 'Europe/Berlin') }}"),
            "21.11.2026 00:30"
        );
        assert_eq!(rendered("{{ event.unix | date('%F %T') }}"), "2026-11-20 08:30:00");
        assert_eq!(rendered("{{ (event.unix * 1000) | date('%F %T') }}"), "2026-11-20 08:30:00");
        insta::assert_snapshot!(rendered("{{ 'soon' | date }}"), @"line 1: date: the value is no time such as 2026-11-20T08:30:00Z");
        insta::assert_snapshot!(rendered("{{ event.time | date('%F', 'Berlin') }}"), @r#"line 1: date: there is no time zone "Berlin" such as Europe/Berlin"#);
    }

    #[test]
    fn minor_units_become_money() {
        for (source, text) in [
            ("event.cents | money", "19.99"),
            ("5 | money", "0.05"),
            ("-5 | money", "-0.05"),
            ("'12345678901234567890123' | money", "123456789012345678901.23"),
            ("1999 | money(3)", "1.999"),
            ("1999 | money(0)", "1999"),
        ] {
            assert_eq!(rendered(&format!("{{{{ {source} }}}}")), text, "{source}");
        }
        insta::assert_snapshot!(rendered("{{ 19.99 | money }}"), @"line 1: money: takes a whole number of minor units, and at most 8 digits");
    }

    #[test]
    fn numbers_are_written_with_their_digits() {
        for (source, text) in [
            ("12.5 | decimal", "12.50"),
            ("'12345678901234567.895' | decimal", "12345678901234567.90"),
            ("1.005 | decimal", "1.01"),
            ("-0.004 | decimal", "0.00"),
            ("7 | decimal(0)", "7"),
            ("'0.125' | decimal(3)", "0.125"),
        ] {
            assert_eq!(rendered(&format!("{{{{ {source} }}}}")), text, "{source}");
        }
        for source in ["'nan' | decimal", "true | decimal", "'1e400' | decimal", "'' | decimal"] {
            assert!(rendered(&format!("{{{{ {source} }}}}")).contains("decimal: takes a number"), "{source}");
        }
    }

    #[test]
    fn what_is_required_has_to_be_there() {
        assert_eq!(rendered("{{ event.cents | required }}"), "1999");
        assert_eq!(rendered("{{ event.nope | required }}"), "line 1: `event.nope` is undefined");
        for source in ["none", "''", "' '"] {
            let told = rendered(&format!("{{{{ {source} | required }}}}"));
            assert!(told.contains("required: the value is null or empty"), "{source}: {told}");
        }
    }

    #[test]
    fn an_event_cannot_make_a_filter_take_all_memory() {
        for source in ["('a' * 5000) | replace('a', 'b' * 500000)", "range(3000) | join('b' * 500000)"] {
            assert!(rendered(&format!("{{{{ {source} }}}}")).contains("more than 1048576 bytes"), "{source}");
        }
        let removed = Template::parse("{{ 1 | indent(5) }}", Format::Text, &[]).unwrap_err();
        assert!(removed.problem.starts_with("there is no filter \"indent\""), "{removed}");
    }

    #[test]
    fn texts_are_hashed_and_encoded() {
        assert_eq!(
            rendered("{{ 'abc' | sha256 }}"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            "FIPS 180-2, B.1"
        );
        assert_eq!(
            rendered("{{ 'ü' | b64encode }} {{ 'w7w=' | b64decode }} {{ 'ü&' | urlencode }}"),
            "w7w= ü %C3%BC%26"
        );
        insta::assert_snapshot!(rendered("{{ 'ü' | b64decode }}"), @"line 1: b64decode: the value is not base64");
    }
}
