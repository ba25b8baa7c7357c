//! The one binary: `klamm start` is the broker, the other verbs are its tools.

/// Most of a small request's own time went into glibc's `malloc` and `free`, since what one core allocates
/// another often gives back: docs/decisions/turns.md.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    klamm::cli::main()
}
