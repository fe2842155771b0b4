//! Short texts that the reports on cached prompts share.

use super::super::super::wording;
use crate::prompt_cache::CommonPrefix;

/// Characters of a value or a place that are shown: about a line of a wide terminal.
pub(super) const VALUE_LIMIT: usize = 120;
/// Most characters of a name that are shown, so that the numbers beside it fit a line of a wide terminal.
pub(super) const NAME_LIMIT: usize = 48;

/// The share of the bytes both prompts have that is still in the common prefix.
pub(super) fn kept_percent(prefix: &CommonPrefix) -> String {
    let both = prefix.bytes.common.saturating_add(prefix.lost.bytes);
    match both {
        0 => "0%".to_owned(),
        both if both == prefix.bytes.common => "100%".to_owned(),
        both => {
            // 99.96% is not shown as 100%.
            let share = prefix.bytes.common as f64 / both as f64 * 100.0;
            format!("{:.1}%", share.min(99.9))
        }
    }
}

pub(super) fn segment_count(count: u64) -> String {
    match count {
        1 => "1 segment".to_owned(),
        count => format!("{} segments", wording::format_count(count)),
    }
}

pub(super) fn pointer_text(pointer: &str) -> String {
    match pointer {
        "" => "the whole".to_owned(),
        pointer => clip(pointer, VALUE_LIMIT),
    }
}

/// Foreign text, escaped, on one line of at most `most` characters.
pub(super) fn clip(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => wording::escape_line(text).into_owned(),
        Some((end, _)) => format!(
            "{}...",
            wording::escape_line(text.get(..end).unwrap_or(text))
        ),
    }
}
