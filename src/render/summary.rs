//! What an exchange means, in a dozen lines: models, text, finish, tools, tokens, cost, limits, times.

use std::io::{self, Write};

use super::service::{ids, limit, retries};
use super::strip::strip;
use super::{Look, Style, words};
use crate::call::meaning::{Priced, Report};
use crate::chat::timeline::{Over, Timeline};
use crate::chat::{ApiError, Arguments, Choice, Completion, FinishKind, ToolCall, Usage, Verdict};
use crate::price::Money;

/// How much of a text one line shows.
const LINE: usize = 96;

/// Writes the summary, each line after `margin`.
pub fn write(report: &Report, margin: &str, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let mut lines = Lines { margin, style, out };
    let completion = &report.completion;
    if completion.dialect.is_none() && completion.errors.is_empty() {
        return Ok(());
    }
    lines.line("answer", &identity(completion))?;
    lines.line("model", &models(completion))?;
    for choice in &completion.choices {
        lines.choice(choice, completion.choices.len() > 1)?;
    }
    for error in &completion.errors {
        lines.coloured("error", &clip(&error_line(error), 400), Look::Bad)?;
    }
    if let Some(usage) = &completion.usage {
        lines.line("tokens", &usage_line(usage))?;
    }
    lines.line("cost", &cost(report))?;
    lines.timeline(&report.timeline)?;
    lines.service(report)?;
    for line in retries(&report.advice) {
        lines.line("retry", &line)?;
    }
    if report.service.retry.asked().is_none() {
        lines.waits(&completion.errors)?;
    }
    for note in &completion.notes {
        lines.coloured("note", &note.text, Look::Odd)?;
    }
    lines.verdict(completion)
}

/// Class, codes, parameter, message, as far as they are there.
fn error_line(error: &ApiError) -> String {
    let code = error.code.as_ref().map(ToString::to_string);
    let codes: Vec<_> = code.into_iter().chain(error.detail.clone()).collect();
    let codes = (!codes.is_empty()).then(|| format!("({})", codes.join(", ")));
    let param = error.param.as_ref().map(|param| format!("[{param}]"));
    let parts = [error.class.clone(), codes, param].into_iter().flatten();
    match parts.collect::<Vec<_>>().join(" ") {
        head if head.is_empty() => error.message.clone(),
        head => format!("{head}: {}", error.message),
    }
}

/// Writes how the answer ended, and nothing else of it.
pub(super) fn verdict(
    report: &Report,
    margin: &str,
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    Lines { margin, style, out }.verdict(&report.completion)
}

struct Lines<'a> {
    margin: &'a str,
    style: &'a Style,
    out: &'a mut dyn Write,
}

