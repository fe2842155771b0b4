//! Arrival times of the pieces of an answer: milestones, gaps between the pieces, and the speed of the output.
//!
//! Moments are those of the read that brought the last byte of the piece's event. Events of one read came at
//! one moment: they are counted as coalesced, and the gap before each but the first is zero.

use serde::Serialize;

use crate::chat::{AnswerDelta, Completion, DeltaKind, DeltaSink};
use crate::span::{Moment, Span};

/// Builds the timeline of an answer from its deltas.
#[derive(Clone, Debug, Default)]
pub struct TimelineBuilder {
    timeline: AnswerTimeline,
    /// Arrival time of each event with a piece of the answer, in microseconds.
    arrivals: Vec<u64>,
    /// Number, arrival time and span of the last such event.
    last_arrival: Option<(u64, Moment, Span)>,
    longest_stall: Option<ArrivalStall>,
    /// When the stream began, or the last piece or finish reason came.
    last_content: Option<Moment>,
}

/// Most arrival times kept for percentiles and the picture, 8 MB; of a longer answer, those of its beginning.
const MAX_ARRIVALS: usize = 1 << 20;

/// Arrival times of the milestones of an answer. `None`: it never came.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct AnswerTimeline {
    /// The first event was complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_event: Option<Moment>,
    /// First piece of reasoning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_reasoning: Option<Moment>,
    /// First piece of text, refusal or audio: the time to first token, TTFT.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_content: Option<Moment>,
    /// First piece of a tool call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_tool: Option<Moment>,
    /// Last piece of text, reasoning, refusal, audio or tool call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_content: Option<Moment>,
    /// The end mark.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub done: Option<Moment>,
    /// Number of events with such a piece. Not tokens: a server may put several into one event.
    pub content_events: u64,
    /// Number of them that came in the same read as the one before.
    pub coalesced: u64,
    /// Times between them, if there are at least two.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gaps: Option<ArrivalGaps>,
    /// The longest wait without a piece of the answer, from the first event or comment to the finish reason.
    #[serde(skip)]
    pub silence: Option<ArrivalStall>,
    /// Speed of the output, if its tokens and its duration are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speed: Option<OutputSpeed>,
    /// Arrival time of each content event, in microseconds; for the picture.
    #[serde(skip)]
    pub arrivals: Vec<u64>,
}

/// Times between neighbouring content events, in microseconds.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct ArrivalGaps {
    /// Number of gaps.
    pub count: u64,
    /// Median.
    pub p50: u64,
    /// 95th percentile.
    pub p95: u64,
    /// The longest gap.
    pub longest: ArrivalStall,
}

/// A wait between two content events.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct ArrivalStall {
    /// Duration in microseconds.
    pub micros: u64,
    /// Time at which it began.
    pub from: Moment,
    /// The number of the event that ended it, counted from zero over all events.
    pub event: u64,
    /// Span of the piece that ended it, in the decoded body.
    pub span: Span,
}

/// Speed of the output in tokens per second.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct OutputSpeed {
    /// Tokens per second.
    pub per_second: f64,
    /// Tokens that are counted: those of the usage, without reasoning that was not streamed.
    pub tokens: u64,
    /// Duration in microseconds.
    pub micros: u64,
    /// The stretch of time.
    pub over: SpeedBasis,
}

/// The time span over which a speed is measured.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SpeedBasis {
    /// From the first piece of a streamed answer to its last; the first token is not counted.
    Pieces,
    /// From the end of the request to the last byte of an answer that came whole.
    Whole,
}

impl DeltaSink for TimelineBuilder {
    fn delta(&mut self, delta: &AnswerDelta<'_>) {
        let seen = &mut self.timeline;
        let now = delta.moment;
        if !matches!(delta.kind, DeltaKind::Comment) {
            seen.first_event.get_or_insert(now);
        }
        let is_content =
            delta.kind.is_token() || matches!(delta.kind, DeltaKind::Finish | DeltaKind::Role);
        let before = *self.last_content.get_or_insert(now);
        if is_content {
            keep_longest(
                &mut seen.silence,
                ArrivalStall {
                    micros: now.micros_since(before),
                    from: before,
                    event: delta.event,
                    span: delta.whole,
                },
            );
            self.last_content = Some(now);
        }
        match delta.kind {
            DeltaKind::Reasoning => seen.first_reasoning.get_or_insert(now),
            DeltaKind::Text | DeltaKind::Refusal | DeltaKind::Audio | DeltaKind::Image => {
                seen.first_content.get_or_insert(now)
            }
            DeltaKind::ToolName { .. } | DeltaKind::ToolCall { .. } => {
                seen.first_tool.get_or_insert(now)
            }
            DeltaKind::Done => seen.done.get_or_insert(now),
            _ => return,
        };
        if delta.kind.is_token() {
            self.record_arrival(delta);
        }
    }
}

impl TimelineBuilder {
    fn record_arrival(&mut self, delta: &AnswerDelta<'_>) {
        let now = delta.moment;
        self.timeline.last_content = Some(now);
        // Pieces of one event are one arrival.
        if self
            .last_arrival
            .is_some_and(|(event, ..)| event == delta.event)
        {
            return;
        }
        if let Some((_, before, _)) = self.last_arrival {
            self.timeline.coalesced = self
                .timeline
                .coalesced
                .saturating_add(u64::from(before == now));
            keep_longest(
                &mut self.longest_stall,
                ArrivalStall {
                    micros: now.micros_since(before),
                    from: before,
                    event: delta.event,
                    span: delta.span,
                },
            );
        }
        self.last_arrival = Some((delta.event, now, delta.span));
        self.timeline.content_events = self.timeline.content_events.saturating_add(1);
        if self.arrivals.len() < MAX_ARRIVALS {
            self.arrivals.push(now.micros);
        }
    }

