//! Two commands in turn, A B A B, so that a ratio comes from one run of one machine.

use crate::report::{Pair, Result, Trouble};
use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// One program in a race: how each of its runs is prepared, and what it is.
pub struct Runner<'a> {
    command: Box<dyn FnMut() -> Result<Command> + 'a>,
    answers: &'static [i32],
    clock: Clock,
}

/// Whose clock counts.
#[derive(Clone, Copy)]
enum Clock {
    /// From before the process is started to after it has ended.
    Wall,
    /// The process's own, printed as `"seconds"` of a JSON object.
    Own,
}

impl<'a> Runner<'a> {
    /// `command` is called before each run, outside the clock, and may prepare the run.
    pub fn new(command: impl FnMut() -> Result<Command> + 'a) -> Self {
        Self {
            command: Box::new(command),
            answers: &[0],
            clock: Clock::Wall,
        }
    }

    /// Exit codes that are answers, not failures.
    pub fn answers(self, answers: &'static [i32]) -> Self {
        Self { answers, ..self }
    }

    /// The program times itself, so that the start of its interpreter is not held against it.
    pub fn own_clock(self) -> Self {
        Self {
            clock: Clock::Own,
            ..self
        }
    }

    fn seconds(&mut self) -> Result<f64> {
        let mut command = (self.command)()?;
        match self.clock {
            Clock::Wall => Ok(timed(&mut command, self.answers)?.as_secs_f64()),
            Clock::Own => {
                let said: serde_json::Value =
                    serde_json::from_slice(&output(&mut command, self.answers)?)
                        .map_err(|error| format!("{}: {error}", words(&command)))?;
                said["seconds"]
                    .as_f64()
                    .ok_or_else(|| format!("{} said no seconds", words(&command)).into())
            }
        }
    }
}

/// Runs both once to warm up, then in turn, and gives the medians.
pub fn in_turn(rounds: u32, mut ours: Runner, mut theirs: Runner) -> Result<Pair> {
    ours.seconds()?;
    theirs.seconds()?;
    let (mut a, mut b) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        a.push(ours.seconds()?);
        b.push(theirs.seconds()?);
    }
    Ok(Pair {
        ours: median(a),
        theirs: median(b),
    })
}

/// The middle of the values; the mean of the two middle ones if their number is even.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 {
        values[middle]
    } else {
        f64::midpoint(values[middle - 1], values[middle])
    }
}

/// Runs a command to its end with its output thrown away.
pub fn timed(command: &mut Command, answers: &[i32]) -> Result<Duration> {
    // A file, not a pipe: nobody has to read it while the clock runs.
    let mut complaint = tempfile::tempfile()?;
    command.stdout(Stdio::null()).stderr(complaint.try_clone()?);
    let start = Instant::now();
    let status = command.status();
    let taken = start.elapsed();
    judge(command, status, answers, &mut complaint)?;
    Ok(taken)
}

/// Runs a command to its end and gives what it wrote to stdout.
pub fn output(command: &mut Command, answers: &[i32]) -> Result<Vec<u8>> {
    let (mut said, mut complaint) = (tempfile::tempfile()?, tempfile::tempfile()?);
    let status = command
        .stdout(said.try_clone()?)
        .stderr(complaint.try_clone()?)
        .status();
    judge(command, status, answers, &mut complaint)?;
    read_back(&mut said)
}

fn judge(
    command: &Command,
    status: std::io::Result<ExitStatus>,
    answers: &[i32],
    complaint: &mut File,
) -> Result<()> {
    let status = status.map_err(|error| format!("{}: {error}", words(command)))?;
    if status.code().is_some_and(|code| answers.contains(&code)) {
        return Ok(());
    }
    let complaint = read_back(complaint)?;
    let complaint = String::from_utf8_lossy(&complaint);
    Err(Trouble::Failed(format!(
        "{status}: {}\n{}",
        words(command),
        complaint.trim_end()
    )))
}

fn read_back(file: &mut File) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The command as a person would type it, cut where it gets long.
fn words(command: &Command) -> String {
    let mut words = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args().take(8) {
        words.push(' ');
        words.push_str(&argument.to_string_lossy());
    }
    if command.get_args().len() > 8 {
        words.push_str(" …");
    }
    words
}

/// The peak memory of a command in KiB: the highest of `times` runs.
pub fn peak(times: u32, answers: &[i32], mut command: impl FnMut() -> Command) -> Result<u64> {
    let mut highest = 0;
    for _ in 0..times {
        highest = highest.max(match peak_by_time(&command(), answers)? {
            Some(peak) => peak,
            None => peak_by_polling(&mut command(), answers)?,
        });
    }
    Ok(highest)
}

/// By GNU time, which asks the kernel with wait4; std does not, and this crate has no unsafe code.
fn peak_by_time(command: &Command, answers: &[i32]) -> Result<Option<u64>> {
    const TIME: &str = "/usr/bin/time";
    if !Path::new(TIME).exists() {
        return Ok(None);
    }
    let note = tempfile::NamedTempFile::new()?;
    let mut wrapped = Command::new(TIME);
    wrapped
        .args(["-q", "-f", "%M", "-o"])
        .arg(note.path())
        .arg(command.get_program())
        .args(command.get_args());
    for (key, value) in command.get_envs() {
        match value {
            Some(value) => wrapped.env(key, value),
            None => wrapped.env_remove(key),
        };
    }
    timed(&mut wrapped, answers)?;
    Ok(std::fs::read_to_string(note.path())?.trim().parse().ok())
}

/// By the high-water mark in /proc, looked at every half millisecond: what happens after the
/// last look is missed, so this is only for machines without GNU time.
fn peak_by_polling(command: &mut Command, answers: &[i32]) -> Result<u64> {
    let mut complaint = tempfile::tempfile()?;
    let mut child = command
        .stdout(Stdio::null())
        .stderr(complaint.try_clone()?)
        .spawn()?;
    let mut highest = 0;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        highest = highest.max(high_water(child.id()).unwrap_or(0));
        std::thread::sleep(Duration::from_micros(500));
    };
    judge(command, Ok(status), answers, &mut complaint)?;
    Ok(highest)
}

/// The most memory a process that runs has had, in KiB.
pub fn high_water(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let mark = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    mark.trim().strip_suffix(" kB")?.parse().ok()
}

/// The time that the threads of a process have run so far, in user and kernel mode. By `schedstat`, which counts
/// nanoseconds where `stat` has hundredths of a second; a thread that ended is not in it.
pub fn spent(pid: u32) -> Result<Duration> {
    let mut sum = 0;
    for thread in std::fs::read_dir(format!("/proc/{pid}/task"))?.flatten() {
        // One that ends meanwhile.
        let Ok(text) = std::fs::read_to_string(thread.path().join("schedstat")) else {
            continue;
        };
        let time = text
            .split(' ')
            .next()
            .and_then(|time| time.parse::<u64>().ok());
        sum += time.ok_or_else(|| format!("schedstat of {pid} says {text:?}"))?;
    }
    if sum == 0 {
        return Err(Trouble::Skipped(
            "this kernel has no /proc/PID/schedstat".into(),
        ));
    }
    Ok(Duration::from_nanos(sum))
}
