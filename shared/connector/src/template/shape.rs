//! What can be told of a template before there is an event: whether what it makes can be JSON, and what in it was meant
//! for another language's engine.

use minijinja::machinery::{Token, tokenize};
use minijinja::syntax::SyntaxConfig;
use serde::de::IgnoredAny;

use super::TemplateError;

/// The template with a stand-in for each value, line for line; `None` where it holds statements, which may leave parts
/// out or repeat them.
pub(super) fn with_stand_ins(source: &str, stand_in: &str) -> Option<String> {
    let (mut text, mut inside) = (String::new(), false);
    for token in tokenize(source, false, SyntaxConfig::default()) {
        let (token, span) = token.ok()?;
        if matches!(token, Token::BlockStart) {
            return None;
        }
        let missing = usize::from(span.start_line).saturating_sub(1 + text.matches('\n').count());
        match token {
            Token::TemplateData(data) => {
                text.push_str(&"\n".repeat(missing));
                text.push_str(data);
            }
            Token::VariableStart => {
                text.push_str(stand_in);
                inside = true;
            }
            Token::VariableEnd => inside = false,
            _ => {}
        }
    }
    (!inside).then_some(text)
}

/// Whether a template of JSON can make JSON, whatever the values are.
pub(super) fn json(source: &str) -> Result<(), TemplateError> {
    const STAND_IN: &str = "0";
    let Some(text) = with_stand_ins(source, STAND_IN) else { return Ok(()) };
    quoted_value(source)?;
    serde_json::from_str::<IgnoredAny>(&text).map(drop).map_err(|error| {
        let told = error.to_string();
        let told = told.split(" at line ").next().unwrap_or_default();
        let problem = format!(
            "what it makes cannot be JSON: {told}{}",
            if text.trim_start().starts_with(['{', '[', '"']) {
                " (names and texts in \", a comma between two, none behind the last, no comments)"
            } else {
                "; where it is none, say so by contentType, such as application/xml or text/plain"
            }
        );
        TemplateError { line: error.line().max(1), problem }
    })
}

/// A value between quotes: it prints its own. One that ends in `safe` does not.
fn quoted_value(source: &str) -> Result<(), TemplateError> {
    let (mut quoted, mut escaped, mut start, mut last) = (false, false, None, "");
    for (token, span) in tokenize(source, false, SyntaxConfig::default()).map_while(Result::ok) {
        match token {
            Token::TemplateData(data) => {
                for c in data.chars() {
                    quoted ^= c == '"' && !escaped;
                    escaped = c == '\\' && !escaped;
                }
            }
            Token::VariableStart if quoted => start = Some(usize::from(span.start_line)),
            Token::Ident(name) => last = name,
            Token::VariableEnd if last != "safe" => {
                if let Some(line) = start.take() {
                    let problem = "a value stands between quotes and prints its own: write ${ x } without them, and join texts inside of it: ${ \"a-\" ~ x }";
                    return Err(TemplateError { line, problem: problem.to_owned() });
                }
            }
            Token::VariableEnd => start = None,
            _ => last = "",
        }
    }
    Ok(())
}

/// A mark of another template language before one of these variables: it would be sent as it stands.
pub(super) fn foreign(source: &str, variables: &[&str]) -> Result<(), TemplateError> {
    let is_foreign = |line: &str| {
        variables.iter().any(|name| {
            let line = line.replace("{{", "");
            ["$", "$.", "{", "<%= "].iter().any(|mark| line.contains(&format!("{mark}{name}.")))
        })
    };
    match source.lines().position(is_foreign) {
        Some(line) => Err(TemplateError {
            line: line + 1,
            problem:
                "a field of an event is written ${ event.entityRef }: other marks are sent as they stand"
                    .to_owned(),
        }),
        None => Ok(()),
    }
}

/// What those who know other languages write first.
pub(super) fn hint(expression: &str) -> &'static str {
    let has = |signs: &[&str]| signs.iter().any(|sign| expression.contains(sign));
    let bare = expression.replace("!=", "").replace("==", "");
    let unclosed = expression.matches("{{").count() > expression.matches("}}").count();
    if has(&["{{#", "{{/"]) {
        "; write {% if x %} … {% endif %} and {% for x in y %} … {% endfor %}"
    } else if unclosed {
        "; close {{ with }}"
    } else if has(&["“", "”", "‘", "’", "„"]) {
        "; write \" or ' for typographic quotes"
    } else if has(&["&&", "||"]) || words(expression).any(|word| matches!(word, "AND" | "OR" | "NOT" | "IN"))
    {
        "; write and, or, not, in"
    } else if words(expression).any(|word| matches!(word, "foreach" | "each" | "end" | "unless" | "switch")) {
        "; there are {% for x in y %} … {% endfor %} and {% if x %} … {% else %} … {% endif %}"
    } else if has(&["->", "?."]) {
        "; a field stands behind a dot, as in event.entityRef"
    } else if has(&["??"]) {
        "; write x | default(\"…\")"
    } else if has(&["?"]) {
        "; write a if condition else b"
    } else if has(&["$"]) {
        "; a field is written event.entityRef, without $"
    } else if has(&["<>"]) || bare.starts_with('=') || has(&["===", "!=="]) {
        "; compare with == or !="
    } else if has(&["else if", "elseif"]) {
        "; write elif"
    } else if bare.replace("<=", "").replace(">=", "").contains('=') {
        "; compare with =="
    } else if bare.contains('!') {
        "; write and, or, not, in"
    } else {
        ""
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty())
}

/// The error without what may be a secret: a word that stands in the source and is near to no known one.
pub(super) fn hidden(error: TemplateError, source: &str, known: &[&[&str]]) -> TemplateError {
    let is_known = |word: &str| known.iter().any(|words| crate::document::nearest(word, words).is_some());
    let is_shown = |word: &&str| words(source).any(|written| written == *word);
    if words(&error.problem).filter(is_shown).all(is_known) {
        return error;
    }
    let variables = known.first().map_or_else(String::new, |names| names.join(", "));
    let problem =
        format!("it holds a name that no template knows, not shown here; the variables are {variables}");
    TemplateError { problem, ..error }
}