    /// The timeline of an answer that has ended. `sent`: when its request was out; `last_byte`: when the last
    /// byte of the response was there.
    pub fn finish(
        self,
        completion: &Completion,
        sent: Option<Moment>,
        last_byte: Option<Moment>,
    ) -> AnswerTimeline {
        let mut timeline = self.timeline;
        if !completion.is_streamed() {
            // An answer that was not streamed has no events.
            return AnswerTimeline {
                speed: whole_speed(completion, sent, last_byte),
                ..AnswerTimeline::default()
            };
        }
        timeline.gaps = self
            .longest_stall
            .map(|longest| measure_gaps(&self.arrivals, longest));
        timeline.speed = streamed_speed(completion, &timeline, &self.arrivals);
        timeline.arrivals = self.arrivals;
        timeline
    }
}

/// Replaces `known` by `stall` if that is longer.
fn keep_longest(known: &mut Option<ArrivalStall>, stall: ArrivalStall) {
    if known.is_none_or(|known| stall.micros > known.micros) {
        *known = Some(stall);
    }
}

fn measure_gaps(arrivals: &[u64], longest: ArrivalStall) -> ArrivalGaps {
    let pairs = arrivals.iter().zip(arrivals.iter().skip(1));
    let mut gaps: Vec<u64> = pairs
        .map(|(before, after)| after.saturating_sub(*before))
        .collect();
    gaps.sort_unstable();
    ArrivalGaps {
        count: gaps.len() as u64,
        p50: percentile(&gaps, 50),
        p95: percentile(&gaps, 95),
        longest,
    }
}

/// The percentile of sorted values by the nearest-rank method.
fn percentile(sorted: &[u64], percent: usize) -> u64 {
    let rank = sorted.len().saturating_mul(percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0)
}

fn streamed_speed(
    completion: &Completion,
    timeline: &AnswerTimeline,
    arrivals: &[u64],
) -> Option<OutputSpeed> {
    let usage = completion.usage.as_ref()?;
    let hidden = match timeline.first_reasoning {
        Some(_) => 0,
        None => usage.reasoning.unwrap_or(0),
    };
    let first = Moment::from_micros(*arrivals.first()?);
    let tokens = usage.output?.saturating_sub(hidden).saturating_sub(1);
    compute_speed(
        tokens,
        timeline.last_content?.micros_since(first),
        SpeedBasis::Pieces,
    )
}

fn whole_speed(
    completion: &Completion,
    sent: Option<Moment>,
    last_byte: Option<Moment>,
) -> Option<OutputSpeed> {
    let tokens = completion.usage.as_ref()?.output?;
    compute_speed(tokens, last_byte?.micros_since(sent?), SpeedBasis::Whole)
}

fn compute_speed(tokens: u64, micros: u64, over: SpeedBasis) -> Option<OutputSpeed> {
    if tokens == 0 || micros == 0 {
        return None;
    }
    Some(OutputSpeed {
        per_second: tokens as f64 * 1e6 / micros as f64,
        tokens,
        micros,
        over,
    })
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::chat::{BodyMediaType, TokenUsage};

    fn delta(kind: DeltaKind, event: u64, micros: u64) -> AnswerDelta<'static> {
        AnswerDelta {
            choice: 0,
            kind,
            text: Cow::Borrowed("x"),
            span: Span::empty_at(event),
            whole: Span::empty_at(event),
            event,
            begun: Moment::from_micros(micros),
            moment: Moment::from_micros(micros),
        }
    }

    #[test]
    fn milestones_gaps_and_speed() {
        let mut builder = TimelineBuilder::default();
        let pieces = [
            (DeltaKind::Comment, 0, 5),
            (DeltaKind::Role, 1, 10),
            (DeltaKind::Reasoning, 2, 20),
            (DeltaKind::Text, 3, 30),
            (DeltaKind::Text, 3, 30),
            (DeltaKind::Text, 4, 30),
            (DeltaKind::Text, 5, 130),
            (DeltaKind::Finish, 6, 140),
            (DeltaKind::Done, 7, 150),
        ];
        for (kind, event, micros) in pieces {
            builder.delta(&delta(kind, event, micros));
        }
        let completion = Completion {
            media: BodyMediaType::Sse,
            usage: Some(TokenUsage {
                output: Some(12),
                reasoning: Some(3),
                ..TokenUsage::default()
            }),
            ..Completion::default()
        };
        let timeline = builder.finish(&completion, None, None);
        let at = |micros| Some(Moment::from_micros(micros));
        assert_eq!(timeline.first_event, at(10));
        assert_eq!(timeline.first_reasoning, at(20));
        assert_eq!(timeline.first_content, at(30));
        assert_eq!(timeline.first_tool, None);
        assert_eq!(timeline.last_content, at(130));
        assert_eq!(timeline.done, at(150));
        assert_eq!((timeline.content_events, timeline.coalesced), (4, 1));
        let gaps = timeline.gaps.unwrap();
        assert_eq!((gaps.count, gaps.p50, gaps.p95), (3, 10, 100));
        assert_eq!((gaps.longest.micros, gaps.longest.event), (100, 5));
        let speed = timeline.speed.unwrap();
        assert_eq!(
            (speed.tokens, speed.micros, speed.over),
            (11, 110, SpeedBasis::Pieces)
        );
    }

    #[test]
    fn percentiles_are_nearest_ranks() {
        assert_eq!(percentile(&[], 50), 0);
        assert_eq!(percentile(&[7], 95), 7);
        let hundred: Vec<u64> = (1..=100).collect();
        assert_eq!(percentile(&hundred, 50), 50);
        assert_eq!(percentile(&hundred, 95), 95);
    }
}
