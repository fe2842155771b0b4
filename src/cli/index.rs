//! The index of a folder: what lists show of each capture, kept beside them. A line is good as long as size
//! and time of its file are the same; it can be thrown away at any time.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::call::{Call, ReadOptions};
use crate::capture::store::{self, CaptureStore};
use crate::catalog::row::CatalogRow;
use crate::chat::AnswerRetention;

/// The first line of an index that this version understands.
const INDEX_HEADER: &[u8] = b"{\"index\":2}\n";

#[derive(Deserialize, Serialize)]
struct IndexLine<'a> {
    name: &'a str,
    size: u64,
    changed: u64,
    entry: CatalogRow,
}

/// The index, and what is to be added to it.
pub(super) struct CatalogIndex<'a> {
    store: &'a CaptureStore,
    /// The last line of each name, unread.
    lines: HashMap<&'a [u8], &'a [u8]>,
    added_lines: Vec<u8>,
    /// There is none yet, or it is one of another version, or mostly of captures that are gone.
    is_rewrite: bool,
}

impl<'a> CatalogIndex<'a> {
    /// Takes the lines of `text`, which is what [`CaptureStore::read_index`] gave; `captures` is how many there are.
    pub(super) fn new(store: &'a CaptureStore, text: &'a [u8], captures: usize) -> Self {
        let mut index = Self {
            store,
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

    /// What is known of the capture `name`, read from its file where the index does not know.
    pub(super) fn row(&mut self, name: &str) -> Result<CatalogRow, store::StoreError> {
        let stamp = self.store.size_and_mtime(name);
        if let Some((size, changed)) = stamp
            && let Some(line) = self.lines.get(name.as_bytes())
            && let Ok(line) = serde_json::from_slice::<IndexLine<'_>>(line)
            && (line.size, line.changed) == (size, changed)
        {
            return Ok(line.entry);
        }
        let reading = store::open(&self.store.path(name))?;
        // Prices change, so they are looked up when the list is shown.
        let options = ReadOptions::without_prices(AnswerRetention::TotalsOnly);
        let entry = CatalogRow::from_call(Call::read(reading.tape, &options));
        if let Some((size, changed)) = stamp {
            self.add_line(&IndexLine {
                name,
                size,
                changed,
                entry: entry.clone(),
            });
        }
        Ok(entry)
    }

    fn add_line(&mut self, line: &IndexLine<'_>) {
        if self.is_rewrite && self.added_lines.is_empty() {
            self.added_lines.extend_from_slice(INDEX_HEADER);
        }
        if serde_json::to_writer(&mut self.added_lines, line).is_ok() {
            self.added_lines.push(b'\n');
        }
    }

    /// Writes down what is new.
    pub(super) fn save(self) {
        if !self.added_lines.is_empty() {
            self.store.write_index(&self.added_lines, self.is_rewrite);
        }
    }
}

/// The name in a line, which begins with it; names of captures need no escapes, and those that do are read
/// from their files.
fn line_name(line: &[u8]) -> Option<&[u8]> {
    let rest = line.strip_prefix(b"{\"name\":\"")?;
    let end = memchr::memchr(b'"', rest)?;
    rest.get(..end)
}
