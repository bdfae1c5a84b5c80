//! Servers that are raced: the daemon, and what would hear beats otherwise. Each is a process of the race's own, on a
//! port of its own, and is ended when it is dropped.

use crate::field::Field;
use crate::measure;
use crate::report::{Result, Trouble};
use crate::tools;
use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, setrlimit};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a server may take to be there, or to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server that runs.
pub struct Server {
    child: Child,
    address: SocketAddr,
    complaint: PathBuf,
}

impl Server {
    /// The daemon of a root, as it is after its first sweep. `config` is the text of its config.
    pub fn daemon(field: &Field, root: &Path, config: &str) -> Result<Self> {
        let file = field.scratch().join("daemon.json");
        std::fs::write(&file, config)?;
        let mut command = tools::mcell(field, root);
        command.args(["daemon", "--listen", "127.0.0.1:0", "--config"]);
        command.arg(&file).stdout(Stdio::null());
        let mut server = Self::start(field, command)?;
        let about = root.join(".mcell/daemon.json");
        server.wait(|pid| {
            let about: serde_json::Value =
                serde_json::from_slice(&std::fs::read(&about).ok()?).ok()?;
            let is_there = about["pid"] == pid && about["last_sweep"].is_string();
            let url = about["url"].as_str().filter(|_| is_there)?;
            url.trim_start_matches("http://")
                .trim_end_matches('/')
                .parse()
                .ok()
        })?;
        Ok(server)
    }

    /// nginx with one worker that answers 200 to everything, as lean as it can be had: no log, no limit of requests a
    /// connection, master and worker in one process.
    pub fn nginx(field: &Field) -> Result<Self> {
        let mut command = tools::other("nginx")?;
        let home = field.scratch().join("nginx");
        std::fs::create_dir_all(&home)?;
        // It cannot tell which port it was given, so it is given one that was free a moment ago.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path temp;"));
        let config = format!(
            "daemon off; master_process off; worker_processes 1; pid pid; error_log stderr;\n\
             events {{ worker_connections 512; }}\n\
             http {{ access_log off; keepalive_requests 1000000000; {}\n\
             server {{ listen {address}; location / {{ return 200; }} }} }}\n",
            temporary.concat()
        );
        let file = home.join("nginx.conf");
        std::fs::write(&file, config)?;
        command
            .arg("-e")
            .arg("stderr")
            .arg("-p")
            .arg(&home)
            .arg("-c")
            .arg(&file);
        let mut server = Self::start(field, command)?;
        server.wait(|_| TcpStream::connect(address).is_ok().then_some(address))?;
        Ok(server)
    }

    /// A listener of the first version's kind.
    pub fn asyncio(field: &Field) -> Result<Self> {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bench/bare/listener.py");
        let mut command = tools::other("python3")?;
        command.arg("-I").arg(source).stdout(Stdio::piped());
        let mut server = Self::start(field, command)?;
        let mut said = String::new();
        if let Some(output) = server.child.stdout.take() {
            BufReader::new(output).read_line(&mut said)?;
        }
        server.wait(|_| format!("127.0.0.1:{}", said.trim()).parse().ok())?;
        Ok(server)
    }

    fn start(field: &Field, mut command: Command) -> Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        let name = name.rsplit('/').next().unwrap_or_default();
        let complaint = field.scratch().join(format!("{name}.stderr"));
        let child = command
            .stdin(Stdio::null())
            .stderr(File::create(&complaint)?)
            .spawn();
        Ok(Self {
            child: child.map_err(|error| format!("{name}: {error}"))?,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            complaint,
        })
    }

    /// Waits until it is there, and where that is.
    fn wait(&mut self, mut look: impl FnMut(u32) -> Option<SocketAddr>) -> Result<()> {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(address) = look(self.child.id()) {
                self.address = address;
                return Ok(());
            }
            let ended = self
                .child
                .try_wait()?
                .map(|status| format!("it ended: {status}"));
            let late = (Instant::now() > end).then(|| "it takes too long".to_owned());
            if let Some(why) = ended.or(late) {
                return Err(self.failed(&why));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// What went wrong, with what it said itself.
    pub fn failed(&self, why: &str) -> Trouble {
        let said = std::fs::read_to_string(&self.complaint).unwrap_or_default();
        Trouble::Failed(format!("{why}\n{}", said.trim_end()))
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The time that its threads have run so far.
    pub fn spent(&self) -> Result<Duration> {
        measure::spent(self.child.id())
    }

    /// The most memory it has had, in KiB.
    pub fn peak(&self) -> Result<u64> {
        measure::high_water(self.child.id()).ok_or_else(|| self.failed("its memory is not told"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::TERM);
        }
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Lets this process, and what it starts, have so many files open.
pub fn open_files(wanted: u64) -> Result<()> {
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= wanted) {
        return Ok(());
    }
    if limit.maximum.is_some_and(|most| most < wanted) {
        return Err(Trouble::Skipped(format!(
            "{wanted} open files are more than `ulimit -Hn` allows"
        )));
    }
    let raised = Rlimit {
        current: Some(wanted),
        maximum: limit.maximum,
    };
    Ok(setrlimit(Resource::Nofile, raised).map_err(std::io::Error::from)?)
}
