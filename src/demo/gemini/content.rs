//! The response object: candidates with their parts, why they ended, what they cost
//! (<https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse>).

use serde_json::{Value, json};

use super::ask::GeminiAsk;
use super::head::object;
use crate::demo::thought::{self, Answer, Call, Finish, Thought};
use crate::demo::usage::Usage;
use crate::demo::{Context, flow, ids, models};

/// What was generated, for a plain reply and for a stream alike.
#[derive(Clone, Debug)]
pub(super) struct Content {
    id: String,
    model: String,
    pub(super) thoughts: Vec<Thought>,
    pub(super) usage: Usage,
    /// Whether the thinking is shown.
    pub(super) shown: bool,
    signature: String,
}

/// How many tokens an element of a stream brings.
const GROUP: usize = 8;

impl Content {
    pub(super) fn write(asked: &GeminiAsk, seen: Context) -> Self {
        let Answer { thoughts, usage } = thought::answer(&asked.ask, seen);
        let salt = thought::salt(seen);
        Self {
            id: ids::id("", salt, 22),
            model: asked.ask.model.clone(),
            thoughts,
            usage,
            shown: asked.shown,
            signature: ids::id("Ep2d", salt, 80),
        }
    }

    /// The object in one piece.
    pub(super) fn whole(&self) -> Value {
        if self.is_blocked() {
            return self.blocked();
        }
        let candidate = |(index, thought): (usize, &Thought)| {
            let mut parts = Vec::new();
            if self.shown && !thought.reasoning.is_empty() {
                parts.push(json!({"text": thought.reasoning.concat(), "thought": true}));
            }
            if !thought.text.is_empty() {
                parts.push(json!({"text": thought.text.concat()}));
            }
            parts.extend(thought.calls.iter().map(|call| self.call(call, thought)));
            candidate(index, parts, Some(thought))
        };
        let candidates = self.thoughts.iter().enumerate().map(candidate).collect();
        self.around(candidates, self.usage.said())
    }

    /// The elements of a stream, each with the tokens that it brings. Each tells all that was spent until
    /// then; the thinking is told from the first on.
    pub(super) fn elements(&self) -> Vec<(Value, usize)> {
        if self.is_blocked() {
            return vec![(self.blocked(), 0)];
        }
        let pieces = self.thoughts.iter().map(|thought| self.pieces(thought));
        let pieces = flow::in_turns(pieces.collect());
        let last = pieces.len().saturating_sub(1);
        let mut said = 0_u64;
        let element = |(at, (index, piece)): (usize, (usize, Piece))| {
            said = match at == last {
                true => self.usage.said(),
                false => said.saturating_add(piece.said),
            };
            let ending = self.thoughts.get(index).filter(|_| piece.ends);
            let candidates = vec![candidate(index, vec![piece.part], ending)];
            (self.around(candidates, said), piece.tokens)
        };
        pieces.into_iter().enumerate().map(element).collect()
    }

    /// How many tokens come before the first element, unseen.
    pub(super) fn unseen(&self) -> u64 {
        if self.shown { 0 } else { self.usage.reasoning }
    }

    fn pieces(&self, thought: &Thought) -> Vec<Piece> {
        let text = |(text, tokens): (String, usize)| Piece {
            part: json!({"text": text}),
            tokens,
            said: tokens as u64,
            ends: false,
        };
        let thinking = |(text, tokens): (String, usize)| Piece {
            part: json!({"text": text, "thought": true}),
            tokens,
            said: 0,
            ends: false,
        };
        let call = |call: &Call| Piece {
            part: self.call(call, thought),
            tokens: call.arguments.len(),
            said: call.tokens(),
            ends: false,
        };
        let end = Piece {
            part: json!({"text": ""}),
            tokens: 1,
            said: 0,
            ends: true,
        };
        let shown = if self.shown {
            thought.reasoning.as_slice()
        } else {
            &[]
        };
        // A text that grows repeats its element, which must not be the one that opens an array.
        let opens = models::big(&self.model).map(|_| text((String::new(), 0)));
        flow::grouped(shown, GROUP)
            .map(thinking)
            .chain(opens)
            .chain(flow::grouped(&thought.text, GROUP).map(text))
            .chain(thought.calls.iter().map(call))
            .chain(std::iter::once(end))
            .collect()
    }

    fn call(&self, call: &Call, thought: &Thought) -> Value {
        let function = json!({"name": call.name, "args": call.input});
        let signature = (!thought.reasoning.is_empty()).then(|| json!(self.signature));
        object([
            ("functionCall", Some(function)),
            ("thoughtSignature", signature),
        ])
    }

    /// Whether the prompt itself was refused: then there is no candidate.
    fn is_blocked(&self) -> bool {
        self.thoughts.iter().any(|thought| thought.refused)
    }

    fn blocked(&self) -> Value {
        let prompt = self.usage.prompt;
        json!({
            "promptFeedback": {"blockReason": "PROHIBITED_CONTENT"},
            "usageMetadata": {"promptTokenCount": prompt, "totalTokenCount": prompt},
            "modelVersion": self.model,
            "responseId": self.id,
        })
    }

    /// What stands around the candidates; `said` is how many tokens they have.
    fn around(&self, candidates: Vec<Value>, said: u64) -> Value {
        let Usage {
            prompt, reasoning, ..
        } = self.usage;
        let cached = Some(self.usage.cached()).filter(|cached| *cached > 0);
        let total = prompt.saturating_add(said).saturating_add(reasoning);
        let usage = object([
            ("promptTokenCount", Some(json!(prompt))),
            (
                "cachedContentTokenCount",
                cached.map(|cached| json!(cached)),
            ),
            ("candidatesTokenCount", Some(json!(said))),
            ("totalTokenCount", Some(json!(total))),
            (
                "promptTokensDetails",
                Some(json!([{"modality": "TEXT", "tokenCount": prompt}])),
            ),
            (
                "thoughtsTokenCount",
                (reasoning > 0).then(|| json!(reasoning)),
            ),
            ("serviceTier", Some(json!("standard"))),
        ]);
        json!({
            "candidates": candidates,
            "usageMetadata": usage,
            "modelVersion": self.model,
            "responseId": self.id,
        })
    }
}

/// A piece of a candidate, for one element.
struct Piece {
    part: Value,
    /// How many tokens it brings.
    tokens: usize,
    /// How many of them count for the candidate.
    said: u64,
    /// Whether it is the last one.
    ends: bool,
}

/// A candidate; with `ended`, why it did.
fn candidate(index: usize, parts: Vec<Value>, ended: Option<&Thought>) -> Value {
    let parts = (!parts.is_empty()).then_some(parts);
    let content = object([
        ("parts", parts.map(Value::Array)),
        ("role", Some(json!("model"))),
    ]);
    let reason = ended.map(reason);
    let rating = json!([{
        "category": "HARM_CATEGORY_DANGEROUS_CONTENT",
        "probability": "HIGH",
        "blocked": true,
    }]);
    object([
        ("content", Some(content)),
        ("finishReason", reason.map(|reason| json!(reason))),
        ("index", Some(json!(index))),
        (
            "safetyRatings",
            (reason == Some("SAFETY")).then_some(rating),
        ),
    ])
}

/// The `finishReason`; calls are an ordinary end here.
fn reason(thought: &Thought) -> &'static str {
    match thought.finish {
        Finish::Stop | Finish::Sequence(_) | Finish::Calls => "STOP",
        Finish::Length => "MAX_TOKENS",
        Finish::Filtered => "SAFETY",
    }
}
