//! What `validate` prints for other programs: SARIF 2.1.0, workflow commands, JSON.

use crate::broken::{Broken, base, code, folders, world};
use crate::world::{Outcome, World};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A root with the cell of every fixture, and one with names that a careless format would not survive.
fn root() -> World {
    let world = world();
    for (fixture, number) in folders().iter().zip(1..) {
        let id = format!("c0ffee00-0000-4000-8000-{number:012}");
        Broken::lay(fixture, &world.root().join(id));
    }
    let hostile = world.root().join("c0ffee00-0000-4000-9000-000000000000");
    base(&hostile);
    let odd = "tasks/100%, a:b::error\r\n::warning\u{1b}[31m\u{202e} \"ü\" #?.json";
    std::fs::write(hostile.join(odd), "{}").unwrap();
    let text = r#"{"mission_name": "a", "100%\n::error::b": 1, "\u001b[31mé, : \"": 2}"#;
    std::fs::write(hostile.join("cell.json"), text).unwrap();
    world
}

fn validate(world: &World, format: &str) -> Outcome {
    let line = format!("validate -A --all --resilience --format {format}");
    let outcome = world.mcell(&line).code(1);
    let again = world.mcell(&line).code(1);
    assert_eq!(outcome.out, again.out, "two runs differ");
    outcome
}

fn schema() -> jsonschema::Validator {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/fixtures/sarif/sarif-2.1.0.json"
    );
    // The pattern of `language`, which we do not write, has a bracket that closes nothing; strict readers refuse it.
    let text = std::fs::read_to_string(file).unwrap();
    let text = text.replace(r#"-[a-zA-Z]{2}]?$""#, r#"-[a-zA-Z]{2}$""#);
    let schema: Value = serde_json::from_str(&text).unwrap();
    jsonschema::options()
        .should_validate_formats(true)
        .build(&schema)
        .unwrap()
}

