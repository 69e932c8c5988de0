//! What people write who know another notation, and what to tell them: by the shape of a line, never by its value.

/// Names of other products and notations, and what stands for them here.
const ALIASES: [(&str, &str); 55] = [
    ("event", "message"),
    ("events", "message"),
    ("event", "name"),
    ("name", "message"),
    ("condition", "when"),
    ("filter", "when"),
    ("if", "when"),
    ("body", "payload"),
    ("template", "payload"),
    ("disabled", "enabled"),
    ("active", "enabled"),
    ("properties", "props"),
    ("settings", "props"),
    ("url", "baseUrl"),
    ("host", "baseUrl"),
    ("url", "endpoint"),
    ("target", "endpoint"),
    ("to", "endpoint"),
    ("response", "respond"),
    ("graphql", "query"),
    ("uri", "url"),
    ("endpoint", "url"),
    ("authentication", "auth"),
    ("authorization", "auth"),
    ("retries", "retry"),
    ("attempts", "delays"),
    ("schedule", "delays"),
    ("enabled", "active"),
    ("disabled", "active"),
    ("enabled", "paused"),
    ("message", "topics"),
    ("event", "topics"),
    ("events", "topics"),
    ("when", "filter"),
    ("condition", "filter"),
    ("if", "filter"),
    ("auth", "secrets"),
    ("order", "ordering"),
    ("user", "username"),
    ("login", "username"),
    ("pass", "password"),
    ("bearer", "type"),
    ("basic", "type"),
    ("key", "value"),
    ("apiKey", "value"),
    ("name", "header"),
    ("secret", "token"),
    ("key", "token"),
    ("secret", "clientSecret"),
    ("token", "secrets"),
    ("tokens", "secrets"),
    ("password", "secrets"),
    ("value", "secrets"),
    ("values", "secrets"),
    ("algo", "algorithm"),
];

/// The known key that another notation's name stands for.
pub(crate) fn meant<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let meant = ALIASES.iter().filter(|(alias, _)| alias.eq_ignore_ascii_case(name));
    meant.filter_map(|(_, key)| known.iter().find(|known| *known == key)).copied().next()
}

/// What is wrong with a text that the parser stopped in at `line`, from 1; names a key where it is a known one.
pub(crate) fn in_yaml(text: &str, line: usize, known: &[&str]) -> String {
    let before: Vec<_> = text.lines().take(line).filter(|line| !line.trim().is_empty()).collect();
    let next = text.lines().nth(line).filter(|next| indentation(next).contains('\t'));
    let mut suspects = next.iter().chain(before.iter().rev().take(2));
    let json = text.trim_start().starts_with('{') && !unclosed(text);
    let is_told = |problem: &&str| !(json && *problem == UNCLOSED);
    let found = suspects.find_map(|line| Some((line, of_line(line).filter(is_told)?)));
    let Some((line, problem)) = found else {
        if text.trim_start().starts_with('{') {
            return "in JSON a comma stands between two entries, and texts stand in \"".to_owned();
        }
        if let [.., one, other] = &before[..]
            && indentation(one) != indentation(other)
        {
            return "this line is indented otherwise than the one before: begin them one below the other, unless that one ends in a colon".to_owned();
        }
        return "check the indentation of this line and the one before, and that quotes and brackets are closed".to_owned();
    };
    match key_of(line).filter(|key| known.contains(key)) {
        Some(key) => format!("{key:?}: {problem}"),
        None => problem.to_owned(),
    }
}

/// What is wrong with a whole document that is no mapping.
pub(crate) fn no_mapping(text: &str, known: &[&str]) -> String {
    let first = known.iter().find(|key| !matches!(**key, "description" | "source")).copied().unwrap_or("key");
    let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.trim().starts_with('#'));
    let mut lines = lines.map(str::trim);
    let Some(line) = lines.next() else {
        return format!("is empty: it needs keys and values, such as {first}: …");
    };
    let hint = if line.starts_with("- ") {
        "take out the - at its beginning"
    } else if line.starts_with(['"', '\'']) {
        "take out the quotes around the whole"
    } else if line.starts_with("http") {
        "a URL alone is no such document"
    } else if key_of(line).is_some_and(|key| known.contains(&key)) {
        "put a colon and a space behind each key"
    } else {
        "write one a line"
    };
    format!("must be a mapping of keys to values, such as {first}: …; {hint}")
}

const UNCLOSED: &str =
    "a quote or a bracket is not closed, or one too many: put a value that holds one in quotes";

fn indentation(line: &str) -> &str {
    line.split(|c: char| !c.is_whitespace()).next().unwrap_or_default()
}

fn of_line(line: &str) -> Option<&'static str> {
    let value = line.split_once(": ").map_or("", |(_, value)| value).trim();
    let holds = |signs: &[char]| line.contains(signs);
    let begins = |signs: &[&str]| signs.iter().any(|sign| line.contains(&format!(": {sign}")));
    let problem = if indentation(line).contains('\t') {
        "indent with spaces: a tab stands there"
    } else if line.contains("\\n") && !line.contains('"') {
        "\\n is no line break here: make real ones"
    } else if line.contains('\\') && line.contains('"') {
        "between double quotes \\ begins an escape: use single quotes, or write \\\\"
    } else if begins(&["{{", "{%"]) || ["${", "{{", "{%"].iter().any(|mark| in_flow(line, mark)) {
        "a value with a template stands in quotes, or behind | on lines of its own, indented"
    } else if holds(&['“', '”', '‘', '’', '„']) {
        "typographic quotes are none here: write \" or '"
    } else if line.trim_start().starts_with("query:") && value_behind_colon(line).starts_with('{') {
        "a GraphQL query stands in quotes, or behind | on lines of its own, indented"
    } else if begins(&["*", "[*"]) {
        "put a value that begins with * in quotes"
    } else if begins(&["&", "!", "%", "@", "`"]) {
        "put a value that begins with one of & ! % @ ` in quotes"
    } else if (value.contains(": ") && !value.starts_with(['"', '\'', '{', '['])) || line.contains(": }") {
        "put a value that holds a colon and a space in quotes"
    } else if unclosed(line) && !line.ends_with(['{', '[', ',']) {
        UNCLOSED
    } else if lacks_space(line) {
        "put a space behind the key's colon"
    } else if line.starts_with("http") {
        "a document begins with keys: write url: before the URL"
    } else {
        return None;
    };
    Some(problem)
}

/// Whether a template stands inside of brackets, in a line that is not quoted.
fn in_flow(line: &str, mark: &str) -> bool {
    line.trim_start().starts_with(['{', '[']) && line.contains(mark)
}

fn value_behind_colon(line: &str) -> &str {
    line.split_once(':').map_or("", |(_, value)| value.trim())
}

fn unclosed(line: &str) -> bool {
    let count = |sign: char| line.chars().filter(|c| *c == sign).count();
    count('"') % 2 == 1 || count('\'') % 2 == 1 || count('{') != count('}') || count('[') != count(']')
}

fn lacks_space(line: &str) -> bool {
    let Some((key, rest)) = line.trim().split_once(':') else { return false };
    crate::document::name_of(key) == key && !rest.is_empty() && !rest.starts_with([' ', '/'])
}

/// What stands where a line's key does.
fn key_of(line: &str) -> Option<&str> {
    let key = crate::document::name_of(line.trim_start().trim_start_matches(['{', '"', '\'']).trim_start());
    (!key.is_empty()).then_some(key)
}
