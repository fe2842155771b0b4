//! Endpoints whose answer is one small JSON object: lists of models, moderations, token counts, files, batches. Each is a
//! row: its paths, the mark of its body, and the reader of its facts.
//! Sources: openai/openai-openapi; the API references of Anthropic, Gemini and Ollama.

use crate::chat::builder::AnswerBuilder;
use crate::chat::details::{describe_count, list_names};
use crate::chat::dialect::{Dialect, ExchangeHeads};
use crate::chat::members::{items_at, named_members, text_at};
use crate::chat::profile::{DialectProfile, EndSignal};
use crate::chat::usage;
use crate::json::{JsonKind, JsonValue};

/// A dialect whose answers are one small JSON object.
pub(in crate::chat) struct ObjectDialect {
    /// Facts about the dialect. A `*` in its paths is any segment.
    profile: &'static DialectProfile,
    /// Whether a body shows the dialect.
    marks: fn(JsonValue<'_>) -> bool,
    /// Reads the facts of a body.
    read: fn(JsonValue<'_>, &mut AnswerBuilder<'_>),
}

const BASE: DialectProfile = DialectProfile {
    end_signal: EndSignal::BodyEnd,
    ..DialectProfile::BASE
};

const MODELS_PATH: &str = "the path is that of models";

/// Lists of models, and single ones: OpenAI, Anthropic, Gemini, Ollama.
pub(in crate::chat) static MODELS: ObjectDialect = ObjectDialect {
    profile: &DialectProfile {
        name: "models",
        paths: &[
            ("/models", MODELS_PATH),
            ("/models/*", MODELS_PATH),
            ("/api/tags", MODELS_PATH),
        ],
        ..BASE
    },
    marks: |root| {
        let first = root.get("data").and_then(|list| list.item_at(0));
        calls_itself(root, "model") || first.is_some_and(|first| calls_itself(first, "model"))
    },
    read: read_models,
};

/// OpenAI moderations.
pub(in crate::chat) static MODERATIONS: ObjectDialect = ObjectDialect {
    profile: &DialectProfile {
        name: "openai-moderations",
        paths: &[("/moderations", "the path ends with /moderations")],
        ..BASE
    },
    marks: |root| {
        let first = root.get("results").and_then(|list| list.item_at(0));
        first.is_some_and(|first| first.get("flagged").is_some())
    },
    read: read_moderations,
};

const COUNT_PATH: &str = "the path asks for a count of tokens";

/// Counts of the tokens of a request that is not run: Anthropic, Gemini, OpenAI, Bedrock.
pub(in crate::chat) static TOKEN_COUNTS: ObjectDialect = ObjectDialect {
    profile: &DialectProfile {
        name: "token-count",
        paths: &[
            ("/count_tokens", COUNT_PATH),
            ("/input_tokens", COUNT_PATH),
            ("/count-tokens", COUNT_PATH),
            ("/*:countTokens", COUNT_PATH),
        ],
        ..BASE
    },
    marks: |root| calls_itself(root, "response.input_tokens"),
    read: read_token_count,
};

const FILES_PATH: &str = "the path is that of files";

/// Files that a provider keeps: uploads, lists, deletions.
pub(in crate::chat) static FILES: ObjectDialect = ObjectDialect {
    profile: &DialectProfile {
        name: "files",
        paths: &[("/files", FILES_PATH), ("/files/*", FILES_PATH)],
        ..BASE
    },
    marks: |root| calls_itself(root, "file"),
    read: read_files,
};

/// The content of a file that a provider keeps. Results of batches are read in their own dialect.
pub(in crate::chat) static FILE_CONTENT: ObjectDialect = ObjectDialect {
    profile: &DialectProfile {
        name: "file-content",
        paths: &[(
            "/files/*/content",
            "the path is that of the content of a file",
        )],
        is_file: true,
        ..BASE
    },
    marks: |_| false,
    read: |_, _| {},
};

const BATCHES_PATH: &str = "the path is that of batches";

/// Batches of requests: their state and counts.
pub(in crate::chat) static BATCHES: ObjectDialect = ObjectDialect {
    profile: &DialectProfile {
        name: "batches",
        paths: &[
            ("/batches", BATCHES_PATH),
            ("/batches/*", BATCHES_PATH),
            ("/batches/*/cancel", BATCHES_PATH),
        ],
        ..BASE
    },
    marks: |root| calls_itself(root, "batch") || calls_itself(root, "message_batch"),
    read: read_batches,
};

impl Dialect for ObjectDialect {
    fn profile(&self) -> &'static DialectProfile {
        self.profile
    }

