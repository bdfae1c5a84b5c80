//! Looks over every cell of a root, in parallel.
