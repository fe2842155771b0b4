//! Reads one answer while it comes: finds what the body is, its events, its dialect, and joins the pieces.

use super::completion::{Choice, Completion, Media, NoteKind};
use super::delta::{DeltaKind, Hear};
use super::dialect::{Asked, Dialect, Wish, model_in_path};
use super::dialects::{recognise, recognise_body};
use super::errors::ApiError;
use super::gather::{Gather, Place, filled};
use super::sniff::{Label, differs, format, sniff};
use super::verdict::{Ending, Evidence, judge};
use super::{Keep, Options};
use crate::exchange::Exchange;
use crate::http1::BodyFraming;
use crate::json::{JsonDocument, JsonValue};
use crate::span::{Moment, Span};
use crate::sse::{EventDecoder, SseEvent, StreamItem, TruncatedEvent};
use crate::tape::{RollingBuffer, Window};

/// Reads one answer.
///
/// [`Reader::begin`] when the head of the response is whole, [`Reader::push`] what comes of its body, content
/// codings undone, and [`Reader::finish`] at its end. Memory stays bounded under [`Keep::Sums`].
#[derive(Clone, Debug)]
pub struct Reader {
    pub(super) completion: Completion,
    pub(super) dialect: Option<&'static dyn Dialect>,
    /// Whether the dialect was named by the user.
    pub(super) is_named: bool,
    pub(super) keep: Keep,
    /// Longest event, or plain body, in bytes.
    pub(super) limit: u64,
    label: Label,
    pub(super) wish: Wish,
    rolling: RollingBuffer,
    /// What the body is, once known.
    pub(super) media: Option<Media>,
    decoder: Option<EventDecoder>,
    /// Number of the next event.
    number: u64,
    /// The last `sequence_number`.
    sequence: Option<u64>,
    /// Whether any event showed the dialect.
    shown: bool,
    /// The event that the body ended in.
    pub(super) cut: Option<Span>,
    /// The model that the head names: some bodies name only the alias (Azure's Responses).
    pub(super) served: String,
    /// A body that is no stream has been read, or is too large.
    pub(super) read: bool,
    last: Moment,
    /// Offset of the first byte that was fed last.
    fresh: u64,
    /// When the first byte came that is held from before.
    held: Moment,
}

/// When the byte at an offset of the decoded body came.
pub type Moments<'a> = &'a dyn Fn(u64) -> Moment;

impl Reader {
    /// Begins with what request and heads tell; `request_body` without content coding, empty if unknown.
    pub fn begin(exchange: &Exchange, request_body: &[u8], options: Options) -> Self {
        let asked = Asked::of(exchange);
        let wish = JsonDocument::parse(request_body).map(|document| Wish::read(document.root()));
        let wish = wish.unwrap_or_default();
        let named = options
            .dialect
            .map(|dialect| (dialect, "named by the user".to_owned()));
        let found = named.or_else(|| recognise(&asked));
        let content_type = asked.response("content-type");
        let content_type = content_type.split(';').next().unwrap_or_default().trim();
        // What has no body by its status or its method is no empty stream.
        let bodyless = exchange.response.framing == Some(BodyFraming::Empty);
        let (dialect, why) = found.unzip();
        let name = dialect.map(Dialect::name);
        Self {
            completion: Completion {
                dialect: name,
                why: why.unwrap_or_default(),
                provider: asked.provider(),
                status: asked.status,
                asked_model: wish.model.clone().or_else(|| model_in_path(&asked.path)),
                ..Completion::default()
            },
            dialect,
            is_named: options.dialect.is_some(),
            keep: options.keep,
            limit: options.limit,
            label: Label {
                content_type: content_type.to_ascii_lowercase(),
                bodyless,
                array_streams: asked.path.ends_with(":streamGenerateContent")
                    || name == Some("gemini"),
                lines_stream: name == Some("ollama") && wish.stream != Some(false),
            },
            wish,
            rolling: RollingBuffer::default(),
            media: None,
            decoder: None,
            number: 0,
            sequence: None,
            shown: false,
            cut: None,
            served: asked.response("x-ms-served-model"),
            read: false,
            last: Moment::default(),
            fresh: 0,
            held: Moment::default(),
        }
    }

    /// What is known so far.
    pub fn completion(&self) -> &Completion {
        &self.completion
    }

    /// Takes in bytes of the decoded body that came at `moment`.
    pub fn push(&mut self, bytes: &[u8], moment: Moment, hear: &mut dyn Hear) {
        self.last = moment;
        self.feed(bytes, false, &|_| moment, hear);
    }

