//! The arguments of every verb. What they mean is documented here and nowhere else: help, manual pages and
//! completions are made from it.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(super) use super::connection_args::{AuthorityArgs, ConnectionArgs, TlsArgs};
use super::connection_args::{parse_byte_count, parse_key_prefix, parse_pause};
use super::record_args::RecordArgs;

/// See the bytes that cross between a program and an LLM API.
///
/// wire sends exact bytes, records every byte that comes back with the time it arrived, explains the
/// exchange, and opens it again later.
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
  1    found something: diff a difference; lint a warning or an error; send --fail a status of 400 or above
  2    wrong arguments, or input that cannot be read
  3    no connection: name, address, proxy or TLS
  4    the exchange broke off, its framing was lost, or its body cannot be decoded
  5    a time limit passed
  6    the capture (or standard output) could not be written
  130  interrupted

Start here, without network or key:
  wire send captures/hello.json --to demo
  wire show @";

/// Options of every verb.
#[derive(Args, Debug)]
pub(super) struct CommonArgs {
    /// Folder of the captures [default: $WIRE_CAPTURES, else ./captures]
    #[arg(long, value_name = "DIR", global = true)]
    pub(super) captures: Option<PathBuf>,
    /// File with your own prices, which replace those of the built-in table [default: $WIRE_PRICES]
    #[arg(long, value_name = "FILE", global = true)]
    pub(super) prices: Option<PathBuf>,
    /// When to use colours; auto: on a terminal, unless NO_COLOR is set
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
    /// Send a request byte for byte and record the whole exchange in a capture
    Send(Box<SendArgs>),
    /// Show a capture, down to the single byte
    Show(ShowArgs),
    /// List the captures, newest first
    Ls(LsArgs),
    /// Show what differs between exchanges, from the connection to the meaning of the answer
    Diff(Box<DiffArgs>),
    /// Record what a program sends, and what comes back
    Record(Box<RecordArgs>),
    /// Report what is odd about exchanges, and which clients break on it
    Lint(LintArgs),
    /// List the prices that costs are computed from
    Prices(PricesArgs),
    /// Show the certificate authority of the recorder and how to trust it, or remove it
    Ca(CaArgs),
    /// Print the completion script for a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page of wire or of one verb
    Man {
        /// A verb, such as send
        verb: Option<String>,
    },
}

/// Arguments of `wire send`.
#[derive(Args, Clone, Debug)]
pub(super) struct SendArgs {
    /// File with the request body, or - for standard input; its bytes are sent exactly as they are
    #[arg(value_name = "REQUEST")]
    pub(super) request: Option<PathBuf>,
    /// The bytes of REQUEST, if they were read already.
    #[arg(skip)]
    pub(super) request_bytes: Option<Vec<u8>>,
    /// REQUEST is a whole HTTP/1.1 message, head and body; every byte is sent as it is
    #[arg(long, conflicts_with_all = ["header", "method", "http10", "model", "set", "stream", "no_stream"])]
    pub(super) raw: bool,
    #[command(flatten)]
    pub(super) target: TargetArgs,
    #[command(flatten)]
    pub(super) head: RequestHeadArgs,
    #[command(flatten)]
    pub(super) edits: EditArgs,
    #[command(flatten)]
    pub(super) repeats: RepeatArgs,
    /// Print the bytes that would be sent, with secrets masked, and send nothing
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
    /// Print a line for each event of a streamed answer instead of its body
    #[arg(long, help_heading = "Output", conflicts_with_all = ["print", "quiet", "json", "text"])]
    pub(super) events: bool,
    /// Exit with code 1 on a status of 400 or above
    #[arg(short, long, help_heading = "Output")]
    pub(super) fail: bool,
}

/// Arguments that choose the target.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Where to")]
pub(super) struct TargetArgs {
    /// A known API: openai, anthropic, gemini, ollama, ...; demo, the embedded server, or demo:anthropic,
    /// demo:gemini, demo:ollama, demo:responses (`--to help` lists all) [default: openai]
    /// NAME:MODEL chooses a model for this target; several targets are asked in turn and compared
    #[arg(long, value_name = "NAME")]
    pub(super) to: Vec<String>,
    /// Full URL; a key is sent only to the host of the API that it belongs to, or with your own --to target
    #[arg(long, value_name = "URL")]
    pub(super) url: Option<String>,
    /// Path after the base URL of the API, such as /responses
    #[arg(long, value_name = "PATH", conflicts_with = "url")]
    pub(super) path: Option<String>,
    /// Pause of the demo server between the events of a stream, in seconds [default: 0.015]
    #[arg(long, value_name = "SECONDS", value_parser = parse_pause)]
    pub(super) pace: Option<Duration>,
    /// File with more targets [default: $WIRE_CONFIG, else ~/.config/wire/targets.json]
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
}

