//! The arguments of `wire record`.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;

use super::connection_args::{ConnectionArgs, TlsArgs, parse_pause};

/// Arguments of `wire record`.
#[derive(Args, Debug)]
pub(super) struct RecordArgs {
    /// Forward to this server; PREFIX=URL only what is under the path /PREFIX. May be given several times
    #[arg(long, value_name = "URL", required = true)]
    pub(super) upstream: Vec<String>,
    /// Address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub(super) listen: SocketAddr,
    /// Print a line for each call as it ends
    #[arg(long)]
    pub(super) live: bool,
    /// Time for which exchanges may still run after Ctrl-C, in seconds
    #[arg(long, value_name = "SECONDS", value_parser = parse_pause, default_value = "5")]
    pub(super) grace: Duration,
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
    #[command(flatten)]
    pub(super) tls: TlsArgs,
}
