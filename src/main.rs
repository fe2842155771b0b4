//! The `wire` binary: all of it is `wire::cli`.

fn main() -> std::process::ExitCode {
    wire::cli::run().into()
}