/// Arguments that change the request head.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Head")]
pub(super) struct RequestHeadArgs {
    /// Header field: 'Name: value' sets it, 'Name:' removes a default field, 'Name;' sends an empty value
    #[arg(short = 'H', long = "header", value_name = "HEADER")]
    pub(super) header: Vec<String>,
    /// Request method [default: POST]
    #[arg(short = 'X', long = "request", id = "method", value_name = "METHOD")]
    pub(super) method: Option<String>,
    /// Send the request as HTTP/1.0
    #[arg(long = "http1.0", id = "http10")]
    pub(super) http10: bool,
}

/// Arguments that edit the body and leave every other byte alone.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Edits (every other byte stays)")]
pub(super) struct EditArgs {
    /// Replace the model; several models are asked in turn and compared
    #[arg(short, long, value_name = "NAME")]
    pub(super) model: Vec<String>,
    /// Set a value in the body; PATH is a JSON Pointer (/messages/0/content) or dotted (messages.0.content)
    #[arg(long, value_name = "PATH=JSON")]
    pub(super) set: Vec<String>,
    /// Set "stream" to true
    #[arg(long, conflicts_with = "no_stream")]
    pub(super) stream: bool,
    /// Set "stream" to false
    #[arg(long)]
    pub(super) no_stream: bool,
}

/// Arguments for more than one exchange.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Several models, targets, times")]
pub(super) struct RepeatArgs {
    /// Send the request this many times to each target
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000), default_value = "1")]
    pub(super) repeat: u32,
    /// Number of exchanges at a time
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64), default_value = "1")]
    pub(super) parallel: u16,
}

