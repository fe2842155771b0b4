//! An HTTP/1.1 server that writes its own framing. A [`RequestHandler`] makes the replies; [`crate::demo`] is one.
//!
//! ```text
//!   accept ─ (TLS) ─ serve_stream ─┬─ RequestReader:   bytes → ServerRequest
//!                                  ├─ RequestHandler:  ServerRequest → ServerReply
//!                                  └─ write_reply:     ServerReply → bytes
//! ```
//!
//! It is made for a few clients on the loopback device, and for people who look at every byte that it writes.

mod coding;
mod connection;
pub(crate) mod linger;
pub mod reply;
pub mod request;
pub mod tls;

pub use coding::ReplyCoding;
pub use connection::{BODY_LIMIT, RequestHandler, serve_stream};
pub use reply::{BodyAction, BodyStep, ReplyBody, ServerReply};
pub use request::ServerRequest;