    fn recognise_request(&self, asked: &ExchangeHeads<'_>) -> Option<&'static str> {
        let mut paths = self.profile.paths.iter();
        let (_, why) = paths.find(|(pattern, _)| fits_path(pattern, &asked.path))?;
        Some(why)
    }

    fn recognise_body(&self, _: &[u8], root: JsonValue<'_>) -> Option<&'static str> {
        (self.marks)(root).then_some("the body has the form of this API")
    }

    fn read_body(&self, root: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
        (self.read)(root, builder);
    }
}

/// Whether a path ends with `pattern`, in which `*` is the beginning of a segment without a colon: in Gemini's paths an
/// action follows the colon.
fn fits_path(pattern: &str, path: &str) -> bool {
    let mut segments = path.trim_end_matches('/').rsplit('/');
    let mut wanted = pattern.trim_start_matches('/').rsplit('/');
    wanted.all(|wanted| {
        let Some(segment) = segments.next() else {
            return false;
        };
        match wanted.strip_prefix('*') {
            Some("") => !segment.is_empty() && !segment.contains(':'),
            Some(end) => segment.ends_with(end),
            None => segment == wanted,
        }
    })
}

/// Whether an object says that it is `name` (`object` at OpenAI, `type` at Anthropic).
fn calls_itself(root: JsonValue<'_>, name: &str) -> bool {
    let mut keys = ["object", "type"].iter();
    keys.any(|key| text_at(root, key).is_some_and(|own| own == name))
}

/// The items of a list under one of `keys`; `None` if the object is no list.
fn list_at<'a>(root: JsonValue<'a>, keys: &[&str]) -> Option<Vec<JsonValue<'a>>> {
    let mut lists = keys.iter().filter_map(|key| root.get(key));
    let list = lists.find(|list| list.kind() == JsonKind::Array)?;
    Some(list.items().collect())
}

