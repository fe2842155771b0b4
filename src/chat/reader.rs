//! Reads one answer while it arrives: finds the format of the body, its events and its dialect, and joins the pieces.

use super::api_error::ApiError;
use super::builder::{AnswerBuilder, EventPlace};
use super::completion::{AnswerChoice, AnswerNoteKind, BodyMediaType, Completion};
use super::delta::{DeltaKind, DeltaSink};
use super::dialect::{Dialect, ExchangeHeads, RequestParams, model_in_path};
use super::dialects::{recognise_heads, recognise_json};
use super::judgement::{EndEvidence, judge_answer};
use super::members::non_empty_str;
use super::sniff::{BodyHints, media_mismatch, sniff_media};
use super::verdict::BodyEnding;
use super::{AnswerReadOptions, AnswerRetention};
use crate::exchange::Exchange;
use crate::http1::BodyFraming;
use crate::json::{JsonDocument, JsonValue};
use crate::span::{Moment, Span};
use crate::sse::{EventDecoder, SseEvent, StreamItem, TruncatedEvent};
use crate::tape::{RollingBuffer, Window};

/// Reads one answer from its decoded body.
///
/// [`AnswerReader::new`] when the head of the response is whole, [`AnswerReader::push`] what comes of its body, content
/// codings undone, and [`AnswerReader::finish`] at its end. Memory stays bounded under [`AnswerRetention::TotalsOnly`].
#[derive(Clone, Debug, Default)]
pub struct AnswerReader {
    pub(super) completion: Completion,
    pub(super) dialect: Option<&'static dyn Dialect>,
    /// Whether the dialect was named by the user.
    pub(super) is_named: bool,
    pub(super) retention: AnswerRetention,
    /// Longest event, or plain body, in bytes.
    pub(super) size_limit: u64,
    hints: BodyHints,
    pub(super) request_params: RequestParams,
    rolling: RollingBuffer,
    /// Format of the body, once known.
    pub(super) media: Option<BodyMediaType>,
    decoder: Option<EventDecoder>,
    /// Number of the next event.
    next_event: u64,
    /// The last `sequence_number`.
    last_sequence: Option<u64>,
    /// Whether any event has shown the dialect.
    dialect_confirmed: bool,
    /// Span of the event in which the body ended.
    pub(super) cut_span: Option<Span>,
    /// Model that the head names: some bodies name only the alias (Azure's Responses).
    pub(super) head_model: String,
    /// Whether a plain body has been read, or is too large.
    pub(super) plain_done: bool,
    last_moment: Moment,
    /// Offset of the first byte that was fed last.
    fed_from: u64,
    /// Arrival time of the first byte that is held from earlier pushes.
    held_moment: Moment,
}

/// Arrival time of the byte at an offset of the decoded body.
pub type MomentLookup<'a> = &'a dyn Fn(u64) -> Moment;

impl AnswerReader {
    /// A reader for the response of `exchange`; `request_body` is without content coding, empty if unknown.
    pub fn new(exchange: &Exchange, request_body: &[u8], options: AnswerReadOptions) -> Self {
        let asked = ExchangeHeads::from_exchange(exchange);
        let wish =
            JsonDocument::parse(request_body).map(|document| RequestParams::read(document.root()));
        let wish = wish.unwrap_or_default();
        let named = options
            .dialect
            .map(|dialect| (dialect, "named by the user".to_owned()));
        let found = named.or_else(|| recognise_heads(&asked));
        let content_type = asked.response_field("content-type");
        let content_type = content_type.split(';').next().unwrap_or_default().trim();
        // What has no body by its status or its method is no empty stream.
        let bodyless = exchange.response.framing == Some(BodyFraming::Empty);
        let (dialect, why) = found.unzip();
        let profile = dialect.map(Dialect::profile);
        Self {
            completion: Completion {
                dialect: profile,
                why: why.unwrap_or_default(),
                provider: asked.provider(),
                status: asked.status,
                asked_model: wish.model.clone().or_else(|| model_in_path(&asked.path)),
                ..Completion::default()
            },
            dialect,
            is_named: options.dialect.is_some(),
            retention: options.retention,
            size_limit: options.size_limit,
            hints: BodyHints {
                content_type: content_type.to_ascii_lowercase(),
                has_no_body: bodyless,
                array_is_stream: profile.is_some_and(|profile| profile.streams_arrays),
                json_is_lines: profile.is_some_and(|profile| profile.streams_lines)
                    && wish.stream != Some(false),
            },
            request_params: wish,
            head_model: asked.response_field("x-ms-served-model"),
            ..Self::default()
        }
    }

    /// The answer as far as it has been read.
    pub fn completion(&self) -> &Completion {
        &self.completion
    }

    /// Reads bytes of the decoded body that arrived at `moment`.
    pub fn push(&mut self, bytes: &[u8], moment: Moment, sink: &mut dyn DeltaSink) {
        self.last_moment = moment;
        self.feed(bytes, false, &|_| moment, sink);
    }

