//! The programs that are raced: mcell with a clean environment, other people's, and small ones
//! that are compiled on the spot.

use crate::field::Field;
use crate::measure;
use crate::report::{Result, Trouble};
use std::path::{Path, PathBuf};
use std::process::Command;

/// mcell on a root, deaf to the settings of whoever runs the bench.
pub fn mcell(field: &Field, root: &Path) -> Command {
    let mut command = bare_mcell(field);
    command.arg("--root").arg(root);
    command
}

/// mcell without any argument.
pub fn bare_mcell(field: &Field) -> Command {
    deaf(field, Command::new(env!("CARGO_BIN_EXE_mcell")))
}

/// A command whose process, and what that starts, knows nothing of the caller's mcell settings.
pub fn deaf(field: &Field, mut command: Command) -> Command {
    for (key, _) in std::env::vars_os() {
        if key.to_string_lossy().starts_with("MCELL_") {
            command.env_remove(key);
        }
    }
    command.env("HOME", field.scratch());
    command
}

/// This very binary as the read floor, in a process of its own as mcell is.
pub fn floor(root: &Path, threads: usize) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("floor").arg(root).arg(threads.to_string());
    Ok(command)
}

/// Another program, from the PATH or where servers lie; the row is skipped without it.
pub fn other(name: &str) -> Result<Command> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .chain(["/usr/local/sbin", "/usr/sbin"].map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(|file| file.is_file());
    found
        .map(Command::new)
        .ok_or_else(|| Trouble::Skipped(format!("{name} is not in the PATH")))
}

/// Compiles one file of std-only Rust and gives the program.
pub fn compiled(field: &Field, name: &str, source: &Path) -> Result<PathBuf> {
    let mut rustc = match std::env::var_os("RUSTC") {
        Some(rustc) => Command::new(rustc),
        None => other("rustc")?,
    };
    let program = field.scratch().join(name);
    rustc
        .args(["--edition", "2024", "-O", "-C", "strip=symbols", "-o"])
        .arg(&program)
        .arg(source);
    measure::timed(&mut rustc, &[0])?;
    Ok(program)
}