/// Arguments that choose what is shown.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Output")]
pub(super) struct OutputArgs {
    /// Print only these parts, without marks, on standard output:
    /// H request head, B request body, h response head, b response body, m meta
    #[arg(short, long, value_name = "PARTS")]
    pub(super) print: Option<String>,
    /// Print only the response body
    #[arg(short, long)]
    pub(super) quiet: bool,
    /// Print only the text of the answer, as it arrives
    #[arg(long, conflicts_with_all = ["print", "quiet"])]
    pub(super) text: bool,
    /// Print the whole exchange as one JSON document
    #[arg(long, conflicts_with_all = ["print", "quiet", "text"])]
    pub(super) json: bool,
    /// Format JSON bodies: all (layout and colours), format (layout only), none [default: all on a terminal]
    #[arg(long, value_name = "HOW")]
    pub(super) pretty: Option<PrettyMode>,
    /// Do not decode the body: `all` leaves chunks and compression, `content` leaves compression only
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

/// Limits of what is read.
#[derive(Args, Clone, Copy, Debug)]
#[command(next_help_heading = "Limits")]
pub(super) struct LimitArgs {
    /// Size limit of a head, of trailers, and of all interim responses (1xx), in bytes (K, M, G)
    #[arg(long, value_name = "BYTES", value_parser = parse_byte_count, default_value = "256K")]
    pub(super) max_head: u64,
    /// Size limit of a decoded body, in bytes (K, M, G) [default: 4G streamed, 256M if a view needs it whole]
    #[arg(long, value_name = "BYTES", value_parser = parse_byte_count)]
    pub(super) max_decoded: Option<u64>,
    /// Limit of the compression ratio, after the first 16M
    #[arg(long, value_name = "N", default_value = "200")]
    pub(super) max_ratio: u64,
}

/// Arguments of recording.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Capture")]
pub(super) struct RecordingArgs {
    /// Write the capture to FILE, which must not exist yet
    #[arg(long, value_name = "FILE", conflicts_with = "no_capture")]
    pub(super) capture: Option<PathBuf>,
    /// Let --capture replace an existing file
    #[arg(long, requires = "capture")]
    pub(super) force: bool,
    /// Write no capture
    #[arg(long)]
    pub(super) no_capture: bool,
    /// Most bytes of a response in a capture (K, M, G): after more, the exchange is stopped with code 4
    #[arg(long, value_name = "BYTES", value_parser = parse_byte_count, default_value = "4G")]
    pub(super) max_capture: u64,
    /// Mask also what looks like a key after PREFIX, such as ghp_ or key-live-; words and masked keys stay
    #[arg(long, value_name = "PREFIX", value_parser = parse_key_prefix)]
    pub(super) mask_like: Vec<String>,
    /// Show secrets on the screen; they stay masked in the capture
    #[arg(long)]
    pub(super) reveal: bool,
    /// Do not mask secrets in the capture
    #[arg(long)]
    pub(super) keep_secrets: bool,
}

/// Arguments of `wire show`.
#[derive(Args, Debug)]
pub(super) struct ShowArgs {
    /// A path, - for standard input, the start of a name or id, @ for the newest, @~1 for the one before; with .2
    /// behind it, the second call of a WebSocket connection
    #[arg(value_name = "CAPTURE", default_value = "@")]
    pub(super) capture: String,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    /// Dump the bytes in hex with offset, text, role and time
    #[arg(long, conflicts_with_all = ["print", "json", "events", "at"])]
    pub(super) hex: bool,
    /// List each read and write, and under each read the events of the answer that it completed; of a WebSocket, list
    /// the messages
    #[arg(long, conflicts_with_all = ["print", "json", "at"])]
    pub(super) events: bool,
    /// Print the bytes of each event, with its span and time; of a WebSocket, of each frame
    #[arg(long, conflicts_with_all = ["print", "json", "at", "events"])]
    pub(super) raw_events: bool,
    /// Print what the exchange means, in a dozen lines
    #[arg(long, conflicts_with_all = ["print", "json", "at", "events"])]
    pub(super) summary: bool,
    /// Print the tool calls, one JSON object per line
    #[arg(long, conflicts_with_all = ["print", "json", "at", "events", "summary"])]
    pub(super) tools: bool,
    /// Print the token counts as JSON, both as the provider named them and as wire counts them
    #[arg(long, conflicts_with_all = ["print", "json", "at", "events", "summary"])]
    pub(super) usage: bool,
    /// Print one JSON value of the body with its byte range and time: /choices/0/message, or dotted. In a stream
    /// the path starts with the number of an event: /3/choices/0/delta
    #[arg(long, value_name = "PATH", conflicts_with_all = ["print", "json"])]
    pub(super) at: Option<String>,
    /// Direction for --hex and --at [default: both for --hex, received for --at]
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
    /// List at most this many captures
    #[arg(short = 'n', long, value_name = "N")]
    pub(super) limit: Option<usize>,
    /// Only captures whose requested or served model contains this text
    #[arg(short, long, value_name = "TEXT")]
    pub(super) model: Option<String>,
    /// Only captures with this status: 429, 4xx, 400-499
    #[arg(long, value_name = "STATUS")]
    pub(super) status: Option<String>,
    /// Only captures whose host contains this text
    #[arg(long, value_name = "TEXT")]
    pub(super) host: Option<String>,
    /// Only captures since this time: 30m, 2h, 3d, 2026-11-24, 2026-11-24T14:00:00Z
    #[arg(long, value_name = "TIME")]
    pub(super) since: Option<String>,
    /// Only captures with this text in a body
    #[arg(long, value_name = "TEXT")]
    pub(super) grep: Option<String>,
    /// Only captures with this text in the answer: text, reasoning or tool arguments, pieces joined
    #[arg(long, value_name = "TEXT")]
    pub(super) answer: Option<String>,
    /// Print JSON, one object per line
    #[arg(long)]
    pub(super) json: bool,
}

/// Arguments of `wire lint`.
#[derive(Args, Debug)]
pub(super) struct LintArgs {
    /// Captures as for show, ranges (@~5..@), folders, raw HTTP messages, or - for standard input [default: the
    /// newest capture]
    #[arg(value_name = "CAPTURE")]
    pub(super) subjects: Vec<String>,
    /// Explain a rule: its words, source, right bytes, and the clients that break
    #[arg(long, value_name = "RULE", conflicts_with = "subjects")]
    pub(super) explain: Option<String>,
    /// List all rules
    #[arg(long, conflicts_with_all = ["subjects", "explain"])]
    pub(super) rules: bool,
    /// Only these rules or layers: sse, json, sse-bom
    #[arg(long, value_name = "RULES", value_delimiter = ',')]
    pub(super) only: Vec<String>,
    /// Leave these rules or layers out
    #[arg(long, value_name = "RULES", value_delimiter = ',')]
    pub(super) ignore: Vec<String>,
    /// Show findings of this severity and above
    #[arg(long, value_name = "SEVERITY", default_value = "info")]
    pub(super) severity: SeverityArg,
    /// End with 1 if there is a finding of this severity or above
    #[arg(long, value_name = "SEVERITY", default_value = "warning")]
    pub(super) fail_on: SeverityArg,
    /// Print JSON, one object for each call
    #[arg(long, group = "form")]
    pub(super) json: bool,
    /// Print a SARIF 2.1.0 log
    #[arg(long, group = "form")]
    pub(super) sarif: bool,
    /// Print annotations for GitHub Actions
    #[arg(long, group = "form")]
    pub(super) github: bool,
    /// Read answers in this dialect
    #[arg(long, value_name = "DIALECT")]
    pub(super) dialect: Option<String>,
    #[command(flatten)]
    pub(super) limits: LimitArgs,
}

/// A severity on the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum SeverityArg {
    /// Worth knowing
    Info,
    /// Some clients break
    Warning,
    /// A part of the answer is lost, or clients break
    Error,
}

