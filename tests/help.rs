//! Help, and what other tools teach to type.

use crate::world::{MCELL, World};
use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

/// The words of every command that is shown and has none below it.
pub(crate) fn leaves() -> Vec<Vec<String>> {
    let mut found = Vec::new();
    each_leaf(&mcell::cli::command(), &mut Vec::new(), &mut |words, _| {
        found.push(words.to_vec());
    });
    found
}

fn each_leaf(
    command: &clap::Command,
    words: &mut Vec<String>,
    act: &mut impl FnMut(&[String], &clap::Command),
) {
    let below: Vec<&clap::Command> = command
        .get_subcommands()
        .filter(|below| !below.is_hide_set())
        .collect();
    if below.is_empty() {
        act(words, command);
    }
    for below in below {
        words.push(below.get_name().to_owned());
        each_leaf(below, words, act);
        words.pop();
    }
}

#[test]
fn the_help_of_every_command_has_examples_of_it() {
    let mut poor = Vec::new();
    each_leaf(
        &mcell::cli::command(),
        &mut Vec::new(),
        &mut |words, command| {
            let help = command.get_after_help().map(ToString::to_string);
            let help = help.unwrap_or_default();
            let example = format!("mcell {}", words.join(" "));
            if !help.contains("Examples") || !help.contains(&example) {
                poor.push(example);
            }
        },
    );
    assert!(poor.is_empty(), "{poor:?}");
}

#[test]
fn help_is_had_in_every_way_that_people_ask_for_it() {
    let world = World::new();
    let long = world.mcell("task set --help").ok().says_nothing();
    assert!(long.out.contains("Examples:") && long.out.contains("FIELD=VALUE"));
    assert_eq!(world.mcell("help task set").ok().out, long.out);
    world.mcell("task set -h").ok().shows("Examples:");
    world.mcell("help").ok().shows("Start").shows("Examples");
    world.mcell("--help").ok().shows("add-agent");
    world
        .mcell("task")
        .code(2)
        .says("Usage: mcell task")
        .says("ready");
    for version in ["-V", "--version"] {
        world
            .mcell(version)
            .ok()
            .prints(concat!("mcell ", env!("CARGO_PKG_VERSION"), "\n"));
    }
    world.mcell("tusk").code(2).says("'task'");
}

#[test]
fn a_reader_of_help_may_go_away() {
    let world = World::new();
    for words in [["--help"].as_slice(), &["task", "set", "--help"], &["man"]] {
        let mut running = world
            .command(MCELL)
            .args(words)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("mcell");
        let mut line = String::new();
        let out = running.stdout.take().expect("stdout");
        BufReader::with_capacity(1, out)
            .read_line(&mut line)
            .expect("a line");
        let status = running.wait().expect("an end");
        let mut said = String::new();
        let mut err = running.stderr.take().expect("stderr");
        err.read_to_string(&mut said).expect("what was said");
        assert_eq!((status.code(), said.as_str()), (Some(0), ""), "{words:?}");
    }
}

#[test]
fn what_other_tools_teach_works_and_is_not_shown() {
    let world = World::new();
    for verb in ["new", "create", "init"] {
        world
            .mcell(&format!("cell {verb} 'Mission {verb}' -q"))
            .ok();
    }
    for line in [
        "cell ls",
        "agent add --role write -c 'Mission new'",
        "agent ls -A",
        "task add Testing -c 'Mission new'",
        "task add Deploy -c 'Mission new'",
        "task ls -A",
        "policy ls -c 'Mission new'",
        "permission ls -c 'Mission new'",
        "task rm task_001 --yes -c 'Mission new'",
        "task delete task_002 --yes -c 'Mission new'",
        "agent rm agent_001 --yes -c 'Mission new'",
        "cell rm 'Mission create' --yes",
        "cell delete 'Mission init' --yes",
    ] {
        world.mcell(line).ok();
    }
    for noun in ["cell", "agent", "task"] {
        let help = world.mcell(&format!("{noun} --help")).ok();
        for hidden in ["ls", "rm", "delete", "add", "new", "create", "init"] {
            let is_verb = |line: &str| line.split_whitespace().next() == Some(hidden);
            assert!(
                !help.out.lines().any(is_verb),
                "{noun} --help shows {hidden}"
            );
        }
    }
}
