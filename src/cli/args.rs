//! The arguments of every verb. What they mean is documented here and nowhere else: help, manual pages and
//! completions are made from it.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// See the bytes that cross between a program and an LLM API.
///
/// wire sends exact bytes, keeps every byte that comes back with the moment it came, explains each of
/// them, and opens the whole exchange again later.
#[derive(Debug, Parser)]
#[command(name = "wire", version, max_term_width = 100, after_help = EXIT_CODES)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) verb: CliVerb,
    #[command(flatten)]
    pub(super) common: CommonArgs,
}

const EXIT_CODES: &str = "\
Exit codes:
  0    done (also where the reader of the output went away)
  1    found something: diff a difference; send --fail a status of 400 or above
  2    wrong arguments, or input that cannot be read
  3    no connection: name, address, proxy or TLS
  4    the exchange broke off, its framing was lost, or its body cannot be decoded
  5    a time limit passed
  6    the capture (or standard output) could not be written
  130  interrupted

Start here, without network or key:
  wire send captures/hello.json --to demo
  wire show @";

/// What every verb takes.
#[derive(Args, Debug)]
pub(super) struct CommonArgs {
    /// The folder of captures [default: $WIRE_CAPTURES, else ./captures]
    #[arg(long, value_name = "DIR", global = true)]
    pub(super) captures: Option<PathBuf>,
    /// Prices of your own, before the table that is compiled in [default: $WIRE_PRICES]
    #[arg(long, value_name = "FILE", global = true)]
    pub(super) prices: Option<PathBuf>,
    /// When to use colours; auto looks at the terminal and at NO_COLOR
    #[arg(
        long = "color",
        value_name = "WHEN",
        default_value = "auto",
        global = true
    )]
    pub(super) colour: ColourChoice,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum ColourChoice {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(super) enum CliVerb {
    /// Send a request, byte for byte, and keep the whole exchange as a capture
    Send(Box<SendArgs>),
    /// Open a capture, down to the single byte
    Show(ShowArgs),
    /// List the captures, newest first
    Ls(LsArgs),
    /// Tell what is different between exchanges, from the first differing byte to the meaning
    Diff(Box<DiffArgs>),
    /// List the prices that costs are counted by
    Prices(PricesArgs),
    /// Print the completions of a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page, of wire or of one verb
    Man {
        /// A verb, such as send
        verb: Option<String>,
    },
}

/// Arguments of `wire send`.
#[derive(Args, Clone, Debug)]
pub(super) struct SendArgs {
    /// The body: a JSON file, or - for standard input; its bytes go out exactly as they are
    #[arg(value_name = "REQUEST")]
    pub(super) request: Option<PathBuf>,
    /// The bytes of REQUEST, where they have been read already.
    #[arg(skip)]
    pub(super) request_bytes: Option<Vec<u8>>,
    /// REQUEST is a whole HTTP/1.1 message, head and body: every byte is written as it is
    #[arg(long, conflicts_with_all = ["header", "method", "http10", "model", "set", "stream", "no_stream"])]
    pub(super) raw: bool,
    #[command(flatten)]
    pub(super) target: TargetArgs,
    #[command(flatten)]
    pub(super) head: HeadArgs,
    #[command(flatten)]
    pub(super) edits: EditArgs,
    #[command(flatten)]
    pub(super) repeats: RepeatArgs,
    /// Print what would be sent, secrets masked, and send nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
    #[command(flatten)]
    pub(super) tls: TlsArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    #[command(flatten)]
    pub(super) limits: LimitArgs,
    #[command(flatten)]
    pub(super) recording: RecordingArgs,
    /// A line for each event of a streamed answer, in place of its body
    #[arg(long, help_heading = "Output", conflicts_with_all = ["print", "quiet", "json", "text"])]
    pub(super) events: bool,
    /// A status of 400 and above becomes exit code 1
    #[arg(short, long, help_heading = "Output")]
    pub(super) fail: bool,
}

/// Where to.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Where to")]
pub(super) struct TargetArgs {
    /// A known API: openai, anthropic, gemini, ollama, ...; demo, the embedded server, or demo:anthropic,
    /// demo:gemini, demo:ollama, demo:responses (`--to help` lists all) [default: openai]
    /// NAME:MODEL asks it for a model of its own; several are asked one after another, and compared
    #[arg(long, value_name = "NAME")]
    pub(super) to: Vec<String>,
    /// The whole URL; a key goes along only with a --to of your own, or to that API's own host
    #[arg(long, value_name = "URL")]
    pub(super) url: Option<String>,
    /// Another path after the API's base URL, such as /responses
    #[arg(long, value_name = "PATH", conflicts_with = "url")]
    pub(super) path: Option<String>,
    /// The demo server's pause between the events of a stream, in seconds [default: 0.015]
    #[arg(long, value_name = "SECONDS", value_parser = parse_pause)]
    pub(super) pace: Option<Duration>,
    /// Further targets [default: $WIRE_CONFIG, else ~/.config/wire/targets.json]
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
}

/// The request's head.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Head")]
pub(super) struct HeadArgs {
    /// 'Name: value' sets, 'Name:' removes a default, 'Name;' sends an empty value
    #[arg(short = 'H', long = "header", value_name = "HEADER")]
    pub(super) header: Vec<String>,
    /// Another method than POST
    #[arg(short = 'X', long = "request", id = "method", value_name = "METHOD")]
    pub(super) method: Option<String>,
    /// Speak HTTP/1.0
    #[arg(long = "http1.0", id = "http10")]
    pub(super) http10: bool,
}

/// Edits of the body that leave every other byte alone.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Edits (every other byte stays)")]
pub(super) struct EditArgs {
    /// Another model; several are asked one after another, and compared
    #[arg(short, long, value_name = "NAME")]
    pub(super) model: Vec<String>,
    /// Set a value: a JSON Pointer (/messages/0/content) or dotted path (messages.0.content), and JSON
    #[arg(long, value_name = "PATH=JSON")]
    pub(super) set: Vec<String>,
    /// Set "stream" to true
    #[arg(long, conflicts_with = "no_stream")]
    pub(super) stream: bool,
    /// Set "stream" to false
    #[arg(long)]
    pub(super) no_stream: bool,
}

/// More than one exchange.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Several models, targets, times")]
pub(super) struct RepeatArgs {
    /// Send it so often to each
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000), default_value = "1")]
    pub(super) repeat: u32,
    /// So many at a time
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64), default_value = "1")]
    pub(super) parallel: u16,
}