/// Arguments of `wire diff`.
#[derive(Args, Debug)]
pub(super) struct DiffArgs {
    /// Two inputs, or more for a table: captures as for show, ranges (@~5..@), or request files (JSON or whole
    /// messages); with --shape the first may be a folder [default: the two newest captures]
    #[arg(value_name = "CAPTURE")]
    pub(super) subjects: Vec<String>,
    /// Captures of a baseline: what varies among them is noise; the captures after -- are compared to them
    #[arg(long, value_name = "CAPTURE", num_args = 1.., conflicts_with_all = ["shape", "bytes", "json_patch", "side_by_side"])]
    pub(super) noise: Vec<String>,
    /// Compare only these layers: connection, request, head, framing, body, stream, meaning, timing
    #[arg(long, value_name = "LAYERS", value_delimiter = ',')]
    pub(super) only: Vec<String>,
    /// Also show and count differences that any two exchanges have: ids, dates, remaining limits
    #[arg(short, long)]
    pub(super) all: bool,
    /// Ignore differences at this place: /usage/cost, choices.0.message.content, x-my-field, /**/trace_id
    /// (`--ignore help` lists the places that are always ignored)
    #[arg(long, value_name = "PATH")]
    pub(super) ignore: Vec<String>,
    /// Compare structure only, without values: does the last capture have the structure of those before it?
    #[arg(long, conflicts_with_all = ["only", "bytes", "json_patch"])]
    pub(super) shape: bool,
    /// Show the raw bytes of both streams side by side, with their roles
    #[arg(long, conflicts_with_all = ["all", "ignore", "side_by_side", "stat", "markdown", "json_patch"])]
    pub(super) bytes: bool,
    /// Show how much of each prompt a prompt cache could reuse from the one before, and where the common prefix
    /// ends. Exit code 0 if every prefix is kept
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

/// Arguments that choose the output format.
#[derive(Args, Debug)]
#[group(multiple = false)]
pub(super) struct DiffFormatArgs {
    /// Print left and right side by side
    #[arg(short = 'y', long)]
    pub(super) side_by_side: bool,
    /// Print one line per layer
    #[arg(long)]
    pub(super) stat: bool,
    /// Print one JSON document (captures/diff.schema.json)
    #[arg(long)]
    pub(super) json: bool,
    /// Print Markdown, for an issue or a pull request
    #[arg(long)]
    pub(super) markdown: bool,
    /// Print the RFC 6902 patch from the left response body to the right; with --only request, of the requests
    #[arg(long)]
    pub(super) json_patch: bool,
}

/// Arguments of `wire prices`.
#[derive(Args, Debug)]
pub(super) struct PricesArgs {
    /// Part of the name of a model or provider
    pub(super) model: Option<String>,
    /// Print JSON, one object per line
    #[arg(long)]
    pub(super) json: bool,
}

/// Arguments of `wire ca`.
#[derive(Args, Debug)]
pub(super) struct CaArgs {
    /// Remove the certificate authority: certificate and private key
    #[arg(long)]
    pub(super) remove: bool,
    /// Print one JSON object
    #[arg(long, conflicts_with = "remove")]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) authority: AuthorityArgs,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }
}
