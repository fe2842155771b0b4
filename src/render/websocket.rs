//! A WebSocket connection: its messages, its frames and its calls, and the messages of one call with what they mean.

use std::io::{self, Write};

use super::body::BodyPrinter;
use super::body_output::BodyOutput;
use super::deltas::EventLines;
use super::escape::{KeptWhitespace, escape};
use super::{OutputStyle, TextStyle, head, summary, wording};
use crate::call::Call;
use crate::call::websocket::{CallBytes, SocketMessage, WebSocketSession};
use crate::chat::{AnswerReadOptions, AnswerReader, AnswerVerdict};
use crate::exchange::{ExchangeOutcome, WebSocketTraffic};
use crate::json::JsonDocument;
use crate::lint::Finding;
use crate::price::TokenCounts;
use crate::span::{Moment, Span, StreamSide};
use crate::tape::{Stream, Tape, Window};
use crate::websocket::{FrameDecoder, FrameEvent, FrameHead, Message};

/// Columns before the words of a message: mark, time, gap, opcode, size, call.
const MESSAGE_COLUMNS: usize = 54;

/// Fewest characters of a message that its line shows.
const LEAST_WORDS: usize = 24;

/// Bytes of a message that are looked at for its line: more than the widest line shows.
const PREVIEW_BYTES: usize = 1024;

/// Most bytes of a question that a report shows: some hundred lines, as of the body of a request.
const QUESTION_SHOWN_LIMIT: u64 = 16 << 10;

/// Writes a line for each message of the connection: direction, time, time since the last message, opcode, bytes, number
/// of its call, first words.
pub fn write_messages(
    session: &WebSocketSession,
    style: &OutputStyle,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut before = None;
    for own in &session.messages {
        write_message(own, before, Moment::default(), style, out)?;
        before = Some(own.moment);
    }
    Ok(())
}

/// Writes the line of one message, with a time that counts from `start`.
fn write_message(
    own: &SocketMessage,
    before: Option<Moment>,
    start: Moment,
    style: &OutputStyle,
    out: &mut dyn Write,
) -> io::Result<()> {
    let message = &own.message;
    let gap = before.map_or_else(String::new, |before| {
        format!(
            "+{}",
            wording::format_duration(own.moment.micros_since(before))
        )
    });
    let moment = Moment::from_micros(own.moment.micros_since(start));
    let call = own
        .call
        .map_or_else(String::new, |call| format!(".{}", call.saturating_add(1)));
    let columns = format!(
        "{} {gap:>11}  {:<6} {:>9} B  {call:<4}",
        wording::moment_column(moment),
        message.opcode.to_string(),
        wording::format_count(message.payload.len() as u64),
    );
    let room = style.width.saturating_sub(MESSAGE_COLUMNS).max(LEAST_WORDS);
    let words = wording::clip_text(&message_words(own), room).into_owned();
    let mark = head::direction_mark(own.side);
    writeln!(out, "{mark} {}  {words}", style.dim(&columns))?;
    let margin = " ".repeat(4);
    for found in &message.faults {
        let text = format!(
            "{} ({}; bytes {})",
            found.fault.explain(),
            found.fault.clause(),
            found.at
        );
        writeln!(out, "{margin}{}", style.paint(TextStyle::Warning, &text))?;
    }
    Ok(())
}

/// The first words of a message on one line, escaped: the reason of a close frame, or the beginning of the payload.
fn message_words(own: &SocketMessage) -> String {
    let message = &own.message;
    let mut words = match message.close_reason() {
        Some(reason) => wording::escape_line(&reason.to_string()).into_owned(),
        None => {
            let kind = event_type(message).unwrap_or_default();
            let first = message.payload.get(..PREVIEW_BYTES);
            let first = first.unwrap_or(&message.payload);
            let first = escape(first, KeptWhitespace::SpacesOnly);
            format!("{}{first}", wording::escape_line(&kind))
        }
    };
    if !message.is_whole {
        words.insert_str(0, "CUT ");
    }
    words
}

/// The `type` of a message that is a JSON object, and a space; `None` if it has none.
fn event_type(message: &Message) -> Option<String> {
    let document = JsonDocument::parse(message.text()?.as_bytes()).ok()?;
    let kind = document.root().get("type")?.as_str()?;
    Some(format!("{kind} "))
}

