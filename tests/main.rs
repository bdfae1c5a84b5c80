//! One test binary; each module is one promise to the user.
