//! What the shipped routes are tried with: a sample event of each, and an order, a fulfilment and a consignment in Fluent.

use connector::message::Message;
use serde_json::{Value, json};

/// What `orderById`, `fulfilmentById` and `consignmentById` find, with more fields than any route asks for.
const FLUENT: &str = include_str!("../fluent.json");
/// The sample events.
const EVENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../events");

/// The entities in Fluent, by the query that finds them.
///
/// # Panics
/// Where the file is not JSON.
#[must_use]
pub fn fluent() -> Value {
    serde_json::from_str(FLUENT).expect("fluent.json is JSON")
}

/// The shipped routes that deliver to an endpoint, and are off until somebody has one.
pub fn to_endpoints() -> impl Iterator<Item = &'static str> {
    let has_endpoint = |name: &&str| {
        connector::shipped::route(name).is_some_and(|route| route.is_ok_and(|route| route.endpoint.is_some()))
    };
    connector::shipped::names().filter(has_endpoint)
}

/// The batch of `events/router-shipped-<route>.json`.
///
/// # Panics
/// Where there is none.
#[must_use]
pub fn batch(route: &str) -> Value {
    let path = format!("{EVENTS}/router-shipped-{route}.json");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).expect("a sample is JSON")
}

/// The message in it.
///
/// # Panics
/// Where there is none.
#[must_use]
pub fn sample(route: &str) -> Message {
    let batch = batch(route);
    let body = batch.pointer("/Records/0/body").and_then(Value::as_str).expect("a record has a body");
    Message::parse(body).expect("a sample is a message")
}

/// What Fluent answers to a query when these are its entities: the fields that are asked for and no other, and null for
/// one that it does not have. Arguments are not looked at.
#[must_use]
pub fn answer(query: &str, entities: &Value) -> Value {
    let mut tokens = tokens(query);
    tokens.reverse();
    while tokens.pop().is_some_and(|token| token != "{") {}
    json!({ "data": chosen(&mut tokens, entities) })
}

/// Names and braces; without what stands in round brackets.
fn tokens(query: &str) -> Vec<String> {
    let outside: String =
        query.split('(').map(|part| part.split_once(')').map_or(part, |(_, rest)| rest)).collect();
    let spaced = outside.replace('{', " { ").replace('}', " } ");
    spaced.split_whitespace().map(str::to_owned).collect()
}

/// The selection up to its closing brace, of a value; of each of a list.
fn chosen(tokens: &mut Vec<String>, value: &Value) -> Value {
    if let Value::Array(items) = value {
        let rest = tokens.clone();
        let each = items.iter().map(|item| chosen(&mut rest.clone(), item)).collect();
        skip(tokens);
        return each;
    }
    let mut fields = serde_json::Map::new();
    while let Some(name) = tokens.pop().filter(|name| name != "}") {
        let found = if name == "..." { value } else { value.get(&name).unwrap_or(&Value::Null) };
        if name == "..." {
            tokens.truncate(tokens.len().saturating_sub(2)); // `on Type`
        }
        let nested = tokens.pop_if(|next| next == "{").is_some();
        let answer = if nested { chosen(tokens, found) } else { found.clone() };
        match answer {
            Value::Object(of_type) if name == "..." => fields.extend(of_type),
            answer => drop(fields.insert(name, answer)),
        }
    }
    if value.is_null() { Value::Null } else { fields.into() }
}

/// Up to the brace that closes the selection.
fn skip(tokens: &mut Vec<String>) {
    let mut open = 1_u32;
    while let Some(token) = tokens.pop().filter(|_| open > 0) {
        match token.as_str() {
            "{" => open += 1,
            "}" => open -= 1,
            _ => {}
        }
        if open == 0 {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::answer;

    #[test]
    fn an_answer_holds_what_was_asked_for() {
        let query = "query ($id: ID!) { orderById(id: $id) { ref gone { x } edges { node { a ... on T { b } } } } other(first: 1) { a } }";
        let entities = json!({"orderById": {"ref": "1", "more": 1,
            "edges": [{"node": {"a": 1, "b": 2, "c": 3}}, {"node": {"a": 4}}]}});
        let expected = json!({"data": {"other": null, "orderById": {"ref": "1", "gone": null,
            "edges": [{"node": {"a": 1, "b": 2}}, {"node": {"a": 4, "b": null}}]}}});
        assert_eq!(answer(query, &entities), expected);
        let none = answer(query, &json!({"orderById": {"edges": []}}));
        assert_eq!(none["data"]["orderById"], json!({"ref": null, "gone": null, "edges": []}));
    }
}