impl Lines<'_> {
    fn line(&mut self, name: &str, text: &str) -> io::Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        let name = self.style.dim(&format!("{name:<9}"));
        writeln!(self.out, "{}{name} {}", self.margin, words::line(text))
    }

    fn coloured(&mut self, name: &str, text: &str, look: Look) -> io::Result<()> {
        let name = self.style.dim(&format!("{name:<9}"));
        let text = self.style.paint(look, &words::line(text));
        writeln!(self.out, "{}{name} {text}", self.margin)
    }

    fn choice(&mut self, choice: &Choice, numbered: bool) -> io::Result<()> {
        let name = |name: &str| match numbered {
            true => format!("{name} {}", choice.index),
            false => name.to_owned(),
        };
        if choice.reasoning_bytes > 0 {
            let text = sized(&choice.reasoning, choice.reasoning_bytes);
            self.line(&name("reasoning"), &text)?;
        }
        if choice.text_bytes > 0 {
            self.line(&name("text"), &sized(&choice.text, choice.text_bytes))?;
        }
        if let Some(refusal) = &choice.refusal {
            self.coloured(&name("refusal"), &clip(refusal, LINE), Look::Odd)?;
        }
        for call in &choice.tool_calls {
            self.tool(&name("tool"), call)?;
        }
        self.line(&name("with"), &beside(choice))?;
        match &choice.finish {
            None => self.coloured(&name("finish"), "no reason was given", Look::Odd),
            Some(finish) => {
                let text = format!("{}: {}", finish.named, finish.meaning);
                let look = match finish.kind {
                    FinishKind::Stop | FinishKind::ToolCalls => Look::Good,
                    FinishKind::Error | FinishKind::Cancelled => Look::Bad,
                    _ => Look::Odd,
                };
                self.coloured(&name("finish"), &text, look)
            }
        }
    }

    fn tool(&mut self, name: &str, call: &ToolCall) -> io::Result<()> {
        let id = call
            .id
            .as_ref()
            .map(|id| format!("  {id}"))
            .unwrap_or_default();
        let text = format!("{}({}){id}", call.name, clip(&call.arguments, LINE));
        match &call.check {
            Arguments::Broken { at, error } => {
                let text = format!("{text}  arguments are not JSON: {error} (byte {at})");
                self.coloured(name, &text, Look::Bad)
            }
            _ => self.line(name, &text),
        }
    }

    fn timeline(&mut self, timeline: &Timeline) -> io::Result<()> {
        self.line("times", &milestones(timeline))?;
        self.line("pace", &pace(timeline))?;
        let arrivals = &timeline.arrivals;
        let (Some(&from), Some(&to)) = (arrivals.first(), arrivals.last()) else {
            return Ok(());
        };
        if to == from {
            return Ok(());
        }
        let width = self
            .style
            .width
            .saturating_sub(self.margin.len().saturating_add(36))
            .clamp(10, 60);
        // More columns than events would show holes that are none.
        let width = width.min(arrivals.len().max(10));
        let picture = strip(arrivals, from, to, width, self.style.unicode);
        let name = self.style.dim(&format!("{:<9}", "arrivals"));
        let (from, to) = (words::time(from), words::time(to));
        writeln!(self.out, "{}{name} {from} {picture} {to}", self.margin)
    }

    /// What bodies say where no field does.
    fn waits(&mut self, errors: &[ApiError]) -> io::Result<()> {
        for wait in errors.iter().filter_map(|error| error.wait.as_ref()) {
            let (long, named) = (words::long(wait.micros), wait.named);
            let text = format!(
                "the provider asks to wait {long}, but only in the body ({named}), where none of these SDKs looks"
            );
            self.line("retry", &text)?;
        }
        Ok(())
    }

    fn service(&mut self, report: &Report) -> io::Result<()> {
        let service = &report.service;
        let limits: Vec<_> = service.limits.iter().map(limit).collect();
        self.line("limits", &limits.join("; "))?;
        let head = service.times.iter().map(|time| (&time.field, time.micros));
        let body = report.completion.times.iter();
        let body = body.map(|(name, micros)| (name, *micros));
        let times = head.chain(body);
        let times: Vec<_> = times
            .map(|(name, micros)| format!("{name} {}", words::time(micros)))
            .collect();
        self.line("server", &times.join("; "))?;
        self.line("ids", &ids(service).join(", "))
    }

    fn verdict(&mut self, completion: &Completion) -> io::Result<()> {
        let look = match completion.verdict {
            Verdict::Complete => Look::Good,
            Verdict::LengthLimit | Verdict::Refused | Verdict::Filtered => Look::Odd,
            _ => Look::Bad,
        };
        self.coloured("verdict", &completion.verdict.to_string(), look)
    }
}

/// What came with the words of a choice.
fn beside(choice: &Choice) -> String {
    let mut parts = Vec::new();
    parts.extend(choice.logprobs.then(|| "log probabilities".to_owned()));
    parts.extend(choice.audio.then(|| "audio".to_owned()));
    let sources: Vec<_> = choice
        .citations
        .iter()
        .map(|cited| cited.source.as_str())
        .collect();
    if !sources.is_empty() {
        let count = match sources.len() {
            1 => "1 citation".to_owned(),
            many => format!("{many} citations"),
        };
        parts.push(format!("{count}: {}", clip(&sources.join(", "), LINE)));
    }
    parts.join("; ")
}

fn identity(completion: &Completion) -> String {
    let mut parts = vec![completion.dialect.unwrap_or("unknown dialect").to_owned()];
    parts.push(format!("({})", completion.why));
    parts.extend(completion.id.clone());
    parts.extend(completion.system_fingerprint.clone());
    parts.extend(
        completion
            .service_tier
            .as_ref()
            .map(|tier| format!("tier {tier}")),
    );
    parts.join(" ")
}

