//! WebSocket connections (RFC 6455) after their handshake: frames with spans that tile the bytes, and the messages in
//! them, with permessage-deflate (RFC 7692) undone.
//!
//! ```text
//!  window --> FrameDecoder --> head, payload, end of each frame --> MessageReader --> Message
//!             no buffer                                             unmasks, joins fragments, inflates
//! ```
//!
//! Each direction is read by itself. Any bytes are frames: a broken rule is a [`FoundFault`] and stops nothing. Bytes
//! after a close frame belong to no frame.
//!
//! Guarantees, held by property tests and fuzzing:
//!
//! - any split of the input gives the same frames, messages and faults, once neighbouring pieces of payload are joined;
//! - the spans of the frame events tile what was fed;
//! - a frame decoder needs at most the [`MAX_HEAD_BYTES`] of an unfinished frame head again, and a message reader holds
//!   one message of at most [`MessageLimits::message`] bytes.

#![cfg_attr(
    not(test),
    warn(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::unwrap_used
    )
)]

mod checks;
mod close;
mod deflate;
mod fault;
mod frame;
mod message;
#[cfg(test)]
mod tests;

#[doc(hidden)]
pub use checks::fuzz;

pub use close::CloseReason;
pub use deflate::DeflateParams;
pub use fault::{FoundFault, FrameFault};
pub use frame::{FrameDecoder, FrameEvent, FrameHead, MAX_HEAD_BYTES, Opcode};
pub use message::{Message, MessageLimits, MessageReader};
