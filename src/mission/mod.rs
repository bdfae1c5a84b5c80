//! The nouns and their rules: pure, without disk, clock or printing.

pub mod agent;
pub mod amount;
pub mod artifact;
pub mod beat;
pub mod cell;
pub mod census;
pub mod checkpoint;
pub mod claim;
pub mod drawing;
pub mod gateway;
pub mod grant;
pub mod graph;
pub mod handoff;
pub mod isolation;
pub mod lease;
pub mod permission;
pub mod placeholder;
pub mod policy;
pub mod revival;
pub mod rules;
pub mod run;
pub mod shape;
pub mod sheet;
pub mod survey;
pub mod task;
pub mod worklist;
