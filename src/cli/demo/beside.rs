//! What runs beside the demo: a daemon, agents that beat. It ends with the demo, however that ends: who beats ends
//! with its parent always, and a daemon where it is told so.

use crate::base::error::{Error, Result};
use std::process::{Child, Command, Stdio};

/// Processes beside the demo.
#[derive(Default)]
pub(super) struct Beside(Vec<(&'static [&'static str], Child)>);

impl Beside {
    /// Starts one. What it says is not of the demo: the daemon's log is shown by a step of its own.
    pub(super) fn start(
        &mut self,
        arguments: &'static [&'static str],
        mut command: Command,
    ) -> std::io::Result<()> {
        if arguments.first() == Some(&"daemon") {
            command.arg("--with-parent");
        }
        let child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        self.0.push((arguments, child));
        Ok(())
    }

    /// The process that was started so.
    pub(super) fn pid(&self, arguments: &[&str]) -> Result<u32> {
        let found = self.0.iter().find(|(started, _)| *started == arguments);
        found
            .map(|(_, child)| child.id())
            .ok_or_else(|| Error::bug("the demo kills what it has not started"))
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        for (_, child) in &mut self.0 {
            // One that ended before is only reaped.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
