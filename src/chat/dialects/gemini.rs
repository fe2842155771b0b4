//! Gemini `generateContent` and `streamGenerateContent`, at Google AI and on Vertex. Every event is a whole
//! `GenerateContentResponse`; there is no end mark. Source: googleapis/python-genai, `types.py`.

use crate::chat::calls::Mark;
use crate::chat::completion::{Citation, NoteKind};
use crate::chat::dialect::{Asked, Dialect, Ends};
use crate::chat::gather::{Gather, filled, number};
use crate::chat::usage;
use crate::json::{JsonKind, JsonValue};

/// Gemini.
pub(in crate::chat) struct Gemini;

impl Dialect for Gemini {
    fn name(&self) -> &'static str {
        "gemini"
    }

    fn asked(&self, asked: &Asked<'_>) -> Option<&'static str> {
        let ends = [":generateContent", ":streamGenerateContent"];
        let generates = ends.iter().any(|end| asked.path_ends(end));
        generates.then_some("the path ends with generateContent")
    }

    fn shown(&self, _: &[u8], root: JsonValue<'_>) -> Option<&'static str> {
        let root = if root.kind() == JsonKind::Array {
            root.item_at(0)?
        } else {
            root
        };
        ["candidates", "promptFeedback", "usageMetadata"]
            .iter()
            .any(|key| root.get(key).is_some())
            .then_some("the body has candidates, promptFeedback or usageMetadata")
    }

    fn event(&self, _: &[u8], root: JsonValue<'_>, gather: &mut Gather<'_>) {
        response(root, gather);
    }

    fn body(&self, root: JsonValue<'_>, gather: &mut Gather<'_>) {
        // The array of a stream, read as one text.
        match root.kind() {
            JsonKind::Array => root.items().for_each(|item| response(item, gather)),
            _ => response(root, gather),
        }
    }

    fn ends(&self, _: Option<&str>) -> Ends {
        Ends::Finish
    }
}

fn response(root: JsonValue<'_>, gather: &mut Gather<'_>) {
    for (key, value) in root.members() {
        let Some(key) = key.as_str() else { continue };
        match &*key {
            "responseId" => gather.id(value),
            "modelVersion" => gather.model(value),
            "candidates" => candidates(value, gather),
            "promptFeedback" => feedback(value, gather),
            "usageMetadata" => counts(value, gather),
            _ => {}
        }
    }
}

fn counts(value: JsonValue<'_>, gather: &mut Gather<'_>) {
    for tier in ["serviceTier", "trafficType"] {
        if let Some(tier) = value.get(tier) {
            gather.service_tier(tier);
            break;
        }
    }
    gather.usage(value, usage::gemini);
}

/// A blocked prompt has no candidates at all.
fn feedback(value: JsonValue<'_>, gather: &mut Gather<'_>) {
    if let Some(reason) = value.get("blockReason").and_then(filled) {
        gather.finish_named(0, &format!("blocked:{reason}"), gather.place.span);
    }
}

fn candidates(list: JsonValue<'_>, gather: &mut Gather<'_>) {
    for (n, candidate) in list.items().enumerate() {
        let place = u32::try_from(n).unwrap_or(u32::MAX);
        let index = number(candidate.get("index")).unwrap_or(place);
        gather.choice(index);
        one(index, candidate, gather);
    }
}

fn one(index: u32, candidate: JsonValue<'_>, gather: &mut Gather<'_>) {
    for (key, value) in candidate.members() {
        let Some(key) = key.as_str() else { continue };
        match &*key {
            "content" => content(index, value, gather),
            "avgLogprobs" | "logprobsResult" => gather.choice(index).logprobs = true,
            "citationMetadata" => cited(index, value, gather),
            "groundingMetadata" => grounded(index, value, gather),
            _ => {}
        }
    }
    if let Some(reason) = candidate.get("finishReason") {
        gather.finish(index, reason);
    }
}

fn content(index: u32, content: JsonValue<'_>, gather: &mut Gather<'_>) {
    if let Some(role) = content.get("role") {
        gather.role(index, role);
    }
    for part in content.get("parts").into_iter().flat_map(JsonValue::items) {
        one_part(index, part, gather);
    }
}

fn one_part(index: u32, part: JsonValue<'_>, gather: &mut Gather<'_>) {
    let is_thought = part.get("thought").and_then(JsonValue::as_bool) == Some(true);
    if let Some(text) = part.get("text") {
        match is_thought {
            true => gather.reasoning(index, text),
            false => gather.text(index, text),
        }
    }
    if let Some(call) = part.get("functionCall") {
        function(index, call, gather);
    }
    let inline = part.get("inlineData");
    let mime = inline.and_then(|inline| filled(inline.get("mimeType")?));
    if let Some(inline) = inline.filter(|_| mime.is_some_and(|mime| mime.starts_with("audio/"))) {
        gather.choice(index).audio = true;
        if let Some(data) = inline.get("data") {
            gather.audio(index, data);
        }
    }
}

/// A call comes whole; on Vertex also in pieces, one JSON path at a time.
fn function(index: u32, call: JsonValue<'_>, gather: &mut Gather<'_>) {
    let mark = Mark {
        id: call.get("id"),
        name: call.get("name"),
        ..Mark::default()
    };
    let at = gather.call(index, mark);
    if let Some(arguments) = call.get("args") {
        gather.arguments(index, at, arguments);
    }
    if call.get("partialArgs").is_some() {
        let text = "arguments came in pieces by JSON path (partialArgs), which are not joined";
        gather.note_once(NoteKind::UnknownShape, text.to_owned(), None);
    }
}

fn cited(index: u32, value: JsonValue<'_>, gather: &mut Gather<'_>) {
    let lists = ["citations", "citationSources"]
        .into_iter()
        .filter_map(|key| value.get(key));
    for source in lists.flat_map(JsonValue::items) {
        cite(index, source, gather);
    }
}

fn grounded(index: u32, value: JsonValue<'_>, gather: &mut Gather<'_>) {
    let chunks = value.get("groundingChunks");
    for chunk in chunks.into_iter().flat_map(JsonValue::items) {
        for (_, source) in chunk.members() {
            cite(index, source, gather);
        }
    }
}

fn cite(index: u32, source: JsonValue<'_>, gather: &mut Gather<'_>) {
    let word = |key| {
        source
            .get(key)
            .and_then(filled)
            .map(|text| text.into_owned())
    };
    if let Some(address) = word("uri") {
        let found = Citation {
            source: address,
            title: word("title"),
            cited: None,
        };
        gather.citation(index, found, source);
    }
}