    /// Takes in bytes of which each has its own moment.
    pub fn push_with(&mut self, bytes: &[u8], moments: Moments<'_>, hear: &mut dyn Hear) {
        self.feed(bytes, false, moments, hear);
        if let Some(last) = self.completion.bytes.checked_sub(1) {
            self.last = moments(last);
        }
    }

    /// The body is over; answers with all of it, judged.
    pub fn finish(mut self, ending: Ending, hear: &mut dyn Hear) -> Completion {
        let last = self.last;
        self.feed(&[], true, &|_| last, hear);
        self.settle();
        let provider = self.completion.provider;
        let evidence = Evidence {
            ending,
            cut: self.cut,
            shown: self.shown,
            ends: self.dialect.map(|dialect| dialect.ends(provider)),
        };
        self.completion.verdict = judge(&self.completion, evidence);
        self.completion
    }

    fn feed(&mut self, bytes: &[u8], ended: bool, moments: Moments<'_>, hear: &mut dyn Hear) {
        let more = bytes.len() as u64;
        self.fresh = self.completion.bytes;
        self.completion.bytes = self.completion.bytes.saturating_add(more);
        let mut rolling = std::mem::take(&mut self.rolling);
        rolling.feed(bytes, ended, |seen| self.step(seen, moments, hear));
        self.rolling = rolling;
        let at = self.decoder.as_ref().map_or(0, EventDecoder::at);
        if at >= self.fresh && more > 0 {
            self.held = moments(at);
        }
    }

    /// When the byte at `start` came, with which an event begins.
    fn begun(&self, start: u64, moments: Moments<'_>) -> Moment {
        match start < self.fresh {
            true => self.held,
            false => moments(start),
        }
    }

    /// Reads on; answers with the offset of the first byte that is still needed.
    fn step(&mut self, seen: Window<'_>, moments: Moments<'_>, hear: &mut dyn Hear) -> u64 {
        let Some(media) = self.media(seen) else {
            return seen.base;
        };
        match self.decoder.take() {
            Some(mut decoder) => {
                while let Some(item) = decoder.step(seen) {
                    let times = Times {
                        begun: self.begun(item.span().start, moments),
                        moment: moments(decoder.ready_at().saturating_sub(1)),
                    };
                    self.item(item, seen, times, hear);
                }
                let at = decoder.at();
                self.decoder = Some(decoder);
                at
            }
            None => self.plain(media, seen, moments, hear),
        }
    }

    fn media(&mut self, seen: Window<'_>) -> Option<Media> {
        if self.media.is_none() {
            let media = sniff(&self.label, seen)?;
            self.media = Some(media);
            self.completion.media = media;
            self.decoder = format(media).map(|format| EventDecoder::with_limit(format, self.limit));
            if let Some(text) = differs(&self.label, media) {
                self.with(Place::nowhere(), &mut (), |gather| {
                    gather.note(NoteKind::MediaDiffers, text, None);
                });
            }
        }
        self.media
    }