/// Writes a line for each call of the connection: number, lane, model, tokens, times, verdict. `calls` are those of
/// `session`, in order.
pub fn write_calls(
    session: &WebSocketSession,
    calls: &[Call],
    style: &OutputStyle,
    out: &mut dyn Write,
) -> io::Result<()> {
    for (number, (own, call)) in session.calls.iter().zip(calls).enumerate() {
        let completion = &call.meaning.completion;
        let model = completion.served_model.as_ref();
        let model = model.or(completion.asked_model.as_ref());
        let lane = own.lane.as_ref().map(|lane| format!("lane {lane}"));
        let tokens = completion.usage.as_ref().map(TokenCounts::from);
        let tokens = tokens.map(|tokens| {
            let count = |count: Option<u64>| count.map_or("?".to_owned(), wording::format_count);
            format!("{} in, {} out", count(tokens.input), count(tokens.output))
        });
        let timeline = &call.meaning.timeline;
        let first = timeline.first_content.or(timeline.first_tool);
        let first = first.map(|first| format!("first {}", wording::format_duration(first.micros)));
        let last = call.exchange.received.last;
        let last = last.map(|last| format!("last {}", wording::format_duration(last.micros)));
        let parts = [model.cloned(), lane, tokens, first, last];
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        let text = wording::escape_line(&parts.join(", ")).into_owned();
        let verdict = style.paint(verdict_style(completion.verdict), &describe_end(call));
        let number = format!(".{:<4}", number.saturating_add(1));
        writeln!(out, "* call {}{text}: {verdict}", style.dim(&number))?;
    }
    Ok(())
}

/// The verdict of a call; of one whose answer goes on, how its connection ended.
fn describe_end(call: &Call) -> String {
    match call.exchange.outcome() {
        ExchangeOutcome::Unfinished => {
            "still open: the recording stops before the end of the answer".to_owned()
        }
        _ => call.meaning.completion.verdict.to_string(),
    }
}

fn verdict_style(verdict: AnswerVerdict) -> TextStyle {
    match verdict {
        AnswerVerdict::Complete | AnswerVerdict::WarmUp => TextStyle::Success,
        verdict if verdict.is_broken_off() => TextStyle::Error,
        _ => TextStyle::Warning,
    }
}

/// Writes a line for each message of the call with index `number`, and below each message of the server the pieces of the
/// answer in it.
pub fn write_call_events(
    session: &WebSocketSession,
    number: usize,
    call: &Call,
    options: AnswerReadOptions,
    style: &OutputStyle,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut reader = AnswerReader::for_websocket(&call.exchange, &call.request_body.bytes, options);
    let mut lines = EventLines::default();
    let mut body = call
        .response_body
        .bytes
        .split_inclusive(|&byte| byte == b'\n');
    let start = session.messages_of(number).next().map(|own| own.began);
    let start = start.unwrap_or_default();
    let mut before = None;
    for own in session.messages_of(number) {
        write_message(own, before, start, style, out)?;
        before = Some(own.moment);
        if own.side == StreamSide::Received {
            let moment = Moment::from_micros(own.moment.micros_since(start));
            reader.push(body.next().unwrap_or_default(), moment, &mut lines);
            let mut text = String::new();
            lines.take_lines(style, &mut text);
            for line in text.lines() {
                writeln!(out, "    {line}")?;
            }
        }
    }
    Ok(())
}

