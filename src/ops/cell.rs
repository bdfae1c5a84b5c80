//! What one can do with a cell as a whole.
