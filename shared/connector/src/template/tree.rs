//! Values of a document whose texts may be templates: variables of a query, attributes of an event.

use serde_json::Value;

use super::{Format, RenderError, Scope, Template, TemplateError, is_template, marks, shape};

/// A value with templates in it. A text that is one `${ … }` and nothing else keeps its value's type.
#[derive(Debug, PartialEq)]
pub enum Tree {
    /// Stands as it is.
    Fixed(Value),
    /// Makes a value of any type.
    Value(Template),
    /// Makes a text.
    Text(Template),
    /// A list.
    List(Vec<Tree>),
    /// A mapping, in the order of its keys.
    Mapping(Vec<(String, Tree)>),
}

impl Tree {
    /// Compiles the templates of a value; these may use these variables.
    ///
    /// # Errors
    /// The path below the value, with a dot before each key, and what is wrong there.
    pub fn parse(value: Value, variables: &[&str]) -> Result<Self, (String, TemplateError)> {
        match value {
            Value::String(text) if is_template(&text) => {
                text_of(&text, variables).map_err(|error| (String::new(), error))
            }
            Value::Array(items) => items
                .into_iter()
                .map(|item| Self::parse(item, variables))
                .collect::<Result<_, _>>()
                .map(Self::List),
            Value::Object(fields) => {
                let field = |(key, value)| match Self::parse(value, variables) {
                    Ok(tree) => Ok((key, tree)),
                    Err((path, error)) => Err((format!(".{key}{path}"), error)),
                };
                fields.into_iter().map(field).collect::<Result<_, _>>().map(Self::Mapping)
            }
            Value::String(text) => match shape::foreign(&text, variables) {
                Err(error) => Err((String::new(), error)),
                Ok(()) => Ok(Self::Fixed(Value::String(text))),
            },
            fixed @ (Value::Null | Value::Bool(_) | Value::Number(_)) => Ok(Self::Fixed(fixed)),
        }
    }

    /// What it makes of a message, as JSON.
    ///
    /// # Errors
    /// [`RenderError`] of the first template that fails.
    pub fn render(&self, scope: &Scope) -> Result<String, RenderError> {
        match self {
            Self::Fixed(value) => Ok(value.to_string()),
            Self::Value(template) => template.render(scope),
            Self::Text(template) => template.render(scope).map(|text| Value::from(text).to_string()),
            Self::List(items) => {
                let items = items.iter().map(|item| item.render(scope)).collect::<Result<Vec<_>, _>>()?;
                Ok(format!("[{}]", items.join(",")))
            }
            Self::Mapping(fields) => {
                let field = |(key, tree): &(String, Self)| {
                    Ok(format!("{}:{}", Value::from(key.as_str()), tree.render(scope)?))
                };
                let fields = fields.iter().map(field).collect::<Result<Vec<_>, RenderError>>()?;
                Ok(format!("{{{}}}", fields.join(",")))
            }
        }
    }
}

fn text_of(text: &str, variables: &[&str]) -> Result<Tree, TemplateError> {
    let marked = marks::engines(text)?;
    let inner = marked.trim().strip_prefix("{{").and_then(|text| text.strip_suffix("}}"));
    if inner.is_some_and(|inner| !is_template(inner) && !inner.contains("}}")) {
        Template::parse(text, Format::Json, variables).map(Tree::Value)
    } else {
        Template::parse(text, Format::Text, variables).map(Tree::Text)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Tree;
    use crate::template::Scope;

    #[test]
    fn a_lone_expression_keeps_its_type_and_all_else_is_text() {
        let scope =
            Scope::default().with_json("event", r#"{"n":9007199254740993,"l":[1],"t":"a\"b"}"#).unwrap();
        let value = json!({"n": "{{ event.n }}", "l": ["{{ event.l }}"], "t": "{{ event.t }}", "x": "no. {{ event.n }}", "f": 1.5, "z": null});
        let tree = Tree::parse(value, &["event"]).unwrap();
        assert_eq!(
            tree.render(&scope).unwrap(),
            r#"{"n":9007199254740993,"l":[[1]],"t":"a\"b","x":"no. 9007199254740993","f":1.5,"z":null}"#
        );
        let (path, error) = Tree::parse(json!({"a": [{"b": "{{ evnt }}"}]}), &["event"]).unwrap_err();
        assert_eq!((path.as_str(), error.line), (".a.b", 1));
    }
}
