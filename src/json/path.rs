//! Which value is meant: a JSON Pointer (RFC 6901), or the dotted form that people type.

/// A path from the outermost value to a value inside it.
///
/// A step is a key or an index: which, the value decides that it is applied to (RFC 6901, section 4).
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct ValuePath {
    steps: Vec<String>,
}

impl ValuePath {
    /// Reads a path.
    ///
    /// Empty, or with a `/` in front, it is a JSON Pointer: `/messages/0/content`, with `~1` for `/` and `~0`
    /// for `~`. Otherwise names are between dots, indices between dots or in brackets:
    /// `messages.0.content`, `messages[0].content`. A `\` takes the character after it as it is, and so do
    /// quotes for all that they hold: `"a.b".c`, `a\.b.c`. `-`, and also `[]`, is the place after the
    /// last item. A dot in front changes nothing, so `.` is the outermost value, as the empty path is.
    pub fn parse(text: &str) -> Result<Self, ValuePathError> {
        let steps = match text.strip_prefix('/') {
            Some(pointer) => pointer_steps(pointer)?,
            None => DottedPathReader { text, at: 0 }.read_steps()?,
        };
        Ok(Self { steps })
    }

    /// The keys and indices, outermost first.
    pub fn steps(&self) -> &[String] {
        &self.steps
    }

    /// Whether the path is empty and so leads to the outermost value.
    pub fn is_root(&self) -> bool {
        self.steps.is_empty()
    }

    /// The path one step further in.
    #[must_use]
    pub fn join(&self, step: &str) -> Self {
        let mut steps = self.steps.clone();
        steps.push(step.to_owned());
        Self { steps }
    }

    /// The path to the value around this one; `None` for the outermost.
    pub fn parent(&self) -> Option<Self> {
        let (_, steps) = self.steps.split_last()?;
        Some(Self {
            steps: steps.to_vec(),
        })
    }

    /// The first `count` steps.
    pub(super) fn prefix(&self, count: usize) -> Self {
        Self {
            steps: self.steps.iter().take(count).cloned().collect(),
        }
    }
}

/// As a JSON Pointer: unambiguous, and read back by [`ValuePath::parse`] to the same path.
impl std::fmt::Display for ValuePath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for step in &self.steps {
            write!(f, "/{}", step.replace('~', "~0").replace('/', "~1"))?;
        }
        Ok(())
    }
}

/// From its steps, outermost first.
impl FromIterator<String> for ValuePath {
    fn from_iter<T: IntoIterator<Item = String>>(steps: T) -> Self {
        Self {
            steps: steps.into_iter().collect(),
        }
    }
}

impl std::str::FromStr for ValuePath {
    type Err = ValuePathError;

    fn from_str(text: &str) -> Result<Self, ValuePathError> {
        Self::parse(text)
    }
}

/// Why a text is not a path. Offsets count its bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ValuePathError {
    /// A `~` before something else than `0` and `1`, in a JSON Pointer.
    #[error("in a JSON Pointer `~` is written `~0`, and `/` in a key `~1` (byte {at} of the path)")]
    BadTilde {
        /// Offset of the `~`.
        at: usize,
    },
    /// Nothing between two dots, or after the last.
    #[error("an empty name (byte {at} of the path); write \"\" where an empty key is meant")]
    EmptyName {
        /// Where a name should begin.
        at: usize,
    },
    /// A quote or bracket that nothing closes, or a `\` at the end.
    #[error("the path ends inside what begins at its byte {at}")]
    Unclosed {
        /// Offset of the quote, bracket or `\`.
        at: usize,
    },
    /// Something else than digits, `-` or a quoted key in brackets.
    #[error("brackets hold an index or a quoted key (byte {at} of the path)")]
    NotIndex {
        /// Offset of the bracket.
        at: usize,
    },
    /// After a closing quote or bracket comes neither a dot nor a bracket.
    #[error("expected `.` or `[` (byte {at} of the path)")]
    MissingSeparator {
        /// Where it was expected.
        at: usize,
    },
}

