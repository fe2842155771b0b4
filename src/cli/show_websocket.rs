//! `wire show` of a WebSocket connection, and of one call in it.

use std::io::Write as _;

use super::args::{CommonArgs, ShowArgs};
use super::error::CliError;
use super::exit::ExitReason;
use super::subject::{CaptureSubject, WebSocketCapture};
use super::{output, send, show_parts};
use crate::call::{Call, ReadOptions};
use crate::exchange::roles::{RoleSpan, role_spans};
use crate::lint;
use crate::render::view_options::ExchangeParts;
use crate::render::{escape, summary, websocket};

/// One run of `wire show` on a WebSocket connection.
struct WebSocketView<'a> {
    common: &'a CommonArgs,
    args: &'a ShowArgs,
    means: &'a ReadOptions,
    capture: &'a WebSocketCapture,
}

/// Shows the connection, or the call in it that `subject` names.
pub(super) fn run(
    common: &CommonArgs,
    args: &ShowArgs,
    means: &ReadOptions,
    capture: &WebSocketCapture,
    subject: &CaptureSubject,
) -> Result<ExitReason, CliError> {
    let view = WebSocketView {
        common,
        args,
        means,
        capture,
    };
    match subject.call {
        None => view.show_connection(subject),
        Some(number) => view.show_call(subject, number),
    }
}

