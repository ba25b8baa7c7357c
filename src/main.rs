//! The one binary: `klamm start` is the broker, the other verbs are its tools.

fn main() -> std::process::ExitCode {
    klamm::cli::main()
}