/// How the connection is made.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Connection")]
pub(super) struct ConnectionArgs {
    /// Longest time until the connection (with TLS) stands, in seconds
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds, default_value = "30")]
    pub(super) connect_timeout: Duration,
    /// Longest time without a byte either way, in seconds
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds, default_value = "600")]
    pub(super) idle_timeout: Duration,
    /// Longest time for the whole exchange, in seconds
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds)]
    pub(super) max_time: Option<Duration>,
    /// Use this address for HOST:PORT, as in curl
    #[arg(long, value_name = "HOST:PORT:ADDR")]
    pub(super) resolve: Vec<String>,
    /// IPv4 only
    #[arg(short = '4', long, conflicts_with = "ipv6")]
    pub(super) ipv4: bool,
    /// IPv6 only
    #[arg(short = '6', long)]
    pub(super) ipv6: bool,
    /// Go through a proxy, but for the hosts of $NO_PROXY: http://, https://, socks5://, socks5h://; "" for none
    /// [default: $HTTPS_PROXY, $http_proxy, $ALL_PROXY]
    #[arg(short = 'x', long, value_name = "URL")]
    pub(super) proxy: Option<String>,
    /// Hosts to reach without the proxy, in place of $NO_PROXY; "" for none, * for all
    #[arg(long, value_name = "HOSTS")]
    pub(super) noproxy: Option<String>,
    /// Connect to a Unix socket
    #[arg(long, value_name = "PATH")]
    pub(super) unix_socket: Option<PathBuf>,
}

/// Whom TLS trusts.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "TLS")]
pub(super) struct TlsArgs {
    /// Trust any certificate (its chain is shown and recorded all the same)
    #[arg(short = 'k', long)]
    pub(super) insecure: bool,
    /// Trust the roots of this PEM file only [default: $SSL_CERT_FILE, else Mozilla's, compiled in]
    #[arg(long, value_name = "FILE", conflicts_with = "native_roots")]
    pub(super) cacert: Option<PathBuf>,
    /// Trust the machine's own roots
    #[arg(long)]
    pub(super) native_roots: bool,
    /// Show this client certificate (PEM, the chain after it)
    #[arg(long, value_name = "FILE")]
    pub(super) cert: Option<PathBuf>,
    /// The private key of --cert [default: in the same file]
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub(super) key: Option<PathBuf>,
}

