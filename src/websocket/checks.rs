//! Assertions of the guarantees in the module page, for any bytes and any split: shared by tests and fuzzing.

use super::{
    DeflateParams, FrameDecoder, FrameEvent, MAX_HEAD_BYTES, Message, MessageLimits, MessageReader,
};
use crate::span::StreamSide;
use crate::tape::RollingBuffer;

/// Limits that short inputs reach.
pub(super) const LOW_LIMITS: MessageLimits = MessageLimits {
    message: 3000,
    inflated: 9000,
};

/// Reads `bytes`, whose first chooses side and extension, in several splits, and asserts the guarantees of the module
/// page. The body of a fuzz target.
pub fn fuzz(bytes: &[u8]) {
    let Some((&choice, bytes)) = bytes.split_first() else {
        return;
    };
    let side = match choice & 1 {
        0 => StreamSide::Sent,
        _ => StreamSide::Received,
    };
    let deflate = (choice & 2 != 0).then_some(DeflateParams {
        server_no_context_takeover: choice & 4 != 0,
        client_no_context_takeover: choice & 4 != 0,
        ..DeflateParams::default()
    });
    assert_same_when_split(
        side,
        deflate,
        bytes,
        &[usize::from(choice >> 3).max(1), 0, 2],
    );
}

/// Asserts that frames tile `bytes`, and that whole, byte by byte and in pieces of `sizes` frames and messages are the
/// same.
pub(super) fn assert_same_when_split(
    side: StreamSide,
    deflate: Option<DeflateParams>,
    bytes: &[u8],
    sizes: &[usize],
) {
    let frames = read_frames(side, deflate.is_some(), bytes, &[bytes.len()]);
    let messages = read_messages(side, deflate, bytes, &[bytes.len()]);
    let mut at = 0;
    for span in frames.iter().filter_map(FrameEvent::span) {
        assert_eq!(span.start, at, "frames do not tile the bytes");
        at = span.end;
    }
    assert_eq!(at, bytes.len() as u64, "bytes without a frame");
    for sizes in [sizes, &[1]] {
        let split = read_frames(side, deflate.is_some(), bytes, sizes);
        assert!(frames == split, "a split changes the frames");
        let split = read_messages(side, deflate, bytes, sizes);
        assert!(messages == split, "a split changes the messages");
    }
    let mut inflated = 0u64;
    for message in &messages {
        let size = message.payload.len() as u64;
        assert!(size <= LOW_LIMITS.message, "a message over the limit");
        inflated = inflated.saturating_add(u64::from(message.is_compressed).saturating_mul(size));
    }
    assert!(inflated <= LOW_LIMITS.inflated, "inflated over the limit");
}

/// Feeds `bytes` in pieces of `sizes`, which repeat, to `read`, which returns the offset of the first byte it still needs.
fn feed_in_pieces(
    bytes: &[u8],
    sizes: &[usize],
    mut read: impl FnMut(crate::tape::Window<'_>) -> u64,
) {
    let (mut rolling, mut rest) = (RollingBuffer::default(), bytes);
    let mut sizes = sizes.iter().cycle();
    loop {
        let size = sizes.next().copied().unwrap_or(rest.len()).min(rest.len());
        let (piece, after) = rest.split_at(size);
        rest = after;
        rolling.feed(piece, rest.is_empty(), &mut read);
        let held = rolling.end().saturating_sub(rolling.base());
        assert!(held < MAX_HEAD_BYTES, "more is held than a frame head");
        if rest.is_empty() {
            return;
        }
    }
}

/// The frame events of `bytes`, fed in pieces of `sizes`; neighbouring pieces of payload are joined.
pub(super) fn read_frames(
    side: StreamSide,
    uses_rsv1: bool,
    bytes: &[u8],
    sizes: &[usize],
) -> Vec<FrameEvent> {
    let mut decoder = FrameDecoder::new(side, 0, uses_rsv1);
    let mut events: Vec<FrameEvent> = Vec::new();
    feed_in_pieces(bytes, sizes, |seen| {
        while let Some(event) = decoder.step(seen) {
            match (events.last_mut(), event) {
                (Some(FrameEvent::Payload(last)), FrameEvent::Payload(next))
                | (Some(FrameEvent::AfterClose(last)), FrameEvent::AfterClose(next)) => {
                    last.end = next.end;
                }
                _ => events.push(event),
            }
        }
        decoder.at()
    });
    events
}

/// The messages of `bytes`, fed in pieces of `sizes`.
pub(super) fn read_messages(
    side: StreamSide,
    deflate: Option<DeflateParams>,
    bytes: &[u8],
    sizes: &[usize],
) -> Vec<Message> {
    let mut reader = MessageReader::new(side, 0, deflate, LOW_LIMITS);
    let mut messages = Vec::new();
    feed_in_pieces(bytes, sizes, |seen| {
        while let Some(message) = reader.step(seen) {
            messages.push(message);
        }
        reader.at()
    });
    messages
}
