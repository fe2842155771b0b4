//! What keys a cache, or routes to one, without being a part of the prompt: each fact only where it differs.

use std::borrow::Cow;

use serde::Serialize;

use super::value_digest::{ValueRole, digest};
use crate::call::Call;
use crate::chat::ExchangeHeads;
use crate::diff::DiffInput;
use crate::json::{JsonDocument, JsonValue};
use crate::span::StreamSide;
use crate::tape::ConnectionFact;

/// A fact that differs.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct CacheKeyChange {
    /// What: a JSON Pointer of the body, the name of a field, `host`, `key`.
    pub name: String,
    /// On the left; absent where left does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left: Option<String>,
    /// On the right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub right: Option<String>,
    /// What the API's documents say of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<&'static str>,
}

/// What the model is called there.
pub(super) const MODEL_NAME: &str = "model";

/// A member of the body that is looked at.
struct CacheKeyMember {
    path: &'static [&'static str],
    /// By dialect, what a change does; the empty dialect is every one.
    notes: &'static [(&'static str, &'static str)],
}

const fn member(
    place: &'static [&'static str],
    notes: &'static [(&'static str, &'static str)],
) -> CacheKeyMember {
    CacheKeyMember { path: place, notes }
}

const ANTHROPIC_MESSAGES: &str = "anthropic-messages";

/// <https://platform.claude.com/docs/en/build-with-claude/prompt-caching#what-invalidates-the-cache>
const MESSAGES_DROPPED: &str = "documented: tools and system stay cached, messages do not";
const THINKING_DROPS: &str = "documented: messages fall out, on some models tools and system too";
const SYSTEM_DROPPED: &str = "documented: tools stay cached, system and messages do not";

/// <https://developers.openai.com/api/docs/guides/prompt-caching>
const ROUTES_REQUEST: &str = "documented: routes to the machine that has the cache";
const BREAKPOINTS: &str = "documented: says where entries end and how long they live";

/// The members that are looked at, in the order in which they are told.
const CACHE_KEY_MEMBERS: &[CacheKeyMember] = &[
    member(&["tool_choice"], &[(ANTHROPIC_MESSAGES, MESSAGES_DROPPED)]),
    member(&["parallel_tool_calls"], &[]),
    member(&["thinking"], &[(ANTHROPIC_MESSAGES, THINKING_DROPS)]),
    member(
        &["output_config", "effort"],
        &[(ANTHROPIC_MESSAGES, THINKING_DROPS)],
    ),
    member(&["output_config", "format"], &[]),
    member(&["output_format"], &[]),
    member(&["speed"], &[(ANTHROPIC_MESSAGES, SYSTEM_DROPPED)]),
    member(&["reasoning"], &[]),
    member(&["reasoning_effort"], &[]),
    member(&["think"], &[]),
    member(&["generationConfig", "thinkingConfig"], &[]),
    member(&["generationConfig", "responseSchema"], &[]),
    member(&["generationConfig", "responseJsonSchema"], &[]),
    member(&["toolConfig"], &[]),
    member(&["format"], &[]),
    member(&["chat_template_kwargs"], &[]),
    member(&["prompt_cache_key"], &[("", ROUTES_REQUEST)]),
    member(&["prompt_cache_options"], &[("", BREAKPOINTS)]),
    member(&["prompt_cache_retention"], &[]),
    member(&["cache_control"], &[]),
    member(&["service_tier"], &[]),
    member(
        &["previous_response_id"],
        &[(
            "",
            "the server puts earlier turns before the input: these bytes do not show them",
        )],
    ),
    member(
        &["conversation"],
        &[(
            "",
            "the server puts earlier turns before the input: these bytes do not show them",
        )],
    ),
    member(
        &["prompt"],
        &[(
            "openai-responses",
            "the server puts a stored prompt first: these bytes do not show it",
        )],
    ),
    member(&["keep_alive"], &[]),
    member(&["options", "num_ctx"], &[]),
    member(&["id_slot"], &[]),
    member(&["cache_prompt"], &[]),
];

