//! permessage-deflate (RFC 7692): its parameters in the handshake, and the decompressor of one direction.

use flate2::{Decompress, FlushDecompress, Status};

use crate::span::StreamSide;

/// The parameters of permessage-deflate that the server's handshake agreed to (RFC 7692, 7.1).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, serde::Serialize)]
pub struct DeflateParams {
    /// Whether each message of the server is compressed by itself.
    pub server_no_context_takeover: bool,
    /// Whether each message of the client is compressed by itself.
    pub client_no_context_takeover: bool,
    /// Base-2 logarithm of the server's window, if the handshake limits it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_max_window_bits: Option<u8>,
    /// Base-2 logarithm of the client's window, if the handshake limits it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_max_window_bits: Option<u8>,
}

impl DeflateParams {
    /// Reads the values of `Sec-WebSocket-Extensions` in the response. `None`: permessage-deflate was not agreed on.
    pub fn read<'a>(values: impl IntoIterator<Item = &'a [u8]>) -> Option<Self> {
        let extensions = values
            .into_iter()
            .flat_map(|value| value.split(|&byte| byte == b','));
        extensions.into_iter().find_map(Self::read_extension)
    }

    fn read_extension(extension: &[u8]) -> Option<Self> {
        let mut parts = extension
            .split(|&byte| byte == b';')
            .map(<[u8]>::trim_ascii);
        let name = parts.next()?;
        if !name.eq_ignore_ascii_case(b"permessage-deflate") {
            return None;
        }
        let mut params = Self::default();
        for part in parts {
            let (name, value) = split_parameter(part);
            match name.to_ascii_lowercase().as_slice() {
                b"server_no_context_takeover" => params.server_no_context_takeover = true,
                b"client_no_context_takeover" => params.client_no_context_takeover = true,
                b"server_max_window_bits" => params.server_max_window_bits = value,
                b"client_max_window_bits" => params.client_max_window_bits = value,
                _ => {}
            }
        }
        Some(params)
    }

    /// Whether each message of `side` is compressed by itself.
    pub fn is_without_context(&self, side: StreamSide) -> bool {
        match side {
            StreamSide::Sent => self.client_no_context_takeover,
            StreamSide::Received => self.server_no_context_takeover,
        }
    }
}

/// The name of an extension parameter and its number, which may be quoted.
fn split_parameter(part: &[u8]) -> (&[u8], Option<u8>) {
    let mut halves = part.splitn(2, |&byte| byte == b'=').map(<[u8]>::trim_ascii);
    let name = halves.next().unwrap_or_default();
    let value = halves.next().and_then(|value| {
        let text = std::str::from_utf8(value).ok()?;
        text.trim_matches('"').parse().ok()
    });
    (name, value)
}

/// The end of a compressed message that the sender leaves out (RFC 7692, 7.2.1).
const MESSAGE_TAIL: &[u8] = &[0, 0, 0xff, 0xff];

/// Bytes that the decompressor writes at a time.
const INFLATE_STEP: usize = 16 << 10;

/// Decompressor of the messages of one direction. Its window is 32 KiB, which reads the data of every smaller window.
pub(super) struct MessageInflater {
    engine: Decompress,
    /// Whether each message is compressed by itself.
    is_without_context: bool,
    /// Whether a message was not inflated to its end, so that later ones that refer to it cannot be.
    has_lost_context: bool,
}

/// The error of a message that was not inflated to its end. The bytes before that place are in the output.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum InflateError {
    /// The data are no deflate stream, end inside a block, or refer to a message that was lost.
    Broken,
    /// The output is longer than its limit.
    OverLimit,
}

impl std::fmt::Debug for MessageInflater {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MessageInflater")
    }
}

impl MessageInflater {
    pub(super) fn new(is_without_context: bool) -> Self {
        Self {
            engine: Decompress::new(false),
            is_without_context,
            has_lost_context: false,
        }
    }

    /// Inflates the payload of one message into `out`, which gets at most `limit` bytes. `is_complete`: whether `payload`
    /// is all of it.
    pub(super) fn inflate(
        &mut self,
        payload: &[u8],
        is_complete: bool,
        limit: u64,
        out: &mut Vec<u8>,
    ) -> Result<(), InflateError> {
        if self.is_without_context {
            self.engine.reset(false);
        } else if self.has_lost_context {
            return Err(InflateError::Broken);
        }
        let mut result = self.push(payload, limit, out);
        if is_complete && result.is_ok() {
            result = self.push(MESSAGE_TAIL, limit, out);
        }
        self.has_lost_context |= result.is_err() || !is_complete;
        result
    }

    fn push(&mut self, bytes: &[u8], limit: u64, out: &mut Vec<u8>) -> Result<(), InflateError> {
        let mut rest = bytes;
        let mut step = vec![0; INFLATE_STEP];
        loop {
            let (read, written) = (self.engine.total_in(), self.engine.total_out());
            let status = self
                .engine
                .decompress(rest, &mut step, FlushDecompress::Sync)
                .map_err(|_| InflateError::Broken)?;
            let count = |total: u64, before| usize::try_from(total.saturating_sub(before));
            let read = count(self.engine.total_in(), read).unwrap_or_default();
            let written = count(self.engine.total_out(), written).unwrap_or_default();
            rest = rest.get(read..).unwrap_or_default();
            let room = usize::try_from(limit).unwrap_or(usize::MAX);
            let room = room.saturating_sub(out.len());
            out.extend_from_slice(step.get(..written.min(room)).unwrap_or_default());
            if written > room {
                return Err(InflateError::OverLimit);
            }
            match status {
                // A last block ends the deflate stream; the next begins with an empty window (RFC 7692, 7.2.3.4).
                Status::StreamEnd => self.engine.reset(false),
                _ if written < step.len() && rest.is_empty() => return Ok(()),
                _ if read == 0 && written == 0 => return Err(InflateError::Broken),
                _ => {}
            }
            if rest.is_empty() && written < step.len() {
                return Ok(());
            }
        }
    }
}
