//! The summary of a call in a dozen lines: models, text, finish, tools, tokens, cost, limits, times.

use std::io::{self, Write};

use super::findings::fold_findings;
use super::service::{describe_limit, retry_lines, service_ids};
use super::sparkline::sparkline;
use super::{OutputStyle, TextStyle, wording};
use crate::call::meaning::{CallMeaning, CostEstimate};
use crate::chat::timeline::{AnswerTimeline, SpeedBasis};
use crate::chat::{
    AnswerChoice, AnswerVerdict, ApiError, Completion, FinishKind, Severity, TokenUsage,
    ToolArgumentCheck, ToolCall,
};
use crate::lint::Finding;
use crate::price::Money;

/// Characters of a text that one line shows: with its name the line fits 110 columns.
const LINE_LIMIT: usize = 96;

/// Characters of a finding that are shown: an unreadable event of 200 bytes with the words around it.
const FINDING_LIMIT: usize = 480;

/// Writes the summary, each line after `margin`. Findings about the answer are notes in it.
pub fn write_summary(
    report: &CallMeaning,
    findings: &[Finding],
    margin: &str,
    style: &OutputStyle,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut lines = SummaryWriter { margin, style, out };
    let completion = &report.completion;
    if completion.dialect.is_none() && completion.errors.is_empty() {
        return lines.write_findings(findings);
    }
    lines.write_line("answer", &describe_identity(completion))?;
    lines.write_line("model", &describe_models(completion))?;
    if let Some(vectors) = &completion.vectors {
        let form = if vectors.is_base64 {
            "base64"
        } else {
            "lists of numbers"
        };
        let (count, numbers) = (vectors.count, vectors.numbers);
        lines.write_line(
            "vectors",
            &format!("{count} of {numbers} numbers, as {form}"),
        )?;
    }
    for detail in &completion.details {
        match detail.name {
            "failed" => lines.write_coloured(detail.name, &detail.text, TextStyle::Error)?,
            name => lines.write_line(name, &detail.text)?,
        }
    }
    for choice in &completion.choices {
        lines.write_choice(choice, completion.choices.len() > 1)?;
    }
    for error in &completion.errors {
        lines.write_coloured(
            "error",
            &wording::clip_text(&describe_error(error), 400),
            TextStyle::Error,
        )?;
    }
    if let Some(usage) = &completion.usage {
        lines.write_line("tokens", &describe_usage(usage))?;
    }
    lines.write_line("cost", &describe_cost(report))?;
    lines.write_timeline(&report.timeline)?;
    lines.write_service(report)?;
    for line in retry_lines(&report.advice) {
        lines.write_line("retry", &line)?;
    }
    if report.service.retry.requested_wait().is_none() {
        lines.write_waits(&completion.errors)?;
    }
    lines.write_findings(findings)?;
    lines.write_verdict(completion)
}

/// The class, codes, parameter and message of an error, without those that are absent.
fn describe_error(error: &ApiError) -> String {
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

/// Writes only the verdict.
pub(super) fn write_verdict(
    report: &CallMeaning,
    margin: &str,
    style: &OutputStyle,
    out: &mut dyn Write,
) -> io::Result<()> {
    SummaryWriter { margin, style, out }.write_verdict(&report.completion)
}

struct SummaryWriter<'a> {
    margin: &'a str,
    style: &'a OutputStyle,
    out: &'a mut dyn Write,
}

