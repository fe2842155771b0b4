//! The request of `wire send`: where it is read from, and which edits its arguments ask for.

use std::io::Read;
use std::path::Path;

use super::args;
use super::error::CliError;
use crate::json;
use crate::targets::request::{BodyEdit, RequestBody};

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

/// The body in `bytes` after the edits, in the order model, stream, `--set`.
///
/// `model_in_path`: this API names the model and streaming in its path, so `-m` and `--stream` leave the body alone.
pub(super) fn prepare_body(
    bytes: Vec<u8>,
    path: &Path,
    args: &args::EditArgs,
    model_in_path: bool,
) -> Result<RequestBody, CliError> {
    let member = |label, name, value: &[u8]| BodyEdit {
        label,
        path: json::ValuePath::default().join(name),
        value: value.to_vec(),
    };
    let model = args.model.first();
    let mut edits = Vec::new();
    if !model_in_path {
        edits.extend(model.map(|model| member("--model", "model", &json::quote(model))));
        match (args.stream, args.no_stream) {
            (true, _) => edits.push(member("--stream", "stream", b"true")),
            (false, true) => edits.push(member("--stream", "stream", b"false")),
            (false, false) => {}
        }
    }
    for set in &args.set {
        edits.push(parse_set(set)?);
    }
    let source = match path == Path::new("-") {
        true => "standard input".to_owned(),
        false => path.display().to_string(),
    };
    let mut body = RequestBody::with_edits(bytes, &edits, &source)?;
    if model_in_path {
        body.model = model.cloned().or(body.model);
        body.wants_stream = args.stream;
    }
    Ok(body)
}

/// Reads the `PATH=JSON` of `--set`.
fn parse_set(text: &str) -> Result<BodyEdit, CliError> {
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
    Ok(BodyEdit {
        label: "--set",
        path: parsed,
        value: value.as_bytes().to_vec(),
    })
}
