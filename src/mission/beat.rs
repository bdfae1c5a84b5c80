//! A sign of life that does not come by HTTP: `.mcell/run/<agent>.beat` (docs/mission-cell-spec.md).
//!
//! The file has one line for each kind of sign, at a fixed place: whoever writes one kind overwrites no other, and a sign
//! is one write of one size. No write is synced, and a reader may come in the middle of one: the last member of a line
//! says what the bytes before it come to, and a line that does not agree with itself is no sign.

use crate::base::error::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The bytes of a line, its end included.
pub const LINE: usize = 512;
/// The bytes of the whole file.
pub const FILE: usize = LINE * Kind::ALL.len();

/// What kind of sign it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// `mcell heartbeat`.
    Heartbeat,
    /// sd_notify's WATCHDOG=1.
    Notify,
    /// Its log grew.
    Output,
}

impl Kind {
    /// Every kind, in the order of their lines.
    pub const ALL: [Kind; 3] = [Kind::Heartbeat, Kind::Notify, Kind::Output];
}

/// How much a sign says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Says {
    /// That the agent lives.
    #[default]
    Lives,
    /// That it is ready; it has not said that it goes on saying so.
    Ready,
    /// Words alone, which are no sign of life.
    Words,
}

impl Says {
    #[allow(
        clippy::trivially_copy_pass_by_ref,
        reason = "the form that serde asks for"
    )]
    fn is_usual(&self) -> bool {
        *self == Says::Lives
    }
}

/// One sign of life.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Beat {
    /// Milliseconds since the boot at which it was given, sleep included.
    pub up: u64,
    /// Which boot that was; none where the system does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot: Option<String>,
    /// The life of the agent that gave it; none where nothing started it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incarnation: Option<u64>,
    /// What kind of sign it is.
    pub kind: Kind,
    /// How much it says.
    #[serde(default, skip_serializing_if = "Says::is_usual")]
    pub says: Says,
    /// What the agent says it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// How far it is: any number that rises.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<f64>,
    /// Until when it will say nothing, in milliseconds of the same boot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_until: Option<u64>,
    /// What else it says of itself.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
}

/// The name of the member that a line ends with.
const CHECK: &str = ",\"check\":\"";

impl Beat {
    /// Its line in the file, and where that begins. What has no room in a line is refused (exit 2).
    pub fn line(&self) -> Result<(usize, Vec<u8>)> {
        let mut line = serde_json::to_vec(self)
            .map_err(|error| Error::bug(format!("a beat cannot be written: {error}")))?;
        // The closing brace comes after the check.
        line.pop();
        let sum = sum(&line);
        line.extend_from_slice(format!("{CHECK}{sum:016x}\"}}").as_bytes());
        if line.len() >= LINE {
            let over = line.len() + 1 - LINE;
            return Err(Error::usage(format!(
                "status and metadata of a beat are {over} bytes too long to be kept in a file"
            ))
            .hint("shorten them, or start the daemon: what it hears itself may be longer"));
        }
        line.resize(LINE - 1, b' ');
        line.push(b'\n');
        let at = Kind::ALL.iter().position(|kind| *kind == self.kind);
        Ok((at.unwrap_or(0) * LINE, line))
    }

    /// Reads a file: of each kind the last sign. What is no line, or half of one, is passed over.
    pub fn read(file: &[u8]) -> Vec<Beat> {
        let lines = Kind::ALL.into_iter().zip(file.chunks(LINE));
        lines
            .filter_map(|(kind, line)| Beat::of_line(line).filter(|beat| beat.kind == kind))
            .collect()
    }

    fn of_line(line: &[u8]) -> Option<Self> {
        let line = line.trim_ascii_end();
        if line.first() != Some(&b'{') {
            return None;
        }
        let end = line.len().checked_sub(CHECK.len() + 18)?;
        let (said, check) = line.split_at_checked(end)?;
        let check = std::str::from_utf8(check).ok()?;
        let check = check.strip_prefix(CHECK)?.strip_suffix("\"}")?;
        let is_whole = u64::from_str_radix(check, 16) == Ok(sum(said));
        is_whole
            .then(|| serde_json::from_slice(line).ok())
            .flatten()
    }
}

/// FNV-1a: it guards against half a write, not against a forger, who may write the file as well.
fn sum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beat(up: u64) -> Beat {
        let metadata = serde_json::json!({"status": "active", "n": [1, "\u{e9}\n"]});
        Beat {
            up,
            boot: Some(String::from("0a1b")),
            incarnation: Some(7),
            kind: Kind::Notify,
            says: Says::Ready,
            status: Some(String::from("step 3 of \"5\"")),
            progress: Some(3.0),
            quiet_until: Some(up + 60_000),
            metadata: metadata.as_object().cloned().unwrap(),
        }
    }

    fn file(beats: &[Beat]) -> Vec<u8> {
        let mut file = vec![0; FILE];
        for beat in beats {
            let (at, line) = beat.line().unwrap();
            file[at..at + line.len()].copy_from_slice(&line);
        }
        file
    }

    #[test]
    fn what_is_written_is_read() {
        let output = Beat {
            kind: Kind::Output,
            metadata: Map::new(),
            ..beat(5)
        };
        assert_eq!(
            Beat::read(&file(&[beat(4), output.clone()])),
            [beat(4), output]
        );
        assert!(Beat::read(&[]).is_empty());
    }

    #[test]
    fn no_mixture_of_two_lines_is_a_sign() {
        let (old, new) = (file(&[beat(123_456)]), file(&[beat(987_654)]));
        for cut in 0..=FILE {
            let mixed = [&new[..cut], &old[cut..]].concat();
            for read in Beat::read(&mixed) {
                assert!(mixed == old || mixed == new, "cut at {cut}: {read:?}");
            }
            Beat::read(&new[..cut]);
        }
    }

    #[test]
    fn what_others_write_there_is_no_sign() {
        for text in [
            "",
            "{}",
            "[]",
            "null",
            "{\"up\":1,\"kind\":\"notify\"}",
            "\u{0}\u{0}",
            ",\"check\":\"0000000000000000\"}",
        ] {
            assert!(Beat::read(text.as_bytes()).is_empty(), "{text}");
        }
        assert!(Beat::read(&[0xff; FILE]).is_empty());
        // One kind's line in the place of another's.
        let (_, line) = beat(1).line().unwrap();
        assert!(Beat::read(&line).is_empty());
    }

    #[test]
    fn what_has_no_room_is_refused() {
        let long = Beat {
            status: Some("x".repeat(LINE)),
            ..beat(1)
        };
        assert!(
            long.line()
                .unwrap_err()
                .message()
                .contains("bytes too long")
        );
    }
}
