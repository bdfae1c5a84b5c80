//! Holds cells against every rule.