/// The words for a list that goes on in another answer.
fn more_pages(root: JsonValue<'_>) -> &'static str {
    let has_more = root.get("has_more").and_then(JsonValue::as_bool) == Some(true);
    match has_more || text_at(root, "nextPageToken").is_some() {
        true => "; more follow on another page",
        false => "",
    }
}

/// Adds a list as one fact, called by its plural: its number and the first names.
fn add_list(
    nouns: &'static str,
    noun: &str,
    root: JsonValue<'_>,
    items: &[JsonValue<'_>],
    builder: &mut AnswerBuilder<'_>,
) {
    let count = items.len() as u64;
    let names = list_names(items, &["id", "name"]);
    let colon = if names.is_empty() { "" } else { ": " };
    let named = if count == 1 { noun } else { nouns };
    let text = format!("{count} {named}{colon}{names}{}", more_pages(root));
    builder.add_detail(nouns, Some(count), text);
}

fn read_models(root: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    match list_at(root, &["data", "models"]) {
        Some(items) => add_list("models", "model", root, &items, builder),
        None if root.get("id").or_else(|| root.get("name")).is_some() => {
            add_list("models", "model", root, &[root], builder);
        }
        None => {}
    }
}

fn read_moderations(root: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    builder.set_identity(root);
    let (mut inputs, mut flagged, mut categories) = (0_u64, 0_u64, Vec::new());
    for result in items_at(root, "results") {
        inputs = inputs.saturating_add(1);
        if result.get("flagged").and_then(JsonValue::as_bool) != Some(true) {
            continue;
        }
        flagged = flagged.saturating_add(1);
        let all = result.get("categories").into_iter().flat_map(named_members);
        let own = all.filter(|(_, value)| value.kind() == JsonKind::True);
        categories.extend(own.map(|(name, _)| name));
    }
    categories.sort_unstable();
    categories.dedup();
    let colon = if categories.is_empty() { "" } else { ": " };
    let inputs = describe_count(inputs, "input");
    let text = format!("{flagged} of {inputs}{colon}{}", categories.join(", "));
    builder.add_detail("flagged", Some(flagged), text);
}

/// Reads the count as a fact, not as usage: counting is free at all four providers.
fn read_token_count(root: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    let keys = ["input_tokens", "totalTokens", "inputTokens"];
    let count = keys.iter().find_map(|key| root.get(key)?.as_u64());
    if let Some(count) = count {
        let text = describe_count(count, "input token");
        builder.add_detail("counted", Some(count), text);
    }
}

fn read_files(root: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    match list_at(root, &["data", "files"]) {
        Some(items) => add_list("files", "file", root, &items, builder),
        None => read_file(root.get("file").unwrap_or(root), builder),
    }
}

fn read_file(file: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    let word = |keys: &[&str]| keys.iter().find_map(|key| text_at(file, key));
    let Some(id) = word(&["id", "name"]) else {
        return;
    };
    let sizes = ["bytes", "size_bytes", "sizeBytes"];
    // Gemini writes 64-bit numbers as strings.
    let size = sizes.iter().find_map(|key| {
        let size = file.get(key)?;
        let text = || size.as_str()?.parse().ok();
        size.as_u64().or_else(text)
    });
    let is_deleted = file.get("deleted").and_then(JsonValue::as_bool) == Some(true)
        || calls_itself(file, "file_deleted");
    let parts = [
        word(&["filename", "displayName"]).map(|name| name.into_owned()),
        size.map(|size| describe_count(size, "byte")),
        word(&["mime_type", "mimeType"]).map(|kind| kind.into_owned()),
        word(&["purpose"]).map(|purpose| format!("purpose {purpose}")),
        word(&["status", "state"]).map(|status| format!("status {status}")),
        is_deleted.then(|| "deleted".to_owned()),
    ];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    builder.add_detail("file", None, format!("{id}: {}", parts.join(", ")));
}

fn read_batches(root: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    match list_at(root, &["data"]) {
        Some(items) => add_list("batches", "batch", root, &items, builder),
        None => read_batch(root, builder),
    }
}

fn read_batch(batch: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    let word = |keys: &[&str]| keys.iter().find_map(|key| text_at(batch, key));
    let Some(id) = word(&["id"]) else { return };
    let mut parts: Vec<_> = word(&["status", "processing_status"]).into_iter().collect();
    let mut sum = 0_u64;
    let mut total = None;
    for (name, count) in batch
        .get("request_counts")
        .into_iter()
        .flat_map(named_members)
    {
        let Some(count) = count.as_u64().filter(|count| *count > 0) else {
            continue;
        };
        match &*name {
            "total" => total = Some(count),
            _ => {
                sum = sum.saturating_add(count);
                parts.push(format!("{count} {name}").into());
            }
        }
    }
    let total = total.unwrap_or(sum);
    parts.push(format!("of {}", describe_count(total, "request")).into());
    builder.add_detail("batch", Some(total), format!("{id}: {}", parts.join(", ")));
    if let Some(model) = batch.get("model") {
        builder.set_model(model);
    }
    if let Some(counts) = batch.get("usage") {
        // The batch prices of the table apply.
        builder.completion.service_tier = Some("batch".to_owned());
        builder.replace_usage(counts, usage::add_up_responses);
    }
    for error in batch
        .get("errors")
        .into_iter()
        .flat_map(|errors| items_at(errors, "data"))
    {
        let line = error.get("line").and_then(JsonValue::as_u64);
        let line = line
            .map(|line| format!("line {line}: "))
            .unwrap_or_default();
        let message = text_at(error, "message").unwrap_or_default();
        builder.add_detail("failed", None, format!("{line}{message}"));
    }
}
