//! The JSON Schemas of what is printed as records are: the tables of mission/shape, and what stands beside their fields.

use crate::mission::grant::Right;
use crate::mission::shape::{self, schema};
use crate::ops::health::{AgentReasons, Note};
use crate::ops::run::LifeSeen;
use crate::ops::task::Reasons;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

/// An agent with the cell it is in.
pub fn agent(_: &mut SchemaGenerator) -> Schema {
    beside(schema::part(&shape::AGENT), of_cell())
}

/// The same, with how it was when the daemon last wrote that down, and its life that was begun last.
pub fn agent_seen(maker: &mut SchemaGenerator) -> Schema {
    let health = Option::<Note>::json_schema(maker);
    let mut health = health.to_value();
    health["description"] =
        "How it was when the daemon last wrote that down; null if it never did.".into();
    let life = Option::<LifeSeen>::json_schema(maker);
    let mut life = life.to_value();
    life["description"] = "Its life that was begun last; null if mcell never started it.".into();
    beside(
        agent(maker),
        json!({ "recorded_health": health, "life": life }),
    )
}

/// A task with the cell it is in.
pub fn task(_: &mut SchemaGenerator) -> Schema {
    beside(schema::part(&shape::TASK), of_cell())
}

/// The same, with what follows from the tasks around it.
pub fn task_around(maker: &mut SchemaGenerator) -> Schema {
    let list = json!({ "type": "string" });
    beside(
        task(maker),
        json!({
            "ready": { "description": "Whether it may start now.", "type": "boolean" },
            "because": { "description": "Why not.", "type": "array", "items": list },
            "awaited_by": { "description": "The tasks that depend on it.", "type": "array", "items": list },
        }),
    )
}

/// Why an agent or a task is as it is: one is itself, more are lists.
pub fn why(maker: &mut SchemaGenerator) -> Schema {
    let task = maker.subschema_for::<Reasons>();
    let agent = maker.subschema_for::<AgentReasons>();
    let several = object(json!({
        "tasks": { "type": "array", "items": task },
        "agents": { "type": "array", "items": agent },
    }));
    json_schema!({ "anyOf": [task, agent, several] })
}

/// The isolation that counts.
pub fn isolation(_: &mut SchemaGenerator) -> Schema {
    let level = json!({ "type": ["string", "null"] });
    let isolation = beside(
        schema::part(&shape::ISOLATION),
        json!({
            "source": { "description": "The file that states the level.", "type": "string" },
            "stated": {
                "description": "The level as each file states it.",
                "type": "object",
                "properties": { "cell.json": level, "config/isolation.json": level },
            },
        }),
    );
    object(json!({ "isolation": isolation }))
}

/// What each agent may do.
pub fn permissions(_: &mut SchemaGenerator) -> Schema {
    let entry = beside(
        schema::permission(),
        json!({ "role": { "description": "Its role; null if it is not in the cell.", "type": ["string", "null"] } }),
    );
    object(json!({ "permissions": {
        "description": "By agent. Where a list is null, the default counts.",
        "type": "object",
        "additionalProperties": entry,
    } }))
}

/// What became of the rights of an agent.
pub fn turned(_: &mut SchemaGenerator) -> Schema {
    let mut members = of_cell();
    members["agent_id"] = json!({ "description": "Whose rights they are.", "type": "string" });
    let rights = Right::ALL.map(Right::word).join(", ");
    members["permissions"] = schema::permission().to_value();
    members["permissions"]["description"] =
        format!("The lists that were meant, as they are now: of {rights}.").into();
    members["changed"] = json!({ "description": "Whether any changed.", "type": "boolean" });
    object(members)
}

/// A line of what the daemon said: one object a line, not a list.
pub fn daemon_line(_: &mut SchemaGenerator) -> Schema {
    let text = |about: &str| json!({ "description": about, "type": "string" });
    let mut line = object(json!({
        "at": { "description": "When.", "type": "string", "format": "date-time" },
        "level": text("DEBUG, INFO, WARNING or ERROR."),
        "event": text("What sort of event it is: daemon.started, agent.changed, …"),
        "text": text("What happened, in words."),
    }));
    // What it is about has names of its own: agent_id, cell_id, from, to, …
    line.insert(
        String::from("additionalProperties"),
        json!({ "type": "string" }),
    );
    line
}

/// A list under its noun.
pub fn list(noun: &str, one: &Schema) -> Schema {
    object(json!({ noun: { "type": "array", "items": one } }))
}

/// One is itself, more are a list under their noun.
pub fn one_or_list(noun: &str, one: &Schema) -> Schema {
    json_schema!({ "anyOf": [one, list(noun, one)] })
}

fn of_cell() -> Value {
    json!({ "cell_id": { "description": "The cell it is in.", "type": "string" } })
}

/// An object with these members, each of which is always there.
fn object(members: Value) -> Schema {
    beside(json_schema!({ "type": "object" }), members)
}

/// A record with these members beside its own.
fn beside(mut record: Schema, members: Value) -> Schema {
    let (Value::Object(members), Some(record_members)) = (members, record.as_object_mut()) else {
        return record;
    };
    let names: Vec<Value> = members.keys().map(|name| name.as_str().into()).collect();
    let mut add = |key: &str, more: Value| match (record_members.get_mut(key), more) {
        (Some(Value::Object(there)), Value::Object(more)) => there.extend(more),
        (Some(Value::Array(there)), Value::Array(more)) => there.extend(more),
        (_, more) => {
            record_members.insert(key.to_owned(), more);
        }
    };
    add("required", Value::Array(names));
    add("properties", Value::Object(members));
    record
}
