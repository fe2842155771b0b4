//! Facts about a dialect that are asked after its answer was read: by checks, retry advice and the comparison of prompts.
//! They are apart from the trait `Dialect` because a `Completion` refers to them, and the trait's methods fill it.

use serde::{Serialize, Serializer};

use super::note::Severity;
use super::prompt_order::PromptOrder;
use crate::sdk::SdkFamily;

/// Facts about a dialect. Equality is by name.
#[derive(Debug)]
pub struct DialectProfile {
    /// Name of the dialect, stable: `openai-chat`.
    pub name: &'static str,
    /// Ends of request paths that show the dialect, each with the reason in words.
    pub(super) paths: &'static [(&'static str, &'static str)],
    /// The only provider of this dialect, for hosts that do not show one.
    pub provider: Option<&'static str>,
    /// SDKs that speak it.
    pub sdk_family: SdkFamily,
    /// The mark that ends a stream.
    pub(super) end_signal: EndSignal,
    /// Whether a JSON array is a stream of its items.
    pub(super) streams_arrays: bool,
    /// Whether answers are JSON lines unless the request has `"stream": false`.
    pub(super) streams_lines: bool,
    /// Whether the body is a file, whole in any format: an error in it is no error of the call.
    pub(super) is_file: bool,
    /// How events are named.
    pub(super) event_naming: EventNaming,
    /// Whether a reported error is a JSON object, never a string or an array.
    pub(super) errors_are_objects: bool,
    /// Whether every tool call has an id.
    pub(super) calls_have_ids: bool,
    /// Whether the finish reason of an answer with tool calls says so.
    pub finish_names_calls: bool,
    /// Whether a tool call without arguments means the empty object.
    pub(super) omits_empty_arguments: bool,
    /// Whether a stream counts tokens only if the request has `stream_options.include_usage`.
    pub counts_on_request: bool,
    /// Whether only prefixes that the request marks are cached.
    pub caches_marked_only: bool,
    /// Orders in which prompts are put together for the cache; the first that fits the provider counts.
    pub prompt_orders: &'static [PromptOrder],
    /// What a change of a request member does to the cache: JSON Pointer, note.
    pub cache_notes: &'static [(&'static str, &'static str)],
}

impl DialectProfile {
    /// The profile that a dialect fills in: an end event, the SDKs of OpenAI, nothing special.
    pub(super) const BASE: Self = Self {
        name: "",
        paths: &[],
        provider: None,
        sdk_family: SdkFamily::OpenAi,
        end_signal: EndSignal::LastEvent,
        streams_arrays: false,
        streams_lines: false,
        is_file: false,
        event_naming: EventNaming::Free,
        errors_are_objects: false,
        calls_have_ids: false,
        finish_names_calls: false,
        omits_empty_arguments: false,
        counts_on_request: false,
        caches_marked_only: false,
        prompt_orders: &[],
        cache_notes: &[],
    };
}

impl PartialEq for DialectProfile {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Serialize for DialectProfile {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.name)
    }
}

/// How the events of a dialect are named.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum EventNaming {
    /// Events have no name.
    Unnamed,
    /// The name is the `type` in the data.
    ByType {
        /// How serious an event without a name is.
        when_missing: Severity,
    },
    /// Events may have a name.
    Free,
}

/// The mark that ends an answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum EndSignal {
    /// `[DONE]` after the finish reasons.
    DoneMark,
    /// A last event of its own: `message_stop`, `response.completed`, `"done":true`.
    LastEvent,
    /// A finish reason in every choice, and nothing more.
    AllFinished,
    /// The end of the body: there is no finish reason.
    BodyEnd,
}
