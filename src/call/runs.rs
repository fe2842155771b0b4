//! The runs of one request at several targets: figures for each run, medians and ranges for each target.

use serde::Serialize;

use super::Call;
use crate::call::meaning::{CallMeaning, CostEstimate};
use crate::chat::ToolArgumentCheck;
use crate::exchange::phases::ExchangeMilestones;
use crate::price::Money;

/// The figures of one run of a request: status, times, tokens, cost, how it ended.
#[derive(Clone, Debug, Default, Serialize)]
pub struct TargetRun {
    /// The model that answered, or else the model that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Status code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// How the answer ended, in words.
    pub verdict: String,
    /// From the end of the request to the first piece of text, in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_content: Option<u64>,
    /// From the end of the request to the last byte, in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// Input tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<u64>,
    /// Output tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<u64>,
    /// Output tokens a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speed: Option<f64>,
    /// Cost by the price table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<Money>,
    /// Why the first choice stopped, in the provider's word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finish: Option<String>,
    /// Tool calls, and how many of them have arguments that can be read.
    pub calls: ToolCallCount,
    /// Text, refusals and tool calls of the answer; used to compare answers.
    #[serde(skip)]
    pub answer: String,
    /// Whether the answer is complete.
    #[serde(skip)]
    pub whole: bool,
    /// The file of the capture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capture: Option<String>,
}

/// Number of tool calls in one answer.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct ToolCallCount {
    /// All tool calls.
    pub all: u64,
    /// Tool calls whose arguments are valid JSON.
    pub valid: u64,
}

/// All runs of one target.
#[derive(Clone, Debug, Serialize)]
pub struct TargetRuns {
    /// The target as the user wrote it: `openai:gpt-4o`.
    pub target: String,
    /// The runs, in order.
    pub trials: Vec<TargetRun>,
    /// Number of different answers.
    pub answers: u64,
    /// Medians and ranges.
    pub spread: RunStats,
}

/// Medians and ranges over the complete answers with a status below 400.
#[derive(Clone, Debug, Default, Serialize)]
pub struct RunStats {
    /// Number of complete answers with a status below 400.
    pub answered: u64,
    /// Microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_content: Option<MedianRange>,
    /// Microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<MedianRange>,
    /// Output tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<MedianRange>,
    /// Output tokens a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speed: Option<MedianRange>,
}

/// Median, smallest and largest of some numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct MedianRange {
    /// The median; of an even count, the mean of the middle two.
    pub median: f64,
    /// The smallest number.
    pub least: f64,
    /// The largest number.
    pub most: f64,
}

impl TargetRun {
    /// Takes the figures of a run from its call.
    pub fn from_call(call: &Call) -> Self {
        let milestones = ExchangeMilestones::from_exchange(&call.exchange);
        let sent = milestones.sent.unwrap_or_default();
        let since =
            |moment: Option<crate::span::Moment>| moment.map(|moment| moment.micros_since(sent));
        let report = &call.meaning;
        let completion = &report.completion;
        let usage = completion.usage.as_ref();
        let model = completion.served_model.clone();
        let first = completion.choices.first();
        Self {
            model: model.or_else(|| completion.asked_model.clone()),
            status: call.exchange.response.status(),
            verdict: completion.verdict.to_string(),
            first_content: since(report.timeline.first_content.or(report.timeline.first_tool)),
            total: since(milestones.last_byte),
            input: usage.and_then(|usage| usage.input),
            output: usage.and_then(|usage| usage.output),
            speed: report.timeline.speed.as_ref().map(|speed| speed.per_second),
            cost: match &report.cost {
                CostEstimate::Known { cost, .. } => Some(cost.total),
                CostEstimate::UnknownModel(_) | CostEstimate::NotCounted => None,
            },
            finish: first.and_then(|choice| Some(choice.finish.as_ref()?.named.clone())),
            calls: count_tool_calls(report),
            answer: answer_text(report),
            whole: call.exchange.outcome().is_whole() && call.is_complete(),
            capture: None,
        }
    }

