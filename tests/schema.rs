//! The JSON Schemas: of mission files, and of what commands print.

use crate::world::{World, checked_in, checked_in_folder};
use serde_json::Value;

#[test]
fn the_checked_in_schemas_are_those_that_mcell_makes() {
    let world = World::new();
    let made = world.mcell("schema --all made --json").ok().json();
    let files = made["files"].as_array().expect("a list of files");
    let names: Vec<&str> = files
        .iter()
        .map(|file| file.as_str().expect("a name"))
        .collect();
    assert!(names.contains(&"task.json") && names.contains(&"output.scan.json"));
    for name in &names {
        let text = std::fs::read_to_string(world.home().join("made").join(name)).expect("a schema");
        checked_in(&format!("docs/schema/{name}"), &text);
    }
    checked_in_folder("docs/schema", &names);
}

#[track_caller]
fn assert_is_as_said(world: &World, name: &str, printed: &Value) {
    let schema = world.mcell(&format!("schema {name}")).ok().json();
    jsonschema::meta::validate(&schema).unwrap_or_else(|error| panic!("{name}: {error}"));
    let judge = jsonschema::validator_for(&schema).expect("a schema");
    let faults: Vec<String> = judge
        .iter_errors(printed)
        .map(|error| error.to_string())
        .collect();
    assert!(faults.is_empty(), "{name}: {faults:?}\n{printed:#}");
    // A field that the schema does not name would pass unseen.
    for field in printed.as_object().expect("an object").keys() {
        assert!(
            schema["properties"].get(field).is_some(),
            "{name} does not name {field}"
        );
    }
}

#[test]
fn what_commands_print_is_what_their_schemas_say() {
    let world = World::new();
    let made = world.mcell("init 'Example Mission' --json").ok().json();
    assert_is_as_said(&world, "output.init", &made);
    world.mcell("add-agent --role write").ok();
    world.mcell("add-task 'Code Review'").ok();
    let file = world.cell().join("tasks/task_001.json");
    let task = std::fs::read_to_string(&file)
        .expect("a task")
        .replace("pending", "pendant");
    std::fs::write(&file, task).expect("a broken task");
    for (name, command) in [
        ("output.status", "status"),
        ("output.scan", "scan"),
        ("output.scan.changes", "scan --changes"),
        ("output.validate", "validate"),
        ("output.explain", "explain MC004"),
        ("output.explain.list", "explain"),
        ("output.doctor", "doctor"),
        ("output.demo", "demo"),
        ("output.schema", "schema"),
        ("output.man", "man --all pages"),
    ] {
        let printed = world.mcell(&format!("{command} --json")).json();
        assert_is_as_said(&world, name, &printed);
    }
    let failed = world
        .mcell("add-task --depends-on task_009 X --json")
        .code(3);
    let error = serde_json::from_str(&failed.err).expect("an error as JSON");
    assert_is_as_said(&world, "output.error", &error);
}

#[test]
fn a_wrong_name_is_answered_with_the_one_that_was_meant() {
    let world = World::new();
    world.mcell("schema tasks").code(3).says("is `task` meant?");
    world
        .mcell("schema")
        .ok()
        .shows("tasks/<task_id>.json")
        .shows("output.error");
}
