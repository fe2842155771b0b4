//! [`CloseReason`]: the status code and the words of a close frame.

use std::borrow::Cow;

use super::frame::unmask_to;

/// The payload of a close frame (RFC 6455, 5.5.1).
#[derive(Clone, Debug, Default, Eq, PartialEq, serde::Serialize)]
pub struct CloseReason {
    /// The status code; `None` if the frame has none.
    pub code: Option<u16>,
    /// The words after the code; bytes that are not UTF-8 are replaced.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub words: String,
}

impl CloseReason {
    /// Reads the payload of a close frame, unmasked.
    pub fn read(payload: &[u8]) -> Self {
        match payload.split_first_chunk() {
            Some((code, words)) => Self {
                code: Some(u16::from_be_bytes(*code)),
                words: String::from_utf8_lossy(words).into_owned(),
            },
            None => Self::default(),
        }
    }

    /// Reads the payload of a close frame that is masked with `key`.
    pub fn read_masked(payload: &[u8], key: Option<[u8; 4]>) -> Self {
        let mut unmasked = Vec::with_capacity(payload.len());
        unmask_to(&mut unmasked, payload, key, 0);
        Self::read(&unmasked)
    }

    /// Whether an endpoint may send this code: those of the IANA registry that stand for a received frame, and the
    /// ranges for libraries and applications (RFC 6455, 7.4).
    pub fn is_valid_code(code: u16) -> bool {
        matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
    }

    /// The meaning of the code (IANA, WebSocket Close Code Number Registry); empty if it has none.
    pub fn meaning(&self) -> &'static str {
        match self.code {
            Some(1000) => "normal closure",
            Some(1001) => "going away",
            Some(1002) => "protocol error",
            Some(1003) => "unsupported data",
            Some(1007) => "invalid data",
            Some(1008) => "policy violation",
            Some(1009) => "message too big",
            Some(1010) => "extension missing",
            Some(1011) => "internal error",
            Some(1012) => "service restart",
            Some(1013) => "try again later",
            Some(1014) => "bad gateway",
            _ => "",
        }
    }
}

impl std::fmt::Display for CloseReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts = [
            self.code.map_or(Cow::Borrowed("no code"), |code| {
                Cow::Owned(format!("code {code}"))
            }),
            match self.meaning() {
                "" => Cow::Borrowed(""),
                meaning => Cow::Owned(format!(" ({meaning})")),
            },
            match self.words.as_str() {
                "" => Cow::Borrowed(""),
                words => Cow::Owned(format!(": {words}")),
            },
        ];
        parts.iter().try_for_each(|part| f.write_str(part))
    }
}
