//! Templates and conditions of routes and endpoints: minijinja, bounded in steps and size, nothing undefined.
//!
//! What stands between `${` and `}` is written as its surroundings need it, so that no value can break them: as JSON in
//! a JSON payload, escaped in XML, percent-encoded in a URL. Compiled once, when its document is read.

mod engine;
mod filters;
mod marks;
mod names;
mod scope;
mod shape;
mod tree;

use std::fmt;
use std::io;

use minijinja::{Environment, Error, ErrorKind};
use serde::de::IgnoredAny;

use crate::document::nearest;

pub(crate) use marks::first_mark;
pub use marks::is_template;
pub use scope::Scope;
pub use tree::Tree;

use engine::environment;

/// Most steps of one rendering; a value in a template takes about three.
pub const MAX_STEPS: u64 = 500_000;
/// Most bytes of what is rendered.
pub const MAX_RENDERED_BYTES: usize = 1_048_576;

/// What every template can use: `event`, the payload as it was received; `message`, its `id`, `name`, `source` and
/// `receivedAt`; `props` of the route.
pub const MESSAGE_VARIABLES: &[&str] = &["event", "message", "props"];

/// The only template of each environment.
const NAME: &str = "template";

/// What a template makes, which decides how values are written into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// JSON: a value prints itself as JSON, text with its quotes; what comes out is parsed.
    Json,
    /// XML: `<`, `>`, `&` and quotes are escaped.
    Xml,
    /// A URL or a form: all but letters, digits and `-._~` is percent-encoded.
    Url,
    /// Text: values as they are.
    Text,
}

impl Format {
    /// What a payload of this content type is.
    #[must_use]
    pub fn of_content_type(content_type: &str) -> Self {
        let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match essence.as_str() {
            "application/x-www-form-urlencoded" => Self::Url,
            json if json == "application/json" || json.ends_with("+json") => Self::Json,
            xml if matches!(xml, "application/xml" | "text/xml") || xml.ends_with("+xml") => Self::Xml,
            _ => Self::Text,
        }
    }
}

/// A compiled template.
pub struct Template {
    source: String,
    environment: Box<Environment<'static>>,
    format: Format,
}

/// A compiled condition.
pub struct Condition(Template);

/// Why a text is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is no template: line {line}: {problem}")]
pub struct TemplateError {
    /// Of the template, from 1.
    pub line: usize,
    /// What is wrong.
    pub problem: String,
}

/// Why a template made nothing of an event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// A step failed: a value is undefined, or of the wrong kind.
    #[error("line {line}: {problem}")]
    Failed {
        /// Of the template, from 1.
        line: usize,
        /// What is wrong.
        problem: String,
    },
    /// The steps are used up.
    #[error("it takes more than {MAX_STEPS} steps: is there a loop in a loop?")]
    TooManySteps,
    /// The result is too large.
    #[error("it makes more than {MAX_RENDERED_BYTES} bytes")]
    TooLarge,
    /// The result is not JSON.
    #[error(
        "what it makes is not JSON, at line {line}, column {column}: a value prints itself with its quotes, so write ${{ x }} without any, and join texts inside of it: ${{ \"a-\" ~ x }}"
    )]
    NotJson {
        /// Of the result, from 1.
        line: usize,
        /// Of the result, from 1.
        column: usize,
    },
}

impl Template {
    /// Compiles a template that may use these variables.
    ///
    /// # Errors
    /// [`TemplateError`] for what cannot be parsed, and for filters, tests and variables that do not exist.
    pub fn parse(source: &str, format: Format, variables: &[&str]) -> Result<Self, TemplateError> {
        let marked = marks::engines(source)?;
        let mut environment = environment(format);
        environment.add_template_owned(NAME, marked.to_string()).map_err(|error| {
            let error = unparsed(&error);
            let line = marked.lines().nth(error.line.saturating_sub(1)).unwrap_or_default();
            TemplateError { problem: error.problem + shape::hint(line), ..error }
        })?;
        let template = Self { source: marked.to_string(), environment: Box::new(environment), format };
        names::filters_and_tests(&marked, &template.environment)?;
        names::variables(&template, variables)?;
        shape::foreign(&marked, variables)?;
        if format == Format::Json {
            shape::json(&marked)?;
        }
        Ok(template)
    }

