//! What answers are worth: resources, errors that mean something to the caller, and errors for the record alone.

use connector::call::CALL_ANSWER_BYTES;
use connector::delivery::{OtherStatus, Response, Unusable};
use connector::failure::Code;
use connector::handler::HandlerError;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Most errors that are told.
const TOLD_ERRORS: usize = 5;
/// Most bytes of one of them.
const TOLD_BYTES: usize = 200;

/// The codes that decide something here (API reference, `errors[].code`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
enum ErrorCode {
    ConcurrentModification,
    DuplicateField,
    ResourceNotFound,
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Errors<'a> {
    #[serde(borrow)]
    errors: Vec<Told<'a>>,
}

/// An error, spelled as it came.
#[derive(Deserialize)]
struct Told<'a> {
    #[serde(borrow)]
    code: std::borrow::Cow<'a, str>,
    #[serde(borrow, default)]
    message: std::borrow::Cow<'a, str>,
}

/// One page of a query.
#[derive(Deserialize)]
pub(crate) struct Page<T> {
    pub(crate) results: Vec<T>,
    /// The most that a page holds.
    pub(crate) limit: Option<u64>,
}

/// What an answer holds.
pub(crate) fn held<T: DeserializeOwned>(response: &Response) -> Result<T, Unusable> {
    if is_cut_off(response) {
        return Err(Unusable::lasting(Code::Answer, "the answer exceeds 2 MiB"));
    }
    serde_json::from_slice(&response.body).map_err(|error| {
        let detail = format!("the answer cannot be read: {error}");
        if error.is_data() {
            Unusable::lasting(Code::Answer, detail)
        } else {
            Unusable::passing(Code::Answer, detail)
        }
    })
}

/// The same, of an answer that has been judged already.
pub(crate) fn of_judged<T: DeserializeOwned>(response: &Response) -> Result<T, HandlerError> {
    held(response).map_err(|_judged| HandlerError::Misconfigured {
        code: Code::Answer,
        reason: "an answer that was usable no longer is".to_owned(),
    })
}

/// Whether there was more of it.
pub(crate) fn is_cut_off(response: &Response) -> bool {
    response.body.len() >= CALL_ANSWER_BYTES
}

/// Whether an answer holds a `T`.
pub(crate) fn judge<T: DeserializeOwned>(response: &Response) -> Result<(), Unusable> {
    held::<T>(response).map(drop)
}

/// The same of a page, which may be too long: a shorter one is then asked for.
pub(crate) fn judge_page<T: DeserializeOwned>(response: &Response) -> Result<(), Unusable> {
    if is_cut_off(response) { Ok(()) } else { judge::<Page<T>>(response) }
}

/// Any other status, with what commercetools says of it.
pub(crate) fn told(response: &Response) -> OtherStatus {
    OtherStatus::AsItSays { detail: detail(response) }
}

/// A resource that does not exist is an answer.
pub(crate) fn missing_is_an_answer(response: &Response) -> OtherStatus {
    answer_where(response, 404, ErrorCode::ResourceNotFound)
}

/// A resource that there is already is an answer.
pub(crate) fn duplicate_is_an_answer(response: &Response) -> OtherStatus {
    answer_where(response, 400, ErrorCode::DuplicateField)
}

/// A resource that has changed, or is gone, is an answer.
pub(crate) fn conflict_is_an_answer(response: &Response) -> OtherStatus {
    match response.status {
        409 => answer_where(response, 409, ErrorCode::ConcurrentModification),
        _ => missing_is_an_answer(response),
    }
}

/// A resource that has changed once too often is left for the message's next attempt.
pub(crate) fn conflict_is_a_failure(response: &Response) -> OtherStatus {
    match conflict_is_an_answer(response) {
        OtherStatus::Answer { detail } if response.status == 409 => {
            OtherStatus::Unusable(Unusable::passing(Code::Conflict, detail.unwrap_or_default()))
        }
        other => other,
    }
}

fn answer_where(response: &Response, status: u16, code: ErrorCode) -> OtherStatus {
    let detail = detail(response);
    if response.status == status && codes(response).contains(&code) {
        OtherStatus::Answer { detail }
    } else {
        OtherStatus::AsItSays { detail }
    }
}