    /// Reads bytes whose arrival times are looked up one by one.
    pub fn push_with_moments(
        &mut self,
        bytes: &[u8],
        moments: MomentLookup<'_>,
        sink: &mut dyn DeltaSink,
    ) {
        self.feed(bytes, false, moments, sink);
        if let Some(last) = self.completion.bytes.checked_sub(1) {
            self.last_moment = moments(last);
        }
    }

    /// Ends the body and returns the answer with its verdict.
    pub fn finish(mut self, ending: BodyEnding, sink: &mut dyn DeltaSink) -> Completion {
        let last = self.last_moment;
        self.feed(&[], true, &|_| last, sink);
        self.run_final_checks();
        let provider = self.completion.provider;
        let evidence = EndEvidence {
            body_ending: ending,
            cut_span: self.cut_span,
            dialect_confirmed: self.dialect_confirmed,
            end_signal: self.dialect.map(|dialect| dialect.end_signal(provider)),
        };
        self.completion.verdict = judge_answer(&self.completion, evidence);
        self.completion
    }

    fn feed(
        &mut self,
        bytes: &[u8],
        ended: bool,
        moments: MomentLookup<'_>,
        sink: &mut dyn DeltaSink,
    ) {
        let more = bytes.len() as u64;
        self.fed_from = self.completion.bytes;
        self.completion.bytes = self.completion.bytes.saturating_add(more);
        let mut rolling = std::mem::take(&mut self.rolling);
        rolling.feed(bytes, ended, |seen| self.step(seen, moments, sink));
        self.rolling = rolling;
        let at = self.decoder.as_ref().map_or(0, EventDecoder::at);
        if at >= self.fed_from && more > 0 {
            self.held_moment = moments(at);
        }
    }

    /// The arrival time of the first byte of an event, which is at `start`.
    fn event_began(&self, start: u64, moments: MomentLookup<'_>) -> Moment {
        match start < self.fed_from {
            true => self.held_moment,
            false => moments(start),
        }
    }

    /// Reads the window and returns the offset of the first byte that is still needed.
    fn step(
        &mut self,
        seen: Window<'_>,
        moments: MomentLookup<'_>,
        sink: &mut dyn DeltaSink,
    ) -> u64 {
        let Some(media) = self.detect_media(seen) else {
            return seen.base;
        };
        match self.decoder.take() {
            Some(mut decoder) => {
                while let Some(item) = decoder.step(seen) {
                    let place = EventPlace {
                        base: None,
                        span: item.span(),
                        event: self.next_event,
                        began: self.event_began(item.span().start, moments),
                        moment: moments(decoder.ready_at().saturating_sub(1)),
                        is_streamed: true,
                    };
                    self.take_item(item, seen, place, sink);
                }
                let at = decoder.at();
                self.decoder = Some(decoder);
                at
            }
            None => self.step_plain(media, seen, moments, sink),
        }
    }

    fn detect_media(&mut self, seen: Window<'_>) -> Option<BodyMediaType> {
        if self.media.is_none() {
            let media = sniff_media(&self.hints, seen)?;
            self.media = Some(media);
            self.completion.media = media;
            self.decoder = media
                .stream_format()
                .map(|format| EventDecoder::with_limit(format, self.size_limit));
            if let Some(text) = media_mismatch(&self.hints, media) {
                self.push_note(AnswerNoteKind::MediaDiffers, text, None);
            }
        }
        self.media
    }

    /// Adds a note that belongs to no event.
    pub(super) fn push_note(&mut self, kind: AnswerNoteKind, text: String, span: Option<Span>) {
        self.with_builder(EventPlace::default(), &mut (), |builder| {
            builder.push_note(kind, text, span);
        });
    }

