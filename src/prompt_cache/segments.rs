//! The segments of a prompt, cut from a request body in the order of the cache: name, place, bytes without marks, and
//! the breakpoint marks.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde::Serialize;

use super::prompt_text::{inline_data_len, is_breakpoint_key, text_spans};
use super::value_digest::{ValueRole, block_text, digest, digest_text};
use crate::chat::prompt_order::{PromptOrder, PromptPart};
use crate::json::{JsonDocument, JsonKind, JsonValue, ValuePath, pointer_at};
use crate::span::Span;

/// The prompt of one request.
#[derive(Debug)]
pub(super) struct SegmentedPrompt<'a> {
    /// Segments in the order of the cache.
    pub(super) segments: Vec<PromptSegment<'a>>,
    /// Breakpoints in the order of the cache.
    pub(super) breakpoints: Vec<CacheBreakpoint>,
    /// Size of the whole prompt.
    pub(super) size: PromptSize,
}

/// One tool, one block of the system prompt or one message: the unit of the comparison.
#[derive(Clone, Debug)]
pub(super) struct PromptSegment<'a> {
    /// Part of the prompt that it belongs to.
    pub(super) part: &'static str,
    /// Name for users: `tools[3] get_weather`.
    pub(super) name: String,
    /// Its JSON Pointer.
    pub(super) pointer: String,
    /// The JSON value; `None` for a body that is not JSON.
    pub(super) value: Option<JsonValue<'a>>,
    document: Option<&'a JsonDocument<'a>>,
    /// Bytes as written, without breakpoint marks.
    pub(super) text: Cow<'a, [u8]>,
    /// Spans of these bytes in the body.
    pieces: Vec<Span>,
    pub(super) size: PromptSize,
}

/// Size of a prompt or of a part of it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct PromptSize {
    pub(super) segments: u64,
    /// Bytes as they were written, marks left out.
    pub(super) bytes: u64,
    /// Bytes without inline pictures, sounds and files; tokens are estimated from these.
    pub(super) text_bytes: u64,
}

impl PromptSize {
    pub(super) fn add(&mut self, other: Self) {
        self.segments = self.segments.saturating_add(other.segments);
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.text_bytes = self.text_bytes.saturating_add(other.text_bytes);
    }

    /// The size of the first `bytes` bytes, without a whole segment. Text counts before inline data, whose place is not
    /// looked at.
    pub(super) fn first_bytes(self, bytes: u64) -> Self {
        Self {
            segments: 0,
            bytes,
            text_bytes: bytes.min(self.text_bytes),
        }
    }

    /// The difference of two prompt sizes: this one minus `other`.
    pub(super) fn without(self, other: Self) -> Self {
        Self {
            segments: self.segments.saturating_sub(other.segments),
            bytes: self.bytes.saturating_sub(other.bytes),
            text_bytes: self.text_bytes.saturating_sub(other.text_bytes),
        }
    }
}

/// How equal two prompt segments must be to count as the same.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum EqualityLevel {
    /// Equal bytes, or spellings that the API's documents call the same.
    Written,
    /// Equal values, however they are spelled, unless the API's documents say that a spelling breaks the cache.
    Values,
}

/// The size of the common prefix of two prompts, on each side. The sides differ where a spelling differs.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct CommonSize {
    pub(super) left: PromptSize,
    pub(super) right: PromptSize,
}

/// A mark that asks the API to cache the prompt up to and including its block: `cache_control`,
/// `prompt_cache_breakpoint`.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct CacheBreakpoint {
    /// JSON Pointer of the block that has the mark.
    pub pointer: String,
    /// Requested lifetime: `5m`, `1h`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl: Option<String>,
    /// Bytes of the prompt up to the end of the block, in the order of the cache.
    pub end: u64,
    /// The same without inline data.
    #[serde(skip)]
    pub(super) text_bytes: u64,
    /// Number of its content block in the order of the cache, from zero. "A run of consecutive tool_use blocks
    /// counts as one position, and so does a run of consecutive tool_result blocks"
    /// (<https://platform.claude.com/docs/en/build-with-claude/prompt-caching>).
    pub block: u64,
}

/// Cuts a body into the segments of its prompt. A body that is not JSON is one segment.
pub(super) fn segment_prompt<'a>(
    document: Option<&'a JsonDocument<'a>>,
    body: &'a [u8],
    order: &PromptOrder,
) -> SegmentedPrompt<'a> {
    let mut builder = SegmentBuilder::default();
    match document {
        None => builder.add_opaque(body),
        Some(document) if order.parts.is_empty() => builder.add_members(document),
        Some(document) => order
            .parts
            .iter()
            .for_each(|part| builder.add_part(document, part)),
    }
    if let Some(document) = document {
        builder.add_automatic_breakpoint(document.root());
    }
    SegmentedPrompt {
        segments: builder.segments,
        breakpoints: builder.breakpoints,
        size: builder.size,
    }
}

