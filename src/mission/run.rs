//! The run of an agent: which life of it is running or ran last, as what process, and how that ended (docs/agent.md).

use crate::base::clock::Time;
use crate::base::exit;
use crate::base::signal;
use crate::mission::agent::{Restart, Run};
use crate::mission::drill::Drill;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The exit codes that ask for a start, where the agent does not say.
pub const RESTART_EXIT_CODES: [u8; 1] = [75];
/// The exit codes that mean "never again", where the agent does not say.
pub const PERMANENT_EXIT_CODES: [u8; 1] = [78];
/// Seconds between the signal that asks a process to end and SIGKILL, where the agent does not say.
pub const STOP_TIMEOUT: u64 = 10;

/// What an operator wants of an agent that mcell starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wanted {
    /// It is to run, and is brought back if it falls.
    Running,
    /// It is not.
    Stopped,
}

impl Wanted {
    /// The word in files.
    pub const fn word(self) -> &'static str {
        match self {
            Wanted::Running => "running",
            Wanted::Stopped => "stopped",
        }
    }
}

/// `.mcell/agents/<agent>.json`: what is wanted of an agent, and which life of it was begun last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AgentState {
    /// What is wanted; nothing is said of one that was never started.
    pub wanted: Option<Wanted>,
    /// The last life that was begun; none if it was never started.
    pub incarnation: Option<u64>,
    /// The open request to bring it back, if there is one.
    pub revival: Option<String>,
    /// Whether nobody asks for it again by itself.
    pub is_suppressed: bool,
    /// Its drill: the one that goes on, or the last.
    pub drill: Option<Drill>,
}

/// One process of one boot: a number alone may be another's tomorrow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Its number.
    pub pid: u32,
    /// When it began, in clock ticks since the boot.
    pub started: u64,
}

/// `.mcell/run/<agent>.json`: what the runner of an agent says of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunNote {
    /// Which life of the agent this is; each start raises it.
    pub incarnation: u64,
    /// SHA-256, in hex, of the token that it was started with; absent if it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_sha256: Option<String>,
    /// Its process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// When that began, in clock ticks since the boot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started: Option<u64>,
    /// Its runner, which leads the session that all of it began in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runner: Option<Identity>,
    /// Which boot that was; none where the system does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boot: Option<String>,
    /// When it was started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// Which mcell started it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Whether its runner lets it save its state when it is told to.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub can_save: bool,
    /// What became of that the last time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub saved: Option<Saved>,
    /// How it ended; absent while it runs, and where its runner was killed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<End>,
}

/// What became of the command that makes an agent save its state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    /// How many there were in this life, with it.
    pub number: u64,
    /// When it was over.
    pub at: Time,
    /// What it ended with, if it ended by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<i32>,
    /// The signal that ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
    /// Whether it took longer than it may, and was killed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_late: bool,
    /// Why it could not be started, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl Saved {
    /// One that did not come to anything.
    pub fn failed(number: u64, at: Time, why: &str) -> Self {
        Saved {
            number,
            at,
            code: None,
            signal: None,
            is_late: false,
            why: Some(why.to_owned()),
        }
    }

    /// What went wrong, in words; none if nothing did.
    pub fn failure(&self) -> Option<String> {
        match (&self.why, self.code, self.signal) {
            (Some(why), ..) => Some(why.clone()),
            _ if self.is_late => Some(String::from("it took longer than its stop_timeout")),
            (None, Some(0), _) => None,
            (None, Some(code), _) => Some(format!("exit {code}")),
            (None, None, Some(number)) => Some(signal::word(number)),
            (None, None, None) => Some(String::from("its end was not seen")),
        }
    }
}

impl RunNote {
    /// How many seconds it ran, or runs by now; none if it is not known since when.
    pub fn lasted(&self, now: Time) -> Option<u64> {
        let until = self.end.map_or(now, |end| end.at);
        u64::try_from(until.since(self.started_at?)).ok()
    }

    /// The agent's process, if it is known.
    pub fn process(&self) -> Option<Identity> {
        Some(Identity {
            pid: self.pid?,
            started: self.started?,
        })
    }

    /// Whether its end was seen: then nothing of it is left. One whose runner was killed may have left something.
    pub fn is_over(&self) -> bool {
        self.end.is_some() || self.runner.is_none()
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// When.
    pub at: Time,
    /// The same in milliseconds since the boot of the note, sleep included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up: Option<u64>,
    /// What it ended with, if it ended by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<i32>,
    /// The signal that ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
    /// Whether its runner was told to stop it.
    #[serde(default)]
    pub is_ordered: bool,
}

impl End {
    /// What a command that stands for the process ends with: its exit code, or 128 + n for signal n.
    pub fn exit_code(&self) -> u8 {
        let signal = self.signal.and_then(|number| u8::try_from(number).ok());
        let code = self.code.and_then(|code| u8::try_from(code).ok());
        code.or_else(|| signal.map(|number| exit::SIGNAL.saturating_add(number)))
            .unwrap_or(exit::OUTCOME_UNKNOWN)
    }
}

impl fmt::Display for End {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.code, self.signal) {
            (Some(code), _) => write!(out, "exit {code}"),
            (None, Some(number)) => out.write_str(&signal::word(number)),
            (None, None) => out.write_str("its end was not seen"),
        }
    }
}