    pub(super) fn with_builder(
        &mut self,
        place: EventPlace,
        sink: &mut dyn DeltaSink,
        write: impl FnOnce(&mut AnswerBuilder<'_>),
    ) {
        write(&mut AnswerBuilder {
            completion: &mut self.completion,
            sink,
            retention: self.retention,
            place,
            has_emitted: false,
            spare_choice: AnswerChoice::default(),
        });
    }

    fn take_item(
        &mut self,
        item: StreamItem,
        seen: Window<'_>,
        place: EventPlace,
        sink: &mut dyn DeltaSink,
    ) {
        match item {
            StreamItem::Separator(_) => return,
            StreamItem::Event(event) => self.take_event(event, seen, place, sink),
            StreamItem::Comment { text, .. } => {
                self.completion.comments = self.completion.comments.saturating_add(1);
                let text = String::from_utf8_lossy(seen.slice(text));
                self.with_builder(place, sink, |builder| {
                    builder.emit_event(DeltaKind::Comment, &text);
                });
            }
            StreamItem::WithoutData(_) => {
                self.with_builder(place, sink, |builder| {
                    builder.emit_event(DeltaKind::Other, "");
                });
            }
            StreamItem::TooLong(span) => {
                let text = format!("an event of {} bytes is too large to be read", span.len());
                self.with_builder(place, sink, |builder| {
                    builder.push_note(AnswerNoteKind::TooLarge, text, Some(span));
                    builder.emit_event(DeltaKind::Other, "");
                });
            }
            StreamItem::Truncated(cut) => self.take_cut_event(cut, seen, place, sink),
        }
        self.next_event = self.next_event.saturating_add(1);
    }

    /// Handles a body that ends inside an event. An end mark that lacks only its blank line still counts.
    fn take_cut_event(
        &mut self,
        cut: TruncatedEvent,
        seen: Window<'_>,
        place: EventPlace,
        sink: &mut dyn DeltaSink,
    ) {
        let bytes = seen.slice(cut.span);
        let data = bytes.strip_prefix(b"data:").unwrap_or_default();
        let is_mark = data.trim_ascii() == b"[DONE]";
        if !is_mark {
            self.cut_span = Some(cut.span);
        }
        self.with_builder(place, sink, |builder| match is_mark {
            true => {
                let text = "the end mark lacks its blank line: strict readers never see it";
                builder.push_note(AnswerNoteKind::OpenMark, text.to_owned(), Some(cut.span));
                builder.mark_done("[DONE]");
            }
            false => builder.emit_event(DeltaKind::Cut, &String::from_utf8_lossy(bytes)),
        });
    }

    fn take_event(
        &mut self,
        event: SseEvent,
        seen: Window<'_>,
        place: EventPlace,
        sink: &mut dyn DeltaSink,
    ) {
        let base = event.first_data.filter(|_| event.data_lines == 1);
        let place = EventPlace {
            base: base.map(|span| span.start),
            ..place
        };
        let (data, name) = (event.data(seen), event.name(seen));
        self.completion.first_event.get_or_insert(place.moment);
        if data.trim_ascii().starts_with(b"[DONE]") {
            return self.with_builder(place, sink, |builder| builder.mark_done("[DONE]"));
        }
        self.completion.events = self.completion.events.saturating_add(1);
        match JsonDocument::parse(&data) {
            Ok(document) => self.take_json_event(name, document.root(), place, sink),
            Err(error) => self.with_builder(place, sink, |builder| {
                if name == b"error" {
                    builder.push_error(ApiError::from_text(&data), event.span);
                } else if !data.trim_ascii().is_empty() {
                    let text = format!("the data of an event is not JSON: {error}");
                    builder.push_note(AnswerNoteKind::NotJson, text, Some(event.span));
                }
                let text = String::from_utf8_lossy(&data);
                builder.emit_event(DeltaKind::Other, &text);
            }),
        }
    }

    fn take_json_event(
        &mut self,
        name: &[u8],
        root: JsonValue<'_>,
        place: EventPlace,
        sink: &mut dyn DeltaSink,
    ) {
        self.recognise_dialect(name, root);
        let dialect = self.dialect;
        self.dialect_confirmed |= !self.dialect_confirmed
            && dialect.is_some_and(|dialect| dialect.recognise_body(name, root).is_some());
        let gap = self.find_sequence_gap(root);
        self.with_builder(place, sink, |builder| {
            if let Some(error) =
                ApiError::from_error_key(root).or_else(|| ApiError::from_error_event(name, root))
            {
                builder.push_error(error, builder.value_span(root));
            }
            if let Some(dialect) = dialect {
                dialect.read_event(name, root, builder);
            }
            // An event without a piece of the answer is seen all the same.
            if !builder.has_emitted {
                let kinds = ["type", "event_type", "object"];
                let kind = kinds.iter().find_map(|key| non_empty_str(root.get(key)?));
                let kind = kind.unwrap_or_default();
                builder.emit_event(DeltaKind::Other, &kind);
            }
            if let Some(text) = gap {
                builder.push_note_once(AnswerNoteKind::SequenceGap, text, Some(builder.place.span));
            }
        });
    }

    pub(super) fn recognise_dialect(&mut self, name: &[u8], root: JsonValue<'_>) {
        if self.dialect.is_none()
            && !self.is_named
            && let Some((dialect, why)) = recognise_json(name, root)
        {
            self.dialect = Some(dialect);
            self.completion.dialect = Some(dialect.profile());
            self.completion.why = why;
        }
    }

    /// Notes missing or repeated events by their `sequence_number`.
    fn find_sequence_gap(&mut self, root: JsonValue<'_>) -> Option<String> {
        self.completion
            .dialect
            .filter(|dialect| dialect.numbers_events)?;
        let number = root.get("sequence_number")?.as_u64()?;
        let before = self.last_sequence.replace(number)?;
        (number != before.saturating_add(1)).then(|| {
            format!("event {number} follows event {before}: events were lost or came twice")
        })
    }
}
