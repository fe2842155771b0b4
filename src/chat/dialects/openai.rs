//! OpenAI Chat Completions, the older Completions, and all who speak them: Azure, OpenRouter, Groq, DeepSeek,
//! Mistral, xAI, Perplexity, vLLM, llama.cpp, Together and others; what each adds or breaks is read too.
//! Source: openai/openai-openapi, `CreateChatCompletionResponse` and `CreateChatCompletionStreamResponse`.
//!
//! ```text
//! chunk* usage-chunk? "[DONE]"
//! chunk = {choices:[{index, delta, finish_reason|null, logprobs?}], usage:null?}
//! delta = {role?, content?, refusal?, tool_calls?[{index, id?, function:{name?, arguments?}}], reasoning*?, audio?}
//! ```

use crate::chat::calls::Mark;
use crate::chat::completion::Citation;
use crate::chat::dialect::{Asked, Dialect, Ends};
use crate::chat::gather::{Gather, number};
use crate::chat::usage;
use crate::json::{JsonKind, JsonValue};

/// Chat Completions, by whomever.
pub(in crate::chat) struct Chat;

/// Chat Completions at Azure: named apart, since its paths, keys, errors and filters are its own.
pub(in crate::chat) struct Azure;

impl Dialect for Chat {
    fn name(&self) -> &'static str {
        "openai-chat"
    }

    fn asked(&self, asked: &Asked<'_>) -> Option<&'static str> {
        if asked.path_ends("/chat/completions") {
            return Some("the path ends with /chat/completions");
        }
        asked
            .path_ends("/completions")
            .then_some("the path ends with /completions")
    }

    fn shown(&self, _: &[u8], root: JsonValue<'_>) -> Option<&'static str> {
        let object = root.get("object").and_then(JsonValue::as_str);
        match object.as_deref() {
            Some("chat.completion" | "chat.completion.chunk" | "chat.completion.done") => {
                Some("the body calls itself a chat.completion")
            }
            Some("text_completion") => Some("the body calls itself a text_completion"),
            _ => {
                let choices = root.get("choices")?;
                (choices.kind() == JsonKind::Array).then_some("the body has choices")
            }
        }
    }

    fn event(&self, _: &[u8], root: JsonValue<'_>, gather: &mut Gather<'_>) {
        read(root, gather);
    }

    fn body(&self, root: JsonValue<'_>, gather: &mut Gather<'_>) {
        read(root, gather);
    }

    fn ends(&self, provider: Option<&str>) -> Ends {
        match provider {
            // Whether a mark follows its last object is not settled: take it as it comes.
            Some("perplexity") => Ends::Finish,
            _ => Ends::Mark,
        }
    }
}

impl Dialect for Azure {
    fn name(&self) -> &'static str {
        "azure-openai"
    }

    fn asked(&self, asked: &Asked<'_>) -> Option<&'static str> {
        if !asked.path_ends("/completions") {
            return None;
        }
        if asked.path.contains("/openai/deployments/") {
            return Some("the path names a deployment");
        }
        if asked.provider() == Some("azure") {
            return Some("the host is one of Azure's");
        }
        let gateway = !asked.response("apim-request-id").is_empty();
        gateway.then_some("Azure's gateway answered (apim-request-id)")
    }

    fn shown(&self, _: &[u8], root: JsonValue<'_>) -> Option<&'static str> {
        root.get("prompt_filter_results")
            .map(|_| "the body has prompt_filter_results")
    }

    fn event(&self, _: &[u8], root: JsonValue<'_>, gather: &mut Gather<'_>) {
        read(root, gather);
    }

    fn body(&self, root: JsonValue<'_>, gather: &mut Gather<'_>) {
        read(root, gather);
    }

    fn ends(&self, _: Option<&str>) -> Ends {
        Ends::Mark
    }
}

/// A whole answer, or a chunk of one: both have the same members. One pass, since there are many chunks.
fn read(root: JsonValue<'_>, gather: &mut Gather<'_>) {
    for (key, value) in root.members() {
        let Some(key) = key.as_str() else { continue };
        match &*key {
            "id" => gather.id(value),
            "model" => gather.model(value),
            "choices" => choices(value, gather),
            "usage" => counts(value, gather),
            "x_groq" => groq(value, gather),
            "service_tier" => gather.service_tier(value),
            "system_fingerprint" => gather.fingerprint(value),
            "provider" if value.kind() == JsonKind::String => serves(gather, "openrouter"),
            "time_info" => gather.times("time_info.", value),
            "timings" => {
                serves(gather, "llama.cpp");
                gather.times("timings.", value);
            }
            "citations" | "search_results" => sources(value, gather),
            _ => {}
        }
    }
}

/// A member that only this provider sends.
fn serves(gather: &mut Gather<'_>, provider: &'static str) {
    gather.completion.provider.get_or_insert(provider);
}

/// Groq repeats the usage of a stream under a member of its own; it may stand there alone.
fn groq(value: JsonValue<'_>, gather: &mut Gather<'_>) {
    serves(gather, "groq");
    if let Some(value) = value.get("usage") {
        counts(value, gather);
    }
}

/// Counts of tokens, and, among them, times (Groq).
fn counts(value: JsonValue<'_>, gather: &mut Gather<'_>) {
    // Most chunks have none.
    if value.kind() != JsonKind::Object {
        return;
    }
    gather.usage(value, usage::chat);
    gather.times("usage.", value);
}

fn choices(list: JsonValue<'_>, gather: &mut Gather<'_>) {
    for (n, choice) in list.items().enumerate() {
        let place = u32::try_from(n).unwrap_or(u32::MAX);
        let index = number(choice.get("index")).unwrap_or(place);
        gather.choice(index);
        one(index, choice, gather);
    }
}

fn one(index: u32, choice: JsonValue<'_>, gather: &mut Gather<'_>) {
    // Perplexity sends the whole message beside each delta, and an empty delta beside a whole message.
    let wanted = if gather.is_streamed() {
        ["delta", "message"]
    } else {
        ["message", "delta"]
    };
    let found = wanted.into_iter().find(|key| choice.get(key).is_some());
    let mut finish = None;
    for (key, value) in choice.members() {
        let Some(key) = key.as_str() else { continue };
        match &*key {
            key if found == Some(key) => message(index, value, gather),
            "text" if found.is_none() => gather.text(index, value),
            "finish_reason" => finish = Some(value),
            "logprobs" if value.kind() == JsonKind::Object => gather.choice(index).logprobs = true,
            _ => {}
        }
    }
    if let Some(finish) = finish {
        gather.finish(index, finish);
    }
}

fn message(index: u32, message: JsonValue<'_>, gather: &mut Gather<'_>) {
    let mut has_reasoning = false;
    for (key, value) in message.members() {
        let Some(key) = key.as_str() else { continue };
        match &*key {
            "role" => gather.role(index, value),
            "content" => content(index, value, gather),
            "refusal" => gather.refusal(index, value),
            // Two names for one thing: some send both.
            "reasoning_content" | "reasoning" if !has_reasoning => {
                has_reasoning = value.as_str().is_some_and(|text| !text.is_empty());
                gather.reasoning(index, value);
            }
            "tool_calls" => calls(index, value, gather),
            "function_call" if value.kind() == JsonKind::Object => {
                gather.function(index, Mark::default(), value);
            }
            "audio" if value.kind() == JsonKind::Object => audio(index, value, gather),
            "annotations" => annotations(index, value, gather),
            _ => {}
        }
    }
}

/// Sound, in a stream after its id and before its expiry, which are none; what is said stands beside it.
fn audio(index: u32, value: JsonValue<'_>, gather: &mut Gather<'_>) {
    gather.choice(index).audio = true;
    if let Some(data) = value.get("data") {
        gather.audio(index, data);
    }
}

/// A string, or parts: Mistral's `thinking` stands among them.
fn content(index: u32, value: JsonValue<'_>, gather: &mut Gather<'_>) {
    gather.text(index, value);
    for part in value.items() {
        if let Some(thinking) = part.get("thinking") {
            gather.reasoning(index, thinking);
            for inner in thinking.items().filter_map(|inner| inner.get("text")) {
                gather.reasoning(index, inner);
            }
        } else if let Some(text) = part.get("text") {
            gather.text(index, text);
        } else if let Some(refusal) = part.get("refusal") {
            gather.refusal(index, refusal);
        }
    }
}

fn calls(index: u32, list: JsonValue<'_>, gather: &mut Gather<'_>) {
    for (n, call) in list.items().enumerate() {
        // A whole answer counts its calls by place. In a stream the place means nothing.
        let place = (!gather.is_streamed()).then_some(n as u64);
        let (function, custom) = (call.get("function"), call.get("custom"));
        let mark = Mark {
            index: call.get("index").and_then(JsonValue::as_u64).or(place),
            id: call.get("id"),
            is_text: function.is_none() && custom.is_some(),
            ..Mark::default()
        };
        let inner = function.or(custom).unwrap_or(call);
        if inner.kind() == JsonKind::Object {
            gather.function(index, mark, inner);
        }
    }
}

fn annotations(index: u32, list: JsonValue<'_>, gather: &mut Gather<'_>) {
    for annotation in list.items() {
        let inner = annotation.get("url_citation").unwrap_or(annotation);
        if let Some(citation) = citation(inner) {
            gather.citation(index, citation, inner);
        }
    }
}

/// Perplexity: addresses, or results with title and address, for the whole answer.
fn sources(list: JsonValue<'_>, gather: &mut Gather<'_>) {
    for source in list.items() {
        let found = match source.as_str() {
            Some(address) => Some(Citation {
                source: address.into_owned(),
                ..Citation::default()
            }),
            None => citation(source),
        };
        if let Some(found) = found {
            gather.citation(0, found, source);
        }
    }
}

/// An object with an address or the id of a file.
pub(in crate::chat) fn citation(object: JsonValue<'_>) -> Option<Citation> {
    let word = |key| {
        let text = object.get(key)?.as_str()?;
        Some(text.into_owned())
    };
    Some(Citation {
        source: word("url")
            .or_else(|| word("uri"))
            .or_else(|| word("file_id"))?,
        title: word("title").or_else(|| word("filename")),
        cited: word("cited_text"),
    })
}
