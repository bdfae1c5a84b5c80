//! JSON Schemas (draft 2020-12) of the mission files, made from the tables.
//!
//! A schema says what validate calls an error of form, so a field that nobody knows is allowed. It cannot say four
//! things, which validate finds besides: keys that stand twice, whole numbers written with a fraction (`300.0`), amounts
//! too large to count, and amounts that come to nothing (`0.0001KB`).

use super::{Field, Form, Mark, Shape};
use crate::mission::isolation::CAPABILITIES;
use serde_json::{Map, Value, json};

/// The draft that every schema is of.
pub const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";
const ID: &str = "^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$";
const ID_OR_ALL: &str = r"^(\*|[A-Za-z0-9][A-Za-z0-9._-]{0,127})$";
/// No white space and no control characters. The characters are named, because what `\s` means differs.
const WORD: &str =
    r"^[^\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+$";
const SHA256: &str = "^[0-9a-f]{64}$";
/// Above zero; in whole thousandths of a core.
const CORES: &str = r"^\s*(?=[0-9.]*[1-9])([0-9]+(\.[0-9]{1,3}0*)?\s*([Cc][Oo][Rr][Ee][Ss]?)?|[0-9]+(\.0+)?\s*[Mm])\s*$";
/// Above zero; with up to nine decimals.
const BYTES: &str = r"^\s*(?=[0-9.]*[1-9])[0-9]+(\.[0-9]{1,9}0*)?\s*([KkMmGgTtPp]([Ii]?[Bb])?|[Bb]([Yy][Tt][Ee][Ss]?)?)?\s*$";

/// The schema of one kind of file.
pub fn schema(shape: &'static Shape) -> Value {
    let mut schema = Map::new();
    schema.insert("$schema".into(), DRAFT.into());
    schema.insert(
        "$id".into(),
        format!("urn:mcell:schema:{}", shape.name).into(),
    );
    schema.insert("title".into(), shape.file.into());
    schema.extend(object(shape));
    Value::Object(schema)
}

/// The schema as its file under docs/schema and `mcell schema` have it.
pub fn text(shape: &'static Shape) -> String {
    // Keys are texts and numbers are whole, so this cannot fail.
    let mut text = serde_json::to_string_pretty(&schema(shape)).unwrap_or_default();
    text.push('\n');
    text
}

/// The schema of a record where it is a part of something else.
pub fn part(shape: &'static Shape) -> schemars::Schema {
    object(shape).into()
}

/// Of a cell as a part; for schemars' `schema_with`, as the others.
pub fn cell(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    part(&super::CELL)
}

/// Of an agent as a part.
pub fn agent(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    part(&super::AGENT)
}

/// Of a task as a part.
pub fn task(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    part(&super::TASK)
}

/// Of what `config/permissions.json` says of one agent.
pub fn permission() -> schemars::Schema {
    let entry = super::PERMISSIONS.others.as_ref();
    entry.map(of_form).unwrap_or_default().into()
}

fn object(shape: &'static Shape) -> Map<String, Value> {
    let mut schema = Map::new();
    schema.insert("description".into(), shape.about.into());
    schema.insert("type".into(), "object".into());
    if let Some(form) = &shape.others {
        schema.insert("propertyNames".into(), json!({ "pattern": ID }));
        schema.insert("additionalProperties".into(), Value::Object(of_form(form)));
        return schema;
    }
    let required = shape.fields.iter().filter(|field| field.required);
    let required: Vec<_> = required.map(|field| field.name).collect();
    if !required.is_empty() {
        schema.insert("required".into(), required.into());
    }
    let properties = shape.fields.iter();
    let properties =
        properties.map(|field| (field.name.to_owned(), Value::Object(property(field))));
    schema.insert("properties".into(), Value::Object(properties.collect()));
    schema
}

fn property(field: &Field) -> Map<String, Value> {
    let mut schema = of_form(&field.form);
    // What a field is says more than what its part is in general; a map keeps the place of a key.
    schema.shift_remove("description");
    schema.shift_insert(0, "description".into(), field.about.into());
    if !field.required {
        or_null(&mut schema);
    }
    if let Ok(default) = serde_json::from_str(field.default) {
        schema.insert("default".into(), default);
    }
    if field.mark == Mark::Mcell {
        schema.insert(
            "$comment".into(),
            "mcell's own: not in the fleet's specification".into(),
        );
    }
    schema
}

/// What need not be there may be null.
fn or_null(schema: &mut Map<String, Value>) {
    if let Some(kind) = schema.get_mut("type") {
        *kind = json!([kind.take(), "null"]);
    }
    if let Some(Value::Array(words)) = schema.get_mut("enum") {
        words.push(Value::Null);
    }
}

fn of_form(form: &Form) -> Map<String, Value> {
    let schema = match form {
        Form::Text(0, most) => json!({ "type": "string", "maxLength": most }),
        Form::Text(least, most) => {
            json!({ "type": "string", "minLength": least, "maxLength": most })
        }
        Form::Uuid => json!({ "type": "string", "format": "uuid" }),
        Form::Time => json!({ "type": "string", "format": "date-time" }),
        Form::Id => pattern(ID),
        Form::IdOrAll => pattern(ID_OR_ALL),
        Form::Word => json!({ "type": "string", "maxLength": 200, "pattern": WORD }),
        Form::OneOf(words) => json!({ "type": "string", "enum": words }),
        Form::Whole(least, most) => {
            json!({ "type": "integer", "minimum": least, "maximum": most })
        }
        Form::Flag => json!({ "type": "boolean" }),
        Form::Sha256 => pattern(SHA256),
        Form::Cores => pattern(CORES),
        Form::Bytes => pattern(BYTES),
        Form::Capability => pattern(&capability()),
        Form::Any => json!({}),
        Form::List(item) => json!({ "type": "array", "items": of_form(item) }),
        Form::Object(shape) => return object(shape),
        Form::Map(item) => json!({ "type": "object", "additionalProperties": of_form(item) }),
    };
    match schema {
        Value::Object(schema) => schema,
        _ => Map::new(),
    }
}

fn pattern(pattern: &str) -> Value {
    json!({ "type": "string", "pattern": pattern })
}

/// Every Linux capability in any case, with or without `CAP_`: schemas have no way to ignore case.
fn capability() -> String {
    let any_case = |name: &str| -> String {
        name.chars()
            .map(|letter| match letter {
                'A'..='Z' => format!("[{letter}{}]", letter.to_ascii_lowercase()),
                other => other.to_string(),
            })
            .collect()
    };
    let names: Vec<_> = CAPABILITIES.iter().map(|name| any_case(name)).collect();
    format!("^({})?({})$", any_case("CAP_"), names.join("|"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]
mod tests {
    use super::*;

    #[test]
    fn docs_schema_is_what_the_tables_say() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/schema");
        for shape in super::super::ALL {
            let path = format!("{folder}/{}.json", shape.name);
            if std::env::var_os("MCELL_BLESS").is_some() {
                std::fs::create_dir_all(folder).unwrap();
                std::fs::write(&path, text(shape)).unwrap();
            }
            let there = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(
                there == text(shape),
                "{path} is not what the tables say: run `MCELL_BLESS=1 cargo test --lib docs_schema`"
            );
        }
    }

    #[test]
    fn every_schema_is_one() {
        for shape in super::super::ALL {
            let schema = schema(shape);
            jsonschema::meta::validate(&schema).unwrap();
            assert!(jsonschema::validator_for(&schema).is_ok(), "{}", shape.name);
        }
    }
}
