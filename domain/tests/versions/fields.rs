//! Schemas as lists of fields, and the rule by which a reader reads what a writer writes.

use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

type Schemas = Map<String, Value>;

/// A field of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Field {
    /// True when it is there wherever the object that it belongs to is.
    required: bool,
    types: BTreeSet<String>,
    formats: BTreeSet<String>,
    /// The words that it is one of. Empty: any.
    words: BTreeSet<String>,
}

/// The fields of a schema, by path: `data.lines[].quantity`.
fn fields(schemas: &Schemas, name: &str) -> BTreeMap<String, Field> {
    let mut found = BTreeMap::new();
    visit(schemas, &schemas[name], "", true, &mut found);
    found
}

fn visit(
    schemas: &Schemas,
    schema: &Value,
    path: &str,
    required: bool,
    found: &mut BTreeMap<String, Field>,
) {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.rsplit('/').next().unwrap();
        return visit(schemas, &schemas[name], path, required, found);
    }
    let field = found.entry(path.to_owned()).or_default();
    field.required |= required;
    let texts = |value: &Value| -> Vec<String> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        value.as_array().map_or_else(
            || text(value).into_iter().collect(),
            |all| all.iter().filter_map(text).collect(),
        )
    };
    field.types.extend(texts(&schema["type"]));
    field.formats.extend(texts(&schema["format"]));
    field.words.extend(texts(&schema["const"]));
    field.words.extend(texts(&schema["enum"]));
    for form in ["allOf", "anyOf", "oneOf"] {
        for part in schema[form].as_array().into_iter().flatten() {
            visit(schemas, part, path, required, found);
        }
    }
    if schema["items"].is_object() {
        visit(schemas, &schema["items"], &format!("{path}[]"), true, found);
    }
    let needed = texts(&schema["required"]);
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        visit(schemas, member, &path, needed.contains(name), found);
    }
}

/// A version's schemas.
pub struct Version {
    /// Its name, for sentences.
    pub name: &'static str,
    /// What it writes.
    pub written: Schemas,
    /// What it reads.
    pub read: Schemas,
}

impl Version {
    /// The kinds of messages that it knows.
    fn kinds(&self) -> impl Iterator<Item = &String> {
        self.written.keys().filter(|name| name.contains('.'))
    }

    /// Why it cannot read all that another version writes, in sentences; empty when it can.
    pub fn cannot_read(&self, writer: &Self) -> BTreeSet<String> {
        let mut sentences = BTreeSet::new();
        let (reads, writes) = (self.name, writer.name);
        for kind in writer.kinds() {
            if !self.read.contains_key(kind) {
                sentences.insert(format!("{reads} does not know {kind}, which {writes} writes"));
                continue;
            }
            let (expected, written) = (fields(&self.read, kind), fields(&writer.written, kind));
            for (path, field) in expected {
                let what = format!("{kind}: `{path}`");
                let Some(given) = written.get(&path) else {
                    // Of an object that is never written, nothing is needed.
                    let parent = path.rsplit_once('.').map_or("", |(parent, _)| parent);
                    if field.required && written.contains_key(parent) {
                        sentences.insert(format!(
                            "{what} is needed by {reads} and not written by {writes}"
                        ));
                    }
                    continue;
                };
                if field.required && !given.required {
                    sentences.insert(format!(
                        "{what} is needed by {reads} and not always written by {writes}"
                    ));
                }
                for of in given.types.difference(&field.types) {
                    sentences.insert(format!(
                        "{what} is written as {of} by {writes}, which {reads} does not read"
                    ));
                }
                for of in field.formats.difference(&given.formats) {
                    sentences.insert(format!(
                        "{what} is read as {of} by {reads}, which {writes} does not write"
                    ));
                }
                if !field.words.is_empty() {
                    for word in given.words.difference(&field.words) {
                        sentences.insert(format!(
                            "{what} may be `{word}` by {writes}, which {reads} does not know"
                        ));
                    }
                }
            }
        }
        sentences
    }
}

fn version(name: &'static str, schema: &Value) -> Version {
    let schemas = Map::from_iter([("a.b".to_owned(), schema.clone())]);
    Version { name, written: schemas.clone(), read: schemas }
}

fn schema(properties: Value, required: &[&str]) -> Value {
    serde_json::json!({"type": "object", "properties": properties, "required": required})
}

/// What the old version cannot read of the new one's, and the reverse.
fn compared(old: &Value, new: &Value) -> (Vec<String>, Vec<String>) {
    let (old, new) = (version("old", old), version("new", new));
    let list = |sentences: BTreeSet<String>| sentences.into_iter().collect();
    (list(old.cannot_read(&new)), list(new.cannot_read(&old)))
}

#[test]
fn each_change_has_its_sentence() {
    use serde_json::json;
    let text = json!({"type": "string"});
    let words = |words: &[&str]| json!({"oneOf": words.iter().map(|word| json!({"type": "string", "const": word})).collect::<Vec<_>>()});
    let none: Vec<String> = Vec::new();
    let one = schema(json!({"a": text}), &["a"]);

    let optional = schema(json!({"a": text, "b": text}), &["a"]);
    assert_eq!(
        compared(&one, &optional),
        (none.clone(), none.clone()),
        "an optional field is added"
    );
    assert_eq!(
        compared(&optional, &one),
        (none.clone(), none.clone()),
        "an optional field is removed"
    );

    let two = schema(json!({"a": text, "b": text}), &["a", "b"]);
    let (old, new) = compared(&one, &two);
    assert_eq!(
        (old, new),
        (none.clone(), vec!["a.b: `b` is needed by new and not written by old".to_owned()])
    );
    let (old, _) = compared(&two, &one);
    assert_eq!(old, ["a.b: `b` is needed by old and not written by new"]);

    let renamed = schema(json!({"c": text}), &["c"]);
    let (old, new) = compared(&one, &renamed);
    assert_eq!(old, ["a.b: `a` is needed by old and not written by new"]);
    assert_eq!(new, ["a.b: `c` is needed by new and not written by old"]);

    let loose = schema(json!({"a": text}), &[]);
    assert_eq!(
        compared(&one, &loose).0,
        ["a.b: `a` is needed by old and not always written by new"]
    );

    let number = schema(json!({"a": {"type": "integer"}}), &["a"]);
    assert_eq!(
        compared(&one, &number).0,
        ["a.b: `a` is written as integer by new, which old does not read"]
    );

    let (few, many) =
        (schema(json!({"a": words(&["x"])}), &[]), schema(json!({"a": words(&["x", "y"])}), &[]));
    assert_eq!(compared(&few, &many).0, ["a.b: `a` may be `y` by new, which old does not know"]);
    assert_eq!(compared(&few, &many).1, none);

    let (mut before, after) = (version("old", &one), version("new", &one));
    before.written.insert("a.c".to_owned(), one);
    assert_eq!(
        after.cannot_read(&before).into_iter().collect::<Vec<_>>(),
        ["new does not know a.c, which old writes"]
    );
}
