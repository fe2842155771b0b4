//! Joins the pieces of tool calls by index, by id or by name, in this order.

use std::borrow::Cow;

use super::builder::AnswerBuilder;
use super::completion::{ToolArgumentCheck, ToolCall};
use super::delta::DeltaKind;
use super::members::non_empty_str;
use crate::json::{JsonKind, JsonValue};

/// Most tool calls kept for one choice: no real answer has as many, and memory must stay bounded.
const MAX_TOOL_CALLS: usize = 4096;

/// Identifies the tool call that a piece belongs to.
#[derive(Clone, Copy, Default)]
pub(super) struct ToolCallKey<'a> {
    /// Index of the call in its choice.
    pub(super) index: Option<u64>,
    /// Id of the call, a JSON string.
    pub(super) id: Option<JsonValue<'a>>,
    /// Name of the tool, a JSON string.
    pub(super) name: Option<JsonValue<'a>>,
    /// Whether the provider runs the tool.
    pub(super) hosted: bool,
    /// Whether the arguments are text, not JSON.
    pub(super) takes_text: bool,
}

impl AnswerBuilder<'_> {
    /// Finds the tool call that a piece belongs to: by index, else by id, else a new call if the piece has a name,
    /// else the last call. The first id and name count.
    pub(super) fn find_or_add_call(&mut self, choice: u32, mark: ToolCallKey<'_>) -> usize {
        let calls = &mut self.choice_mut(choice).tool_calls;
        let found = match (mark.index, mark.id.and_then(non_empty_str)) {
            (Some(index), _) => calls.iter().position(|call| call.index == index),
            (None, Some(id)) => calls
                .iter()
                .position(|call| call.id.as_deref() == Some(&*id)),
            (None, None) if mark.name.and_then(non_empty_str).is_some() => None,
            (None, None) => calls.len().checked_sub(1),
        };
        let at = match found {
            Some(at) => at,
            None if calls.len() < MAX_TOOL_CALLS => {
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
        self.set_call_identity(choice, at, mark);
        at
    }

    fn set_call_identity(&mut self, choice: u32, at: usize, mark: ToolCallKey<'_>) {
        let id_place = mark.id.map(|id| self.place_of(id));
        let Some(call) = self.choice_mut(choice).tool_calls.get_mut(at) else {
            return;
        };
        if mark.takes_text {
            call.check = ToolArgumentCheck::Text;
        }
        if call.id.is_none() {
            call.id_place = id_place.or(call.id_place);
            call.id = mark.id.and_then(non_empty_str).map(Cow::into_owned);
        }
        let index = call.index;
        let Some(name) = mark.name.filter(|_| call.name.is_empty()) else {
            return;
        };
        let Some(text) = non_empty_str(name) else {
            return;
        };
        call.name = text.clone().into_owned();
        let place = self.place_of(name);
        if let Some(call) = self.choice_mut(choice).tool_calls.get_mut(at) {
            call.place = place;
        }
        let span = self.value_span(name);
        self.emit(choice, DeltaKind::ToolName { index }, text, span);
    }

    /// Adds a piece of a call that has a `function` member: name and arguments, or the input of a tool that
    /// takes text.
    pub(super) fn push_function(
        &mut self,
        choice: u32,
        mark: ToolCallKey<'_>,
        function: JsonValue<'_>,
    ) {
        let name = function.get("name");
        let at = self.find_or_add_call(choice, ToolCallKey { name, ..mark });
        let arguments = function.get("arguments");
        if let Some(arguments) = arguments.or_else(|| function.get("input")) {
            self.push_arguments(choice, at, arguments);
        }
    }

    /// Adds a piece of arguments: the text of a string, or any other value as it is written.
    pub(super) fn push_arguments(&mut self, choice: u32, at: usize, value: JsonValue<'_>) {
        let piece = match value.kind() {
            JsonKind::Null => return,
            JsonKind::String => value.as_str().unwrap_or_default(),
            _ => String::from_utf8_lossy(value.raw()),
        };
        let keep = self.retention;
        let Some(call) = self.choice_mut(choice).tool_calls.get_mut(at) else {
            return;
        };
        keep.append(&mut call.arguments, call.argument_bytes, &piece);
        call.argument_bytes = call.argument_bytes.saturating_add(piece.len() as u64);
        let index = call.index;
        self.emit_piece(choice, DeltaKind::ToolCall { index }, piece, value);
    }
}
