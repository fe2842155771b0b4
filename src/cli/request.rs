//! The exact bytes of a request: body from a file, edits by span, a short head in a fixed order.

use std::io::Read;
use std::path::Path;

use super::args;
use super::error::CliError;
use crate::http1::{FieldEdit, RequestHead};
use crate::json;

/// The body as it will go out, and what it says of itself.
#[derive(Debug)]
pub(super) struct RequestBody {
    pub(super) bytes: Vec<u8>,
    /// The model it asks for.
    pub(super) model: Option<String>,
    /// Whether it asks for a stream.
    pub(super) wants_stream: bool,
    /// Where it is no JSON: why.
    pub(super) json_error: Option<String>,
}

impl RequestBody {
    /// Bytes that are sent without being parsed.
    pub(super) fn from_raw(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            model: None,
            wants_stream: false,
            json_error: None,
        }
    }
}

/// Reads the request file. `-` is standard input.
#[expect(clippy::disallowed_methods, reason = "cli/ reads the user's files")]
pub(super) fn read_input(path: &Path) -> Result<Vec<u8>, CliError> {
    if path == Path::new("-") {
        let mut bytes = Vec::new();
        let read = std::io::stdin().lock().read_to_end(&mut bytes);
        read.map_err(|error| CliError::usage(format!("standard input: {error}")))?;
        return Ok(bytes);
    }
    std::fs::read(path).map_err(|error| {
        let complaint = CliError::unreadable_file(path, &error);
        match error.kind() {
            std::io::ErrorKind::NotFound => {
                complaint.with_hint("name a JSON file, or - for standard input")
            }
            _ => complaint,
        }
    })
}

/// Applies the edits, in the order model, stream, `--set`.
///
/// `model_in_path`: this API names the model and streaming in its path, so `-m` and `--stream` leave the
/// body alone.
pub(super) fn prepare_body(
    mut bytes: Vec<u8>,
    name: &Path,
    edits: &args::EditArgs,
    model_in_path: bool,
) -> Result<RequestBody, CliError> {
    let mut sets: Vec<(json::ValuePath, Vec<u8>, &str)> = Vec::new();
    if let (Some(model), false) = (edits.model.first(), model_in_path) {
        sets.push((
            json::ValuePath::default().join("model"),
            json::quote(model),
            "--model",
        ));
    }
    if (edits.stream || edits.no_stream) && !model_in_path {
        let value: &[u8] = if edits.stream { b"true" } else { b"false" };
        sets.push((
            json::ValuePath::default().join("stream"),
            value.to_vec(),
            "--stream",
        ));
    }
    for set in &edits.set {
        sets.push(parse_set(set)?);
    }
    for (path, value, flag) in sets {
        let edited = json::edit::set(&bytes, &path, &value).map_err(|error| {
            CliError::usage(format!(
                "{flag} cannot be applied to {}: {error}",
                input_name(name)
            ))
        })?;
        bytes = edited.bytes;
    }
    let mut body = parse_body(bytes);
    if model_in_path {
        body.model = edits.model.first().cloned().or(body.model);
        body.wants_stream = edits.stream;
    }
    Ok(body)
}

fn input_name(name: &Path) -> std::path::Display<'_> {
    match name == Path::new("-") {
        true => Path::new("standard input").display(),
        false => name.display(),
    }
}

fn parse_body(bytes: Vec<u8>) -> RequestBody {
    let (model, streams, not_json) = match json::JsonDocument::parse(&bytes) {
        Err(error) => (None, false, Some(error.to_string())),
        Ok(document) => {
            let root = document.root();
            let model = root.get("model").and_then(|model| model.as_str());
            let streams = root.get("stream").and_then(|value| value.as_bool());
            (
                model.map(std::borrow::Cow::into_owned),
                streams.unwrap_or(false),
                None,
            )
        }
    };
    RequestBody {
        bytes,
        model,
        wants_stream: streams,
        json_error: not_json,
    }
}

/// Cuts `PATH=JSON`.
fn parse_set(text: &str) -> Result<(json::ValuePath, Vec<u8>, &str), CliError> {
    let Some((path, value)) = text.split_once('=') else {
        return Err(CliError::usage(format!("--set {text}: there is no `=`"))
            .with_hint("write --set PATH=JSON, such as --set temperature=0"));
    };
    let parsed = json::ValuePath::parse(path)
        .map_err(|error| CliError::usage(format!("--set {text}: {error}")))?;
    if let Err(error) = json::JsonDocument::parse(value.as_bytes()) {
        return Err(
            CliError::usage(format!("--set {text}: the value is not JSON: {error}")).with_hint(
                format!("for a string, quote it: --set '{path}=\"{value}\"'"),
            ),
        );
    }
    Ok((parsed, value.as_bytes().to_vec(), "--set"))
}

/// The start line and the fields of a message head that is to be written.
#[derive(Debug)]
pub(super) struct HeadParts<'a> {
    pub(super) method: &'a str,
    pub(super) target: &'a str,
    pub(super) http10: bool,
    pub(super) authority: &'a str,
    /// Fields of the API: its key, its version.
    pub(super) fields: &'a [(String, String)],
    pub(super) body: Option<&'a [u8]>,
}

/// The default head, in this order: `Host`, `User-Agent`, `Accept`, what the API wants, and with a body
/// `Content-Type` and `Content-Length`; then `-H`.
pub(super) fn build_head(line: &HeadParts<'_>, edits: &[String]) -> Result<RequestHead, CliError> {
    let bad = |what: &str, text: &str| {
        CliError::usage(format!(
            "the {what} {text:?} holds a space or control character"
        ))
        .with_hint("--raw sends any bytes")
    };
    let stray = |text: &str| text.bytes().any(|byte| byte <= b' ' || byte == 0x7f);
    if line.method.is_empty() || stray(line.method) {
        return Err(bad("method", line.method));
    }
    if stray(line.target) {
        return Err(bad("path", line.target));
    }
    let version = if line.http10 { "HTTP/1.0" } else { "HTTP/1.1" };
    let mut fields = vec![
        ("Host".to_owned(), line.authority.to_owned()),
        (
            "User-Agent".to_owned(),
            concat!("wire/", env!("CARGO_PKG_VERSION")).to_owned(),
        ),
        ("Accept".to_owned(), "*/*".to_owned()),
    ];
    fields.extend_from_slice(line.fields);
    if let Some(body) = line.body {
        fields.push(("Content-Type".to_owned(), "application/json".to_owned()));
        fields.push(("Content-Length".to_owned(), body.len().to_string()));
    }
    let mut head = RequestHead {
        start_line: format!("{} {} {version}", line.method, line.target),
        fields,
    };
    let edits: Result<Vec<_>, _> = edits.iter().map(|edit| FieldEdit::parse(edit)).collect();
    head.apply_edits(&edits.map_err(CliError::usage)?);
    Ok(head)
}