/// Writes each frame of the connection, or of the call with index `number`, byte for byte and unmasked, after a line with
/// its time, opcode, flags, size and span.
pub fn write_frames(
    tape: &Tape,
    traffic: &WebSocketTraffic,
    session: &WebSocketSession,
    number: Option<usize>,
    style: &OutputStyle,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut frames: Vec<_> = [&tape.sent, &tape.received]
        .into_iter()
        .flat_map(|stream| read_frames(stream, traffic.side(stream.side).starts_at))
        .collect();
    frames.sort_by_key(|frame| (frame.moment, frame.side));
    let own = number.map(|number| session.bytes_of(number));
    let is_shown = |frame: &ShownFrame| {
        let is_in = |own: &CallBytes| own.contain(frame.side, frame.head.span.start);
        // A frame between the fragments of a message is no part of a call.
        own.as_ref()
            .is_none_or(|own| is_in(own) && !frame.head.opcode.is_control())
    };
    for frame in frames.iter().filter(|frame| is_shown(frame)) {
        let head = &frame.head;
        let heading = format!(
            "{} {}  {head}  {}  {}",
            head::direction_mark(frame.side),
            wording::format_duration(frame.moment.micros),
            wording::format_bytes(head.length),
            Span::new(head.span.start, frame.payload.end),
        );
        writeln!(out, "{}", style.dim(&heading))?;
        let payload = head.unmask(tape.stream(frame.side).slice(frame.payload));
        if !payload.is_empty() {
            writeln!(out, "{}", escape(&payload, KeptWhitespace::SpacesOnly))?;
        }
    }
    Ok(())
}

/// A frame and its place on the tape.
struct ShownFrame {
    side: StreamSide,
    head: FrameHead,
    /// The bytes of its payload that came.
    payload: Span,
    /// When the first byte of its head crossed.
    moment: Moment,
}

/// The frames of one direction, which begin at the offset `start`.
fn read_frames(stream: &Stream, start: Option<u64>) -> Vec<ShownFrame> {
    let Some(start) = start else {
        return Vec::new();
    };
    let mut decoder = FrameDecoder::new(stream.side, start, true);
    let window = Window {
        ended: true,
        ..stream.window()
    };
    let mut frames: Vec<ShownFrame> = Vec::new();
    while let Some(event) = decoder.step(window) {
        match (event, frames.last_mut()) {
            (FrameEvent::Head(head), _) => frames.push(ShownFrame {
                side: stream.side,
                head,
                payload: Span::empty_at(head.span.end),
                moment: stream.moment_at(head.span.start).unwrap_or_default(),
            }),
            (FrameEvent::Payload(span), Some(frame)) => frame.payload.end = span.end,
            _ => {}
        }
    }
    frames
}

/// Writes the call with index `number` as a report: the question, the messages that answer it, the summary.
pub fn write_call(
    session: &WebSocketSession,
    number: usize,
    call: &Call,
    findings: &[Finding],
    style: &OutputStyle,
    out: &mut dyn Write,
) -> io::Result<()> {
    let own = session.calls.get(number);
    let lane = own.and_then(|own| own.lane.as_ref());
    let lane = lane.map_or_else(String::new, |lane| format!(" in lane {lane}"));
    let count = session.messages_of(number).count();
    let text = format!(
        "call {} of a WebSocket connection{lane}: {} messages",
        number.saturating_add(1),
        wording::format_count(count as u64),
    );
    writeln!(out, "* {}", wording::escape_line(&text))?;
    let (mut before, mut start) = (None, None);
    for message in session.messages_of(number) {
        let start = *start.get_or_insert(message.began);
        if before.is_none() {
            write_question(call, style, out)?;
        } else {
            write_message(message, before, start, style, out)?;
        }
        before = Some(message.moment);
    }
    let look = match call.exchange.outcome() {
        ExchangeOutcome::Whole => TextStyle::Success,
        _ => TextStyle::Error,
    };
    let outcome = style.paint(look, &wording::describe_outcome(&call.exchange));
    writeln!(out, "* {outcome}")?;
    summary::write_summary(&call.meaning, findings, "* ", style, out)
}

/// Writes the message that asks, laid out for reading if it is JSON.
fn write_question(call: &Call, style: &OutputStyle, out: &mut dyn Write) -> io::Result<()> {
    let painter = BodyPrinter::new(b"application/json", true, *style);
    let mut shown = BodyOutput::painted(painter).among_notes("> ", QUESTION_SHOWN_LIMIT);
    out.write_all(shown.push(&call.request_body.bytes))?;
    let (last, unshown) = shown.finish();
    out.write_all(last)?;
    if unshown > 0 {
        let more = wording::format_bytes(unshown);
        writeln!(out, "* {more} more of the question (`-p B` shows it all)")?;
    }
    Ok(())
}