/// What is shown.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Output")]
pub(super) struct OutputArgs {
    /// These parts alone, unmarked, on standard output:
    /// H request head, B request body, h response head, b response body, m meta
    #[arg(short, long, value_name = "PARTS")]
    pub(super) print: Option<String>,
    /// The response's body alone
    #[arg(short, long)]
    pub(super) quiet: bool,
    /// The text of the answer alone, as it grows
    #[arg(long, conflicts_with_all = ["print", "quiet"])]
    pub(super) text: bool,
    /// The whole exchange as one JSON document
    #[arg(long, conflicts_with_all = ["print", "quiet", "text"])]
    pub(super) json: bool,
    /// Lay bodies out for reading: all (layout and colours), format, none [default: all on a terminal]
    #[arg(long, value_name = "HOW")]
    pub(super) pretty: Option<PrettyMode>,
    /// Leave the body coded: `all` as it crossed the wire, `content` without chunks but still compressed
    #[arg(long, value_name = "WHAT", num_args = 0..=1, require_equals = true, default_missing_value = "all")]
    pub(super) undecoded: Option<UndecodedMode>,
    /// Read the answer in this dialect: openai-chat, openai-responses, anthropic-messages, ...
    #[arg(long, value_name = "NAME")]
    pub(super) dialect: Option<String>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(super) enum PrettyMode {
    All,
    Format,
    None,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(super) enum UndecodedMode {
    All,
    Content,
}

/// How much is read.
#[derive(Args, Clone, Copy, Debug)]
#[command(next_help_heading = "Limits")]
pub(super) struct LimitArgs {
    /// Longest head, in bytes (K, M, G)
    #[arg(long, value_name = "BYTES", value_parser = parse_byte_count, default_value = "256K")]
    pub(super) max_head: u64,
    /// Longest decoded body, in bytes (K, M, G) [default: 4G as it passes by, 256M where a view holds it whole]
    #[arg(long, value_name = "BYTES", value_parser = parse_byte_count)]
    pub(super) max_decoded: Option<u64>,
    /// Most bytes that one coded byte may become, beyond the first 16M
    #[arg(long, value_name = "N", default_value = "200")]
    pub(super) max_ratio: u64,
}

/// What is kept.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Capture")]
pub(super) struct RecordingArgs {
    /// Write the capture to FILE
    #[arg(long, value_name = "FILE", conflicts_with = "no_capture")]
    pub(super) capture: Option<PathBuf>,
    /// Keep nothing
    #[arg(long)]
    pub(super) no_capture: bool,
    /// Show secrets on the screen; the capture stays masked
    #[arg(long)]
    pub(super) reveal: bool,
    /// Write secrets into the capture
    #[arg(long)]
    pub(super) keep_secrets: bool,
}

/// Arguments of `wire show`.
#[derive(Args, Debug)]
pub(super) struct ShowArgs {
    /// A path, - for standard input, the beginning of a name or id, @ for the newest, @~1 for the one before
    #[arg(value_name = "CAPTURE", default_value = "@")]
    pub(super) capture: String,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    /// Dump the bytes with offset, text, role and moment
    #[arg(long, conflicts_with_all = ["print", "json", "events", "at"])]
    pub(super) hex: bool,
    /// List each read and write, and each event of a streamed answer under the read that completed it
    #[arg(long, conflicts_with_all = ["print", "json", "at"])]
    pub(super) events: bool,
    /// The bytes of each event, with its place and moment
    #[arg(long, conflicts_with_all = ["print", "json", "at", "events"])]
    pub(super) raw_events: bool,
    /// What the exchange means, in a dozen lines
    #[arg(long, conflicts_with_all = ["print", "json", "at", "events"])]
    pub(super) summary: bool,
    /// The tool calls, one JSON object a line
    #[arg(long, conflicts_with_all = ["print", "json", "at", "events", "summary"])]
    pub(super) tools: bool,
    /// The token counts, as the provider named them and as wire counts them, as JSON
    #[arg(long, conflicts_with_all = ["print", "json", "at", "events", "summary"])]
    pub(super) usage: bool,
    /// One JSON value of the body, with its byte range and moment: /choices/0/message, or dotted; in a stream
    /// after the number of an event: /3/choices/0/delta
    #[arg(long, value_name = "PATH", conflicts_with_all = ["print", "json"])]
    pub(super) at: Option<String>,
    /// The stream that --hex and --at look at [default: both for --hex, received for --at]
    #[arg(long, value_name = "SIDE")]
    pub(super) side: Option<SideArg>,
    #[command(flatten)]
    pub(super) limits: LimitArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum SideArg {
    Sent,
    Received,
}

/// Arguments of `wire ls`.
#[derive(Args, Debug)]
pub(super) struct LsArgs {
    /// At most so many
    #[arg(short = 'n', long, value_name = "N")]
    pub(super) limit: Option<usize>,
    /// Those whose asked or served model's name holds this
    #[arg(short, long, value_name = "TEXT")]
    pub(super) model: Option<String>,
    /// Those with this status: 429, 4xx, 400-499
    #[arg(long, value_name = "STATUS")]
    pub(super) status: Option<String>,
    /// Those whose host holds this
    #[arg(long, value_name = "TEXT")]
    pub(super) host: Option<String>,
    /// Those since then: 30m, 2h, 3d, 2026-11-24, 2026-11-24T14:00:00Z
    #[arg(long, value_name = "TIME")]
    pub(super) since: Option<String>,
    /// Those with this text in a body
    #[arg(long, value_name = "TEXT")]
    pub(super) grep: Option<String>,
    /// Those whose answer holds this: text, reasoning, tool arguments, the pieces of a stream joined
    #[arg(long, value_name = "TEXT")]
    pub(super) answer: Option<String>,
    /// As JSON, one object a line
    #[arg(long)]
    pub(super) json: bool,
}

/// Arguments of `wire diff`.
#[derive(Args, Debug)]
pub(super) struct DiffArgs {
    /// Captures as for show, ranges of them (@~5..@), or request files, JSON or whole messages; two, or more for a table; with
    /// --shape also a folder as the first (without any, the two newest)
    #[arg(value_name = "CAPTURE")]
    pub(super) subjects: Vec<String>,
    /// These captures are alike: what varies among them is noise; those after -- are compared to them
    #[arg(long, value_name = "CAPTURE", num_args = 1.., conflicts_with_all = ["shape", "bytes", "json_patch", "side_by_side"])]
    pub(super) noise: Vec<String>,
    /// These layers alone: connection, request, head, framing, body, stream, meaning, timing
    #[arg(long, value_name = "LAYERS", value_delimiter = ',')]
    pub(super) only: Vec<String>,
    /// Show, and count, what differs between any two exchanges too: ids, dates, what is left of limits
    #[arg(short, long)]
    pub(super) all: bool,
    /// A further place that says nothing: /usage/cost, choices.0.message.content, x-my-field, /**/trace_id
    /// (`--ignore help` lists those that are known)
    #[arg(long, value_name = "PATH")]
    pub(super) ignore: Vec<String>,
    /// Structure alone, values left out: does the last capture answer as those before it do?
    #[arg(long, conflicts_with_all = ["only", "bytes", "json_patch"])]
    pub(super) shape: bool,
    /// The raw bytes of both streams side by side, with their roles
    #[arg(long, conflicts_with_all = ["all", "ignore", "side_by_side", "stat", "markdown", "json_patch"])]
    pub(super) bytes: bool,
    /// What of each prompt a cache could have from the one before, and where the prefix breaks; of more than two,
    /// each with the next. Exit code 0 where every prefix holds
    #[arg(long, conflicts_with_all = ["noise", "only", "all", "ignore", "shape", "bytes", "side_by_side", "stat", "markdown", "json_patch"])]
    pub(super) cache: bool,
    #[command(flatten)]
    pub(super) format: DiffFormatArgs,
    /// Read the answers in this dialect: openai-chat, openai-responses, anthropic-messages, ...
    #[arg(long, value_name = "NAME")]
    pub(super) dialect: Option<String>,
    #[command(flatten)]
    pub(super) limits: LimitArgs,
}

/// How a difference is written.
#[derive(Args, Debug)]
#[group(multiple = false)]
pub(super) struct DiffFormatArgs {
    /// Left and right beside each other
    #[arg(short = 'y', long)]
    pub(super) side_by_side: bool,
    /// One line a layer
    #[arg(long)]
    pub(super) stat: bool,
    /// As one JSON document (captures/diff.schema.json)
    #[arg(long)]
    pub(super) json: bool,
    /// As Markdown, for an issue or a pull request
    #[arg(long)]
    pub(super) markdown: bool,
    /// The RFC 6902 patch from the left body to the right: of the answers, or of the requests with --only request
    #[arg(long)]
    pub(super) json_patch: bool,
}

/// Arguments of `wire prices`.
#[derive(Args, Debug)]
pub(super) struct PricesArgs {
    /// A model, or a part of its name or provider
    pub(super) model: Option<String>,
    /// As JSON, one object a line
    #[arg(long)]
    pub(super) json: bool,
}

/// Seconds, with a fraction where wanted; zero is none.
fn parse_pause(text: &str) -> Result<Duration, String> {
    let number: f64 = text
        .parse()
        .map_err(|_| "write seconds, such as 0.05".to_owned())?;
    Duration::try_from_secs_f64(number).map_err(|error| error.to_string())
}

/// Seconds, with a fraction where wanted; zero is no limit that anybody could keep.
fn parse_seconds(text: &str) -> Result<Duration, String> {
    let number: f64 = text
        .parse()
        .map_err(|_| "write seconds, such as 2.5".to_owned())?;
    let time = Duration::try_from_secs_f64(number).ok();
    time.filter(|time| !time.is_zero())
        .ok_or_else(|| "write more than zero seconds, and no more than there are".to_owned())
}

/// A number of bytes: `1000`, `256K`, `4G` (powers of 1024).
fn parse_byte_count(text: &str) -> Result<u64, String> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

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
