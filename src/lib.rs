//! `wire` shows what really crosses the wire between a program and an LLM API: it sends exact bytes, keeps
//! every byte that comes back with the moment it came, and explains each of them.
//!
//! This is the library behind the binary of that name. Its layers; each imports only from those above it,
//! and `tests/layers.rs` holds it to that:
//!
//! ```text
//! 0 span                              addresses and moments
//! 1 tape                              bytes both ways, with marks; trait WireSink
//! 2 http1 content json sse            decoders: windows in, events with spans out
//! 3 capture                           tape <-> JSON lines; masking
//! 4 exchange                          a tape read as HTTP: messages, outcome, byte roles, phases
//!   service sdk price chat            what heads say; what SDKs retry; money; answers
//!   call                              what an exchange means
//!   catalog diff prompt_cache         meaning of one or several calls: plain values
//! 5 render                            values -> a given Write
//! ----------------------------------- no sockets, files, clock or environment above this line
//! 6 net capture::{keeper, store}      sockets, TLS, names, the clock; a thread to write from; the capture folder
//! 7 client serve demo                 acts: join 6 with 1 to 4
//! 8 cli                               arguments, wiring, exit codes
//! ```
//!
//! A capture is a tape, and every view is made from a tape:
//!
//! ```
//! use wire::exchange::{Exchange, ExchangeOutcome};
//! use wire::http1::HttpLimits;
//!
//! let capture = concat!(
//!     r#"{"wire":1,"id":"0","started":"2026-11-23T14:00:00Z","via":"send","url":"http://h/","tool":"t"}"#, "\n",
//!     r#"{"t":10,"sent":"GET / HTTP/1.1\r\nHost: h\r\n\r\n"}"#, "\n",
//!     r#"{"t":90,"received":"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"}"#, "\n",
//! );
//! let reading = wire::capture::read(&mut capture.as_bytes())?;
//! let exchange = Exchange::read(&reading.tape, HttpLimits::default());
//! assert_eq!(exchange.response.status(), Some(200));
//! assert_eq!(exchange.outcome(), ExchangeOutcome::Whole);
//! assert_eq!(reading.tape.received.slice(exchange.response.body[0]), b"hi");
//! # Ok::<(), wire::capture::CaptureReadError>(())
//! ```

pub mod call;
pub mod capture;
pub mod catalog;
pub mod chat;
pub mod cli;
pub mod client;
pub mod content;
pub mod demo;
pub mod diff;
pub mod exchange;
pub mod http1;
pub mod json;
pub mod net;
pub mod price;
pub mod prompt_cache;
pub mod render;
pub mod sdk;
pub mod serve;
pub mod service;
pub mod span;
pub mod sse;
pub mod tape;
