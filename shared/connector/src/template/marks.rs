//! `${ … }`, the way in which templates in Parameter Store mark an expression.
//!
//! AWS refuses parameter values that hold `{{ … }}` (SSM API reference, `PutParameter`), which is the engine's own mark
//! and means the same here: a file may use either.

use std::borrow::Cow;

use super::TemplateError;

/// Whether a text holds anything for the engine.
#[must_use]
pub fn is_template(text: &str) -> bool {
    first_mark(text).is_some()
}

/// Where the first mark of a template stands.
pub(crate) fn first_mark(text: &str) -> Option<usize> {
    ["${", "{{", "{%", "{#"].iter().filter_map(|mark| text.find(mark)).min()
}

/// The text with the engine's own marks; lines stay lines.
pub(super) fn engines(text: &str) -> Result<Cow<'_, str>, TemplateError> {
    if !text.contains("${") {
        return Ok(text.into());
    }
    let mut made = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(start) = first_mark(rest) {
        let (before, marked) = rest.split_at_checked(start).unwrap_or((rest, ""));
        made.push_str(before);
        let Some(expression) = marked.strip_prefix("${") else {
            rest = pass(marked, &mut made);
            continue;
        };
        let Some(end) = end_of(expression) else {
            let line = 1 + made.matches('\n').count();
            return Err(TemplateError { line, problem: "${ has no }".to_owned() });
        };
        let (inner, after) = expression.split_at_checked(end).unwrap_or((expression, ""));
        made.push_str("{{ ");
        made.push_str(inner);
        made.push_str(" }}");
        rest = after.strip_prefix('}').unwrap_or(after);
    }
    made.push_str(rest);
    Ok(made.into())
}

/// Takes over what the engine's own marks enclose; what follows it.
fn pass<'a>(marked: &'a str, made: &mut String) -> &'a str {
    let closing = match marked.get(..2) {
        Some("{{") => "}}",
        Some("{%") => "%}",
        _ => "#}",
    };
    let end = marked.find(closing).map_or(marked.len(), |end| end + closing.len());
    let (taken, after) = marked.split_at_checked(end).unwrap_or((marked, ""));
    made.push_str(taken);
    after
}

/// Where the brace that closes an expression stands: not within a text, and not that of a mapping.
fn end_of(expression: &str) -> Option<usize> {
    let (mut quote, mut depth, mut escaped) = (None, 0_usize, false);
    for (at, c) in expression.char_indices() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '{') => depth += 1,
            (None, '}') if depth == 0 => return Some(at),
            (None, '}') => depth -= 1,
            (_, _) => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::engines;

    #[test]
    fn an_expression_has_either_mark() {
        for (text, made) in [
            ("a ${ x } b", "a {{  x  }} b"),
            ("${x}${-y}", "{{ x }}{{ -y }}"),
            (r#"{"a":${ {"b": {"}": 1}} }}"#, r#"{"a":{{  {"b": {"}": 1}}  }}}"#),
            (r#"${ "}\"}" ~ '}' }"#, r#"{{  "}\"}" ~ '}'  }}"#),
            ("{{ '${' }}${ y }", "{{ '${' }}{{  y  }}"),
            ("{% if a == '${' %}{# ${ #}${ y }", "{% if a == '${' %}{# ${ #}{{  y  }}"),
            ("$x {y} $", "$x {y} $"),
        ] {
            assert_eq!(engines(text).unwrap(), made, "{text}");
        }
        let error = engines("a\n${ x").unwrap_err();
        assert_eq!((error.line, error.problem.as_str()), (2, "${ has no }"));
    }
}
