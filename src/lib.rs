//! `wire` shows what really crosses the wire between a program and an LLM API: it sends exact bytes, keeps every byte
//! that comes back with the time it arrived, and explains each of them.
//!
//! This is the library behind the binary of that name. It makes no promise of a stable API yet. A capture is opened as
//! a [`Call`], which holds everything that was seen and what it means:
//!
//! ```
//! use wire::call::meaning::CostEstimate;
//!
//! let call = wire::open("captures/demo/stream.wire")?;
//! let answer = &call.meaning.completion;
//! println!("{} said: {}", answer.served_model.as_deref().unwrap_or("?"), answer.choices[0].text);
//! if let (Some(tokens), CostEstimate::Known { cost, .. }) = (&answer.usage, &call.meaning.cost) {
//!     println!("{:?} tokens in, {:?} out, {}", tokens.input, tokens.output, cost.total);
//! }
//! # assert_eq!(answer.served_model.as_deref(), Some("gpt-4o-mini-2024-07-18"));
//! # assert!(matches!(&call.meaning.cost, CostEstimate::Known { cost, .. } if cost.total.to_string() == "$0.0000188"));
//! # Ok::<(), wire::capture::store::StoreError>(())
//! ```
//!
//! Modules in layers. Each module imports only from those before it in this list, and `tests/layers.rs` reads the list
//! and checks it:
//!
//! ```text
//! span                      addresses and times
//! tape                      bytes of both directions with the time of each read; trait WireSink
//! http1 content json sse    decoders: windows in, events with spans out
//! websocket                 the same for WebSocket: frames and messages
//! capture                   tape <-> JSON lines; masking of secrets
//! exchange                  a tape read as HTTP: messages, outcome, byte roles, phases
//! service sdk price chat    what heads say; what SDKs retry; money; answers
//! call                      the one value that every view takes
//! lint                      findings about a call, by one table of rules
//! catalog diff prompt_cache meaning of one or several calls: plain values
//! lint::sequence            findings about neighbouring calls
//! import                    foreign formats in
//! render                    values -> a given Write
//! ------------------------- no sockets, files, clock or environment above this line
//! net                       sockets, TLS, names, the clock
//! targets                   known APIs: base URL, key, head; the bytes of a request
//! capture::keeper           a thread that writes captures
//! capture::store            the capture folder
//! client serve demo record  sending, the server engine, the demo server's answers, recording
//! cli main                  arguments, wiring, exit codes
//! ```

pub mod call;
pub mod capture;
pub mod catalog;
pub mod chat;
#[doc(hidden)]
pub mod cli;
pub mod client;
pub mod content;
pub mod demo;
pub mod diff;
pub mod exchange;
pub mod http1;
pub mod import;
pub mod json;
pub mod lint;
pub mod net;
pub mod price;
pub mod prompt_cache;
pub mod record;
pub mod render;
pub mod sdk;
pub mod serve;
pub mod service;
pub mod span;
pub mod sse;
pub mod tape;
pub mod targets;
pub mod websocket;

pub use call::{Call, ReadOptions};
pub use tape::Tape;

/// Opens a capture file and reads it with the default [`ReadOptions`]. A damaged line ends the reading there: the call
/// holds what comes before it.
///
/// # Errors
///
/// The file cannot be read, or is not a capture.
pub fn open(path: impl AsRef<std::path::Path>) -> Result<Call, capture::store::StoreError> {
    let capture::ParsedCapture { tape, notes } = capture::store::open(path.as_ref())?;
    let mut call = Call::read(tape, &ReadOptions::default());
    call.capture_notes = notes;
    Ok(call)
}
