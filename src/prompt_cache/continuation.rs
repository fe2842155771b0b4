//! The prompt of a request that continues the answer to another one by its id (`previous_response_id`): the server puts
//! the earlier prompt and its answer before the input, and the bytes of the request have only what is new.

use super::DiffInput;
use crate::json::{JsonDocument, JsonKind, JsonValue};

/// The bodies of both requests with the input of left before that of right, if right continues the answer to left. The
/// answer between the two inputs is in neither; it does not change whether the prefix is kept.
pub(super) fn join_inputs(
    left: &DiffInput,
    documents: [Option<&JsonDocument<'_>>; 2],
    bodies: [&[u8]; 2],
) -> Option<[Vec<u8>; 2]> {
    let [one, other] = [documents[0]?.root(), documents[1]?.root()];
    let named = other.get("previous_response_id")?.as_str()?;
    let answered = left.call()?.meaning.completion.id.as_ref()?;
    if *answered != *named {
        return None;
    }
    let inputs = [one.get("input")?, other.get("input")?];
    let [earlier, later] = [items_of(inputs[0])?, items_of(inputs[1])?];
    let separator: &[u8] = match earlier.is_empty() || later.is_empty() {
        true => b"",
        false => b",",
    };
    let joined = [earlier.as_slice(), separator, later.as_slice()].concat();
    Some([
        with_input(bodies[0], inputs[0], &earlier)?,
        with_input(bodies[1], inputs[1], &joined)?,
    ])
}

/// The items of an input as they stand between the brackets of an array. A string means one message of the user
/// (developers.openai.com/api/reference, `responses.create`, `input`).
fn items_of(input: JsonValue<'_>) -> Option<Vec<u8>> {
    let raw = input.raw();
    match input.kind() {
        JsonKind::Array => Some(raw.get(1..raw.len().checked_sub(1)?)?.trim_ascii().to_vec()),
        JsonKind::String => Some([b"{\"role\":\"user\",\"content\":", raw, b"}"].concat()),
        _ => None,
    }
}

/// `body` with `items` as the array `input`.
fn with_input(body: &[u8], input: JsonValue<'_>, items: &[u8]) -> Option<Vec<u8>> {
    let range = input.span().range();
    let before = body.get(..range.start)?;
    let after = body.get(range.end..)?;
    Some([before, b"[", items, b"]", after].concat())
}
