//! Facts outside the prompt that select a cache or invalidate it (model, host, key, parameters), where they differ.

use std::borrow::Cow;

use serde::Serialize;

use super::value_digest::{ValueRole, digest};
use crate::call::Call;
use crate::chat::{DialectProfile, ExchangeHeads};
use crate::diff::DiffInput;
use crate::json::{JsonDocument, JsonValue};
use crate::span::StreamSide;
use crate::tape::ConnectionFact;

/// A fact outside the prompt that differs between two requests and affects the cache.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct CacheKeyChange {
    /// Name of the fact: a JSON Pointer into the body, a field name, `model`, `host`, `key`.
    pub name: String,
    /// Value on the left, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left: Option<String>,
    /// Value on the right, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub right: Option<String>,
    /// Effect on the cache by the API's documents.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<&'static str>,
}

/// The name of the fact that is the model.
pub(super) const MODEL_NAME: &str = "model";

/// The member that names the response that a request continues.
pub(super) const PREVIOUS_RESPONSE: &str = "/previous_response_id";

/// <https://developers.openai.com/api/docs/guides/prompt-caching>
const ROUTES_REQUEST: &str = "documented: routes to the machine that has the cache";
const BREAKPOINTS: &str = "documented: says where entries end and how long they live";
const EARLIER_TURNS: &str =
    "the server puts earlier turns before the input: these bytes do not show them";

/// Members of the body that are compared, in the order in which they are reported: JSON Pointer, and what a change does
/// in every dialect that has the member. [`DialectProfile::cache_notes`] has what it does in one.
const CACHE_KEY_MEMBERS: &[(&str, Option<&str>)] = &[
    ("/tool_choice", None),
    ("/parallel_tool_calls", None),
    ("/thinking", None),
    ("/output_config/effort", None),
    ("/output_config/format", None),
    ("/output_format", None),
    ("/speed", None),
    ("/reasoning", None),
    ("/reasoning_effort", None),
    ("/think", None),
    ("/generationConfig/thinkingConfig", None),
    ("/generationConfig/responseSchema", None),
    ("/generationConfig/responseJsonSchema", None),
    ("/toolConfig", None),
    ("/format", None),
    ("/chat_template_kwargs", None),
    ("/prompt_cache_key", Some(ROUTES_REQUEST)),
    ("/prompt_cache_options", Some(BREAKPOINTS)),
    ("/prompt_cache_retention", None),
    ("/cache_control", None),
    ("/service_tier", None),
    (PREVIOUS_RESPONSE, Some(EARLIER_TURNS)),
    ("/conversation", Some(EARLIER_TURNS)),
    ("/prompt", None),
    ("/keep_alive", None),
    ("/options/num_ctx", None),
    ("/id_slot", None),
    ("/cache_prompt", None),
];

/// Header fields of the request that are compared.
const CACHE_KEY_FIELDS: &[&str] = &[
    "anthropic-version",
    "anthropic-beta",
    "openai-organization",
    "openai-project",
    "openai-beta",
    "x-goog-user-project",
];

/// Returns the facts outside the prompt that differ, members of the body first.
pub(super) fn compare(
    [left, right]: [&DiffInput; 2],
    documents: [Option<&JsonDocument<'_>>; 2],
    dialects: [Option<&'static DialectProfile>; 2],
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
    let names = dialects.map(|dialect| dialect.map(|dialect| dialect.name.to_owned()));
    put("dialect", names, None);
    let roots = documents.map(|document| document.map(JsonDocument::root));
    let models = [
        requested_model(left, roots[0]),
        requested_model(right, roots[1]),
    ];
    put(MODEL_NAME, models, Some("a cache belongs to one model"));
    for (pointer, note) in CACHE_KEY_MEMBERS {
        let values = roots.map(|root| value_at(root?, pointer));
        let says = values.map(|value| value.map(|value| digest(value, ValueRole::Other)));
        if says[0] != says[1] {
            let raw = |value: JsonValue<'_>| String::from_utf8_lossy(value.raw()).into_owned();
            let notes = dialects[1].map_or(&[][..], |dialect| dialect.cache_notes);
            let own = notes.iter().find(|(of, _)| of == pointer);
            let note = own.map(|(_, note)| *note).or(*note);
            put(pointer, values.map(|value| value.map(raw)), note);
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

/// The value at a JSON Pointer of plain keys.
fn value_at<'a>(root: JsonValue<'a>, pointer: &str) -> Option<JsonValue<'a>> {
    let mut keys = pointer.split('/').skip(1);
    keys.try_fold(root, |value, key| value.get(key))
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