    /// The same, for a text that may hold a secret: the error shows no word of it that is near to no known one.
    pub(crate) fn parse_hidden(
        source: &str,
        format: Format,
        variables: &[&str],
    ) -> Result<Self, TemplateError> {
        let known = [variables, filters::NAMES, filters::TESTS, filters::STATEMENTS];
        Self::parse(source, format, variables).map_err(|error| shape::hidden(error, source, &known))
    }

    /// The text with a stand-in for each value; `None` where it holds statements.
    pub(crate) fn with_stand_ins(&self, stand_in: &str) -> Option<String> {
        shape::with_stand_ins(&self.source, stand_in)
    }

    /// The text.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What it makes of a message.
    ///
    /// # Errors
    /// [`RenderError`] by cause.
    pub fn render(&self, scope: &Scope) -> Result<String, RenderError> {
        let mut rendered = Bounded(Vec::new());
        let template = self.environment.get_template(NAME).map_err(|error| failed(&error, scope))?;
        if let Err(error) = template.render_captured_to(scope.value(), &mut rendered) {
            return Err(failed(&error, scope));
        }
        let text = String::from_utf8_lossy(&rendered.0).into_owned();
        if self.format == Format::Json {
            serde_json::from_str::<IgnoredAny>(&text)
                .map_err(|error| RenderError::NotJson { line: error.line(), column: error.column() })?;
        }
        Ok(text)
    }
}

impl Condition {
    /// Compiles a condition that may use these variables.
    ///
    /// # Errors
    /// [`TemplateError`] as for a template.
    pub fn parse(source: &str, variables: &[&str]) -> Result<Self, TemplateError> {
        if ["${", "{{", "{%", "if "].iter().any(|mark| source.trim_start().starts_with(mark)) {
            let problem = "a condition is an expression alone, without ${ }, {% %} and if".to_owned();
            return Err(TemplateError { line: 1, problem });
        }
        environment(Format::Text).compile_expression(source).map_err(|error| {
            let error = unparsed(&error);
            TemplateError { problem: error.problem + shape::hint(source), ..error }
        })?;
        Template::parse(&format!("{{% if ({source}) %}}true{{% endif %}}"), Format::Text, variables).map(Self)
    }

    /// Whether it holds.
    ///
    /// # Errors
    /// [`RenderError`] by cause.
    pub fn holds(&self, scope: &Scope) -> Result<bool, RenderError> {
        self.0.render(scope).map(|text| !text.is_empty())
    }
}

impl PartialEq for Template {
    fn eq(&self, other: &Self) -> bool {
        (self.format, self.source()) == (other.format, other.source())
    }
}