fn codes(response: &Response) -> Vec<ErrorCode> {
    #[derive(Deserialize)]
    struct Codes {
        errors: Vec<Coded>,
    }
    #[derive(Deserialize)]
    struct Coded {
        code: ErrorCode,
    }
    let codes = serde_json::from_slice(&response.body).map(|Codes { errors }| errors);
    codes.unwrap_or_default().into_iter().map(|error| error.code).collect()
}

/// Codes and messages of the first errors, each of them cut off.
fn detail(response: &Response) -> Option<String> {
    let Errors { errors } = serde_json::from_slice(&response.body).ok()?;
    let mut lines: Vec<_> = errors.iter().take(TOLD_ERRORS).map(Told::line).collect();
    match errors.len().saturating_sub(TOLD_ERRORS) {
        0 => {}
        more => lines.push(format!("and {more} more")),
    }
    (!lines.is_empty()).then(|| lines.join("; "))
}

impl Told<'_> {
    fn line(&self) -> String {
        let mut line = format!("{}: {}", self.code, self.message);
        line.truncate(line.floor_char_boundary(TOLD_BYTES));
        line
    }
}

#[cfg(test)]
mod tests {
    use connector::delivery::{OtherStatus, Response};
    use serde_json::{Value, json};

    use super::{
        conflict_is_a_failure, conflict_is_an_answer, duplicate_is_an_answer, missing_is_an_answer, told,
    };

    fn answered(status: u16, errors: &Value) -> Response {
        let body = json!({"statusCode": status, "message": "m", "errors": errors});
        Response { status, retry_after: None, body: body.to_string().into_bytes() }
    }

    fn is_answer(other: &OtherStatus) -> bool {
        matches!(other, OtherStatus::Answer { .. })
    }

    #[test]
    fn only_its_own_code_with_its_own_status_is_an_answer() {
        let one = |status, code: &str| answered(status, &json!([{"code": code, "message": "m"}]));
        assert!(is_answer(&missing_is_an_answer(&one(404, "ResourceNotFound"))));
        assert!(!is_answer(&missing_is_an_answer(&one(400, "ResourceNotFound"))));
        assert!(!is_answer(&missing_is_an_answer(&one(404, "ReferencedResourceNotFound"))));
        assert!(is_answer(&duplicate_is_an_answer(&one(400, "DuplicateField"))));
        assert!(!is_answer(&duplicate_is_an_answer(&one(400, "InvalidField"))));
        assert!(is_answer(&conflict_is_an_answer(&one(409, "ConcurrentModification"))));
        assert!(is_answer(&conflict_is_an_answer(&one(404, "ResourceNotFound"))));
        assert!(!is_answer(&conflict_is_an_answer(&one(409, "LockedField"))));
        assert!(!is_answer(&conflict_is_a_failure(&one(409, "ConcurrentModification"))));
        assert!(is_answer(&conflict_is_a_failure(&one(404, "ResourceNotFound"))));
        let page = Response { status: 404, retry_after: None, body: b"<html>".to_vec() };
        assert!(!is_answer(&missing_is_an_answer(&page)));
    }

    #[test]
    fn errors_are_told_with_their_codes_and_within_bounds() {
        let detail = |errors: Value| match told(&answered(400, &errors)) {
            OtherStatus::AsItSays { detail } => detail,
            other => panic!("{other:?}"),
        };
        let error = json!({"code": "InvalidField", "message": "no\nsuch \"state\""});
        assert_eq!(detail(json!([error])).unwrap(), "InvalidField: no\nsuch \"state\"");
        let many = vec![json!({"code": "A", "message": "ü".repeat(10_000)}); 1_000];
        let many = detail(many.into()).unwrap();
        assert!(many.len() < 1_050 && many.ends_with("; and 995 more"), "{}", many.len());
        for nothing in [json!([]), json!(null), json!([{"message": "no code"}]), json!("x")] {
            assert_eq!(detail(nothing), None);
        }
    }
}
