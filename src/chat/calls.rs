//! Joins the pieces of tool calls: by number, by id, by name, in this order.

use std::borrow::Cow;

use super::completion::{Arguments, ToolCall};
use super::delta::DeltaKind;
use super::gather::{Gather, filled};
use crate::json::{JsonKind, JsonValue};

/// How many are kept of a choice: no real answer has as many, and memory must stay bounded.
const CALLS: usize = 4096;

/// By what a piece of a tool call is joined to the others.
#[derive(Clone, Copy, Default)]
pub(super) struct Mark<'a> {
    /// Its number.
    pub(super) index: Option<u64>,
    /// Its id, a string.
    pub(super) id: Option<JsonValue<'a>>,
    /// Which tool, a string.
    pub(super) name: Option<JsonValue<'a>>,
    /// Whether the provider runs it.
    pub(super) hosted: bool,
    /// Whether its arguments are text, not JSON.
    pub(super) is_text: bool,
}

impl Gather<'_> {
    /// The tool call that a piece belongs to: by its number, else by its id, else a new one if it has a name,
    /// else the last. Id and name are those told first.
    pub(super) fn call(&mut self, choice: u32, mark: Mark<'_>) -> usize {
        let calls = &mut self.choice(choice).tool_calls;
        let found = match (mark.index, mark.id.and_then(filled)) {
            (Some(index), _) => calls.iter().position(|call| call.index == index),
            (None, Some(id)) => calls
                .iter()
                .position(|call| call.id.as_deref() == Some(&*id)),
            (None, None) if mark.name.and_then(filled).is_some() => None,
            (None, None) => calls.len().checked_sub(1),
        };
        let at = match found {
            Some(at) => at,
            None if calls.len() < CALLS => {
                let next = calls.last().map_or(0, |last| last.index.saturating_add(1));
                calls.push(ToolCall {
                    index: mark.index.unwrap_or(next),
                    hosted: mark.hosted,
                    ..ToolCall::default()
                });
                calls.len().saturating_sub(1)
            }
            None => calls.len().saturating_sub(1),
        };
        self.identify(choice, at, mark);
        at
    }

    fn identify(&mut self, choice: u32, at: usize, mark: Mark<'_>) {
        let Some(call) = self.choice(choice).tool_calls.get_mut(at) else {
            return;
        };
        if mark.is_text {
            call.check = Arguments::Text;
        }
        if call.id.is_none() {
            call.id = mark.id.and_then(filled).map(Cow::into_owned);
        }
        let index = call.index;
        let Some(name) = mark.name.filter(|_| call.name.is_empty()) else {
            return;
        };
        let Some(text) = filled(name) else { return };
        call.name = text.clone().into_owned();
        let span = self.span(name);
        self.tell(choice, DeltaKind::ToolName { index }, text, span);
    }

    /// A piece of a call whose tool is told by `function`: its name, and its arguments, or the input of a tool that
    /// takes text.
    pub(super) fn function(&mut self, choice: u32, mark: Mark<'_>, function: JsonValue<'_>) {
        let name = function.get("name");
        let at = self.call(choice, Mark { name, ..mark });
        let arguments = function.get("arguments");
        if let Some(arguments) = arguments.or_else(|| function.get("input")) {
            self.arguments(choice, at, arguments);
        }
    }

    /// A piece of arguments: the text of a string, or any other value as it is written.
    pub(super) fn arguments(&mut self, choice: u32, at: usize, value: JsonValue<'_>) {
        let piece = match value.kind() {
            JsonKind::Null => return,
            JsonKind::String => value.as_str().unwrap_or_default(),
            _ => String::from_utf8_lossy(value.raw()),
        };
        let keep = self.keep;
        let Some(call) = self.choice(choice).tool_calls.get_mut(at) else {
            return;
        };
        keep.append(&mut call.arguments, call.argument_bytes, &piece);
        call.argument_bytes = call.argument_bytes.saturating_add(piece.len() as u64);
        let index = call.index;
        self.piece(choice, DeltaKind::ToolCall { index }, piece, value);
    }
}