/// The steps of a JSON Pointer (RFC 6901, section 3), after its first `/`.
fn pointer_steps(pointer: &str) -> Result<Vec<String>, ValuePathError> {
    let mut at = 1usize;
    let mut steps = Vec::new();
    for token in pointer.split('/') {
        for (tilde, _) in token.match_indices('~') {
            let after = token.as_bytes().get(tilde.saturating_add(1));
            if !matches!(after, Some(b'0' | b'1')) {
                let at = at.saturating_add(tilde);
                return Err(ValuePathError::BadTilde { at });
            }
        }
        // In this order, so that `~01` becomes `~1` and not `/`.
        steps.push(token.replace("~1", "/").replace("~0", "~"));
        at = at.saturating_add(token.len()).saturating_add(1);
    }
    Ok(steps)
}

/// A reader of the dotted form of a path.
struct DottedPathReader<'a> {
    text: &'a str,
    at: usize,
}

impl DottedPathReader<'_> {
    fn read_steps(mut self) -> Result<Vec<String>, ValuePathError> {
        let mut steps = Vec::new();
        self.skip('.');
        while self.peek().is_some() {
            steps.push(self.read_step()?);
            let dot = self.skip('.');
            match self.peek() {
                None if dot => return Err(ValuePathError::EmptyName { at: self.at }),
                Some(other) if !dot && other != '[' => {
                    return Err(ValuePathError::MissingSeparator { at: self.at });
                }
                _ => {}
            }
        }
        Ok(steps)
    }

    fn read_step(&mut self) -> Result<String, ValuePathError> {
        let start = self.at;
        if self.skip('[') {
            return self.read_bracket(start);
        }
        if let Some(quote @ ('"' | '\'')) = self.peek() {
            return self.read_quoted(quote);
        }
        let name = self.read_until(start, &['.', '['])?;
        match self.at == start {
            true => Err(ValuePathError::EmptyName { at: start }),
            false => Ok(name),
        }
    }

    /// Reads the step between brackets. The opening bracket is at `start`, before the current offset.
    fn read_bracket(&mut self, start: usize) -> Result<String, ValuePathError> {
        let step = match self.peek() {
            Some(quote @ ('"' | '\'')) => self.read_quoted(quote)?,
            _ => match self.read_until(start, &[']'])? {
                empty if empty.is_empty() => "-".to_owned(),
                index if index == "-" || is_index(&index) => index,
                _ => return Err(ValuePathError::NotIndex { at: start }),
            },
        };
        match (self.skip(']'), self.peek()) {
            (true, _) => Ok(step),
            (false, None) => Err(ValuePathError::Unclosed { at: start }),
            (false, Some(_)) => Err(ValuePathError::NotIndex { at: start }),
        }
    }

    fn read_quoted(&mut self, quote: char) -> Result<String, ValuePathError> {
        let start = self.at;
        self.skip(quote);
        let name = self.read_until(start, &[quote])?;
        match self.skip(quote) {
            true => Ok(name),
            false => Err(ValuePathError::Unclosed { at: start }),
        }
    }

    /// Reads up to one of `ends` or the end of the text. A `\` keeps the next character as it is.
    fn read_until(&mut self, start: usize, ends: &[char]) -> Result<String, ValuePathError> {
        let mut name = String::new();
        while let Some(character) = self.peek().filter(|character| !ends.contains(character)) {
            self.skip(character);
            if character != '\\' {
                name.push(character);
                continue;
            }
            let escaped = self.peek().ok_or(ValuePathError::Unclosed { at: start })?;
            self.skip(escaped);
            name.push(escaped);
        }
        Ok(name)
    }

    fn peek(&self) -> Option<char> {
        self.text.get(self.at..)?.chars().next()
    }

    fn skip(&mut self, character: char) -> bool {
        let skips = self.peek() == Some(character);
        if skips {
            self.at = self.at.saturating_add(character.len_utf8());
        }
        skips
    }
}

/// Whether `step` may be an index: digits without a leading zero (RFC 6901, section 4).
pub(super) fn is_index(step: &str) -> bool {
    let digits = !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit());
    digits && (step == "0" || !step.starts_with('0'))
}