fn models(completion: &Completion) -> String {
    match (&completion.asked_model, &completion.served_model) {
        (Some(asked), Some(served)) if asked == served => served.clone(),
        (Some(asked), Some(served)) => {
            let what = completion
                .model_match
                .map_or("", |compared| compared.meaning());
            format!("{asked} asked, {served} served: {what}")
        }
        (Some(asked), None) => format!("{asked} asked"),
        (None, Some(served)) => format!("{served} served"),
        (None, None) => String::new(),
    }
}

fn sized(text: &str, bytes: u64) -> String {
    format!("{} ({})", clip(text, LINE), words::bytes(bytes))
}

/// At most `most` characters, and how it goes on.
fn clip(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or(text)),
    }
}

fn usage_line(usage: &Usage) -> String {
    let count = |count: Option<u64>| count.map(words::count);
    let part = |name: &str, number: Option<u64>| {
        let number = count(number.filter(|number| *number > 0))?;
        Some(format!("{number} {name}"))
    };
    let side = |name: &str, all: Option<u64>, parts: Vec<Option<String>>| {
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        let inner = if parts.is_empty() {
            String::new()
        } else {
            format!(" ({})", parts.join(", "))
        };
        Some(format!("{} {name}{inner}", count(all)?))
    };
    let input = side(
        "in",
        usage.input,
        vec![
            part("cached", usage.cached_input),
            part("written to cache", usage.cache_write),
            part("audio", usage.audio_input),
        ],
    );
    let output = side(
        "out",
        usage.output,
        vec![
            part("reasoning", usage.reasoning),
            part("audio", usage.audio_output),
        ],
    );
    input
        .into_iter()
        .chain(output)
        .collect::<Vec<_>>()
        .join(", ")
}

/// What the provider says first: it knows.
fn cost(report: &Report) -> String {
    let own = report.completion.cost.as_ref().map(|cost| {
        let money = Money::from_dollars(cost.usd);
        format!("{money}, as the provider says ({})", cost.named)
    });
    let table = match &report.cost {
        Priced::Known {
            model,
            published,
            cost,
        } => {
            let published = published.as_ref();
            let published = published.map(|day| format!(" ({day})")).unwrap_or_default();
            let notes: Vec<_> = cost.notes.iter().map(ToString::to_string).collect();
            let notes = if notes.is_empty() {
                String::new()
            } else {
                format!("; {}", notes.join("; "))
            };
            Some(format!(
                "{} = {} in + {} cached + {} written + {} out, by the price of {model}{published}{notes}",
                cost.total, cost.input, cost.cached, cost.cache_write, cost.output
            ))
        }
        Priced::UnknownModel(model) if own.is_none() => {
            Some(format!("no price is known for {model}"))
        }
        Priced::UnknownModel(_) | Priced::NotCounted => None,
    };
    let both: Vec<_> = own.into_iter().chain(table).collect();
    both.join("; ")
}

fn milestones(timeline: &Timeline) -> String {
    let at = |name: &str, moment: Option<crate::span::Moment>| {
        Some(format!("{name} {}", words::time(moment?.micros)))
    };
    let all = [
        at("first event", timeline.first_event),
        at("first reasoning", timeline.first_reasoning),
        at("first content", timeline.first_content),
        at("first tool call", timeline.first_tool),
        at("last content", timeline.last_content),
        at("done", timeline.done),
    ];
    all.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn pace(timeline: &Timeline) -> String {
    let mut parts = Vec::new();
    if let Some(speed) = &timeline.speed {
        let over = match speed.over {
            Over::Pieces => "from the first piece to the last",
            Over::Whole => "from the request to the last byte",
        };
        parts.push(format!(
            "{:.1} tokens/s ({} tokens {over})",
            speed.per_second,
            words::count(speed.tokens)
        ));
    }
    if timeline.content_events > 0 {
        let events = match timeline.content_events {
            1 => "1 content event".to_owned(),
            many => format!("{} content events", words::count(many)),
        };
        parts.push(match timeline.coalesced {
            0 => events,
            coalesced => format!("{events}, {} with the one before", words::count(coalesced)),
        });
    }
    if let Some(gaps) = &timeline.gaps {
        let longest = gaps.longest;
        parts.push(format!(
            "gaps p50 {}, p95 {}, longest {} before event {}",
            words::time(gaps.p50),
            words::time(gaps.p95),
            words::time(longest.micros),
            longest.event
        ));
    }
    parts.join("; ")
}
