//! A head from its parts, in the spelling and order given.

use thiserror::Error;

use super::head::is_token_byte;

/// A request head that is built for sending. Fields are neither sorted nor spelled anew.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RequestHead {
    /// `POST /v1/chat/completions HTTP/1.1`, without line end.
    pub start_line: String,
    /// Names and values in order.
    pub fields: Vec<(String, String)>,
}

/// One `-H` argument, with curl's meaning.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum FieldEdit {
    /// `Name: value`: replaces the default of that name, in place; otherwise appended.
    Set(String, String),
    /// `Name:`: removes the default.
    Remove(String),
    /// `Name;`: sent with an empty value.
    SetEmpty(String),
}

/// The error of a `-H` argument that is not a header field.
#[derive(Clone, Debug, Error, Eq, PartialEq)]
pub enum FieldEditError {
    /// Neither `:` nor a final `;`.
    #[error(
        "the header `{0}` has no colon: write 'Name: value', 'Name:' to remove, 'Name;' for empty"
    )]
    NoColon(String),
    /// The name is not a token (RFC 9110, 5.1).
    #[error("`{0}` is not a header name: letters, digits and !#$%&'*+-.^_`|~ only")]
    BadName(String),
    /// CR, LF or NUL in the value.
    #[error("the value of header `{0}` holds a line end or NUL")]
    BadValue(String),
}

impl FieldEdit {
    /// Reads one `-H` argument.
    pub fn parse(argument: &str) -> Result<Self, FieldEditError> {
        let (name, edit) = match (argument.split_once(':'), argument.strip_suffix(';')) {
            (Some((name, value)), _) => (name, Some(value.trim_matches([' ', '\t']))),
            (None, Some(name)) => (name, None),
            (None, None) => return Err(FieldEditError::NoColon(redact_after_name(argument))),
        };
        if name.is_empty() || !name.bytes().all(is_token_byte) {
            return Err(FieldEditError::BadName(redact_after_name(name)));
        }
        let name = name.to_owned();
        match edit {
            None => Ok(Self::SetEmpty(name)),
            Some("") => Ok(Self::Remove(name)),
            Some(value) if value.contains(['\r', '\n', '\0']) => {
                Err(FieldEditError::BadValue(name))
            }
            Some(value) => Ok(Self::Set(name, value.to_owned())),
        }
    }
}

/// The part of a `-H` argument that an error may print. Without a colon, the rest may be a key.
fn redact_after_name(argument: &str) -> String {
    match argument.split_once(|char: char| char.is_whitespace() || char == '=') {
        Some((word, _)) => format!("{word} ..."),
        None => argument.to_owned(),
    }
}

impl RequestHead {
    /// Applies `-H` arguments in order. The first edit of a name replaces the default where it stands,
    /// with the name as the user spells it; further ones of that name are added at the end.
    pub fn apply_edits(&mut self, edits: &[FieldEdit]) {
        let mut touched: Vec<&str> = Vec::new();
        for edit in edits {
            let (name, value) = match edit {
                FieldEdit::Set(name, value) => (name, Some(value.as_str())),
                FieldEdit::SetEmpty(name) => (name, Some("")),
                FieldEdit::Remove(name) => (name, None),
            };
            let first = !touched.iter().any(|known| known.eq_ignore_ascii_case(name));
            touched.push(name);
            let place = self
                .fields
                .iter()
                .position(|(known, _)| known.eq_ignore_ascii_case(name));
            match (value, place) {
                (None, _) => self
                    .fields
                    .retain(|(known, _)| !known.eq_ignore_ascii_case(name)),
                (Some(value), Some(place)) if first => {
                    if let Some(field) = self.fields.get_mut(place) {
                        *field = (name.clone(), value.to_owned());
                    }
                }
                (Some(value), _) => self.fields.push((name.clone(), value.to_owned())),
            }
        }
    }

    /// The value of the first field called `name`, in any spelling.
    pub fn get(&self, name: &str) -> Option<&str> {
        let field = self
            .fields
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        field.map(|(_, value)| value.as_str())
    }

    /// The bytes of the head with the empty line. An empty value has no space after its colon.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(256);
        bytes.extend_from_slice(self.start_line.as_bytes());
        for (name, value) in &self.fields {
            bytes.extend_from_slice(b"\r\n");
            bytes.extend_from_slice(name.as_bytes());
            bytes.extend_from_slice(if value.is_empty() { b":" } else { b": " });
            bytes.extend_from_slice(value.as_bytes());
        }
        bytes.extend_from_slice(b"\r\n\r\n");
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_keep_order_and_spelling() {
        #[track_caller]
        fn case(edits: &[&str], expected: &str) {
            let fields = [("Host", "h"), ("Accept", "*/*")];
            let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
            let mut head = RequestHead {
                start_line: "GET / HTTP/1.1".into(),
                fields: fields.to_vec(),
            };
            let edits: Vec<_> = edits
                .iter()
                .map(|edit| FieldEdit::parse(edit).unwrap())
                .collect();
            head.apply_edits(&edits);
            let expected = format!("GET / HTTP/1.1\r\n{expected}\r\n\r\n");
            assert_eq!(String::from_utf8(head.encode()).unwrap(), expected);
        }
        case(&[], "Host: h\r\nAccept: */*");
        case(&["x-A:  1 "], "Host: h\r\nAccept: */*\r\nx-A: 1");
        case(&["accept: text/plain"], "Host: h\r\naccept: text/plain");
        case(&["Accept:"], "Host: h");
        case(&["Accept;"], "Host: h\r\nAccept:");
        case(&["A: 1", "a: 2"], "Host: h\r\nAccept: */*\r\nA: 1\r\na: 2");
        case(
            &["Accept: a", "Accept: b"],
            "Host: h\r\nAccept: a\r\nAccept: b",
        );
        case(&["X: a:b;c"], "Host: h\r\nAccept: */*\r\nX: a:b;c");
    }

    #[test]
    fn what_is_no_field_is_refused() {
        assert_eq!(
            FieldEdit::parse("Accept"),
            Err(FieldEditError::NoColon("Accept".into()))
        );
        assert_eq!(
            FieldEdit::parse("Authorization Bearer sk-secret"),
            Err(FieldEditError::NoColon("Authorization ...".into()))
        );
        assert_eq!(
            FieldEdit::parse("A b: c"),
            Err(FieldEditError::BadName("A ...".into()))
        );
        assert_eq!(
            FieldEdit::parse(": c"),
            Err(FieldEditError::BadName(String::new()))
        );
        assert_eq!(
            FieldEdit::parse("A: b\r\nC: d"),
            Err(FieldEditError::BadValue("A".into()))
        );
    }
}