impl PromptSegment<'_> {
    /// A hash that is equal for segments of the same part with equal values. A text equals a list of that one text.
    pub(super) fn digest(&self) -> u64 {
        let said = match self.value {
            None => DefaultHasher::new().finish(),
            Some(value) => match block_text(value) {
                Some(text) => digest_text(&text),
                None => digest(value, ValueRole::Block),
            },
        };
        let mut hasher = DefaultHasher::new();
        (self.part, said).hash(&mut hasher);
        if self.value.is_none() {
            self.text.hash(&mut hasher);
        }
        hasher.finish()
    }

    /// The JSON Pointer of the innermost value at the byte `offset` of the text.
    pub(super) fn pointer_at(&self, offset: u64) -> String {
        self.pointer_in_body(self.body_offset(offset))
    }

    /// The JSON Pointer of the innermost value at the byte `place` of the body.
    pub(super) fn pointer_in_body(&self, place: u64) -> String {
        let document = self.document;
        document.map_or_else(String::new, |document| pointer_at(document, place))
    }

    /// The offset in the body of the byte at `offset` of the text; the end of the segment for larger offsets.
    fn body_offset(&self, offset: u64) -> u64 {
        let mut left = offset;
        for piece in &self.pieces {
            if left < piece.len() {
                return piece.start.saturating_add(left);
            }
            left = left.saturating_sub(piece.len());
        }
        self.pieces.last().map_or(0, |piece| piece.end)
    }

    /// The offset in the text of the byte at `place` of the body.
    pub(super) fn text_offset(&self, place: u64) -> u64 {
        let before = |piece: &Span| piece.intersection(Span::new(0, place)).len();
        self.pieces.iter().map(before).sum()
    }
}

/// Block types of which a run counts as one block.
const RUN_BLOCK_TYPES: [&str; 2] = ["tool_use", "tool_result"];

#[derive(Default)]
struct SegmentBuilder<'a> {
    segments: Vec<PromptSegment<'a>>,
    breakpoints: Vec<CacheBreakpoint>,
    size: PromptSize,
    /// Content blocks so far; see [`CacheBreakpoint::block`].
    block_count: u64,
    /// Type of the last block, if a run of it counts as one.
    run_type: Option<&'static str>,
}

impl<'a> SegmentBuilder<'a> {
    fn add_opaque(&mut self, body: &'a [u8]) {
        if body.is_empty() {
            return;
        }
        let whole = Span::new(0, body.len() as u64);
        self.push(PromptSegment {
            part: "body",
            name: "body".to_owned(),
            pointer: String::new(),
            value: None,
            document: None,
            text: Cow::Borrowed(body),
            pieces: vec![whole],
            size: PromptSize::default(),
        });
    }

    /// Adds each member of the body as a segment, in the order of the bytes.
    fn add_members(&mut self, document: &'a JsonDocument<'a>) {
        if document.root().kind() != JsonKind::Object {
            return self.add_opaque(document.bytes());
        }
        for (key, value) in document.root().members() {
            let key = key.as_str().unwrap_or_default();
            let pointer = ValuePath::default().join(&key).to_string();
            self.add_value("body", &key, &pointer, value, document);
        }
    }

    fn add_part(&mut self, document: &'a JsonDocument<'a>, part: &PromptPart) {
        for place in part.places {
            let mut value = Some(document.root());
            for step in *place {
                value = value.and_then(|value| value.get(step));
            }
            if let Some(value) = value.filter(|value| value.kind() != JsonKind::Null) {
                let pointer = format!("/{}", place.join("/"));
                return self.add_value(part.name, part.name, &pointer, value, document);
            }
        }
    }

    /// Adds one segment, or one for each item of an array.
    fn add_value(
        &mut self,
        part: &'static str,
        name: &str,
        pointer: &str,
        value: JsonValue<'a>,
        document: &'a JsonDocument<'a>,
    ) {
        if value.kind() != JsonKind::Array {
            let segment = make_segment(part, name.to_owned(), pointer.to_owned(), value, document);
            return self.push(segment);
        }
        for (n, item) in value.items().enumerate() {
            let name = match item_label(item) {
                Some(own) => format!("{name}[{n}] {own}"),
                None => format!("{name}[{n}]"),
            };
            self.push(make_segment(
                part,
                name,
                format!("{pointer}/{n}"),
                item,
                document,
            ));
        }
    }

    fn push(&mut self, mut segment: PromptSegment<'a>) {
        let bytes = segment.text.len() as u64;
        let media = segment.value.map_or(0, |value| inline_data_len(value, ""));
        segment.size = PromptSize {
            segments: 1,
            bytes,
            text_bytes: bytes.saturating_sub(media),
        };
        if let Some(value) = segment.value {
            self.count_blocks(value, &segment);
        }
        self.size.add(segment.size);
        self.segments.push(segment);
    }