/// Fields of the request that are looked at.
const CACHE_KEY_FIELDS: &[&str] = &[
    "anthropic-version",
    "anthropic-beta",
    "openai-organization",
    "openai-project",
    "openai-beta",
    "x-goog-user-project",
];

/// What differs, members of the body first.
pub(super) fn compare(
    [left, right]: [&DiffInput; 2],
    documents: [Option<&JsonDocument<'_>>; 2],
    dialects: [Option<&str>; 2],
) -> Vec<CacheKeyChange> {
    let mut found = Vec::new();
    let mut put = |name: &str, [left, right]: [Option<String>; 2], note| {
        if left != right {
            found.push(CacheKeyChange {
                name: name.to_owned(),
                left,
                right,
                note,
            });
        }
    };
    put(
        "dialect",
        dialects.map(|name| name.map(str::to_owned)),
        None,
    );
    let roots = documents.map(|document| document.map(JsonDocument::root));
    let models = [
        requested_model(left, roots[0]),
        requested_model(right, roots[1]),
    ];
    put(MODEL_NAME, models, Some("a cache belongs to one model"));
    for member in CACHE_KEY_MEMBERS {
        let values = [
            value_at(roots[0], member.path),
            value_at(roots[1], member.path),
        ];
        let says = values.map(|value| value.map(|value| digest(value, ValueRole::Other)));
        if says[0] != says[1] {
            let raw = |value: JsonValue<'_>| String::from_utf8_lossy(value.raw()).into_owned();
            let dialect = dialects[1].unwrap_or_default();
            let mut notes = member.notes.iter();
            let note = notes.find(|(of, _)| of.is_empty() || *of == dialect);
            let name = format!("/{}", member.path.join("/"));
            put(
                &name,
                values.map(|value| value.map(raw)),
                note.map(|(_, note)| *note),
            );
        }
    }
    // A request file has no head: nothing is said of what only the other side has.
    if let (Some(left), Some(right)) = (left.call(), right.call()) {
        for name in CACHE_KEY_FIELDS {
            put(
                name,
                [field_value(left, name), field_value(right, name)],
                None,
            );
        }
        put(
            "host",
            [request_host(left), request_host(right)],
            Some("caches are not shared"),
        );
        put(
            "key",
            [key_fingerprint(left), key_fingerprint(right)],
            Some("by fingerprint; caches are not shared between organizations"),
        );
    }
    found
}

fn value_at<'a>(root: Option<JsonValue<'a>>, place: &[&str]) -> Option<JsonValue<'a>> {
    let mut value = root?;
    for step in place {
        value = value.get(step)?;
    }
    Some(value)
}

/// The model that a request asks for, in its body or its path.
pub(super) fn requested_model(subject: &DiffInput, root: Option<JsonValue<'_>>) -> Option<String> {
    let in_body = root
        .and_then(|root| root.get("model"))
        .and_then(JsonValue::as_str);
    let asked = || subject.call()?.meaning.completion.asked_model.clone();
    in_body.map(Cow::into_owned).or_else(asked)
}

fn field_value(answered: &Call, name: &str) -> Option<String> {
    let value = answered.exchange.request.head.get(name)?;
    Some(String::from_utf8_lossy(&value).into_owned())
}

fn request_host(answered: &Call) -> Option<String> {
    Some(ExchangeHeads::from_exchange(&answered.exchange).host).filter(|host| !host.is_empty())
}

/// The fingerprint of the secret that the request was sent with.
fn key_fingerprint(answered: &Call) -> Option<String> {
    answered.tape.facts.iter().find_map(|(_, fact)| match fact {
        ConnectionFact::Redacted {
            side: StreamSide::Sent,
            fingerprint,
            ..
        } if !fingerprint.is_empty() => Some(fingerprint.clone()),
        _ => None,
    })
}
