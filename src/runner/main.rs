//! The binary of a runner: one agent's, from its start to its end. It is small, for there are as many as agents.

fn main() -> std::process::ExitCode {
    mcell::runner::main()
}
