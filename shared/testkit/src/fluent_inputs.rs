//! What Fluent's input types hold (its public GraphQL schema, the part that this project writes): an input that Fluent would
//! refuse for its shape fails a test.

use serde_json::Value;

const TYPES: &str = include_str!("../fluent-inputs.json");

/// Holds an input against its type: known fields, required ones, kinds of values; and that items refer to fulfilment choices
/// that there are.
///
/// # Panics
/// Where Fluent would refuse it.
pub fn check(type_name: &str, input: &Value) {
    let types: Value = serde_json::from_str(TYPES).expect("fluent-inputs.json is JSON");
    fits(&types, type_name, input, "input");
    let list = |name: &str| input.get(name).and_then(Value::as_array).into_iter().flatten();
    for item in list("items").filter_map(|item| item.get("fulfilmentChoiceRef")) {
        assert!(
            list("fulfilmentChoices").any(|choice| choice.get("ref") == Some(item)),
            "{item} is no choice"
        );
    }
    let single = input.get("fulfilmentChoice").is_some();
    assert!(!single || input.get("fulfilmentChoices").is_none(), "one fulfilment choice, or several");
}

fn fits(types: &Value, kind: &str, value: &Value, at: &str) {
    let kind = kind.trim_end_matches('!');
    if let Some(kind) = kind.strip_prefix('[').and_then(|kind| kind.strip_suffix(']')) {
        for item in value.as_array().unwrap_or_else(|| panic!("{at} is no list: {value}")) {
            fits(types, kind, item, at);
        }
        return;
    }
    let is_it = match kind {
        "String" => value.is_string(),
        "Float" => value.is_number(),
        "Int" => value.is_i64(),
        "Boolean" => value.is_boolean(),
        "ID" => value.is_string() || value.is_i64(),
        "Json" => true,
        _ => value.is_object(),
    };
    assert!(is_it, "{at} is no {kind}: {value}");
    let Some(fields) = types.get(kind).and_then(Value::as_object) else { return };
    for (name, told) in value.as_object().into_iter().flatten() {
        let field = fields.get(name).and_then(Value::as_str);
        fits(types, field.unwrap_or_else(|| panic!("{kind} has no {name}")), told, &format!("{at}.{name}"));
    }
    let required = fields.iter().filter(|(_, kind)| kind.as_str().is_some_and(|kind| kind.ends_with('!')));
    for (name, _) in required {
        assert!(value.get(name).is_some_and(|told| !told.is_null()), "{at} lacks {name}");
    }
}
