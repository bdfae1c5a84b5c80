//! One test binary; each module is one promise to the user.
#![allow(
    clippy::disallowed_methods,
    reason = "tests make the trees they look at, and stand outside of the rooms of src/"
)]

mod world;