/// What the end of a process means for its agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// It has done what it was there for: it is not wanted any more.
    Finished,
    /// It asks to be started again; no failure.
    Restart,
    /// It says that it can never run as things are: a person is asked.
    Permanent,
    /// It died.
    Died,
}

/// What the ends of an agent's process mean, as its file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    restart: Restart,
    again: Vec<u8>,
    never: Vec<u8>,
}

impl Terms {
    /// Those of an agent that is started like this.
    pub fn of<S>(run: &Run<S>) -> Self {
        Terms {
            restart: run.restart.unwrap_or(Restart::OnFailure),
            again: run.restart_exit_codes.clone(),
            never: run.permanent_exit_codes.clone(),
        }
    }

    /// What an end means. One that was ordered means nothing: whoever ordered it knows.
    pub fn meaning(&self, end: &End) -> Meaning {
        let code = end.code.and_then(|code| u8::try_from(code).ok());
        let is_one_of = |said: &[u8], usual: &[u8]| {
            let codes = if said.is_empty() { usual } else { said };
            code.is_some_and(|code| codes.contains(&code))
        };
        let restart = self.restart;
        if is_one_of(&self.never, &PERMANENT_EXIT_CODES) {
            Meaning::Permanent
        } else if restart == Restart::Never {
            match code {
                Some(0) => Meaning::Finished,
                _ => Meaning::Died,
            }
        } else if is_one_of(&self.again, &RESTART_EXIT_CODES) {
            Meaning::Restart
        } else if code != Some(0) {
            Meaning::Died
        } else if restart == Restart::Always {
            Meaning::Restart
        } else {
            Meaning::Finished
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meaning(run: &serde_json::Value, code: Option<i32>) -> Meaning {
        let run: Run = serde_json::from_value(run.clone()).unwrap();
        let signal = code.is_none().then_some(9);
        let end = End {
            at: Time::from_unix(0).unwrap(),
            up: None,
            code,
            signal,
            is_ordered: false,
        };
        Terms::of(&run).meaning(&end)
    }

    #[test]
    fn each_way_to_end_has_its_meaning() {
        use Meaning::{Died, Finished, Permanent, Restart};
        let usual = serde_json::json!({"command": ["a"]});
        let always = serde_json::json!({"command": ["a"], "restart": "always"});
        let never = serde_json::json!({"command": ["a"], "restart": "never"});
        let own = serde_json::json!(
            {"command": ["a"], "restart_exit_codes": [3], "permanent_exit_codes": [4]}
        );
        for (run, code, wanted) in [
            (&usual, Some(0), Finished),
            (&usual, Some(1), Died),
            (&usual, None, Died),
            (&usual, Some(75), Restart),
            (&usual, Some(78), Permanent),
            (&always, Some(0), Restart),
            (&always, Some(1), Died),
            (&always, Some(78), Permanent),
            (&never, Some(0), Finished),
            (&never, Some(1), Died),
            (&never, Some(75), Died),
            (&never, Some(78), Permanent),
            (&own, Some(3), Restart),
            (&own, Some(4), Permanent),
            (&own, Some(75), Died),
            (&own, Some(78), Died),
        ] {
            assert_eq!(meaning(run, code), wanted, "{run} {code:?}");
        }
    }

    #[test]
    fn an_end_is_told_in_a_word() {
        let end = |code, signal| {
            let at = Time::from_unix(0).unwrap();
            let is_ordered = false;
            End {
                at,
                up: None,
                code,
                signal,
                is_ordered,
            }
            .to_string()
        };
        assert_eq!(end(Some(75), None), "exit 75");
        assert_eq!(end(None, Some(9)), "SIGKILL");
        assert_eq!(end(None, None), "its end was not seen");
    }

    #[test]
    fn an_end_is_passed_on_as_a_shell_does() {
        let end = |code, signal| End {
            at: Time::from_unix(0).unwrap(),
            up: None,
            code,
            signal,
            is_ordered: false,
        };
        assert_eq!(end(Some(0), None).exit_code(), 0);
        assert_eq!(end(Some(75), None).exit_code(), 75);
        assert_eq!(end(None, Some(9)).exit_code(), 137);
        assert_eq!(end(None, None).exit_code(), exit::OUTCOME_UNKNOWN);
    }
}
