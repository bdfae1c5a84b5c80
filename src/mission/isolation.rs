//! Isolation: how strictly the agents of a cell are kept apart, and what they may use (docs/isolation.md).

use serde::{Deserialize, Serialize};

/// The fleet's levels, from open to strict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Level {
    /// Own session and process group.
    #[serde(rename = "none")]
    None,
    /// Process isolation.
    #[serde(rename = "level_1")]
    Process,
    /// Mount namespace.
    #[serde(rename = "level_2")]
    Mount,
    /// Rootless Podman.
    #[serde(rename = "level_3")]
    Podman,
}

impl Level {
    /// Every level, from open to strict.
    pub const ALL: [Level; 4] = [Level::None, Level::Process, Level::Mount, Level::Podman];

    /// The word in files.
    pub const fn word(self) -> &'static str {
        match self {
            Level::None => "none",
            Level::Process => "level_1",
            Level::Mount => "level_2",
            Level::Podman => "level_3",
        }
    }

    /// Reads what operators type: the file's word, its number, or its means.
    pub fn typed(text: &str) -> Option<Self> {
        match text {
            "none" | "0" => Some(Level::None),
            "level_1" | "1" | "process" => Some(Level::Process),
            "level_2" | "2" | "mount" => Some(Level::Mount),
            "level_3" | "3" | "podman" => Some(Level::Podman),
            _ => None,
        }
    }

    /// Tells whether agents see a file tree of their own.
    pub const fn has_mount_namespace(self) -> bool {
        matches!(self, Level::Mount | Level::Podman)
    }
}

/// The most an agent may use, as the fleet writes it ("2 cores", "4GB").
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits<S = String> {
    /// Processor time.
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub cpu: Option<S>,
    /// Memory.
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub memory: Option<S>,
    /// Disk.
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub disk: Option<S>,
}

impl<S> Default for Limits<S> {
    fn default() -> Self {
        Limits {
            cpu: None,
            memory: None,
            disk: None,
        }
    }
}

/// As whom an agent runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecurityContext<S = String> {
    /// The user.
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub user: Option<S>,
    /// The group.
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub group: Option<S>,
    /// Linux capabilities it keeps, with or without `CAP_`.
    #[serde(default = "Vec::new")]
    pub capabilities: Vec<S>,
}

impl<S> Default for SecurityContext<S> {
    fn default() -> Self {
        SecurityContext {
            user: None,
            group: None,
            capabilities: Vec::new(),
        }
    }
}

/// `config/isolation.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Isolation<S = String> {
    /// The level; must agree with `cell.json`.
    #[serde(deserialize_with = "crate::base::strict::word")]
    pub level: Level,
    /// Whether agents see a file tree of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mount_namespaces: Option<bool>,
    /// Whether agents have no network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network_isolation: Option<bool>,
    /// The most an agent may use.
    #[serde(
        deserialize_with = "crate::base::strict::object",
        default = "none",
        skip_serializing_if = "Option::is_none"
    )]
    pub resource_limits: Option<Limits<S>>,
    /// As whom an agent runs.
    #[serde(
        deserialize_with = "crate::base::strict::object",
        default = "none",
        skip_serializing_if = "Option::is_none"
    )]
    pub security_context: Option<SecurityContext<S>>,
    /// The container image of level_3.
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub image: Option<S>,
    /// Folders outside the cell that agents may read.
    #[serde(default = "Vec::new", skip_serializing_if = "Vec::is_empty")]
    pub read_only_paths: Vec<S>,
    /// Folders outside the cell that agents may write.
    #[serde(default = "Vec::new", skip_serializing_if = "Vec::is_empty")]
    pub writable_paths: Vec<S>,
    /// Names of variables that pass into the cage.
    #[serde(default = "Vec::new", skip_serializing_if = "Vec::is_empty")]
    pub environment: Vec<S>,
}

fn none<T>() -> Option<T> {
    None
}

impl<S> Isolation<S> {
    /// What a level means where the file is absent.
    pub fn of_level(level: Level) -> Self {
        Isolation {
            level,
            mount_namespaces: None,
            network_isolation: None,
            resource_limits: None,
            security_context: None,
            image: None,
            read_only_paths: Vec::new(),
            writable_paths: Vec::new(),
            environment: Vec::new(),
        }
    }

    /// Tells whether agents see a file tree of their own: a level includes what it means, even where the flag says no.
    pub fn has_mount_namespace(&self) -> bool {
        self.level.has_mount_namespace() || self.mount_namespaces.unwrap_or(false)
    }
}

/// The level that counts where two files state one: the stricter.
pub fn effective_level(cell: Level, config: Option<Level>) -> Level {
    config.map_or(cell, |config| config.max(cell))
}

/// The Linux capabilities (capabilities(7)), without `CAP_`.
pub const CAPABILITIES: [&str; 41] = [
    "AUDIT_CONTROL",
    "AUDIT_READ",
    "AUDIT_WRITE",
    "BLOCK_SUSPEND",
    "BPF",
    "CHECKPOINT_RESTORE",
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "IPC_LOCK",
    "IPC_OWNER",
    "KILL",
    "LEASE",
    "LINUX_IMMUTABLE",
    "MAC_ADMIN",
    "MAC_OVERRIDE",
    "MKNOD",
    "NET_ADMIN",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_RAW",
    "PERFMON",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYSLOG",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_CHROOT",
    "SYS_MODULE",
    "SYS_NICE",
    "SYS_PACCT",
    "SYS_PTRACE",
    "SYS_RAWIO",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "WAKE_ALARM",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stricter_level_counts() {
        assert_eq!(
            effective_level(Level::None, Some(Level::Mount)),
            Level::Mount
        );
        assert_eq!(
            effective_level(Level::Podman, Some(Level::None)),
            Level::Podman
        );
        assert_eq!(effective_level(Level::Process, None), Level::Process);
    }

    #[test]
    fn a_level_includes_what_it_means() {
        let mut stated: Isolation = Isolation::of_level(Level::Mount);
        stated.mount_namespaces = Some(false);
        assert!(stated.has_mount_namespace());
    }
}
