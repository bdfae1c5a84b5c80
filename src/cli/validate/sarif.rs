//! Findings as SARIF 2.1.0, for code scanning.

use crate::base::finding::Severity;
use crate::mission::rules;
use crate::ops::validate::{Placed, Verdict};
use serde_json::{Value, json};

/// The whole log.
pub(super) fn log(verdicts: &[Verdict]) -> String {
    let all: Vec<&rules::Rule> = rules::all().collect();
    let described: Vec<Value> = all
        .iter()
        .map(|rule| {
            json!({
                "id": rule.code,
                "name": rule.name,
                "shortDescription": { "text": rule.summary },
                "fullDescription": { "text": rule.why },
                "help": { "text": rule.mend },
                "defaultConfiguration": { "level": level(rule.severity) },
            })
        })
        .collect();
    let results: Vec<Value> = verdicts
        .iter()
        .flat_map(|verdict| {
            verdict
                .findings
                .iter()
                .map(|placed| result(&all, &verdict.cell, placed))
        })
        .collect();
    let driver =
        json!({ "name": "mcell", "version": env!("CARGO_PKG_VERSION"), "rules": described });
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{ "tool": { "driver": driver }, "columnKind": "unicodeCodePoints", "results": results }],
    });
    format!("{log:#}\n")
}

fn result(all: &[&rules::Rule], cell: &str, placed: &Placed) -> Value {
    let (finding, excerpt) = (&placed.finding, &placed.excerpt);
    let mut physical = json!({ "artifactLocation": { "uri": uri(&format!("{cell}/{}", finding.file)), "uriBaseId": "ROOT" } });
    if excerpt.line > 0 {
        let end = excerpt.column + excerpt.width;
        physical["region"] =
            json!({ "startLine": excerpt.line, "startColumn": excerpt.column, "endColumn": end });
    }
    let sentences = std::iter::once(&finding.message).chain(&finding.hints);
    let message = sentences.map(String::as_str).collect::<Vec<_>>().join("\n");
    let mut result = json!({
        "ruleId": finding.code,
        "level": level(finding.severity),
        "message": { "text": message },
        "locations": [{ "physicalLocation": physical }],
    });
    if let Some(index) = all.iter().position(|rule| rule.code == finding.code) {
        result["ruleIndex"] = index.into();
    }
    result
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

/// A path as a relative URI.
fn uri(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.trim_end_matches('/').bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
