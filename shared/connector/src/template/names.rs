//! The names that a template uses. The engine finds a wrong one only when it runs: here it is found when the document is
//! read, and told with the nearest that there is.

use minijinja::machinery::{Span, Token, tokenize};
use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, context};

use super::{NAME, Template, TemplateError, filters};
use crate::document::nearest;

/// Refuses a variable that is not among the known ones.
pub(super) fn variables(template: &Template, known: &[&str]) -> Result<(), TemplateError> {
    let Ok(parsed) = template.environment.get_template(NAME) else { return Ok(()) };
    let globals: Vec<_> = template.environment.globals().map(|(name, _)| name.to_owned()).collect();
    let mut unknown: Vec<_> = parsed.undeclared_variables(false).into_iter().collect();
    unknown.sort();
    let is_known = |name: &String| known.contains(&name.as_str()) || globals.contains(name);
    match unknown.into_iter().find(|name| !is_known(name)) {
        Some(name) => Err(TemplateError {
            line: line_of(template.source(), &name),
            problem: no_such("variable", &name, known) + &hint(template.source(), &name, known),
        }),
        None => Ok(()),
    }
}

/// Refuses filters and tests that do not exist, and statements that no template may have.
pub(super) fn filters_and_tests(source: &str, environment: &Environment<'_>) -> Result<(), TemplateError> {
    let tokens: Vec<_> = tokenize(source, false, SyntaxConfig::default()).map_while(Result::ok).collect();
    for window in tokens.windows(3) {
        let [(first, _), (second, span), (third, third_span)] = window else { continue };
        let line = |span: &Span| usize::from(span.start_line);
        if let Some(problem) = forbidden(first, second) {
            return Err(TemplateError { line: line(span), problem: problem.to_owned() });
        }
        let (kind, similar, name, span) = match (first, second, third) {
            (Token::Pipe, Token::Ident(name), _) => ("filter", filters::NAMES, *name, span),
            (Token::Ident("is"), Token::Ident("not"), Token::Ident(name)) => {
                ("test", filters::TESTS, *name, third_span)
            }
            (Token::Ident("is"), Token::Ident(name), _) => ("test", filters::TESTS, *name, span),
            _ => continue,
        };
        if !exists(kind, name, environment) {
            return Err(TemplateError { line: line(span), problem: no_such(kind, name, similar) });
        }
    }
    Ok(())
}

/// Why no template may begin a statement like this.
fn forbidden(first: &Token<'_>, second: &Token<'_>) -> Option<&'static str> {
    match (first, second) {
        (Token::BlockStart, Token::Ident("include" | "import" | "from" | "extends")) => {
            Some("a template stands alone: it cannot take in another")
        }
        (Token::BlockStart, Token::Ident("autoescape")) => {
            Some("values are always written as contentType needs it: use | safe for one value")
        }
        _ => None,
    }
}

/// Whether the engine has it, as the engine itself says.
fn exists(kind: &str, name: &str, environment: &Environment<'_>) -> bool {
    let asked =
        environment.compile_expression(if kind == "filter" { "name is filter" } else { "name is test" });
    asked.and_then(|asked| asked.eval(context! { name })).map_or(true, |exists| exists.is_true())
}

fn hint(source: &str, name: &str, known: &[&str]) -> String {
    if source.contains(&format!("-{name}")) {
        format!("; a name with a hyphen is written in brackets: event.attributes[\"…-{name}\"]")
    } else if nearest(name, known).is_some() {
        String::new()
    } else {
        match name {
            "data" => "; data is there where the route has fetch, in its payload".to_owned(),
            "response" => "; response is there in respond alone".to_owned(),
            _ => "; a field of the event is written event.entityRef, a text in quotes".to_owned(),
        }
    }
}

fn no_such(kind: &str, name: &str, known: &[&str]) -> String {
    match nearest(name, known) {
        Some(near) => format!("there is no {kind} {name:?}; did you mean {near:?}?"),
        None if kind == "variable" => format!("there is no {kind} {name:?}; known are {}", known.join(", ")),
        None if kind == "test" => format!(
            "there is no {kind} {name:?}; there are defined, none, string, number, sequence, mapping, startingwith and others"
        ),
        None => format!("there is no {kind} {name:?}; the README lists those there are"),
    }
}

/// The line on which a name stands first.
fn line_of(source: &str, name: &str) -> usize {
    let is_whole =
        |line: &str| line.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|word| word == name);
    source.lines().position(is_whole).map_or(1, |line| line + 1)
}
