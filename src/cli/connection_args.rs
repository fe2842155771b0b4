//! The arguments of connections, TLS and the certificate authority, which several verbs have, and the values that several arguments take.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

/// Arguments of the connection.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Connection")]
pub(super) struct ConnectionArgs {
    /// Time limit for connecting, TLS included, in seconds
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds, default_value = "30")]
    pub(super) connect_timeout: Duration,
    /// Time limit without a byte in either direction, in seconds
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds, default_value = "600")]
    pub(super) idle_timeout: Duration,
    /// Time limit for the whole exchange, in seconds
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds)]
    pub(super) max_time: Option<Duration>,
    /// Use this address for HOST:PORT, as in curl
    #[arg(long, value_name = "HOST:PORT:ADDR")]
    pub(super) resolve: Vec<String>,
    /// Use IPv4 only
    #[arg(short = '4', long, conflicts_with = "ipv6")]
    pub(super) ipv4: bool,
    /// Use IPv6 only
    #[arg(short = '6', long)]
    pub(super) ipv6: bool,
    /// Use a proxy, except for hosts in $NO_PROXY: http://, https://, socks5://, socks5h://; "" for none
    /// [default: $HTTPS_PROXY, $http_proxy, $ALL_PROXY]
    #[arg(short = 'x', long, value_name = "URL")]
    pub(super) proxy: Option<String>,
    /// Hosts that are reached without the proxy, instead of $NO_PROXY; "" for none, * for all
    #[arg(long, value_name = "HOSTS")]
    pub(super) noproxy: Option<String>,
    /// Connect to this Unix socket
    #[arg(long, value_name = "PATH")]
    pub(super) unix_socket: Option<PathBuf>,
}

/// Arguments of TLS: trusted roots and the client certificate.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "TLS")]
pub(super) struct TlsArgs {
    /// Accept any certificate (its chain is still shown and recorded)
    #[arg(short = 'k', long)]
    pub(super) insecure: bool,
    /// Trust only the roots in this PEM file [default: $SSL_CERT_FILE, else the built-in roots of Mozilla]
    #[arg(long, value_name = "FILE", conflicts_with = "native_roots")]
    pub(super) cacert: Option<PathBuf>,
    /// Trust the roots of the operating system
    #[arg(long)]
    pub(super) native_roots: bool,
    /// Client certificate (PEM, followed by its chain)
    #[arg(long, value_name = "FILE")]
    pub(super) cert: Option<PathBuf>,
    /// Private key of --cert [default: in the same file]
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub(super) key: Option<PathBuf>,
}

/// Arguments that choose the certificate authority.
#[derive(Args, Clone, Debug)]
pub(super) struct AuthorityArgs {
    /// Folder of the certificate authority [default: $XDG_DATA_HOME/wire/ca, else ~/.local/share/wire/ca]
    #[arg(long, value_name = "DIR")]
    pub(super) ca_dir: Option<PathBuf>,
}

/// Parses seconds, with or without a fraction; zero is allowed.
pub(super) fn parse_pause(text: &str) -> Result<Duration, String> {
    let number: f64 = text
        .parse()
        .map_err(|_| "write seconds, such as 0.05".to_owned())?;
    Duration::try_from_secs_f64(number).map_err(|error| error.to_string())
}

/// Parses seconds, with or without a fraction; zero is refused, since no exchange could keep such a limit.
pub(super) fn parse_seconds(text: &str) -> Result<Duration, String> {
    let number: f64 = text
        .parse()
        .map_err(|_| "write seconds, such as 2.5".to_owned())?;
    let time = Duration::try_from_secs_f64(number).ok();
    time.filter(|time| !time.is_zero())
        .ok_or_else(|| "write more than zero seconds, and no more than there are".to_owned())
}

/// Parses a number of bytes: `1000`, `256K`, `4G` (powers of 1024).
pub(super) fn parse_byte_count(text: &str) -> Result<u64, String> {
    let (digits, shift) = match text.strip_suffix(['K', 'k']) {
        Some(digits) => (digits, 10),
        None => match text.strip_suffix(['M', 'm']) {
            Some(digits) => (digits, 20),
            None => match text.strip_suffix(['G', 'g']) {
                Some(digits) => (digits, 30),
                None => (text, 0),
            },
        },
    };
    let number = digits.parse::<u64>().ok();
    let number = number.and_then(|number| number.checked_mul(1 << shift));
    number.ok_or_else(|| "write a number of bytes, such as 65536, 256K or 4G".to_owned())
}

/// Parses the prefix of keys. One or two characters would mark half of all words as possible keys.
pub(super) fn parse_key_prefix(text: &str) -> Result<String, String> {
    match text.len() {
        0..=2 => Err("write three characters or more, such as ghp_".to_owned()),
        _ => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times() {
        assert_eq!(parse_byte_count("256K"), Ok(256 << 10));
        assert_eq!(parse_byte_count("7"), Ok(7));
        assert!(parse_byte_count("-1").is_err());
        assert!(parse_byte_count("99999999999999G").is_err());
        assert_eq!(parse_seconds("0.5"), Ok(Duration::from_millis(500)));
        for text in ["0", "-1", "nan", "inf", "1e300", "1e-30"] {
            assert!(parse_seconds(text).is_err(), "{text}");
        }
    }
}
