//! A server of our own: HTTP/1.1 framed by hand. What it answers is an [`RequestHandler`], such as [`crate::demo`].
//!
//! ```text
//!   accept ─ (TLS) ─ connection::attend ─┬─ http1::Decoder: bytes → Request
//!                                        ├─ Answer::answer: Request → Reply
//!                                        └─ reply::write:   Reply → bytes
//! ```
//!
//! One client on the loopback device, or a few, are what it is made for: every byte that it writes is
//! meant to be looked at.

mod coding;
mod connection;
pub mod reply;
pub mod request;
pub mod tls;

pub use coding::ReplyCoding;
pub use connection::{BODY_LIMIT, RequestHandler, serve_stream};
pub use reply::{BodyAction, BodyStep, ReplyBody, ServerReply};
pub use request::ServerRequest;
