//! The findings of calls and the table of rules: as a report, as JSON, as SARIF, as annotations for GitHub.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::json;

use super::json_output::{FindingDoc, write_value};
use super::{OutputStyle, TextStyle, wording};
use crate::chat::Severity;
use crate::lint::{Finding, LintedCall, Rule, all_rules};

/// The form of a report on findings.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LintForm {
    /// Lines for people.
    Text,
    /// One JSON object for each call.
    Json,
    /// One SARIF 2.1.0 log.
    Sarif,
    /// Workflow commands of GitHub Actions.
    Github,
}

/// Writes the findings of `calls`.
pub fn write_calls(
    calls: &[LintedCall],
    form: LintForm,
    style: &OutputStyle,
    out: &mut dyn Write,
) -> io::Result<()> {
    match form {
        LintForm::Text => write_text(calls, style, out),
        LintForm::Json => calls.iter().try_for_each(|call| write_json(call, out)),
        LintForm::Sarif => write_sarif(calls, out),
        LintForm::Github => write_annotations(calls, out),
    }
}

fn severity_style(severity: Severity) -> TextStyle {
    match severity {
        Severity::Info => TextStyle::Success,
        Severity::Warning => TextStyle::Warning,
        Severity::Error => TextStyle::Error,
    }
}

fn write_text(calls: &[LintedCall], style: &OutputStyle, out: &mut dyn Write) -> io::Result<()> {
    for call in calls.iter().filter(|call| !call.findings.is_empty()) {
        let verdict = wording::escape_line(&call.verdict.to_string()).into_owned();
        writeln!(
            out,
            "{}  {}",
            wording::escape_line(&call.name),
            style.dim(&verdict)
        )?;
        for finding in &call.findings {
            write_finding(finding, style, out)?;
        }
    }
    let count = |severity| {
        let findings = calls.iter().flat_map(|call| &call.findings);
        findings
            .filter(|finding| finding.severity == severity)
            .count()
    };
    let [errors, warnings, infos] = [Severity::Error, Severity::Warning, Severity::Info].map(count);
    let noun = |count: usize, noun: &str| match count {
        1 => format!("1 {noun}"),
        count => format!("{} {noun}s", wording::format_count(count as u64)),
    };
    writeln!(
        out,
        "{}, {}, {} in {}",
        noun(errors, "error"),
        noun(warnings, "warning"),
        noun(infos, "info"),
        noun(calls.len(), "call")
    )
}

fn write_finding(finding: &Finding, style: &OutputStyle, out: &mut dyn Write) -> io::Result<()> {
    let rule = finding.rule;
    let word = format!("{:<8}", finding.severity.name());
    let word = style.paint(severity_style(finding.severity), &word);
    let mut about = vec![rule.legal.describe().to_owned()];
    about.extend(
        finding
            .place
            .answer
            .at
            .map(|at| format!("arrived at {}", wording::format_duration(at.micros))),
    );
    about.extend(
        finding
            .place
            .response_field
            .as_ref()
            .map(|field| format!("field {field}")),
    );
    about.extend(
        finding
            .place
            .request
            .as_ref()
            .map(|place| format!("request {place}")),
    );
    writeln!(
        out,
        "  {word} {}  {}",
        rule.id,
        style.dim(&wording::escape_line(&about.join(", ")))
    )?;
    writeln!(
        out,
        "           {}",
        wording::escape_line(&wording::describe_finding(finding))
    )?;
    writeln!(out, "           source: {}", rule.source)?;
    for client in &rule.breaks {
        writeln!(out, "           breaks: {client}")?;
    }
    Ok(())
}

fn write_json(call: &LintedCall, out: &mut dyn Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct CallDoc<'a> {
        capture: &'a str,
        verdict: crate::chat::AnswerVerdict,
        explained: String,
        findings: Vec<FindingDoc<'a>>,
    }
    let document = CallDoc {
        capture: &call.name,
        verdict: call.verdict,
        explained: call.verdict.to_string(),
        findings: call.findings.iter().map(FindingDoc::new).collect(),
    };
    write_value(&document, out)
}

