//! `mcell completions`: the stub by which a shell asks mcell itself for completions.
//!
//! What is asked and answered between a stub and mcell may change with any release of clap_complete. So a stub carries the
//! version that made it, and mcell answers stubs of its own version only (`cli/complete.rs`).

use crate::base::error::{Error, Result};
use crate::cli::complete::{VERSION, VERSION_VARIABLE};
use crate::cli::context::Context;
use crate::cli::{Outcome, command};
use clap::{Args, ValueEnum};
use clap_complete::env::Shells;

/// The variable that tells mcell to complete, and for which shell.
pub const VARIABLE: &str = "COMPLETE";

/// Print the completion script of a shell
///
/// The script asks `mcell` in PATH what fits: commands, options, and the ids of your cells, agents and tasks. Renew it
/// after an update; `mcell doctor` finds scripts of other versions.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell completions bash > ~/.local/share/bash-completion/completions/mcell
  mcell completions zsh > ~/.zfunc/_mcell        # with fpath+=~/.zfunc before compinit
  mcell completions fish > ~/.config/fish/completions/mcell.fish
  mcell completions elvish >> ~/.config/elvish/rc.elv
  mcell completions powershell >> $PROFILE")]
pub struct Completions {
    /// The shell
    shell: Shell,
}

/// A shell that mcell can complete in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    /// GNU Bash, 4.4 or later for all of it
    Bash,
    /// Zsh
    Zsh,
    /// Fish
    Fish,
    /// Elvish
    Elvish,
    /// PowerShell
    #[value(alias = "pwsh")]
    Powershell,
}

impl Shell {
    /// Every shell.
    pub const ALL: [Shell; 5] = [
        Shell::Bash,
        Shell::Zsh,
        Shell::Fish,
        Shell::Elvish,
        Shell::Powershell,
    ];

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Shell::Bash => "bash",
            Shell::Zsh => "zsh",
            Shell::Fish => "fish",
            Shell::Elvish => "elvish",
            Shell::Powershell => "powershell",
        }
    }

    /// The name that its file has in `completions/`: where a shell finds files by name, the name it looks for.
    pub const fn file(self) -> &'static str {
        match self {
            Shell::Bash => "mcell.bash",
            Shell::Zsh => "_mcell",
            Shell::Fish => "mcell.fish",
            Shell::Elvish => "mcell.elv",
            Shell::Powershell => "_mcell.ps1",
        }
    }

    /// What clap_complete writes where the variable is set for the call of mcell, and what is written instead.
    fn call(self) -> (String, String) {
        let word = self.word();
        let set = match self {
            Shell::Bash | Shell::Zsh => format!("{VARIABLE}=\"{word}\" \\\n"),
            Shell::Fish => format!("{VARIABLE}={word} "),
            Shell::Elvish => format!("{VARIABLE}=\"{word}\" "),
            Shell::Powershell => format!("    $env:{VARIABLE} = \"{word}\";\n"),
        };
        let versioned = match self {
            Shell::Bash | Shell::Zsh => {
                format!("{VERSION_VARIABLE}=\"{VERSION}\" \\\n        {set}")
            }
            Shell::Fish => format!("{VERSION_VARIABLE}={VERSION} {set}"),
            Shell::Elvish => format!("{VERSION_VARIABLE}=\"{VERSION}\" {set}"),
            Shell::Powershell => format!("{set}    $env:{VERSION_VARIABLE} = \"{VERSION}\";\n"),
        };
        (set, versioned)
    }
}

impl Completions {
    /// Prints the script.
    pub fn run(self, context: &Context) -> Outcome {
        context.printer.text(&stub(self.shell)?)?;
        Ok(0)
    }
}

/// The stub of a shell. It calls `mcell` by name: the one in PATH, wherever the stub was made.
pub fn stub(shell: Shell) -> Result<String> {
    let unlike = || {
        Error::bug(format!(
            "clap_complete's script for {} is not as it was",
            shell.word()
        ))
    };
    let shells = Shells::builtins();
    let completer = shells.completer(shell.word()).ok_or_else(unlike)?;
    let name = command().get_name().to_owned();
    let mut script = Vec::new();
    completer
        .write_registration(VARIABLE, &name, &name, &name, &mut script)
        .map_err(|error| Error::storage("write a completion script", error))?;
    let script = String::from_utf8(script).map_err(|_| unlike())?;
    let replace = |script: &str, from: &str, to: &str| {
        if script.matches(from).count() == 1 {
            Ok(script.replace(from, to))
        } else {
            Err(unlike())
        }
    };
    let (set, versioned) = shell.call();
    let script = replace(&script, &set, &versioned)?;
    let script = match shell {
        // An autoloaded file runs for the first time when its completion is wanted: it must answer then, too.
        Shell::Zsh => replace(
            &script,
            "\ncompdef _clap_dynamic_completer_mcell mcell",
            "\nif [[ \"${funcstack[1]-}\" == _mcell ]]; then\n    _clap_dynamic_completer_mcell \"$@\"\nelse\n    compdef _clap_dynamic_completer_mcell mcell\nfi",
        )?,
        // What was set for the call goes with it.
        Shell::Powershell => replace(
            &script,
            "    if ($null -eq $prev) {\n",
            &format!("    Remove-Item Env:\\{VERSION_VARIABLE};\n    if ($null -eq $prev) {{\n"),
        )?,
        _ => script,
    };
    Ok(script
        .trim()
        .lines()
        .flat_map(|line| [line.trim_end(), "\n"])
        .collect())
}
