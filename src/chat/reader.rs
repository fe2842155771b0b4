//! Reads one answer while it arrives: finds the format of the body, its events and its dialect, and joins the pieces.

use super::builder::{AnswerBuilder, EventPlace};
use super::completion::{AnswerChoice, BodyMediaType, Completion};
use super::delta::DeltaSink;
use super::dialect::{Dialect, ExchangeHeads, model_in_path};
use super::dialects::{recognise_heads, recognise_json};
use super::judgement::{EndEvidence, judge_answer};
use super::note::{AnswerPlace, NoteFacts, rule};
use super::profile::EndSignal;
use super::request_params::RequestParams;
use super::sniff::{BodyHints, media_mismatch, sniff_media};
use super::stream_state::StreamState;
use super::verdict::BodyEnding;
use super::{AnswerReadOptions, AnswerRetention};
use crate::exchange::Exchange;
use crate::http1::BodyFraming;
use crate::json::{JsonValue, NestingScanner};
use crate::span::{Moment, Span};
use crate::sse::EventDecoder;
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
    /// Facts about the events read so far.
    pub(super) state: StreamState,
    rolling: RollingBuffer,
    /// Format of the body, once known.
    pub(super) media: Option<BodyMediaType>,
    decoder: Option<EventDecoder>,
    /// Number of the next event with data.
    pub(super) next_event: u64,
    /// Whether any event has shown the dialect.
    pub(super) dialect_confirmed: bool,
    /// Span of the event in which the body ended.
    pub(super) cut_span: Option<Span>,
    /// Whether a plain body has been read, or is too large.
    pub(super) plain_done: bool,
    /// Follows a JSON body that is too large to be read, to see whether it is cut.
    pub(super) large_json: Option<NestingScanner>,
    /// Whether a part of the stream was skipped.
    has_gap: bool,
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
        let wish = RequestParams::read_body(request_body);
        let stream = wish.stream;
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
                asked: wish,
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
                    && stream != Some(false),
            },
            ..Self::default()
        }
    }

    /// A reader for the answer of one call on the WebSocket that `exchange` opened. Its body has a line for each message
    /// of the server; `request_body` is the message that asked.
    pub fn for_websocket(
        exchange: &Exchange,
        request_body: &[u8],
        options: AnswerReadOptions,
    ) -> Self {
        let mut reader = Self::new(exchange, request_body, options);
        let media = BodyMediaType::WebSocket;
        reader.media = Some(media);
        reader.completion.media = media;
        reader.decoder = media
            .stream_format()
            .map(|format| EventDecoder::with_limit(format, reader.size_limit));
        // The status of the handshake is not that of the answer.
        reader.completion.status = None;
        reader.hints.has_no_body = false;
        reader
    }

    /// The answer as far as it has been read.
    pub fn completion(&self) -> &Completion {
        &self.completion
    }

    /// Whether the body is a stream that can be read on from the start of any event.
    pub fn can_skip(&self) -> bool {
        matches!(
            self.completion.media,
            BodyMediaType::Sse | BodyMediaType::Ndjson
        )
    }

    /// Whether a part of the stream was skipped.
    pub fn has_gap(&self) -> bool {
        self.has_gap
    }

    /// Takes the bytes that are held, and the offset of the first of them: the beginning of an event that is not whole.
    pub fn take_held(&mut self) -> (u64, Vec<u8>) {
        std::mem::take(&mut self.rolling).into_parts()
    }

    /// Goes on with the bytes from `offset` on, where an event of the stream begins: that of the held bytes, or a later one
    /// if events were `skipped`. Then events have no number in findings, since those that were skipped are not counted.
    pub fn resume_at(&mut self, offset: u64, skipped: bool) {
        self.completion.bytes = offset;
        self.rolling = RollingBuffer::starting_at(offset);
        if skipped {
            self.has_gap = true;
            let format = self.completion.media.stream_format();
            self.decoder =
                format.map(|format| EventDecoder::starting_at(offset, format, self.size_limit));
        }
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
        self.run_final_checks(ending);
        let evidence = EndEvidence {
            body_ending: ending,
            cut_span: self.cut_span,
            dialect_confirmed: self.dialect_confirmed,
            has_no_body: self.hints.has_no_body,
            later_answers: self.state.later_answers,
            has_gap: self.has_gap,
            end_signal: self.end_signal(),
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
                        has_number: !self.has_gap,
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
            if let Some(facts) = media_mismatch(&self.hints, media) {
                self.note(rule::CONTENT_TYPE_MISMATCH, AnswerPlace::default(), facts);
            }
        }
        self.media
    }

    /// The mark that ends a stream of the dialect, as the provider serves it.
    pub(super) fn end_signal(&self) -> Option<EndSignal> {
        let provider = self.completion.provider;
        self.dialect.map(|dialect| dialect.end_signal(provider))
    }

    /// Adds a note that belongs to no event.
    pub(super) fn note(&mut self, rule: &'static str, place: AnswerPlace, facts: NoteFacts) {
        self.with_builder(EventPlace::default(), &mut (), |builder| {
            builder.note(rule, place, facts);
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
            state: &mut self.state,
            has_emitted: false,
            spare_choice: AnswerChoice::default(),
        });
    }

    pub(super) fn recognise_dialect(&mut self, name: &[u8], root: JsonValue<'_>) {
        // The lines of a file may be the results of a batch.
        let is_open = self.dialect.is_none_or(|dialect| dialect.profile().is_file);
        if is_open
            && !self.is_named
            && let Some((dialect, why)) = recognise_json(name, root)
        {
            self.dialect = Some(dialect);
            self.completion.dialect = Some(dialect.profile());
            self.completion.why = why;
        }
    }
}
