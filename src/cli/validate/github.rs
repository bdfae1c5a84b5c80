//! Findings as workflow commands of GitHub and Gitea actions.

use crate::base::finding::Severity;
use crate::ops::validate::Verdict;
use std::fmt::Write;

/// One command a finding.
pub(super) fn commands(verdicts: &[Verdict]) -> String {
    let mut text = String::new();
    for verdict in verdicts {
        for placed in &verdict.findings {
            let (finding, excerpt) = (&placed.finding, &placed.excerpt);
            let level = match finding.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Note => "notice",
            };
            let file = property(&format!("{}/{}", verdict.cell, finding.file));
            let place = if excerpt.line > 0 {
                format!(",line={},col={}", excerpt.line, excerpt.column)
            } else {
                String::new()
            };
            let message = data(
                &[&[finding.message.clone()], finding.hints.as_slice()]
                    .concat()
                    .join("\n"),
            );
            // Writing to a String does not fail.
            let _ = writeln!(
                text,
                "::{level} file={file}{place},title={}::{message}",
                finding.code
            );
        }
    }
    text
}

fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
