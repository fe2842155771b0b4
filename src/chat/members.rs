//! Reads members of JSON objects as dialects need them: by name, as items, as text that is not empty.

use std::borrow::Cow;

use crate::json::JsonValue;

/// The members of an object whose keys are valid text, with their keys.
pub(super) fn named_members<'a>(
    object: JsonValue<'a>,
) -> impl Iterator<Item = (Cow<'a, str>, JsonValue<'a>)> {
    let members = object.members();
    members.filter_map(|(key, value)| Some((key.as_str()?, value)))
}

/// The items of the array at `key`; none if there is no such array.
pub(super) fn items_at<'a>(
    object: JsonValue<'a>,
    key: &str,
) -> impl Iterator<Item = JsonValue<'a>> + use<'a> {
    object.get(key).into_iter().flat_map(JsonValue::items)
}

/// The string at `key`, if it is not empty.
pub(super) fn text_at<'a>(object: JsonValue<'a>, key: &str) -> Option<Cow<'a, str>> {
    object.get(key).and_then(non_empty_str)
}

/// The string of `value`, if it is not empty.
pub(super) fn non_empty_str(value: JsonValue<'_>) -> Option<Cow<'_, str>> {
    value.as_str().filter(|text| !text.is_empty())
}

/// The index of a choice or an item, read from `value`.
pub(super) fn read_index(value: Option<JsonValue<'_>>) -> Option<u32> {
    u32::try_from(value?.as_u64()?).ok()
}
