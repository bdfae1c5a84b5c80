//! Files and folders: what is missing, stray, linked, special, too large, unreadable, or writable by everybody.

use super::Rule;

/// The rules of this family.
pub const RULES: &[Rule] = &[];
