//! Completion in real shells: what a TAB does there.

use crate::world::{MCELL, World, checked_in, require};
use std::io::{Read, Write};
use std::process::Stdio;
use std::sync::mpsc;
use std::time::{Duration, Instant};

const SHELLS: [(&str, &str); 5] = [
    ("bash", "mcell.bash"),
    ("zsh", "_mcell"),
    ("fish", "mcell.fish"),
    ("elvish", "mcell.elv"),
    ("powershell", "_mcell.ps1"),
];

#[test]
fn the_checked_in_scripts_are_those_that_mcell_makes() {
    let world = World::new();
    for (shell, file) in SHELLS {
        let script = world.mcell(&format!("completions {shell}")).ok().out;
        assert!(
            !script.contains(MCELL),
            "{shell}: a path of this machine in it"
        );
        assert!(
            script.contains(env!("CARGO_PKG_VERSION")),
            "{shell}: no version in it"
        );
        checked_in(&format!("completions/{file}"), &script);
    }
}

/// A world with two agents, of which one begins with `agent_`.
fn crew() -> World {
    let world = World::with_cell("Example Mission");
    world.mcell("add-agent --role write").ok();
    world.mcell("add-agent scribe --role read").ok();
    world
}

/// What is typed: the name of a command and the id of an agent are completed, and the line is run.
const TYPED: &str = "mcell add-ta\tTesting --assign agent_0\t--quiet\n";

fn assert_it_was_completed(world: &World, shown: &str) {
    let file = world.cell().join("tasks/task_001.json");
    let task = std::fs::read_to_string(&file)
        .unwrap_or_else(|_| panic!("the line was not completed; the terminal shows:\n{shown}"));
    assert!(
        task.contains("\"assigned_to\": \"agent_001\""),
        "{task}\nthe terminal shows:\n{shown}"
    );
}

#[test]
fn bash_completes_commands_and_ids_when_tab_is_pressed() {
    if !(require("bash") && require("script")) {
        return;
    }
    let world = crew();
    let shown = type_into(
        &world,
        "bash --norc --noprofile -i",
        "source <(mcell completions bash)\n",
        TYPED,
    );
    assert_it_was_completed(&world, &shown);
}

#[test]
fn zsh_completes_commands_and_ids_when_tab_is_pressed() {
    if !(require("zsh") && require("script")) {
        return;
    }
    let world = crew();
    let begin = "autoload -Uz compinit && compinit -u -D && source <(mcell completions zsh)\n";
    let shown = type_into(&world, "zsh -f -i", begin, TYPED);
    assert_it_was_completed(&world, &shown);
}

#[test]
fn zsh_completes_by_a_file_in_its_fpath_at_the_first_tab() {
    if !(require("zsh") && require("script")) {
        return;
    }
    let world = crew();
    world
        .shell("mkdir ~/.zfunc && mcell completions zsh > ~/.zfunc/_mcell")
        .ok();
    let begin = "fpath=(~/.zfunc $fpath) && autoload -Uz compinit && compinit -u -D\n";
    let shown = type_into(&world, "zsh -f -i", begin, TYPED);
    assert_it_was_completed(&world, &shown);
}

#[test]
fn fish_completes_commands_and_ids() {
    if !require("fish") {
        return;
    }
    let world = crew();
    let ask = |line: &str| {
        world
            .shell(&format!(
                "mcell completions fish > mcell.fish; fish --no-config -c 'source mcell.fish; complete -C \"{line}\"'"
            ))
            .ok()
    };
    ask("mcell add-ta").prints("add-task\tAdd a task to a cell\n");
    ask("mcell add-task Testing --assign agent_0").prints("agent_001\tWriter\n");
}

#[test]
fn a_script_of_another_version_completes_nothing() {
    if !require("bash") {
        return;
    }
    let world = crew();
    let ask = || {
        world
            .shell(
                "bash --norc -c 'source mcell.bash; COMP_WORDS=(mcell add-ta); COMP_CWORD=1; COMP_TYPE=9; \
                 _clap_complete_mcell mcell add-ta mcell; echo \"${COMPREPLY[*]}\"'",
            )
            .ok()
            .says_nothing()
    };
    world.shell("mcell completions bash > mcell.bash").ok();
    ask().prints("add-task\n");
    world
        .shell("sed -i 's/_VERSION=\"[^\"]*\"/_VERSION=\"0.0.1\"/' mcell.bash && grep 0.0.1 mcell.bash")
        .ok();
    ask().prints("\n");
}

#[test]
fn where_nothing_can_be_completed_nothing_is_said() {
    let mut world = crew();
    world.set("COMPLETE", "fish");
    world.set("MCELL_ROOT", "/nowhere");
    world
        .mcell("-- mcell task show --cell x")
        .ok()
        .prints("")
        .says_nothing();
    world
        .mcell("-- mcell add-task --assign agent_")
        .ok()
        .prints("")
        .says_nothing();
}

#[test]
fn a_word_of_others_in_complete_does_not_silence_a_command() {
    let mut world = crew();
    for word in ["", "0", "1", "yes"] {
        world.set("COMPLETE", word);
        world
            .mcell("add-task -q Testing")
            .ok()
            .prints("task_[..]\n");
    }
}

/// Types into a shell at a terminal of its own, and gives what the terminal shows when the shell has ended.
fn type_into(world: &World, shell: &str, begin: &str, line: &str) -> String {
    let mut command = world.command("script");
    command
        .args(["-qec", shell, "/dev/null"])
        .env("TERM", "dumb")
        .env("PS1", "$ ")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut shell = command.spawn().expect("a shell at a terminal");
    let mut keys = shell.stdin.take().expect("its keyboard");
    let mut screen = shell.stdout.take().expect("its screen");
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        let mut part = [0; 4096];
        while let Ok(got @ 1..) = screen.read(&mut part) {
            if send.send(part[..got].to_vec()).is_err() {
                return;
            }
        }
    });
    let mut shown = String::new();
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut wait_for = |mark: Option<&str>| -> Result<(), String> {
        loop {
            if mark.is_some_and(|mark| shown.contains(mark)) {
                return Ok(());
            }
            match receive.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(part) => shown.push_str(&String::from_utf8_lossy(&part)),
                Err(mpsc::RecvTimeoutError::Disconnected) if mark.is_none() => return Ok(()),
                Err(error) => return Err(format!("{error}; the terminal shows:\n{shown}")),
            }
        }
    };
    // The mark is split where it is typed, so that its echo is not taken for it.
    let typed = keys
        .write_all(format!("{begin}echo rea''dy\n").as_bytes())
        .map_err(|error| error.to_string())
        .and_then(|()| wait_for(Some("ready")))
        .and_then(|()| {
            keys.write_all(format!("{line}exit\n").as_bytes())
                .map_err(|error| error.to_string())
        })
        .and_then(|()| wait_for(None));
    drop(keys);
    if typed.is_err() {
        let _ = shell.kill();
    }
    let _ = shell.wait();
    match typed {
        Ok(()) => shown,
        Err(error) => panic!("{error}"),
    }
}
