//! A capture that the user names, and a call in it: `ID`, `@~1`, and `ID.2` for the second call of a WebSocket.

use std::path::PathBuf;

use super::error::CliError;
use crate::call::websocket::WebSocketSession;
use crate::call::{Call, ReadOptions};
use crate::capture::store::{CaptureStore, StoreError};
use crate::exchange::Exchange;
use crate::tape::Tape;

/// A capture and the call in it that the user named.
#[derive(Debug)]
pub(super) struct CaptureSubject {
    /// The file.
    pub(super) path: PathBuf,
    /// The number of the call, from 1; `None` if no call was named.
    pub(super) call: Option<usize>,
}

impl CaptureSubject {
    /// Finds the capture `text`, or else the capture before the last dot of `text` and the call behind it.
    pub(super) fn find(store: &CaptureStore, text: &str) -> Result<Self, StoreError> {
        let error = match store.find(text) {
            Ok(path) => return Ok(Self { path, call: None }),
            Err(error) => error,
        };
        let parts = text.rsplit_once('.');
        let named = parts.and_then(|(name, number)| Some((name, number.parse().ok()?)));
        match named.and_then(|(name, call)| Some((store.find(name).ok()?, call))) {
            Some((path, call)) => Ok(Self {
                path,
                call: Some(call),
            }),
            None => Err(error),
        }
    }

    /// The captures that `text` names: one, as in [`CaptureSubject::find`], or a range `FIRST..LAST`.
    pub(super) fn find_all(store: &CaptureStore, text: &str) -> Result<Vec<Self>, StoreError> {
        match store.find_all(text) {
            Ok(paths) => Ok(paths.into_iter().map(Self::from).collect()),
            Err(error) => match Self::find(store, text) {
                Ok(subject) => Ok(vec![subject]),
                Err(_) => Err(error),
            },
        }
    }
}

impl From<PathBuf> for CaptureSubject {
    fn from(path: PathBuf) -> Self {
        Self { path, call: None }
    }
}

/// A WebSocket connection: its tape, its handshake, its messages.
#[derive(Debug)]
pub(super) struct WebSocketCapture {
    pub(super) tape: Tape,
    pub(super) exchange: Exchange,
    pub(super) session: WebSocketSession,
}

impl WebSocketCapture {
    /// Reads a WebSocket connection; gives the tape back if it is none.
    pub(super) fn read(tape: Tape, means: &ReadOptions) -> Result<Self, Box<Tape>> {
        let exchange = Exchange::read(&tape, means.http1);
        match WebSocketSession::read(&tape, &exchange, means) {
            Some(session) => Ok(Self {
                tape,
                exchange,
                session,
            }),
            None => Err(Box::new(tape)),
        }
    }

    /// The call with that number, from 1.
    pub(super) fn call(&self, number: usize, means: &ReadOptions) -> Result<Call, CliError> {
        let index = number.checked_sub(1);
        let call =
            index.and_then(|index| self.session.call(index, &self.tape, &self.exchange, means));
        call.ok_or_else(|| {
            let count = self.session.calls.len();
            let text = match count {
                0 => "the connection has no call".to_owned(),
                1 => format!("there is no call {number}: the connection has one call"),
                count => format!("there is no call {number}: the connection has {count} calls"),
            };
            CliError::usage(text).with_hint("`wire show` without a number lists messages and calls")
        })
    }

    /// All calls, in order.
    pub(super) fn calls(&self, means: &ReadOptions) -> Vec<Call> {
        let numbers = 0..self.session.calls.len();
        numbers
            .filter_map(|number| self.session.call(number, &self.tape, &self.exchange, means))
            .collect()
    }
}

/// The error for a call that was named in a capture of another kind.
pub(super) fn not_a_websocket(number: usize) -> CliError {
    CliError::usage(format!(
        "there is no call {number}: the capture is no WebSocket connection"
    ))
    .with_hint("name the capture without a number")
}

/// Reads the call that `call` names on `tape`; without a number, the exchange.
pub(super) fn read_call(
    tape: Tape,
    call: Option<usize>,
    means: &ReadOptions,
) -> Result<Call, CliError> {
    match call {
        None => Ok(Call::read(tape, means)),
        Some(number) => match WebSocketCapture::read(tape, means) {
            Ok(capture) => capture.call(number, means),
            Err(_) => Err(not_a_websocket(number)),
        },
    }
}