impl WebSocketView<'_> {
    fn show_connection(&self, subject: &CaptureSubject) -> Result<ExitReason, CliError> {
        let (args, capture) = (self.args, self.capture);
        if let Some(at) = &args.at {
            return Err(
                CliError::usage(format!("--at {at}: which call of the connection?"))
                    .with_hint("name one, such as @.1; `wire show` without --at lists them"),
            );
        }
        let calls = capture.calls(self.means);
        let is_complete = calls.iter().all(Call::is_complete);
        if args.output.json {
            output::print_json_document(Call::read(capture.tape.clone(), self.means));
        } else if args.hex {
            let tiles = role_spans(&capture.tape, self.means.http1);
            show_parts::print_hex_tiles(self.common, args, &capture.tape, &tiles)?;
        } else if args.summary || args.tools || args.usage {
            self.print_meanings(&calls)?;
        } else if args.output.text {
            for call in &calls {
                print_text(call)?;
            }
        } else if args.events {
            self.print(|style, out| websocket::write_messages(&capture.session, style, out))?;
        } else if args.raw_events {
            self.print_frames(None)?;
        } else {
            show_parts::print_view(
                self.common,
                args,
                self.means,
                &capture.tape,
                &subject.path,
                &|style, out| {
                    websocket::write_messages(&capture.session, style, out)?;
                    websocket::write_calls(&capture.session, &calls, style, out)
                },
            )?;
        }
        Ok(send::exchange_exit(&capture.exchange, is_complete, false))
    }

    /// Prints summaries, tool calls or tokens of all calls.
    fn print_meanings(&self, calls: &[Call]) -> Result<(), CliError> {
        self.print(|style, out| {
            for (number, call) in calls.iter().enumerate() {
                if self.args.summary {
                    writeln!(out, "call .{}", number.saturating_add(1))?;
                }
                show_parts::write_meaning(self.args, call, style, out)?;
            }
            Ok(())
        })
    }

    fn show_call(&self, subject: &CaptureSubject, number: usize) -> Result<ExitReason, CliError> {
        let (args, session) = (self.args, &self.capture.session);
        let call = self.capture.call(number, self.means)?;
        let index = number.saturating_sub(1);
        let exit = show_parts::call_exit(&call);
        if let Some(at) = &args.at {
            show_parts::print_value(args, &call, at)?;
        } else if args.output.json {
            output::print_json_document(call);
        } else if args.hex {
            let tiles = self.tiles_of(index);
            show_parts::print_hex_tiles(self.common, args, &self.capture.tape, &tiles)?;
        } else if args.summary || args.tools || args.usage {
            show_parts::print_meaning(self.common, args, &call)?;
        } else if args.output.text {
            print_text(&call)?;
        } else if args.output.print.is_some() || args.output.quiet {
            self.print_parts(&call)?;
        } else if args.events {
            let options = self.means.answer;
            self.print(|style, out| {
                websocket::write_call_events(session, index, &call, options, style, out)
            })?;
        } else if args.raw_events {
            self.print_frames(Some(index))?;
        } else {
            let findings = lint::check_call((&call).into());
            let origin = &call.tape.origin;
            self.print(|style, out| {
                writeln!(out, "* capture {} in {}", origin.id, subject.path.display())?;
                writeln!(out, "* to {}, {}", origin.url, origin.started)?;
                websocket::write_call(session, index, &call, &findings, style, out)
            })?;
        }
        Ok(exit)
    }

    /// The roles of the bytes of one call.
    fn tiles_of(&self, index: usize) -> Vec<RoleSpan> {
        let mut tiles = role_spans(&self.capture.tape, self.means.http1);
        let own = self.capture.session.bytes_of(index);
        tiles.retain(|tile| own.contain(tile.side, tile.span.start));
        tiles
    }

    fn print_frames(&self, index: Option<usize>) -> Result<(), CliError> {
        let WebSocketCapture {
            tape,
            exchange,
            session,
        } = self.capture;
        let traffic = exchange.websocket.as_deref().cloned().unwrap_or_default();
        self.print(|style, out| websocket::write_frames(tape, &traffic, session, index, style, out))
    }

    /// Prints the parts of `--print` unmarked.
    fn print_parts(&self, call: &Call) -> Result<(), CliError> {
        let terminal = output::stdout_is_terminal();
        let ExchangeParts {
            request_head,
            request_body,
            response_head,
            response_body,
            meta,
        } = output::output_plan(&self.args.output, terminal, terminal)?.parts;
        let parts: [(bool, &[u8], &[u8]); 4] = [
            (request_head, &call.exchange.request.head.bytes, b""),
            (request_body, &call.request_body.bytes, b"\n"),
            (response_head, &call.exchange.response.head.bytes, b""),
            (response_body, &call.response_body.bytes, b""),
        ];
        let shown = parts.into_iter().filter(|(is_wanted, ..)| *is_wanted);
        let mut bytes: Vec<u8> = shown
            .flat_map(|(_, part, end)| [part, end].concat())
            .collect();
        if terminal {
            let text = escape::escape(&bytes, escape::KeptWhitespace::Lines);
            bytes = text.into_owned().into_bytes();
        }
        if meta {
            let findings = lint::check_call(call.into());
            let style = output::stdout_style(self.common);
            summary::write_summary(&call.meaning, &findings, "", &style, &mut bytes)
                .map_err(CliError::usage)?;
        }
        output::write_stdout(&bytes)?;
        Ok(())
    }

    fn print(
        &self,
        write: impl FnOnce(&crate::render::OutputStyle, &mut Vec<u8>) -> std::io::Result<()>,
    ) -> Result<(), CliError> {
        let mut text = Vec::new();
        write(&output::stdout_style(self.common), &mut text).map_err(CliError::usage)?;
        output::print_report(&text)?;
        Ok(())
    }
}

/// Prints the text of an answer, and its errors on standard error.
fn print_text(call: &Call) -> Result<(), CliError> {
    let choices = call.meaning.completion.choices.iter();
    let texts = choices.map(|choice| choice.text.as_str());
    let text: String = texts.flat_map(|text| [text, "\n"]).collect();
    let text = match output::stdout_is_terminal() {
        true => escape::escape(text.as_bytes(), escape::KeptWhitespace::Lines).into_owned(),
        false => text,
    };
    output::write_stdout(text.as_bytes())?;
    for error in &call.meaning.completion.errors {
        output::print_note(&error.message);
    }
    Ok(())
}
