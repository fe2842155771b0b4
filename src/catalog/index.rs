//! The index of a capture folder: the rows of `wire ls`, one line per capture. A line is valid while size and time of its
//! file are the same; the index can be deleted at any time.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::row::CatalogRow;

/// The first line of an index that this version reads.
const INDEX_HEADER: &[u8] = b"{\"index\":6}\n";

/// Size of a file in bytes and time of its last change in nanoseconds since 1970.
pub type FileStamp = (u64, u64);

#[derive(Deserialize, Serialize)]
struct IndexLine<'a, R> {
    name: &'a str,
    size: u64,
    changed: u64,
    entry: R,
}

/// An index that was read, and the lines that are added to it.
pub struct CatalogIndex<'a> {
    /// The last line of each name, not parsed yet.
    lines: HashMap<&'a [u8], &'a [u8]>,
    added_lines: Vec<u8>,
    /// Whether the index is written anew: there is none, or it is of another version, or most of its captures are gone.
    is_rewrite: bool,
}

impl<'a> CatalogIndex<'a> {
    /// The index in `text` of a folder with this number of captures.
    pub fn new(text: &'a [u8], captures: usize) -> Self {
        let mut index = Self {
            lines: HashMap::new(),
            added_lines: Vec::new(),
            is_rewrite: true,
        };
        let Some(lines) = text.strip_prefix(INDEX_HEADER) else {
            return index;
        };
        index.lines.reserve(captures);
        let mut count = 0usize;
        for line in lines.split(|&byte| byte == b'\n') {
            if let Some(name) = line_name(line) {
                index.lines.insert(name, line);
                count = count.saturating_add(1);
            }
        }
        index.is_rewrite = count > captures.saturating_mul(2).saturating_add(64);
        if index.is_rewrite {
            index.lines.clear();
        }
        index
    }

    /// The row of the capture `name`, if the index has it for the file as it is.
    pub fn row(&self, name: &str, (size, changed): FileStamp) -> Option<CatalogRow> {
        let line = self.lines.get(name.as_bytes())?;
        let line: IndexLine<'_, CatalogRow> = serde_json::from_slice(line).ok()?;
        ((line.size, line.changed) == (size, changed)).then_some(line.entry)
    }

    /// Adds the row of a capture.
    pub fn add(&mut self, name: &str, (size, changed): FileStamp, row: &CatalogRow) {
        if self.is_rewrite && self.added_lines.is_empty() {
            self.added_lines.extend_from_slice(INDEX_HEADER);
        }
        let line = IndexLine {
            name,
            size,
            changed,
            entry: row,
        };
        if serde_json::to_writer(&mut self.added_lines, &line).is_ok() {
            self.added_lines.push(b'\n');
        }
    }

    /// The lines to write, and whether they replace the index; `None` where nothing was added.
    pub fn into_added(self) -> Option<(Vec<u8>, bool)> {
        (!self.added_lines.is_empty()).then_some((self.added_lines, self.is_rewrite))
    }
}

/// The name at the start of a line. Names of captures need no escapes; a capture whose name does is read from its
/// file.
fn line_name(line: &[u8]) -> Option<&[u8]> {
    let rest = line.strip_prefix(b"{\"name\":\"")?;
    let end = memchr::memchr(b'"', rest)?;
    rest.get(..end)
}
