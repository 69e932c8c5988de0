//! The line of a document that a problem is about.
//!
//! Problems are texts that name a key or a place; the line is for the eye alone, nothing is decided by it.

use connector::document::line_of;

/// The line, from 1: the one that the problem tells, else that of the key it names.
pub(crate) fn of_problem(text: &str, problem: &str) -> Option<usize> {
    told(problem).or_else(|| line_of(text, named(problem)?))
}

/// The first line that holds this text.
pub(crate) fn of_text(text: &str, part: &str) -> Option<usize> {
    text.lines().zip(1..).find_map(|(line, number)| line.contains(part).then_some(number))
}

/// The number after `line`.
fn told(problem: &str) -> Option<usize> {
    let (_, rest) = problem.split_once("line ")?;
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest.get(..end)?.parse().ok()
}

/// The first text in quotes.
fn named(problem: &str) -> Option<&str> {
    problem.split('"').nth(1).filter(|key| !key.is_empty())
}

#[cfg(test)]
mod tests {
    use super::of_problem;

    const TEXT: &str =
        "url: https://shop.example\nauth:\n  type: bearer\n  token: x\nretry: { delay: [5s] } # retry\n";

    #[test]
    fn a_problem_that_tells_its_line_is_believed() {
        assert_eq!(of_problem("", "cannot be read as YAML (line 12, column 5): x"), Some(12));
        assert_eq!(of_problem("", "unknown field at line 2 column 1"), Some(2));
    }

    #[test]
    fn else_the_key_that_it_names_is_looked_up() {
        assert_eq!(of_problem(TEXT, r#""auth.token" must be text"#), Some(4));
        assert_eq!(of_problem(TEXT, r#"unknown key "retry.delay"; did you mean "delays"?"#), Some(5));
        assert_eq!(of_problem(TEXT, r#"key "auth.secrets" is missing"#), None);
        assert_eq!(of_problem("{\"url\": 1}", r#""url" must be text"#), Some(1));
        assert_eq!(of_problem("b:\n  a: 2\na: 1", r#""a" must be text"#), Some(3), "not the one within b");
    }
}
