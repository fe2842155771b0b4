//! The notation of the files in `tests/lint` (see its README): blocks of text as pairs of calls.

use std::borrow::Cow;

use wire::call::ReadOptions;
use wire::capture::{CaptureNote, store};
use wire::chat::Severity;
use wire::import;
use wire::price::PriceTable;
use wire::tape::Tape;

/// Prices of the models `p`, `p-...`: those of real models change.
const PRICES: &[u8] = include_bytes!("../lint/prices.json");

/// A rule with two exchanges in one text.
pub(crate) struct Block {
    pub(crate) rule: String,
    pub(crate) also: Vec<String>,
    /// The severity of the finding, where it is not that of the rule.
    pub(crate) severity: Option<Severity>,
    limits: Vec<(String, u64)>,
    text: String,
}

/// One side of a pair: the calls, and how they are read.
pub(crate) struct Case {
    pub(crate) calls: Vec<Half>,
    pub(crate) options: ReadOptions,
}

/// The bytes of one call: a raw message, or a capture file.
pub(crate) struct Half(Vec<u8>);

impl Half {
    pub(crate) fn tape(&self) -> Tape {
        match self.is_capture() {
            true => self.capture().tape,
            false => import::read_message(&self.0),
        }
    }

    /// The lines of the capture file that were not read.
    pub(crate) fn notes(&self) -> Vec<CaptureNote> {
        match self.is_capture() {
            true => self.capture().notes,
            false => vec![],
        }
    }

    fn is_capture(&self) -> bool {
        self.0.starts_with(b"{")
    }

    fn capture(&self) -> wire::capture::ParsedCapture {
        store::parse(std::path::Path::new("pair.wire"), &self.0).unwrap()
    }
}

/// The blocks of a file.
pub(crate) fn read_blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut shared: Vec<(String, String)> = Vec::new();
    let mut is_shared = false;
    for line in text.lines() {
        if let Some(name) = line
            .strip_prefix('@')
            .and_then(|name| name.strip_suffix(':'))
        {
            shared.push((format!("@{name}"), String::new()));
            is_shared = true;
        } else if let Some(block) = read_header(line) {
            blocks.push(block);
            is_shared = false;
        } else if is_shared {
            let (_, text) = shared.last_mut().unwrap();
            text.push_str(line);
            text.push('\n');
        } else if let Some(block) = blocks.last_mut() {
            let known = shared.iter().find(|(name, _)| name == line);
            assert!(known.is_some() || !line.starts_with('@'), "no text {line}");
            block
                .text
                .push_str(known.map_or(line, |(_, text)| text.trim_end()));
            block.text.push('\n');
        }
    }
    blocks
}

fn read_header(line: &str) -> Option<Block> {
    let (rule, options) = line.strip_prefix('[')?.split_once(']')?;
    let is_id = |rule: &str| {
        let is_letter = |letter: u8| letter.is_ascii_alphanumeric() || letter == b'-';
        !rule.is_empty() && rule.bytes().all(is_letter)
    };
    let mut block = Block {
        rule: Some(rule).filter(|rule| is_id(rule))?.to_owned(),
        also: vec![],
        severity: None,
        limits: vec![],
        text: String::new(),
    };
    for option in options.split_whitespace() {
        let (key, value) = option.split_once('=').unwrap();
        match key {
            "also" => block.also = value.split(',').map(str::to_owned).collect(),
            "at" => block.severity = Some(Severity::find(value).unwrap()),
            _ => block.limits.push((key.to_owned(), value.parse().unwrap())),
        }
    }
    Some(block)
}

impl Block {
    /// The exchange that breaks the rule, or the clean one.
    pub(crate) fn case(&self, broken: bool) -> Case {
        let mut options = ReadOptions {
            prices: Cow::Owned(PriceTable::parse(PRICES).unwrap()),
            ..ReadOptions::default()
        };
        for (key, value) in &self.limits {
            match key.as_str() {
                "answer-limit" => options.answer.size_limit = *value,
                "decoded-limit" => options.content.held_size = *value,
                key => panic!("{}: no option {key}", self.rule),
            }
        }
        let text = choose(&self.text, broken);
        let calls = text.split("\n--\n").map(|call| Half(read_call(call)));
        Case {
            calls: calls.collect(),
            options,
        }
    }
}

/// The text with the first or the second of each `«one¦other»`.
fn choose(text: &str, first: bool) -> String {
    let mut pieces = text.split('«');
    let mut chosen = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (both, after) = piece.split_once('»').expect(piece);
        let (one, other) = both.split_once('¦').expect(piece);
        chosen.push_str(if first { one } else { other });
        chosen.push_str(after);
    }
    chosen
}

