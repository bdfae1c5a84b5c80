//! Asks a gateway how it is: one question, one connection, one deadline for all of it.
//!
//! What a gateway says is judged and thrown away. Of its words only the status is ever shown, cut and made visible: whoever
//! can write an agent's file chooses what the daemon connects to, and shall not read by it what only the daemon can reach.

mod answer;
mod fault;
mod pool;
#[cfg(test)]
#[allow(
    clippy::disallowed_methods,
    reason = "tests lay hands on files as other tools do"
)]
mod tests;

pub use pool::{Pool, Question, Report, Threads};

use crate::health::probe::Answer;
use crate::ops::gateway::{Address, Target};
use crate::ops::http;
use answer::{Said, Sense};
use fault::Fault;
use std::path::Path;
use std::time::{Duration, Instant};

/// The most bytes of a body that are read. What is larger is judged by its status code.
const BODY: u64 = 64 << 10;
/// The most bytes that a key has.
const KEY: u64 = 4 << 10;

/// Who is expected to answer, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// The process that the agent runs as.
    pub pid: Option<u32>,
    /// The name of the gateway; where it is absent, that of the gateway's entry counts.
    pub name: Option<String>,
}

/// What came of a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probed {
    /// What the gateway's answer means; or why it could not be asked, through no fault of its own: no signal at all.
    pub answer: Result<Answer, String>,
    /// From the beginning to the end of the answer, or until it was given up.
    pub took: Duration,
    /// What the operator should know beside it: a key that cannot be read.
    pub note: Option<String>,
    /// The process that answered, if it says so.
    pid: Option<u64>,
    /// The name of what answered, if it was asked and said so.
    name: Option<String>,
    /// The name that the gateway's entry says.
    profile: Option<String>,
}

/// Asks gateways.
#[derive(Debug)]
pub struct Prober {
    network: ureq::Agent,
}

impl Default for Prober {
    fn default() -> Self {
        Prober {
            network: http::over_network(),
        }
    }
}

impl Prober {
    /// Asks a gateway, and for its name too if somebody wants to know. All of it ends within `patience`.
    pub fn ask(&self, target: &Target, wants_name: bool, patience: Duration) -> Probed {
        let started = Instant::now();
        let socket;
        let agent = match &target.address {
            Address::Url(_) => &self.network,
            Address::Socket(path) => {
                socket = http::over_socket(path);
                &socket
            }
        };
        let mut note = None;
        let token = target.key.as_ref().and_then(|key| {
            read_key(&key.token_file)
                .inspect_err(|why| note = Some(format!("{why}; asked without it")))
                .ok()
        });
        let path = match (&target.key, &token) {
            (Some(key), Some(_)) => &key.path,
            _ => &target.path,
        };
        let call = Call {
            agent,
            token: token.as_deref(),
            started,
            patience,
        };
        let said = call.get(&target.url(path));
        let took = started.elapsed();
        let sense = match said {
            Ok(said) => Ok(said.sense(token.is_some())),
            Err(Fault::Theirs(why)) => Ok(Sense::of(Answer::Failed(why))),
            Err(Fault::Ours(why)) => Err(why),
        };
        let is_well = matches!(&sense, Ok(sense) if !matches!(sense.answer, Answer::Failed(_)));
        let name = if is_well && token.is_some() && (wants_name || target.profile.is_some()) {
            // It answered in time. That it does not give its name is no reason to take that back.
            let models = call.get(&target.url("/v1/models"));
            models.ok().and_then(|models| models.model())
        } else {
            None
        };
        let (answer, pid) = match sense {
            Ok(sense) => (Ok(sense.answer), sense.pid),
            Err(why) => (Err(why), None),
        };
        Probed {
            answer,
            took,
            note,
            pid,
            name,
            profile: target.profile.clone(),
        }
    }
}

impl Probed {
    /// What it means for one agent: an answer of somebody else's gateway is a failure of its own.
    pub fn for_agent(&self, expected: &Expected) -> Result<Answer, String> {
        let mut answer = self.answer.clone()?;
        if matches!(answer, Answer::Failed(_)) {
            return Ok(answer);
        }
        let another = |is: String| Answer::Failed(format!("another gateway answers: {is}"));
        let wanted = expected.name.as_ref().or(self.profile.as_ref());
        if let (Some(wanted), Some(name)) = (wanted, &self.name)
            && wanted != name
        {
            let name = answer::visible(name);
            answer = another(format!("it is `{name}`, not `{}`", answer::visible(wanted)));
        }
        if let (Some(wanted), Some(pid)) = (expected.pid, self.pid)
            && u64::from(wanted) != pid
        {
            answer = another(format!("its pid is {pid}, not {wanted}"));
        }
        Ok(answer)
    }
}

/// The questions of one probe, which share its time.
struct Call<'c> {
    agent: &'c ureq::Agent,
    token: Option<&'c str>,
    started: Instant,
    patience: Duration,
}

impl Call<'_> {
    fn get(&self, url: &str) -> Result<Said, Fault> {
        let left = self.patience.saturating_sub(self.started.elapsed());
        if left.is_zero() {
            return Err(Fault::silence(self.patience));
        }
        let mut request = self
            .agent
            .get(url)
            .header("Connection", "close")
            .config()
            .timeout_global(Some(left))
            .build();
        if let Some(token) = self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        let response = request
            .call()
            .map_err(|error| Fault::of(error, self.patience))?;
        Said::read(response).map_err(|error| Fault::within(error, self.patience))
    }
}

/// Reads a key: one line of visible characters.
#[allow(
    clippy::disallowed_methods,
    reason = "the operator's own file, not a mission's"
)]
pub fn read_key(file: &Path) -> Result<String, String> {
    use std::io::Read;
    let failed = |error: std::io::Error| {
        let error = crate::base::error::Error::storage(
            format_args!("read the token_file {}", file.display()),
            error,
        );
        error.message().to_owned()
    };
    // A FIFO would be waited for longer than any probe has time.
    if !std::fs::metadata(file).map_err(failed)?.is_file() {
        return Err(format!("the token_file {} is no file", file.display()));
    }
    let mut text = Vec::new();
    let file_open = std::fs::File::open(file).map_err(failed)?;
    file_open.take(KEY).read_to_end(&mut text).map_err(failed)?;
    let key = text.trim_ascii();
    if key.is_empty() || !key.iter().all(u8::is_ascii_graphic) {
        return Err(format!(
            "the token_file {} does not hold one word of ASCII",
            file.display()
        ));
    }
    Ok(String::from_utf8_lossy(key).into_owned())
}
