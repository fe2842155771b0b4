//! Finds secrets in lines that belong to no HTTP message: those that look like a sensitive field.

use super::names;
use crate::span::Span;

/// The part read so far of a line that belongs to no HTTP message.
#[derive(Clone, Debug, Default)]
pub(super) struct UnframedLine {
    secrecy: LineSecrecy,
    /// The text before the first colon, which may be the name of a field.
    name: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum LineSecrecy {
    #[default]
    Unknown,
    Plain,
    Secret,
}

impl UnframedLine {
    /// Finds the secret in the next bytes `part` of the line, at `span`. Returns its span and the name of its field.
    pub(super) fn find_secret(&mut self, span: Span, part: &[u8]) -> Option<(String, Span)> {
        let mut from = span.start;
        if self.secrecy == LineSecrecy::Unknown {
            let colon = part.iter().position(|&byte| byte == b':');
            self.name
                .extend_from_slice(part.get(..colon.unwrap_or(part.len())).unwrap_or_default());
            if let Some(colon) = colon {
                let secret = names::is_secret_field(self.name.trim_ascii());
                self.secrecy = if secret {
                    LineSecrecy::Secret
                } else {
                    LineSecrecy::Plain
                };
                from = from.saturating_add(colon as u64).saturating_add(1);
            // No field with a secret has a name as long as this.
            } else if self.name.len() > 100 {
                self.secrecy = LineSecrecy::Plain;
            }
        }
        if self.secrecy != LineSecrecy::Secret {
            return None;
        }
        let is_end = |byte: &&u8| matches!(**byte, b'\n' | b'\r');
        let ends = part.iter().rev().take_while(is_end).count();
        let rule = String::from_utf8_lossy(self.name.trim_ascii()).into_owned();
        let value = Span::new(from, span.end.saturating_sub(ends as u64));
        Some((rule, value))
    }
}