/// Writes a SARIF log (OASIS, Static Analysis Results Interchange Format 2.1.0).
fn write_sarif(calls: &[LintedCall], out: &mut dyn Write) -> io::Result<()> {
    let level = |severity| match severity {
        Severity::Info => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    };
    let mut used: Vec<&Rule> = Vec::new();
    let mut results = Vec::new();
    for call in calls {
        for finding in &call.findings {
            if !used.contains(&finding.rule) {
                used.push(finding.rule);
            }
            results.push(json!({
                "ruleId": finding.rule.id,
                "level": level(finding.severity),
                "message": { "text": wording::describe_finding(finding) },
                "locations": [{ "physicalLocation": { "artifactLocation": { "uri": call.name } } }],
                "properties": { "where": finding.place, "count": finding.count },
            }));
        }
    }
    let rules = used.iter().map(|rule| {
        json!({
            "id": rule.id,
            "shortDescription": { "text": rule.says },
            "fullDescription": { "text": rule.source },
            "defaultConfiguration": { "level": level(rule.severity) },
        })
    });
    let log = json!({
        "version": "2.1.0",
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "runs": [{
            "tool": { "driver": {
                "name": "wire",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules.collect::<Vec<_>>(),
            } },
            "results": results,
        }],
    });
    write_value(&log, out)
}

/// Writes a workflow command for each finding (GitHub, workflow commands: setting a warning message).
fn write_annotations(calls: &[LintedCall], out: &mut dyn Write) -> io::Result<()> {
    // The characters that these commands reserve.
    let quote = |text: &str| {
        text.replace('%', "%25")
            .replace('\r', "%0D")
            .replace('\n', "%0A")
    };
    let quote_property = |text: &str| quote(text).replace(':', "%3A").replace(',', "%2C");
    for call in calls {
        for finding in &call.findings {
            let command = match finding.severity {
                Severity::Info => "notice",
                severity => severity.name(),
            };
            let name = quote_property(&call.name);
            let text = wording::describe_finding(finding);
            let text = quote(&wording::escape_line(&text));
            writeln!(
                out,
                "::{command} file={name},title={}::{text}",
                finding.rule.id
            )?;
        }
    }
    Ok(())
}

/// Writes one rule: its words, source, right bytes, and the clients that break.
pub fn write_rule(rule: &Rule, style: &OutputStyle, out: &mut dyn Write) -> io::Result<()> {
    let word = style.paint(severity_style(rule.severity), rule.severity.name());
    writeln!(
        out,
        "{}  {}, {word}, {}",
        rule.id,
        rule.layer.name(),
        rule.legal.describe()
    )?;
    writeln!(out, "  says    {}", rule.says)?;
    writeln!(out, "  source  {}", rule.source)?;
    if !rule.right.is_empty() {
        writeln!(out, "  right   {}", rule.right)?;
    }
    for client in &rule.breaks {
        writeln!(out, "  breaks  {client}")?;
    }
    Ok(())
}

/// Writes a line for each rule.
pub fn write_rules(style: &OutputStyle, out: &mut dyn Write) -> io::Result<()> {
    let width = all_rules()
        .iter()
        .map(|rule| rule.id.len())
        .max()
        .unwrap_or(0);
    for rule in all_rules() {
        let word = format!("{:<8}", rule.severity.name());
        let word = style.paint(severity_style(rule.severity), &word);
        writeln!(
            out,
            "{:<8} {word} {:<width$}  {}",
            rule.layer.name(),
            rule.id,
            rule.says
        )?;
    }
    Ok(())
}

/// Writes each rule as a JSON object, one a line.
pub fn write_rules_json(out: &mut dyn Write) -> io::Result<()> {
    all_rules()
        .iter()
        .try_for_each(|rule| write_value(rule, out))
}