/// The bytes of a call.
fn read_call(text: &str) -> Vec<u8> {
    let text = text.trim_start_matches('\n');
    if text.starts_with("{\"wire\"") {
        let whole = format!("{}\n", text.trim_end());
        return bytes(whole.split("⟨end⟩").next().unwrap());
    }
    let is_request = |line: &str| {
        ["POST ", "GET ", "HEAD "]
            .iter()
            .any(|word| line.starts_with(word))
    };
    let first = text.lines().next().unwrap_or_default();
    let (request, response) = match is_request(first) {
        // A raw request ends with an empty line, or with the next start line.
        true => {
            let starts = text.match_indices('\n').map(|(at, _)| at + 1);
            let starts_response = |at: &usize| is_response(&text[*at..]);
            let at = starts.filter(|at| *at < text.len()).find(starts_response);
            text.split_at(at.unwrap_or(text.len()))
        }
        false => ("POST /v1/chat/completions", text),
    };
    let streamed = response.contains("event-stream") || response.contains("ndjson");
    let mut call = read_request(request, streamed);
    call.extend(read_response(response));
    call
}

fn is_response(text: &str) -> bool {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let is_short = digits == 3 && text[digits..].starts_with(' ');
    is_short || text.starts_with("HTTP/") || text.starts_with("⟨0D 0A⟩HTTP/")
}

fn read_request(text: &str, streamed: bool) -> Vec<u8> {
    let (line, fields) = text.split_once('\n').unwrap_or((text, ""));
    if line.contains(" HTTP/") {
        let (head, body) = text.split_once("\n\n").unwrap_or((text.trim_end(), ""));
        return [head_lines(head), bytes(body.trim_end())].concat();
    }
    let (line, body) = line.split_once(" {").map_or_else(
        || (line, default_body(line, streamed)),
        |(line, body)| (line, format!("{{{body}")),
    );
    let body = if line.starts_with("POST") {
        bytes(&body)
    } else {
        vec![]
    };
    let label = match fields.to_ascii_lowercase().contains("content-type:") || body.is_empty() {
        true => "",
        false => "Content-Type: application/json\n",
    };
    let head = format!(
        "{line} HTTP/1.1\nHost: example.com\n{label}{fields}Content-Length: {}",
        body.len()
    );
    [head_lines(&head), body].concat()
}

/// The body of a request that asks `m` for an answer.
fn default_body(line: &str, streamed: bool) -> String {
    let stream = match (streamed, line.contains("/chat/completions")) {
        (true, true) => ",\"stream\":true,\"stream_options\":{\"include_usage\":true}",
        (true, false) => ",\"stream\":true",
        (false, _) => "",
    };
    match line.contains("/responses") {
        true => format!("{{\"model\":\"m\",\"input\":\"hi\"{stream}}}"),
        false => {
            format!(
                "{{\"model\":\"m\",\"messages\":[{{\"role\":\"user\",\"content\":\"hi\"}}]{stream}}}"
            )
        }
    }
}

fn read_response(text: &str) -> Vec<u8> {
    let text = text.trim_end_matches('\n');
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let head = match head.split_once(' ') {
        Some((status, rest)) if status.len() == 3 => {
            format!("HTTP/1.1 {status} X\nContent-Type: {rest}")
        }
        _ => head.to_owned(),
    };
    let end = match body.contains("⟨end⟩") {
        false if head.contains("event-stream") => "\n\n",
        false if head.contains("ndjson") => "\n",
        _ => "",
    };
    let body = body.split("⟨end⟩").next().unwrap_or_default();
    [head_lines(&head), bytes(body), bytes(end)].concat()
}

/// The lines of a head, and the empty line after it. The head ends where `⟨end⟩` stands.
fn head_lines(head: &str) -> Vec<u8> {
    match head.split_once("⟨end⟩") {
        Some((head, _)) => bytes(&head.replace('\n', "\r\n")),
        None => bytes(&format!("{head}\n\n").replace('\n', "\r\n")),
    }
}

/// The bytes of a text with `⟨hex⟩` in it.
fn bytes(text: &str) -> Vec<u8> {
    let mut pieces = text.split('⟨');
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let (hex, after) = piece.split_once('⟩').expect(piece);
        let (hex, times) = hex.split_once(" x").unwrap_or((hex, "1"));
        let digits: String = hex.split_whitespace().collect();
        let value = hex::decode(digits).expect(hex);
        bytes.extend(value.repeat(times.parse().expect(times)));
        bytes.extend_from_slice(after.as_bytes());
    }
    bytes
}
