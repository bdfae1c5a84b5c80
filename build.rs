//! How the binaries are linked.

#[allow(
    clippy::disallowed_methods,
    reason = "cargo speaks to a build script by its environment"
)]
fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // At a fixed address. Elsewhere the loader has to write some fifty pages of tables anew at each start, which was a third
    // of the time of a small command, and memory of its own for each of many runners. No code of ours is unsafe.
    let is = |variable, word| std::env::var(variable).is_ok_and(|value| value == word);
    if is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu") {
        println!("cargo:rustc-link-arg-bins=-no-pie");
    }
}
