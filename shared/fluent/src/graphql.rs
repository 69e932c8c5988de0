//! What a GraphQL answer is worth: its data, or errors that another attempt may not have, or errors that it will.

use std::fmt::Write as _;

use connector::call::CALL_ANSWER_BYTES;
use connector::delivery::{Response, Unusable};
use connector::failure::Code;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// Most errors that are told.
const TOLD_ERRORS: usize = 5;

/// What graphql-java (`ErrorType`), Apollo Server (built-in error codes) and DGS (`ErrorType`) call errors that the query
/// itself causes, besides Fluent's own codes.
const CAUSED_BY_THE_QUERY: [&str; 10] = [
    "ValidationError",
    "InvalidSyntax",
    "OperationNotSupported",
    "GRAPHQL_PARSE_FAILED",
    "GRAPHQL_VALIDATION_FAILED",
    "BAD_USER_INPUT",
    "BAD_REQUEST",
    "FORBIDDEN",
    "PERMISSION_DENIED",
    "NOT_FOUND",
];

/// The `data` of an answer without errors.
pub(crate) fn data(response: &Response) -> Result<Value, Unusable> {
    if response.body.len() >= CALL_ANSWER_BYTES {
        return Err(Unusable::lasting(Code::Answer, "the answer exceeds 2 MiB: ask for less, or page"));
    }
    let Ok(Value::Object(mut answer)) = serde_json::from_slice(&response.body) else {
        return Err(Unusable::passing(Code::Answer, "the answer is not a JSON object"));
    };
    match answer.get("errors") {
        None | Some(Value::Null) => {}
        Some(Value::Array(errors)) if errors.is_empty() => {}
        Some(Value::Array(errors)) => return Err(failed(errors)),
        Some(error) => return Err(failed(std::slice::from_ref(error))),
    }
    match answer.remove("data") {
        Some(data @ Value::Object(_)) => Ok(data),
        _ => Err(Unusable::passing(Code::Answer, "the answer holds neither data nor errors")),
    }
}

/// The `data` of an answer that was judged, as it came.
pub(crate) fn raw_data(response: &Response) -> Option<Box<RawValue>> {
    #[derive(Deserialize)]
    struct Answer {
        data: Box<RawValue>,
    }
    serde_json::from_slice::<Answer>(&response.body).ok().map(|answer| answer.data)
}

fn failed(errors: &[Value]) -> Unusable {
    let detail = told(errors);
    if errors.iter().any(is_caused_by_the_query) {
        Unusable::lasting(Code::Graphql, detail)
    } else {
        Unusable::passing(Code::Graphql, detail)
    }
}

/// Told by codes alone. An error without one that is known may pass: an attempt too many costs less than an order that
/// waits for somebody to replay it.
fn is_caused_by_the_query(error: &Value) -> bool {
    codes(error).any(|code| match fluent_code(code) {
        Some((b'C', number)) => !(2..20).contains(&number),
        Some(_) => false,
        None => CAUSED_BY_THE_QUERY.contains(&code),
    })
}

/// Texts beside an error's message, where servers put their codes.
fn codes(error: &Value) -> impl Iterator<Item = &str> {
    let places = [error.get("code"), error.get("errorCode"), error.get("errorType")];
    let extensions = error.get("extensions").and_then(Value::as_object);
    let all = places.into_iter().flatten().chain(extensions.into_iter().flat_map(|fields| fields.values()));
    all.filter_map(Value::as_str)
}

/// Fluent's own codes: `C` (the client's fault), `S` (the server's) or `T` (a third party's), four digits of which 1 to 19
/// are the platform's limits, `E` or `W` (Fluent's documentation, "GraphQL API Error Codes Overview").
fn fluent_code(code: &str) -> Option<(u8, u16)> {
    let digits = code.strip_suffix(['E', 'W'])?.strip_prefix(['C', 'S', 'T'])?;
    let plain = digits.len() == 4 && digits.bytes().all(|digit| digit.is_ascii_digit());
    Some((*code.as_bytes().first()?, digits.parse().ok().filter(|_| plain)?))
}

