//! mcell: mission cells on disk.
