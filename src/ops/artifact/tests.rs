//! Artifacts of a cell, below the command line.