impl SummaryWriter<'_> {
    fn write_line(&mut self, name: &str, text: &str) -> io::Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        let name = self.style.dim(&format!("{name:<9}"));
        writeln!(
            self.out,
            "{}{name} {}",
            self.margin,
            wording::escape_line(text)
        )
    }

    fn write_coloured(&mut self, name: &str, text: &str, look: TextStyle) -> io::Result<()> {
        let name = self.style.dim(&format!("{name:<9}"));
        let text = self.style.paint(look, &wording::escape_line(text));
        writeln!(self.out, "{}{name} {text}", self.margin)
    }

    fn write_choice(&mut self, choice: &AnswerChoice, numbered: bool) -> io::Result<()> {
        let name = |name: &str| match numbered {
            true => format!("{name} {}", choice.index),
            false => name.to_owned(),
        };
        if choice.reasoning_bytes > 0 {
            let text = clip_with_size(&choice.reasoning, choice.reasoning_bytes);
            self.write_line(&name("reasoning"), &text)?;
        }
        if choice.text_bytes > 0 {
            self.write_line(
                &name("text"),
                &clip_with_size(&choice.text, choice.text_bytes),
            )?;
        }
        if choice.is_empty() {
            self.write_coloured(
                &name("text"),
                "none: no text, tool call or refusal came",
                TextStyle::Warning,
            )?;
        }
        if let Some(refusal) = &choice.refusal {
            self.write_coloured(
                &name("refusal"),
                &wording::clip_text(refusal, LINE_LIMIT),
                TextStyle::Warning,
            )?;
        }
        for call in &choice.tool_calls {
            self.write_tool_call(&name("tool"), call)?;
        }
        self.write_line(&name("with"), &choice_extras(choice))?;
        match &choice.finish {
            None => self.write_coloured(&name("finish"), "no finish reason", TextStyle::Warning),
            Some(finish) => {
                let text = format!("{}: {}", finish.named, finish.meaning);
                let look = match finish.kind {
                    FinishKind::Stop | FinishKind::ToolCalls => TextStyle::Success,
                    FinishKind::Error | FinishKind::Cancelled => TextStyle::Error,
                    _ => TextStyle::Warning,
                };
                self.write_coloured(&name("finish"), &text, look)
            }
        }
    }

    fn write_tool_call(&mut self, name: &str, call: &ToolCall) -> io::Result<()> {
        let id = call
            .id
            .as_ref()
            .map(|id| format!("  {id}"))
            .unwrap_or_default();
        let text = format!(
            "{}({}){id}",
            call.name,
            wording::clip_text(&call.arguments, LINE_LIMIT)
        );
        match &call.check {
            ToolArgumentCheck::Broken { at, error } => {
                let text = format!("{text}  arguments are not JSON: {error} (byte {at})");
                self.write_coloured(name, &text, TextStyle::Error)
            }
            _ => self.write_line(name, &text),
        }
    }

    fn write_timeline(&mut self, timeline: &AnswerTimeline) -> io::Result<()> {
        self.write_line("times", &describe_milestones(timeline))?;
        self.write_line("pace", &describe_pace(timeline))?;
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
        // More columns than events would show gaps that do not exist.
        let width = width.min(arrivals.len().max(10));
        let picture = sparkline(arrivals, from, to, width, self.style.unicode);
        let name = self.style.dim(&format!("{:<9}", "arrivals"));
        let (from, to) = (wording::format_duration(from), wording::format_duration(to));
        writeln!(self.out, "{}{name} {from} {picture} {to}", self.margin)
    }

    /// Writes the waits that only a body asks for.
    fn write_waits(&mut self, errors: &[ApiError]) -> io::Result<()> {
        for wait in errors.iter().filter_map(|error| error.wait.as_ref()) {
            let (long, named) = (wording::format_long_duration(wait.micros), wait.named);
            let text = format!(
                "the provider asks to wait {long}, but only in the body ({named}), which none of these SDKs reads"
            );
            self.write_line("retry", &text)?;
        }
        Ok(())
    }

    fn write_service(&mut self, report: &CallMeaning) -> io::Result<()> {
        let service = &report.service;
        let limits: Vec<_> = service.limits.iter().map(describe_limit).collect();
        self.write_line("limits", &limits.join("; "))?;
        let head = service.times.iter().map(|time| (&time.field, time.micros));
        let body = report.completion.times.iter();
        let body = body.map(|(name, micros)| (name, *micros));
        let times = head.chain(body);
        let times: Vec<_> = times
            .map(|(name, micros)| format!("{name} {}", wording::format_duration(micros)))
            .collect();
        self.write_line("server", &times.join("; "))?;
        self.write_line("ids", &service_ids(service).join(", "))
    }

    /// Writes the findings that are not among the facts of the exchange.
    fn write_findings(&mut self, findings: &[Finding]) -> io::Result<()> {
        let shown = findings.iter().filter(|finding| finding.is_reported());
        let folded = fold_findings(shown.filter(|finding| !finding.is_about_exchange()));
        for finding in folded.shown {
            let look = match finding.severity {
                Severity::Error => TextStyle::Error,
                _ => TextStyle::Warning,
            };
            let text = wording::describe_finding(finding);
            let text = wording::clip_text(&text, FINDING_LIMIT);
            self.write_coloured("note", &text, look)?;
        }
        self.write_line("note", &folded.rest.unwrap_or_default())
    }

    fn write_verdict(&mut self, completion: &Completion) -> io::Result<()> {
        let look = match completion.verdict {
            AnswerVerdict::Complete => TextStyle::Success,
            AnswerVerdict::LengthLimit | AnswerVerdict::Refused | AnswerVerdict::Filtered => {
                TextStyle::Warning
            }
            _ => TextStyle::Error,
        };
        self.write_coloured("verdict", &completion.verdict.to_string(), look)
    }
}

