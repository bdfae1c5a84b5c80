//! The binary does nothing but call the library.
fn main() {}