/// Paths and messages: `order.items.0: what is wrong; and 3 more`. Whole, because a secret that is cut in two would no
/// longer be known: the record has a bound of its own.
fn told(errors: &[Value]) -> String {
    let mut text = errors.iter().take(TOLD_ERRORS).map(line).collect::<Vec<_>>().join("; ");
    if let Some(more) = errors.len().checked_sub(TOLD_ERRORS).filter(|more| *more > 0) {
        let _ = write!(text, "; and {more} more");
    }
    text
}

fn line(error: &Value) -> String {
    let message = error.get("message").and_then(Value::as_str).or_else(|| error.as_str());
    let message = message.unwrap_or("an error without a message");
    match error.get("path").and_then(Value::as_array).map(|path| dotted(path)) {
        Some(path) if !path.is_empty() => format!("{path}: {message}"),
        _ => message.to_owned(),
    }
}

fn dotted(path: &[Value]) -> String {
    let step = |step: &Value| step.as_str().map_or_else(|| step.to_string(), str::to_owned);
    path.iter().map(step).collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use connector::delivery::{Response, Unusable};
    use connector::failure::Code;
    use serde_json::{Value, json};

    use super::data;

    fn answered(body: &Value) -> Result<Value, Unusable> {
        data(&Response { status: 200, retry_after: None, body: body.to_string().into_bytes() })
    }

    fn failure(error: &Value) -> Unusable {
        answered(&json!({"data": null, "errors": [error]})).unwrap_err()
    }

    #[test]
    fn an_error_is_refused_only_where_a_code_says_that_it_is_the_querys_fault() {
        let refused = [
            json!({"extensions": {"classification": "ValidationError"}}),
            json!({"extensions": {"classification": "DataFetchingException", "errorCode": "C0120E"}}),
            json!({"extensions": {"code": "C0001E"}}),
            json!({"code": "C0020E"}),
            json!({"extensions": {"code": "FORBIDDEN"}}),
        ];
        let retried = [
            json!({"extensions": {"classification": "DataFetchingException"}}),
            json!({"extensions": {"code": "S0001E"}}),
            json!({"extensions": {"code": "T0100E"}}),
            json!({"extensions": {"code": "C0002E"}}),
            json!({"extensions": {"code": "C01E"}}),
            json!({"extensions": {"code": "C+120E"}}),
            json!({"extensions": [], "message": "ValidationError C0120E"}),
            json!({}),
            json!("an error that is a text"),
        ];
        for error in refused {
            assert!(!failure(&error).may_pass, "{error}");
        }
        for error in retried {
            assert!(failure(&error).may_pass, "{error}");
        }
    }

    #[test]
    fn one_error_that_will_stay_is_enough() {
        let errors = json!([{"message": "a"}, {"message": "b", "extensions": {"code": "C0120E"}}]);
        assert!(!answered(&json!({"data": {}, "errors": errors})).unwrap_err().may_pass);
    }

    #[test]
    fn errors_are_told_with_their_paths() {
        let error = json!({"message": "no such item", "path": ["order", "items", 0]});
        assert_eq!(failure(&error).detail, "order.items.0: no such item");
        let many = answered(&json!({"errors": vec![json!({"message": "a"}); 1_000]})).unwrap_err().detail;
        assert_eq!(many, "a; a; a; a; a; and 995 more");
        assert_eq!(failure(&json!({"message": 1, "path": []})).detail, "an error without a message");
    }

    #[test]
    fn data_is_what_came_with_its_integers_exact() {
        let answer =
            br#"{"data": {"a": 9223372036854775807, "b": 18446744073709551615, "c": null}, "errors": []}"#;
        let data = data(&Response { status: 200, retry_after: None, body: answer.to_vec() }).unwrap();
        assert_eq!(data.to_string(), r#"{"a":9223372036854775807,"b":18446744073709551615,"c":null}"#);
    }

    #[test]
    fn an_answer_without_data_and_errors_is_no_answer() {
        for body in [
            json!({"data": null, "errors": []}),
            json!({}),
            json!([]),
            json!({"data": null, "errors": null}),
            json!({"data": 1}),
        ] {
            let unusable = answered(&body).unwrap_err();
            assert_eq!((unusable.code, unusable.may_pass), (Code::Answer, true), "{body}");
        }
    }
}