/// What a choice has beside its text: log probabilities, audio, citations.
fn choice_extras(choice: &AnswerChoice) -> String {
    let mut parts = Vec::new();
    parts.extend(choice.logprobs.then(|| "log probabilities".to_owned()));
    parts.extend(choice.audio.then(|| "audio".to_owned()));
    parts.extend(match choice.images {
        0 => None,
        1 => Some("1 image".to_owned()),
        many => Some(format!("{many} images")),
    });
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
        parts.push(format!(
            "{count}: {}",
            wording::clip_text(&sources.join(", "), LINE_LIMIT)
        ));
    }
    parts.join("; ")
}

fn describe_identity(completion: &Completion) -> String {
    let mut parts = vec![
        completion
            .dialect_name()
            .unwrap_or("unknown dialect")
            .to_owned(),
    ];
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

fn describe_models(completion: &Completion) -> String {
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

fn clip_with_size(text: &str, bytes: u64) -> String {
    format!(
        "{} ({})",
        wording::clip_text(text, LINE_LIMIT),
        wording::format_bytes(bytes)
    )
}

fn describe_usage(usage: &TokenUsage) -> String {
    let count = |count: Option<u64>| count.map(wording::format_count);
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
    let billed = [(usage.billed_input, "in"), (usage.billed_output, "out")];
    let billed =
        billed.map(|(count, side)| Some(format!("{} {side}", wording::format_count(count?))));
    let billed: Vec<_> = billed.into_iter().flatten().collect();
    let billed = (!billed.is_empty()).then(|| format!("billed {}", billed.join(" + ")));
    let parts = input.into_iter().chain(output).chain(billed);
    parts.collect::<Vec<_>>().join(", ")
}

/// The cost, the provider's own number first.
fn describe_cost(report: &CallMeaning) -> String {
    let own = report.completion.cost.as_ref().map(|cost| {
        let money = Money::from_dollars(cost.usd);
        format!("{money}, reported by the provider ({})", cost.named)
    });
    let table = match &report.cost {
        CostEstimate::Known {
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
        CostEstimate::UnknownModel(model) if own.is_none() => {
            Some(format!("no price is known for {model}"))
        }
        CostEstimate::UnknownModel(_) | CostEstimate::NotCounted => None,
    };
    let both: Vec<_> = own.into_iter().chain(table).collect();
    both.join("; ")
}

fn describe_milestones(timeline: &AnswerTimeline) -> String {
    let at = |name: &str, moment: Option<crate::span::Moment>| {
        Some(format!(
            "{name} {}",
            wording::format_duration(moment?.micros)
        ))
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

fn describe_pace(timeline: &AnswerTimeline) -> String {
    let mut parts = Vec::new();
    if let Some(speed) = &timeline.speed {
        let over = match speed.over {
            SpeedBasis::Pieces => "from the first piece to the last",
            SpeedBasis::Whole => "from the request to the last byte",
        };
        parts.push(format!(
            "{:.1} tokens/s ({} tokens {over})",
            speed.per_second,
            wording::format_count(speed.tokens)
        ));
    }
    if timeline.content_events > 0 {
        let events = match timeline.content_events {
            1 => "1 content event".to_owned(),
            many => format!("{} content events", wording::format_count(many)),
        };
        parts.push(match timeline.coalesced {
            0 => events,
            coalesced => format!(
                "{events}, {} in the same read as the previous one",
                wording::format_count(coalesced)
            ),
        });
    }
    if let Some(gaps) = &timeline.gaps {
        let longest = gaps.longest;
        parts.push(format!(
            "gaps p50 {}, p95 {}, longest {} before event {}",
            wording::format_duration(gaps.p50),
            wording::format_duration(gaps.p95),
            wording::format_duration(longest.micros),
            longest.event
        ));
    }
    parts.join("; ")
}
