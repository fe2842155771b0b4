//! The capture file `NAME.wire`: one exchange as JSON lines, appended while it happens.
//!
//! ```text
//! {"wire":1,"id":"0197...","started":"2026-11-23T14:00:00.123456Z","via":"send","url":"https://...","tool":"wire 0.1.0"}
//! {"t":3120,"resolved":{"host":"api.openai.com","addrs":["203.0.113.7:443"]}}
//! {"t":11544,"connected":{"peer":"203.0.113.7:443","local":"192.0.2.2:52114"}}
//! {"t":22790,"sent":"POST /v1/chat/completions HTTP/1.1\r\nHost: ..."}
//! {"t":391022,"received":"HTTP/1.1 200 OK\r\n..."}
//! {"t":391410,"received":{"base64":"H4sIAAAA..."}}
//! {"t":402337,"closed":{"by":"peer","how":"close_notify"}}
//! ```
//!
//! The first line is the [`TapeOrigin`](crate::tape::TapeOrigin) with the format's version; every further line is
//! a moment `t` (microseconds since `started`) and exactly one event. Bytes that are UTF-8 are a string,
//! others base64; reading back gives the identical bytes, and one line is one read or write. Secrets are replaced by
//! as many `*` before a byte is written. The specification for readers in other languages
//! is `captures/README.md`, its JSON Schema `captures/schema.json`.
//!
//! `line` converts events to lines, [`read()`] and [`CaptureWriter`] turn files into tapes and back, a [`Masker`] is in
//! front of every writer and every screen, [`CaptureSelector`] finds a capture by name, and `store` is the only module
//! here that touches the file system.

#![cfg_attr(
    not(test),
    warn(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::unwrap_used
    )
)]

mod json_string;
pub mod keeper;
mod line;
mod mask;
mod name;
mod read;
pub mod store;
mod write;

pub use line::FORMAT_VERSION;
pub use mask::Masker;
pub use mask::key_shapes::{KeyShape, find_key_shape};
pub use mask::names::{is_secret_name, mask_field_value, mask_url};
pub use mask::secret_value::is_secret_value;
pub use mask::secrets::Secrets;
pub use name::{CaptureSelector, SelectorError, file_name, select_capture};
pub use read::{CaptureNote, CaptureNoteKind, CaptureReadError, ParsedCapture, read};
pub use write::{CaptureWriter, LineSink};

#[doc(hidden)]
pub use mask::fuzz as fuzz_mask;
#[doc(hidden)]
pub use read::fuzz as fuzz_read;