    /// Whether the answer is complete and its status is below 400.
    pub fn is_answered(&self) -> bool {
        self.whole && self.status.is_some_and(|status| status < 400)
    }
}

fn count_tool_calls(report: &CallMeaning) -> ToolCallCount {
    let choices = report.completion.choices.iter();
    let calls = choices.flat_map(|choice| &choice.tool_calls);
    let broken = |check: &ToolArgumentCheck| matches!(check, ToolArgumentCheck::Broken { .. });
    calls.fold(ToolCallCount::default(), |calls, call| ToolCallCount {
        all: calls.all.saturating_add(1),
        valid: calls.valid.saturating_add(u64::from(!broken(&call.check))),
    })
}

fn answer_text(report: &CallMeaning) -> String {
    let mut answer = String::new();
    for choice in &report.completion.choices {
        answer.push_str(&choice.text);
        answer.push('\0');
        answer.push_str(choice.refusal.as_deref().unwrap_or_default());
        for call in &choice.tool_calls {
            answer.push('\0');
            answer.push_str(&call.name);
            answer.push('\0');
            answer.push_str(&call.arguments);
        }
        answer.push('\0');
    }
    answer
}

impl TargetRuns {
    /// Counts different answers and computes the medians of one target.
    pub fn new(target: String, trials: Vec<TargetRun>) -> Self {
        let answered = || trials.iter().filter(|trial| trial.is_answered());
        let mut answers: Vec<_> = answered().map(|trial| &trial.answer).collect();
        answers.sort_unstable();
        answers.dedup();
        let micros = |of: fn(&TargetRun) -> Option<u64>| {
            MedianRange::from_numbers(answered().filter_map(of).map(|number| number as f64))
        };
        Self {
            target,
            answers: answers.len() as u64,
            spread: RunStats {
                answered: answered().count() as u64,
                first_content: micros(|trial| trial.first_content),
                total: micros(|trial| trial.total),
                output: micros(|trial| trial.output),
                speed: MedianRange::from_numbers(answered().filter_map(|trial| trial.speed)),
            },
            trials,
        }
    }
}

impl MedianRange {
    /// Median, smallest and largest of `numbers`; `None` for no numbers.
    pub fn from_numbers(numbers: impl Iterator<Item = f64>) -> Option<Self> {
        let mut numbers: Vec<_> = numbers.collect();
        numbers.sort_by(f64::total_cmp);
        let half = numbers.len().div_euclid(2);
        let upper = *numbers.get(half)?;
        let median = match numbers.len().is_multiple_of(2) {
            true => numbers.get(half.checked_sub(1)?)?.midpoint(upper),
            false => upper,
        };
        Some(Self {
            median,
            least: *numbers.first()?,
            most: *numbers.last()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_count_is_the_mean_of_the_middle_two() {
        let of = |numbers: &[f64]| MedianRange::from_numbers(numbers.iter().copied());
        let stat = |median, least, most| {
            Some(MedianRange {
                median,
                least,
                most,
            })
        };
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[3.0]), stat(3.0, 3.0, 3.0));
        assert_eq!(of(&[3.0, 1.0, 2.0]), stat(2.0, 1.0, 3.0));
        assert_eq!(of(&[4.0, 1.0, 2.0, 3.0]), stat(2.5, 1.0, 4.0));
    }

    #[test]
    fn different_answers_are_counted_without_errors_and_broken_ones() {
        let trial = |status, answer: &str| TargetRun {
            status: Some(status),
            answer: answer.to_owned(),
            whole: true,
            total: Some(10),
            ..TargetRun::default()
        };
        let all = vec![
            trial(200, "a"),
            trial(200, "a"),
            trial(200, "b"),
            trial(429, ""),
            TargetRun {
                whole: false,
                ..trial(200, "broken o")
            },
        ];
        let trials = TargetRuns::new("x".to_owned(), all);
        assert_eq!((trials.answers, trials.spread.answered), (2, 3));
        assert_eq!(trials.spread.speed, None);
    }
}