    /// Counts the blocks of a segment and records their breakpoint marks.
    fn count_blocks(&mut self, value: JsonValue<'a>, segment: &PromptSegment<'a>) {
        let content = value.get("content");
        let content = content.filter(|content| !content.is_empty());
        let content = content.filter(|content| content.kind() == JsonKind::Array);
        let pointer = &segment.pointer;
        for (n, block) in content.into_iter().flat_map(JsonValue::items).enumerate() {
            let pointer = format!("{pointer}/content/{n}");
            self.count_block(block);
            // Inner blocks do not count as blocks, but their marks count.
            for (inner, value) in inner_blocks(block).enumerate() {
                self.add_breakpoints(value, &format!("{pointer}/content/{inner}"), segment);
            }
            self.add_breakpoints(block, &pointer, segment);
        }
        if content.is_none() {
            self.count_block(value);
        }
        // Some gateways take a mark on the message itself.
        self.add_breakpoints(value, pointer, segment);
    }

    fn count_block(&mut self, block: JsonValue<'a>) {
        let kind = block.get("type").and_then(JsonValue::as_str);
        let run = RUN_BLOCK_TYPES
            .into_iter()
            .find(|run| kind.as_deref() == Some(run));
        if run.is_none() || run != self.run_type {
            self.block_count = self.block_count.saturating_add(1);
        }
        self.run_type = run;
    }

    fn add_breakpoints(
        &mut self,
        block: JsonValue<'a>,
        pointer: &str,
        segment: &PromptSegment<'a>,
    ) {
        let marks = block.members().filter(|(key, _)| is_breakpoint_key(*key));
        // `null` asks for nothing.
        let marks = marks.filter(|(_, mark)| mark.kind() == JsonKind::Object);
        for (_, mark) in marks {
            let inside = segment
                .size
                .first_bytes(segment.text_offset(block.span().end));
            self.breakpoints.push(CacheBreakpoint {
                pointer: pointer.to_owned(),
                ttl: read_ttl(mark),
                end: self.size.bytes.saturating_add(inside.bytes),
                text_bytes: self.size.text_bytes.saturating_add(inside.text_bytes),
                block: self.block_count.saturating_sub(1),
            });
        }
    }

    /// Adds the breakpoint of a mark on the whole request: it applies to the last block.
    /// (<https://platform.claude.com/docs/en/build-with-claude/prompt-caching#automatic-caching>)
    fn add_automatic_breakpoint(&mut self, root: JsonValue<'a>) {
        let mark = root
            .get("cache_control")
            .filter(|mark| mark.kind() == JsonKind::Object);
        if let Some(mark) = mark {
            self.breakpoints.push(CacheBreakpoint {
                pointer: String::new(),
                ttl: read_ttl(mark),
                end: self.size.bytes,
                text_bytes: self.size.text_bytes,
                block: self.block_count.saturating_sub(1),
            });
        }
    }
}

fn read_ttl(mark: JsonValue<'_>) -> Option<String> {
    mark.get("ttl")
        .and_then(JsonValue::as_str)
        .map(Cow::into_owned)
}

fn inner_blocks(block: JsonValue<'_>) -> impl Iterator<Item = JsonValue<'_>> {
    let content = block.get("content");
    content.into_iter().flat_map(JsonValue::items)
}

/// A label for an item: the name of a tool, the role of a message, else its type.
fn item_label(item: JsonValue<'_>) -> Option<Cow<'_, str>> {
    let of = |value: JsonValue<'_>, key: &str| -> Option<String> {
        let text = value.get(key).and_then(JsonValue::as_str)?;
        Some(text.into_owned()).filter(|text| !text.is_empty())
    };
    let role = of(item, "role");
    let function = || of(item.get("function")?, "name");
    let name = role.or_else(|| of(item, "name")).or_else(function);
    name.or_else(|| of(item, "type")).map(Cow::Owned)
}

fn make_segment<'a>(
    part: &'static str,
    name: String,
    pointer: String,
    value: JsonValue<'a>,
    document: &'a JsonDocument<'a>,
) -> PromptSegment<'a> {
    let pieces = text_spans(value);
    let text = match pieces.as_slice() {
        [one] => Cow::Borrowed(document.slice(*one)),
        several => {
            let slices = several.iter().map(|piece| document.slice(*piece));
            Cow::Owned(slices.collect::<Vec<_>>().concat())
        }
    };
    PromptSegment {
        part,
        name,
        pointer,
        value: Some(value),
        document: Some(document),
        text,
        pieces,
        size: PromptSize::default(),
    }
}