fn is_valid(schema: &jsonschema::Validator, log: &Value) {
    let errors: Vec<String> = schema
        .iter_errors(log)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

fn found(world: &World) -> Vec<Value> {
    let found = validate(world, "json").json();
    found["findings"].as_array().unwrap().clone()
}

#[test]
fn sarif_is_what_its_schema_says_and_tells_all_findings() {
    let world = root();
    let log = validate(&world, "sarif").json();
    let schema = schema();
    is_valid(&schema, &log);
    let mut wrong = log.clone();
    wrong["runs"][0]["results"][0]["level"] = "fatal".into();
    assert!(!schema.is_valid(&wrong), "the schema finds nothing");

    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let results = run["results"].as_array().unwrap();
    let told: Vec<Value> = results
        .iter()
        .map(|result| {
            let rule = &rules[result["ruleIndex"].as_u64().unwrap() as usize];
            assert_eq!(rule["id"], result["ruleId"]);
            let place = &result["locations"][0]["physicalLocation"];
            let region = &place["region"];
            if !region.is_null() {
                assert!(region["endColumn"].as_u64() > region["startColumn"].as_u64());
            }
            let text = result["message"]["text"].as_str().unwrap();
            json!({
                "code": result["ruleId"],
                "severity": result["level"],
                "text": text,
                "path": unescaped(place["artifactLocation"]["uri"].as_str().unwrap()),
                "line": region["startLine"],
                "column": region["startColumn"],
            })
        })
        .collect();
    let wanted: Vec<Value> = found(&world)
        .iter()
        .map(|finding| {
            json!({
                "code": finding["code"],
                "severity": finding["severity"],
                "text": sentences(finding).join("\n"),
                "path": path(finding),
                "line": finding["line"],
                "column": finding["column"],
            })
        })
        .collect();
    assert_eq!(told, wanted);
    let codes: BTreeSet<&str> = results
        .iter()
        .map(|result| result["ruleId"].as_str().unwrap())
        .collect();
    for fixture in folders() {
        assert!(codes.contains(code(&fixture)) || code(&fixture) == "MC050");
    }
}

#[test]
fn sarif_of_nothing_is_a_log_without_results() {
    let world = world();
    base(&world.root().join(crate::broken::ID));
    let log = world.mcell("validate -A --format sarif").ok().json();
    is_valid(&schema(), &log);
    assert_eq!(log["runs"][0]["results"], json!([]));
}

/// The path of a URI.
fn unescaped(uri: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = uri.as_bytes();
    while let [first, more @ ..] = rest {
        let (byte, more) = match (first, more) {
            (b'%', [high, low, more @ ..]) => {
                let hex = String::from_utf8(vec![*high, *low]).unwrap();
                (u8::from_str_radix(&hex, 16).unwrap(), more)
            }
            _ => (*first, more),
        };
        bytes.push(byte);
        rest = more;
    }
    String::from_utf8(bytes).unwrap()
}

fn path(finding: &Value) -> String {
    let (cell, file) = (&finding["cell_id"], &finding["file"]);
    let path = format!("{}/{}", cell.as_str().unwrap(), file.as_str().unwrap());
    path.trim_end_matches('/').to_owned()
}

/// The message and the hints.
fn sentences(finding: &Value) -> Vec<&str> {
    let hints = finding["hints"].as_array().unwrap();
    std::iter::once(&finding["message"])
        .chain(hints)
        .map(|sentence| sentence.as_str().unwrap())
        .collect()
}

/// One workflow command: level, properties, message, as a runner takes it apart.
fn command(line: &str) -> (&str, Vec<(&str, String)>, String) {
    let rest = line.strip_prefix("::").unwrap();
    let (head, message) = rest.split_once("::").unwrap();
    let (level, properties) = head.split_once(' ').unwrap();
    let properties = properties
        .split(',')
        .map(|property| property.split_once('=').unwrap())
        .map(|(name, value)| (name, unescaped(value)))
        .collect();
    (level, properties, unescaped(message))
}

#[test]
fn workflow_commands_have_their_form_whatever_a_file_is_called() {
    let world = root();
    let outcome = validate(&world, "github");
    let found = found(&world);
    assert_eq!(outcome.out.lines().count(), found.len());
    assert!(
        !outcome
            .out
            .chars()
            .any(|letter| letter.is_control() && letter != '\n')
    );
    for (line, finding) in outcome.out.lines().zip(&found) {
        let (level, properties, message) = command(line);
        let wanted = match finding["severity"].as_str().unwrap() {
            "note" => "notice",
            word => word,
        };
        assert_eq!(level, wanted, "{line}");
        let mut of_place = vec![("file", shown(&path(finding)))];
        if !finding["line"].is_null() {
            of_place.push(("line", finding["line"].to_string()));
            of_place.push(("col", finding["column"].to_string()));
        }
        of_place.push(("title", finding["code"].as_str().unwrap().to_owned()));
        assert_eq!(properties, of_place, "{line}");
        let wanted: Vec<String> = sentences(finding).into_iter().map(shown).collect();
        assert_eq!(message, wanted.join("\n"), "{line}");
    }
    let odd = outcome
        .out
        .lines()
        .find(|line| line.contains("100%25%2C a%3Ab%3A%3Aerror\\r\\n"));
    assert!(odd.is_some(), "{}", outcome.out);
}

fn shown(text: &str) -> String {
    mcell::base::text::shown(text).into_owned()
}

#[test]
fn json_has_its_documented_shape() {
    let world = root();
    let found = validate(&world, "json");
    let by_flag = world.mcell("validate -A --all --resilience --json").code(1);
    assert_eq!(found.out, by_flag.out);
    let found = found.json();
    let schema = schemars::schema_for!(mcell::cli::validate::Found).to_value();
    let schema = jsonschema::validator_for(&schema).unwrap();
    is_valid(&schema, &found);
    assert_eq!(keys(&found), ["findings", "errors", "warnings", "fixed"]);
    let findings = found["findings"].as_array().unwrap();
    for finding in findings {
        let wanted = [
            "cell_id", "code", "severity", "message", "file", "line", "column", "hints", "fixable",
        ];
        assert_eq!(keys(finding), wanted);
        let is_a_place = |name: &str| finding[name].as_u64().is_some_and(|number| number > 0);
        let is_whole = finding["line"].is_null() && finding["column"].is_null();
        assert!(
            is_whole || (is_a_place("line") && is_a_place("column")),
            "{finding}"
        );
    }
    let count = |word: &str| {
        findings
            .iter()
            .filter(|one| one["severity"] == word)
            .count()
    };
    assert_eq!(found["errors"], count("error"));
    assert_eq!(found["warnings"], count("warning"));
}

fn keys(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

#[test]
fn findings_come_by_cell_file_place_and_code() {
    let findings = found(&root());
    let order = |finding: &Value| {
        let text = |name: &str| finding[name].as_str().unwrap().to_owned();
        let number = |name: &str| finding[name].as_u64().unwrap_or(0);
        let place = (number("line"), number("column"));
        (
            text("cell_id"),
            text("file"),
            place,
            text("code"),
            text("message"),
        )
    };
    let orders: Vec<_> = findings.iter().map(order).collect();
    assert!(orders.is_sorted());
    assert!(
        orders.windows(2).all(|two| two[0] != two[1]),
        "one is told twice"
    );
}
