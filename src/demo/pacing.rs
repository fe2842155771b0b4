//! The pauses of a reply, as a model would need them to make its tokens.

use std::time::Duration;

use super::context::DemoContext;
use super::head::ReplyFields;
use crate::serve::reply::{BodyStep, ReplyBody, ServerReply};

/// One event of a stream.
#[derive(Clone, Debug)]
pub(super) struct PacedEvent {
    bytes: String,
    /// The number of its tokens, and so of the pauses before it.
    tokens: u64,
}

impl PacedEvent {
    pub(super) fn new(bytes: String, tokens: usize) -> Self {
        let tokens = tokens as u64;
        Self { bytes, tokens }
    }
}

/// A reply with a whole body, delayed in proportion to its tokens: at most 40 pauses, as its reader sees nothing
/// before the end.
pub(super) fn whole_reply(
    fields: ReplyFields,
    body: impl Into<Vec<u8>>,
    tokens: u64,
    context: DemoContext,
) -> ServerReply {
    let mut reply = ServerReply::whole(200, fields, body);
    reply.delay = context.pauses(tokens.min(40));
    reply
}

/// A streamed reply: each event follows the pauses of its tokens. The head waits for the first event.
pub(super) fn stream_reply(
    fields: ReplyFields,
    events: Vec<PacedEvent>,
    context: DemoContext,
) -> ServerReply {
    let first = events.first().map_or(0, |event| event.tokens);
    let more = context.pauses(first.saturating_sub(1));
    let step = move |(at, event): (usize, PacedEvent)| {
        let tokens = if at == 0 { 0 } else { event.tokens };
        BodyStep::bytes_after(context.pauses(tokens), event.bytes)
    };
    ServerReply {
        status: 200,
        fields,
        body: ReplyBody::Chunked(Box::new(events.into_iter().enumerate().map(step))),
        delay: first_token_delay(context).saturating_add(more),
        close_after: false,
    }
}

/// The time until the first token: eight pauses, as a model reads the prompt first.
pub(super) fn first_token_delay(context: DemoContext) -> Duration {
    context.pauses(8)
}

/// The events of several answers generated in parallel: they take turns.
pub(super) fn interleave<T>(lists: Vec<Vec<T>>) -> Vec<T> {
    let mut lists: Vec<_> = lists.into_iter().map(Vec::into_iter).collect();
    let mut all = Vec::new();
    loop {
        let before = all.len();
        for list in &mut lists {
            all.extend(list.next());
        }
        if all.len() == before {
            return all;
        }
    }
}

/// Tokens joined into pieces of `size` tokens, each with its number of tokens.
pub(super) fn group_tokens(
    tokens: &[String],
    size: usize,
) -> impl Iterator<Item = (String, usize)> {
    let size = size.max(1);
    tokens.chunks(size).map(|some| (some.concat(), some.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interleaved_lists_take_turns() {
        let all = interleave(vec![vec!["a", "b", "c"], vec![], vec!["d"]]);
        assert_eq!(all, ["a", "d", "b", "c"]);
    }

    #[test]
    fn groups_of_tokens_join_to_the_text() {
        let tokens = ["a", "b", "c"].map(str::to_owned);
        let groups: Vec<_> = group_tokens(&tokens, 2).collect();
        assert_eq!(groups, [("ab".to_owned(), 2), ("c".to_owned(), 1)]);
        assert_eq!(group_tokens(&tokens, 0).count(), 3);
    }
}