impl PartialEq for Condition {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}({:?})", self.format, self.source())
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Takes [`MAX_RENDERED_BYTES`] and no more.
struct Bounded(Vec<u8>);

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_RENDERED_BYTES {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn unparsed(error: &Error) -> TemplateError {
    let problem = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    TemplateError { line: error.line().unwrap_or(1), problem }
}

fn failed(error: &Error, scope: &Scope) -> RenderError {
    match error.kind() {
        ErrorKind::OutOfFuel => RenderError::TooManySteps,
        ErrorKind::WriteFailure => RenderError::TooLarge,
        kind => {
            let mut problem = error.detail().map_or_else(|| kind.to_string(), str::to_owned);
            if let Some(near) = undefined_path(&problem).and_then(|path| nearest_path(path, scope)) {
                problem = format!("{problem}; did you mean `{near}`?");
            }
            RenderError::Failed { line: error.line().unwrap_or(1), problem }
        }
    }
}

/// The path of the engine's text for what is undefined.
fn undefined_path(problem: &str) -> Option<&str> {
    problem.strip_prefix('`')?.strip_suffix("` is undefined")
}

/// The path with its last name mended, where its parent has one like it.
fn nearest_path(path: &str, scope: &Scope) -> Option<String> {
    let (parent, name) = path.rsplit_once('.')?;
    let keys = scope.keys(parent);
    let keys: Vec<_> = keys.iter().map(String::as_str).collect();
    nearest(name, &keys).map(|near| format!("{parent}.{near}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Condition, Format, MAX_RENDERED_BYTES, Scope, Template};

    const EVENT: &str =
        r#"{"id":"e1","entityRef":"HD_1","attributes":{"email":"a@shop.example","none":null},"items":[1,2]}"#;

    fn scope() -> Scope {
        Scope::default().with_json("event", EVENT).unwrap()
    }

    fn parsed(source: &str, format: Format) -> Result<Template, String> {
        Template::parse(source, format, &["event", "message"]).map_err(|error| error.to_string())
    }

    fn made(source: &str, format: Format) -> String {
        parsed(source, format).unwrap().render(&scope()).unwrap_or_else(|error| error.to_string())
    }

    fn wrong(source: &str) -> String {
        parsed(source, Format::Json).unwrap_err()
    }

    #[test]
    fn each_format_writes_values_so_that_they_cannot_break_it() {
        let event = r#"{"v":"a\"<b>&/ \nü'","n":null,"x":1.5}"#;
        let scope = Scope::default().with_json("event", event).unwrap();
        let made = |source: &str, format| parsed(source, format).unwrap().render(&scope).unwrap();
        let json = r#"{"v":{{ event.v }},"n":{{ event.n }},"x":{{ event.x }}}"#;
        assert_eq!(made(json, Format::Json), event);
        let xml = "<v>{{ event.v }}</v><n>{{ event.n }}</n>";
        assert_eq!(made(xml, Format::Xml), "<v>a&quot;&lt;b&gt;&amp;&#x2f; \nü&#x27;</v><n></n>");
        let url = "/{{ event.v }}?x={{ event.x }}";
        assert_eq!(made(url, Format::Url), "/a%22%3Cb%3E%26%2F%20%0A%C3%BC%27?x=1.5");
        assert_eq!(made("{{ event.n }}{{ event.x }}", Format::Text), "1.5");
        let others = r#"{{ true }} {{ [1, false, none] }} {{ {"a": "<"} }}"#;
        assert_eq!(made(others, Format::Text), r#"true [1,false,null] {"a":"<"}"#);
        assert_eq!(made(others, Format::Xml), "true [1,false,null] {&quot;a&quot;:&quot;&lt;&quot;}");
    }

    #[test]
    fn a_value_that_a_format_cannot_carry_is_told() {
        insta::assert_snapshot!(made("/{{ event.attributes.none }}", Format::Url), @"line 1: a value in a URL must be a text or a number");
        insta::assert_snapshot!(made("/{{ event.items }}", Format::Url), @"line 1: a value in a URL must be a text or a number");
        insta::assert_snapshot!(made("/{{ '' }}", Format::Url), @"line 1: a value in a URL is empty");
        insta::assert_snapshot!(made("<a>{{ '\u{1}' }}</a>", Format::Xml), @"line 1: a value holds a character that XML cannot carry");
        insta::assert_snapshot!(made("<a>{{ '\u{ffff}' }}</a>", Format::Xml), @"line 1: a value holds a character that XML cannot carry");
        insta::assert_snapshot!(made(r#"{"a": {% if true %}"{{ event.id }}"{% endif %}}"#, Format::Json), @r#"what it makes is not JSON, at line 1, column 9: a value prints itself with its quotes, so write ${ x } without any, and join texts inside of it: ${ "a-" ~ x }"#);
    }

    #[test]
    fn what_fails_says_the_line_and_the_path() {
        insta::assert_snapshot!(made("[\n{{ event.entityref }}]", Format::Json), @"line 2: `event.entityref` is undefined; did you mean `event.entityRef`?");
        insta::assert_snapshot!(made("{{ event.attributes.emial }}", Format::Json), @"line 1: `event.attributes.emial` is undefined; did you mean `event.attributes.email`?");
        insta::assert_snapshot!(made("{{ event.attributes.phone.home }}", Format::Json), @"line 1: `event.attributes.phone` is undefined");
        insta::assert_snapshot!(made("{% if event.vip %}1{% endif %}", Format::Json), @"line 1: `event.vip` is undefined");
        insta::assert_snapshot!(made("{{ event.id + 1 }}", Format::Json), @"line 1: tried to use + operator on unsupported types string and number");
        insta::assert_snapshot!(made("{{ event.items[5] }}", Format::Json), @"line 1: `event.items[5]` is undefined");
        assert_eq!(made("{{ event.attributes.phone | default('none') }}", Format::Text), "none");
    }

    #[test]
    fn undefined_hides_in_no_list_and_no_mapping() {
        for source in
            ["{{ [event.nope] }}", "{{ {\"x\": {\"y\": event.nope}} }}", "{{ event.nope | tojson }}"]
        {
            assert!(made(source, Format::Json).contains("undefined"), "{source}");
        }
        let problem = wrong("{% autoescape false %}{{ event.id }}{% endautoescape %}");
        assert!(problem.contains("| safe"), "{problem}");
    }

    #[test]
    fn what_is_no_template_is_refused_when_it_is_read() {
        insta::assert_snapshot!(wrong("{{ event.id"), @"is no template: line 1: unexpected end of input, expected end of variable block; close {{ with }}");
        insta::assert_snapshot!(wrong("{\n{{ event.id | uper }}"), @r#"is no template: line 2: there is no filter "uper"; did you mean "upper"?"#);
        insta::assert_snapshot!(wrong("{{ event.id is defned }}"), @r#"is no template: line 1: there is no test "defned"; did you mean "defined"?"#);
        insta::assert_snapshot!(wrong("{{ event.id is not blue }}"), @r#"is no template: line 1: there is no test "blue"; there are defined, none, string, number, sequence, mapping, startingwith and others"#);
        insta::assert_snapshot!(wrong("{}\n{{ evnt.id }}"), @r#"is no template: line 2: there is no variable "evnt"; did you mean "event"?"#);
        insta::assert_snapshot!(wrong("{{ order.id }}"), @r#"is no template: line 1: there is no variable "order"; known are event, message; a field of the event is written event.entityRef, a text in quotes"#);
        insta::assert_snapshot!(wrong("{% for x in event.items %}"), @"is no template: line 1: unexpected end of input, expected end of block");
        insta::assert_snapshot!(wrong("{% endif %}"), @"is no template: line 1: unknown statement endif");
        assert!(parsed("{% for x in range(3) %}{{ loop.index ~ x }}{% endfor %}", Format::Text).is_ok());
    }

    #[test]
    fn steps_and_size_are_bounded() {
        insta::assert_snapshot!(made("{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}", Format::Text), @"it takes more than 500000 steps: is there a loop in a loop?");
        insta::assert_snapshot!(made(&format!("{{% for a in range(9999) %}}{}{{% endfor %}}", "x".repeat(200)), Format::Text), @"it makes more than 1048576 bytes");
        assert_eq!(made(&"x".repeat(MAX_RENDERED_BYTES), Format::Text).len(), MAX_RENDERED_BYTES);
    }

    #[test]
    fn a_condition_holds_or_not_or_fails() {
        let holds = |source: &str| Condition::parse(source, &["event"]).unwrap().holds(&scope());
        assert_eq!(holds(r#"event.entityRef in ["HD_1", "HD_2"]"#), Ok(true));
        assert_eq!(holds("event.attributes.vip is defined and event.attributes.vip"), Ok(false));
        insta::assert_snapshot!(holds("event.status == 'x'").unwrap_err(), @"line 1: `event.status` is undefined");
        let wrong = |source: &str| Condition::parse(source, &["event"]).unwrap_err().to_string();
        insta::assert_snapshot!(wrong("event.id = 'x'"), @"is no template: line 1: unexpected input after expression; compare with ==");
        insta::assert_snapshot!(wrong("event.id == 'x' && true"), @"is no template: line 1: unexpected end of input, expected `)`; write and, or, not, in");
        insta::assert_snapshot!(wrong("a) %}{% if (b"), @"is no template: line 1: unexpected input after expression");
        insta::assert_snapshot!(wrong(""), @"is no template: line 1: unexpected end of input, expected expression");
    }

    #[test]
    fn content_types_have_their_formats() {
        for (content_type, format) in [
            ("application/json; charset=utf-8", Format::Json),
            ("application/vnd.acme+JSON", Format::Json),
            ("text/xml", Format::Xml),
            ("application/soap+xml", Format::Xml),
            ("application/x-www-form-urlencoded", Format::Url),
            ("text/plain", Format::Text),
            ("", Format::Text),
        ] {
            assert_eq!(Format::of_content_type(content_type), format, "{content_type}");
        }
    }

    proptest! {
        #[test]
        fn no_value_breaks_a_json_payload(value in any::<String>()) {
            let event = serde_json::json!({ "v": value }).to_string();
            let scope = Scope::default().with_json("event", &event).unwrap();
            let template = parsed(r#"{"a":{{ event.v }},"b":[{{ event.v ~ "x" }}]}"#, Format::Json).unwrap();
            let made: serde_json::Value = serde_json::from_str(&template.render(&scope).unwrap()).unwrap();
            prop_assert_eq!(made, serde_json::json!({"a": value, "b": [format!("{value}x")]}));
        }
    }
}
