//! The arguments of `wire record`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::connection_args::{
    AuthorityArgs, ConnectionArgs, TlsArgs, parse_byte_count, parse_key_prefix, parse_pause,
};
use crate::targets::programs::Via;

/// Arguments of `wire record`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct RecordArgs {
    /// Program to run under the recorder, with its arguments; its exit code is passed on
    #[arg(
        last = true,
        value_name = "PROGRAM",
        required_unless_present_any = ["upstream", "intercept"],
        conflicts_with_all = ["upstream", "intercept", "listen"]
    )]
    pub(super) program: Vec<String>,
    /// Forward to this server; PREFIX=URL only what is under the path /PREFIX. May be given several times
    #[arg(long, value_name = "URL", conflicts_with = "intercept")]
    pub(super) upstream: Vec<String>,
    /// Be a proxy for HTTPS: open known APIs with a certificate of wire's own authority (`wire ca`), tunnel the rest
    #[arg(long)]
    pub(super) intercept: bool,
    /// Address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub(super) listen: SocketAddr,
    /// How to lead the program through the recorder
    #[arg(long, value_name = "WAY", default_value = "auto")]
    pub(super) via: ViaArg,
    /// Print what would be set for the program and how that differs from a run without the recorder, and run nothing
    #[arg(long, requires = "program")]
    pub(super) explain: bool,
    /// Print the variables and the command as shell lines, and run nothing
    #[arg(long, requires = "program", conflicts_with = "explain")]
    pub(super) print_env: bool,
    /// Also open this host: api.example.com, *.example.com
    #[arg(long, value_name = "HOST")]
    pub(super) host: Vec<String>,
    /// File with more programs and APIs, in the form of the built-in table
    #[arg(long, value_name = "FILE")]
    pub(super) programs: Option<PathBuf>,
    /// Print a line for each call as it ends
    #[arg(long)]
    pub(super) live: bool,
    /// Write these lines, and the list at the end, to a file instead of standard error
    #[arg(long, value_name = "FILE")]
    pub(super) log: Option<PathBuf>,
    /// Mask also what looks like a key after PREFIX, such as ghp_ or key-live-; words and masked keys stay
    #[arg(long, value_name = "PREFIX", value_parser = parse_key_prefix)]
    pub(super) mask_like: Vec<String>,
    /// Keep only the newest N captures of this recording
    #[arg(long, value_name = "N")]
    pub(super) keep: Option<usize>,
    /// Keep only the newest captures of this recording that have no more bytes together (K, M, G)
    #[arg(long, value_name = "BYTES", value_parser = parse_byte_count)]
    pub(super) keep_bytes: Option<u64>,
    /// Time for which exchanges may still run after Ctrl-C, in seconds
    #[arg(long, value_name = "SECONDS", value_parser = parse_pause, default_value = "5")]
    pub(super) grace: Duration,
    #[command(flatten)]
    pub(super) authority: AuthorityArgs,
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
    #[command(flatten)]
    pub(super) tls: TlsArgs,
}

const EXAMPLES: &str = "\
Examples:
  wire record -- python my_program.py
  wire record --explain -- codex
  wire record --upstream https://api.openai.com --listen 127.0.0.1:8080
  wire record --intercept --host '*.example.com'";

/// A way to lead a program through the recorder.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum ViaArg {
    /// Base URLs that lead to the recorder
    BaseUrl,
    /// Proxy variables and a bundle of certificates
    Proxy,
    /// Both
    Auto,
}

impl From<ViaArg> for Via {
    fn from(via: ViaArg) -> Self {
        match via {
            ViaArg::BaseUrl => Self::BaseUrl,
            ViaArg::Proxy => Self::Proxy,
            ViaArg::Auto => Self::Auto,
        }
    }
}
