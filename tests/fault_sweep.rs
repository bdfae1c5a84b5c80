//! Any system call may fail: the exit code says what happened, the cell is old or new, nothing that could not be read is
//! taken for absent, and the next command needs no help.
//!
//! A neighbour read one EMFILE on open as "no such file", and a counter fell from 92 to 1 with exit 0.

use crate::fleet::Files;
use crate::injection::Start;
use crate::injection::{Call, nothing_wrong, sweep};
use crate::swept::{READERS, Swept, WRITERS, talk, world};
use crate::world::require;
use std::process::Output;

/// What can happen to a call, by its name.
pub(crate) fn faults(call: &Call) -> &'static [&'static str] {
    match call.name.as_str() {
        "open" | "openat" | "openat2" if call.changes() => {
            &["EIO", "EMFILE", "EACCES", "ENOSPC", "EROFS", "EINTR"]
        }
        "open" | "openat" | "openat2" => &["EIO", "EMFILE", "EACCES", "EINTR"],
        "read" | "pread64" => &["EIO", "EINTR"],
        "write" | "pwrite64" | "writev" => &["EIO", "ENOSPC", "EINTR"],
        "fsync" | "fdatasync" => &["EIO", "ENOSPC", "EINTR"],
        "rename" | "renameat" | "renameat2" | "mkdir" | "mkdirat" | "link" | "linkat" => {
            &["EIO", "ENOSPC", "EACCES", "EROFS"]
        }
        "unlink" | "unlinkat" | "rmdir" | "fchmod" | "fchown" | "fchmodat" | "fchownat" => {
            &["EIO", "EACCES", "EROFS"]
        }
        "ftruncate" => &["EIO", "EINTR"],
        "flock" => &["EIO", "ENOLCK", "EINTR"],
        "getdents64" | "stat" | "lstat" | "fstat" | "newfstatat" | "statx" => &["EIO"],
        _ => &[],
    }
}

/// What is made to happen to a command, and where: to two of a table everything at every call; to the others, which
/// share most of their way with them, one thing at every call, each time another.
fn places(calls: &[Call], number: usize) -> Vec<(&Call, &'static str)> {
    let mut places = Vec::new();
    for (at, call) in calls.iter().enumerate() {
        let faults = faults(call);
        if matches!(number, 0 | 3) {
            places.extend(faults.iter().map(|fault| (call, *fault)));
        } else if !faults.is_empty() {
            places.extend(
                faults
                    .get((at + number) % faults.len())
                    .map(|fault| (call, *fault)),
            );
        }
    }
    places
}

#[test]
fn an_error_at_any_system_call_is_told_by_the_exit_code_and_never_read_as_absent() {
    if !require("strace") {
        return;
    }
    let mut runs = 0;
    let mut wrong = Vec::new();
    for (number, (before, line)) in WRITERS.iter().enumerate() {
        let swept = Swept::new(*before, line);
        let places = places(&swept.calls, number);
        runs += places.len();
        wrong.extend(sweep(&places, |number, (call, fault)| {
            let copy = swept.start.copy(&format!("failed-{number}"));
            let what = format!("error={fault}");
            let output = swept.start.inject(&copy, call, &what, &swept.words);
            let mut wrong = swept.torn(&copy);
            if wrong.is_empty() {
                let found = crate::swept::files(&copy).unwrap_or_default();
                wrong.extend(lie(&swept, call, fault, &output, &found));
            }
            wrong.extend(swept.after(&copy));
            let _ = std::fs::remove_dir_all(&copy);
            let said = talk(&output);
            let place = |what| {
                format!("`{line}` ({before:?}) with {fault} at {call}\n    {what}\n    {said}")
            };
            wrong.into_iter().map(place).collect()
        }));
    }
    nothing_wrong(&wrong, runs);
}

#[test]
fn an_error_at_any_system_call_makes_no_other_answer() {
    if !require("strace") {
        return;
    }
    let mut runs = 0;
    let mut wrong = Vec::new();
    for (number, (before, line)) in READERS.iter().enumerate() {
        let start = Start::of(world(*before));
        let words = crate::world::words(line);
        let (calls, copy, truth) = start.record(&words);
        let old = crate::swept::files(&copy).expect("a whole root");
        let named = |output: &Output, copy: &std::path::Path| {
            String::from_utf8_lossy(&output.stdout).replace(&copy.display().to_string(), "ROOT")
        };
        let true_answer = named(&truth, &copy);
        let places = places(&calls, number);
        runs += places.len();
        wrong.extend(sweep(&places, |number, (call, fault)| {
            let copy = start.copy(&format!("failed-{number}"));
            let output = start.inject(&copy, call, &format!("error={fault}"), &words);
            let code = output.status.code().unwrap_or(-1);
            let answer = named(&output, &copy);
            let said = String::from_utf8_lossy(&output.stderr);
            let is_same = Some(code) == truth.status.code() && answer == true_answer;
            // A file that cannot be read is a finding of whoever looks at many.
            let is_told = matches!(code, 7 | 8) && said.contains("error")
                || matches!(code, 0 | 4) && said.contains("warning: ")
                || code == 1 && answer != true_answer && !answer.is_empty();
            let mut wrong = Vec::new();
            if !(is_same || call.talks() || is_told && *fault != "EINTR") {
                wrong.push(format!("another answer:\n{answer}"));
            }
            if crate::swept::files(&copy).as_ref() != Ok(&old) {
                wrong.push(String::from("something changed"));
            }
            let _ = std::fs::remove_dir_all(&copy);
            let said = talk(&output);
            let place = |what| {
                format!("`{line}` ({before:?}) with {fault} at {call}\n    {what}\n    {said}")
            };
            wrong.into_iter().map(place).collect()
        }));
    }
    nothing_wrong(&wrong, runs);
}

/// Where the exit code is not what happened.
fn lie(swept: &Swept, call: &Call, fault: &str, output: &Output, found: &Files) -> Option<String> {
    let said = String::from_utf8_lossy(&output.stderr);
    let code = output.status.code().unwrap_or(-1);
    if fault == "EINTR" && code != 0 {
        return Some(String::from(
            "a signal came in between, and it was not tried again",
        ));
    }
    match code {
        0 if *found != swept.new => Some(String::from("exit 0, and it is not done")),
        // The words are lost, not the change.
        7 if call.talks() && *found == swept.new => None,
        7 if *found != swept.old => Some(String::from("exit 7, and it is done")),
        0 | 7 | 9 if code == 0 || said.contains("error: ") => None,
        0 | 7 | 9 => Some(format!("exit {code} without a word")),
        _ => Some(format!("exit {code}")),
    }
}
