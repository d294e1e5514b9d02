//! The `norn` binary: everything is in the library.

fn main() -> std::process::ExitCode {
    norn::cli::run()
}