    pub(super) fn with(
        &mut self,
        place: Place,
        hear: &mut dyn Hear,
        write: impl FnOnce(&mut Gather<'_>),
    ) {
        write(&mut Gather {
            completion: &mut self.completion,
            hear,
            keep: self.keep,
            place,
            told: false,
            spare: Choice::default(),
        });
    }

    fn item(&mut self, item: StreamItem, seen: Window<'_>, times: Times, hear: &mut dyn Hear) {
        let place = Place {
            base: None,
            span: item.span(),
            event: self.number,
            begun: times.begun,
            moment: times.moment,
            streamed: true,
        };
        match item {
            StreamItem::Separator(_) => return,
            StreamItem::Event(event) => self.event(event, seen, place, hear),
            StreamItem::Comment { text, .. } => {
                self.completion.comments = self.completion.comments.saturating_add(1);
                let text = String::from_utf8_lossy(seen.slice(text));
                self.with(place, hear, |gather| {
                    gather.tell_event(DeltaKind::Comment, &text);
                });
            }
            StreamItem::WithoutData(_) => {
                self.with(place, hear, |gather| {
                    gather.tell_event(DeltaKind::Other, "");
                });
            }
            StreamItem::TooLong(span) => {
                let text = format!("an event of {} bytes is too large to be read", span.len());
                self.with(place, hear, |gather| {
                    gather.note(NoteKind::TooLarge, text, Some(span));
                    gather.tell_event(DeltaKind::Other, "");
                });
            }
            StreamItem::Truncated(cut) => self.cut_off(cut, seen, place, hear),
        }
        self.number = self.number.saturating_add(1);
    }

    /// The body ends inside an event. An end mark that lacks no more than its blank line is one all the same.
    fn cut_off(
        &mut self,
        cut: TruncatedEvent,
        seen: Window<'_>,
        place: Place,
        hear: &mut dyn Hear,
    ) {
        let bytes = seen.slice(cut.span);
        let data = bytes.strip_prefix(b"data:").unwrap_or_default();
        let is_mark = data.trim_ascii() == b"[DONE]";
        if !is_mark {
            self.cut = Some(cut.span);
        }
        self.with(place, hear, |gather| match is_mark {
            true => {
                let text = "the end mark lacks its blank line: strict readers never see it";
                gather.note(NoteKind::OpenMark, text.to_owned(), Some(cut.span));
                gather.done("[DONE]");
            }
            false => gather.tell_event(DeltaKind::Cut, &String::from_utf8_lossy(bytes)),
        });
    }

    fn event(&mut self, event: SseEvent, seen: Window<'_>, place: Place, hear: &mut dyn Hear) {
        let base = event.first_data.filter(|_| event.data_lines == 1);
        let place = Place {
            base: base.map(|span| span.start),
            ..place
        };
        let (data, name) = (event.data(seen), event.name(seen));
        self.completion.first_event.get_or_insert(place.moment);
        if data.trim_ascii().starts_with(b"[DONE]") {
            return self.with(place, hear, |gather| gather.done("[DONE]"));
        }
        self.completion.events = self.completion.events.saturating_add(1);
        match JsonDocument::parse(&data) {
            Ok(document) => self.json_event(name, document.root(), place, hear),
            Err(error) => self.with(place, hear, |gather| {
                if name == b"error" {
                    gather.error(ApiError::words(&data), event.span);
                } else if !data.trim_ascii().is_empty() {
                    let text = format!("the data of an event is not JSON: {error}");
                    gather.note(NoteKind::NotJson, text, Some(event.span));
                }
                let text = String::from_utf8_lossy(&data);
                gather.tell_event(DeltaKind::Other, &text);
            }),
        }
    }

    fn json_event(&mut self, name: &[u8], root: JsonValue<'_>, place: Place, hear: &mut dyn Hear) {
        self.recognise(name, root);
        let dialect = self.dialect;
        self.shown |=
            !self.shown && dialect.is_some_and(|dialect| dialect.shown(name, root).is_some());
        let gap = self.gap(root);
        self.with(place, hear, |gather| {
            if let Some(error) = ApiError::named(root).or_else(|| ApiError::called(name, root)) {
                gather.error(error, gather.span(root));
            }
            if let Some(dialect) = dialect {
                dialect.event(name, root, gather);
            }
            // An event without a piece of the answer is seen all the same.
            if !gather.told {
                let kinds = ["type", "event_type", "object"];
                let kind = kinds.iter().find_map(|key| filled(root.get(key)?));
                let kind = kind.unwrap_or_default();
                gather.tell_event(DeltaKind::Other, &kind);
            }
            if let Some(text) = gap {
                gather.note_once(NoteKind::SequenceGap, text, Some(gather.place.span));
            }
        });
    }

    pub(super) fn recognise(&mut self, name: &[u8], root: JsonValue<'_>) {
        if self.dialect.is_none()
            && !self.is_named
            && let Some((dialect, why)) = recognise_body(name, root)
        {
            self.dialect = Some(dialect);
            self.completion.dialect = Some(dialect.name());
            self.completion.why = why;
        }
    }

    /// Responses numbers its events: what is missing or came twice, in words.
    fn gap(&mut self, root: JsonValue<'_>) -> Option<String> {
        if self.completion.dialect != Some("openai-responses") {
            return None;
        }
        let number = root.get("sequence_number")?.as_u64()?;
        let before = self.sequence.replace(number)?;
        (number != before.saturating_add(1)).then(|| {
            format!("event {number} follows event {before}: events were lost or came twice")
        })
    }
}

/// When an event came.
#[derive(Clone, Copy)]
struct Times {
    begun: Moment,
    moment: Moment,
}

impl Place {
    /// For notes that stand nowhere.
    pub(super) fn nowhere() -> Self {
        Self {
            base: None,
            span: Span::default(),
            event: 0,
            begun: Moment::default(),
            moment: Moment::default(),
            streamed: false,
        }
    }
}
