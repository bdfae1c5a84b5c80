//! The binary: everything is in the library.

fn main() -> std::process::ExitCode {
    if mcell::runner::is_meant() {
        return mcell::runner::main();
    }
    mcell::cli::main()
}
