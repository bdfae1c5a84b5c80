//! Whether a file is JSON at all.

use super::super::{Check, Facts, Findings, Rule};
use super::{Sick, faults};
use crate::base::document::{Fault, FaultKind, MAX_DEPTH};
use crate::base::finding::{Finding, Mend, Severity};

pub(super) const NOT_JSON: Rule = Rule {
    code: "MC001",
    name: "not-json",
    severity: Severity::Error,
    summary: "Every mission file is JSON.",
    why: "A file that is not JSON says nothing: every tool of the fleet skips it or stops at it, so its agent or task is \
          gone for all of them. Mostly it is a comma too many after an edit by hand, a comment, single quotes, or a \
          file that a full disk cut off.",
    example: r#"{ "task_id": "task_001", "status": "pending", }"#,
    mend: "Correct the place that the caret points at. The other rules look at the file once it is JSON. Nothing is \
           mended by itself, because only you know what stood there.",
    check: Check::Always(not_json),
};

fn not_json(facts: &Facts<'_, '_>, findings: &mut Findings) {
    for (sick, fault) in faults(facts) {
        use FaultKind::{Syntax, TooLong, Trailing, Truncated};
        if !matches!(fault.kind, Syntax | TooLong | Trailing | Truncated) {
            continue;
        }
        let message = match fault.kind {
            Truncated => fault.message.clone(),
            _ => format!("this is not JSON: {}", fault.message),
        };
        let mut finding = at_fault(&sick, &NOT_JSON, fault, message);
        finding.hints.extend(hint(&sick, fault).map(String::from));
        findings.add(finding);
    }
}

/// The way out that the byte at the fault suggests.
fn hint(sick: &Sick<'_>, fault: &Fault) -> Option<&'static str> {
    match fault.kind {
        FaultKind::Truncated => {
            return Some("write what is missing, or bring the file back from a backup");
        }
        FaultKind::Trailing => {
            return Some("a file holds one object: remove what comes after it");
        }
        _ => {}
    }
    Some(match sick.text.get(fault.offset)? {
        b'}' | b']' => "remove the comma before it, or write what is missing",
        b'\'' => "write double quotes: JSON knows no single ones",
        b'/' | b'#' => "remove the comment: JSON has none",
        b'T' | b'F' | b'N' => "write true, false or null, in lower case",
        b'"' => "write the comma that is missing before it",
        _ => return None,
    })
}

pub(super) const NOT_UTF8: Rule = Rule {
    code: "MC002",
    name: "not-utf8",
    severity: Severity::Error,
    summary: "Every mission file is UTF-8 text.",
    why: "JSON that systems exchange is UTF-8 (RFC 8259, section 8.1). Other bytes are read differently by each tool, \
          or stop it. They come from editors set to Latin-1, and from Windows programs that write UTF-16.",
    example: r#"{ "title": "Pr\xFCfung" }   (the byte FC stands where UTF-8 has C3 BC)"#,
    mend: "Convert the file, for instance with `iconv -f LATIN1 -t UTF-8`. Nothing is mended by itself, because the \
           bytes do not say which encoding was meant.",
    check: Check::Always(not_utf8),
};

fn not_utf8(facts: &Facts<'_, '_>, findings: &mut Findings) {
    for (sick, fault) in faults(facts).filter(|(_, fault)| fault.kind == FaultKind::NotUtf8) {
        let (message, from) = if fault.message.contains("UTF-16") {
            ("the file is UTF-16, not UTF-8", "UTF-16")
        } else {
            ("this is not UTF-8", "LATIN1")
        };
        findings.add(at_fault(&sick, &NOT_UTF8, fault, message).hint(format!(
            "convert it, for instance with `iconv -f {from} -t UTF-8`"
        )));
    }
}

pub(super) const BYTE_ORDER_MARK: Rule = Rule {
    code: "MC003",
    name: "byte-order-mark",
    severity: Severity::Error,
    summary: "No byte-order mark comes before the JSON.",
    why: "JSON allows none (RFC 8259, section 8.1), and many readers refuse the file for it. Notepad and PowerShell put \
          one there unasked.",
    example: r#"\uFEFF{ "task_id": "task_001" }"#,
    mend: "Save the file as UTF-8 without a mark. `mcell validate --fix` takes the three bytes away.",
    check: Check::Always(byte_order_mark),
};

fn byte_order_mark(facts: &Facts<'_, '_>, findings: &mut Findings) {
    for (sick, fault) in faults(facts).filter(|(_, fault)| fault.kind == FaultKind::ByteOrderMark) {
        findings.add(
            at_fault(
                &sick,
                &BYTE_ORDER_MARK,
                fault,
                "the file begins with a byte-order mark, which JSON does not allow",
            )
            .hint("save it as UTF-8 without a byte-order mark")
            .mend(Mend::DropByteOrderMark),
        );
    }
}

pub(super) const TOO_DEEP: Rule = Rule {
    code: "MC065",
    name: "nested-too-deep",
    severity: Severity::Error,
    summary: "Objects and lists stand at most 127 deep inside one another.",
    why: "Readers of JSON give up at some depth, and some crash there. No mission file needs more than six, so a deeper \
          one is a mistake of the program that wrote it, or an attack.",
    example: r#"{ "result": [[[[[[[[[[ … ]]]]]]]]]] }"#,
    mend: "Write the value flatter, or put it into a file under artifacts/ and name that.",
    check: Check::Always(too_deep),
};

fn too_deep(facts: &Facts<'_, '_>, findings: &mut Findings) {
    for (sick, fault) in faults(facts).filter(|(_, fault)| fault.kind == FaultKind::TooDeep) {
        let most = MAX_DEPTH.saturating_sub(1);
        let message = format!(
            "here objects and lists are nested more than {most} deep, which no reader has to bear"
        );
        findings.add(
            at_fault(&sick, &TOO_DEEP, fault, message)
                .hint("write the value flatter, or as a file under artifacts/"),
        );
    }
}

pub(super) const EMPTY_FILE: Rule = Rule {
    code: "MC066",
    name: "empty-file",
    severity: Severity::Error,
    summary: "No mission file is empty.",
    why: "An empty file is what a crash or a full disk leaves when a program writes over a file in place. What the file \
          said is lost, and what refers to it stands in the air.",
    example: "tasks/task_001.json with 0 bytes",
    mend: "Bring the file back from a backup, write it anew, or remove it. Nothing is mended by itself.",
    check: Check::Always(empty_file),
};

fn empty_file(facts: &Facts<'_, '_>, findings: &mut Findings) {
    for (sick, _) in faults(facts).filter(|(_, fault)| fault.kind == FaultKind::Empty) {
        let message = if sick.text.is_empty() {
            "the file is empty"
        } else {
            "the file holds nothing but white space"
        };
        findings.add(
            sick.found_in(&EMPTY_FILE, message.into())
                .hint("bring it back from a backup, write it anew, or remove it"),
        );
    }
}

/// A finding at the byte of a fault.
fn at_fault(sick: &Sick<'_>, rule: &Rule, fault: &Fault, message: impl Into<String>) -> Finding {
    sick.found_in(rule, message.into()).bytes(fault.offset, 1)
}
