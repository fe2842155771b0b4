//! The index of a folder: what lists show of each capture, kept beside them. A line is good as long as size
//! and time of its file are the same; it can be thrown away at any time.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::capture::store::{self, Store};
use crate::catalog::row::Entry;

/// The first line of an index that this version understands.
const FIRST: &[u8] = b"{\"index\":2}\n";

#[derive(Deserialize, Serialize)]
struct Line<'a> {
    name: &'a str,
    size: u64,
    changed: u64,
    entry: Entry,
}

/// The index, and what is to be added to it.
pub(super) struct Index<'a> {
    store: &'a Store,
    /// The last line of each name, unread.
    known: HashMap<&'a [u8], &'a [u8]>,
    fresh: Vec<u8>,
    /// There is none yet, or it is one of another version, or mostly of captures that are gone.
    anew: bool,
}

impl<'a> Index<'a> {
    /// Takes the lines of `text`, which is what [`Store::read_index`] gave; `captures` is how many there are.
    pub(super) fn new(store: &'a Store, text: &'a [u8], captures: usize) -> Self {
        let mut index = Self {
            store,
            known: HashMap::new(),
            fresh: Vec::new(),
            anew: true,
        };
        let Some(lines) = text.strip_prefix(FIRST) else {
            return index;
        };
        index.known.reserve(captures);
        let mut count = 0usize;
        for line in lines.split(|&byte| byte == b'\n') {
            if let Some(name) = name_of(line) {
                index.known.insert(name, line);
                count = count.saturating_add(1);
            }
        }
        index.anew = count > captures.saturating_mul(2).saturating_add(64);
        if index.anew {
            index.known.clear();
        }
        index
    }

    /// What is known of the capture `name`, read from its file where the index does not know.
    pub(super) fn entry(&mut self, name: &str) -> Result<Entry, store::StoreError> {
        let stamp = self.store.stamp(name);
        if let Some((size, changed)) = stamp
            && let Some(line) = self.known.get(name.as_bytes())
            && let Ok(line) = serde_json::from_slice::<Line<'_>>(line)
            && (line.size, line.changed) == (size, changed)
        {
            return Ok(line.entry);
        }
        let reading = store::open(&self.store.path(name))?;
        let entry = Entry::of(&reading.tape);
        if let Some((size, changed)) = stamp {
            self.remember(&Line {
                name,
                size,
                changed,
                entry: entry.clone(),
            });
        }
        Ok(entry)
    }

    fn remember(&mut self, line: &Line<'_>) {
        if self.anew && self.fresh.is_empty() {
            self.fresh.extend_from_slice(FIRST);
        }
        if serde_json::to_writer(&mut self.fresh, line).is_ok() {
            self.fresh.push(b'\n');
        }
    }

    /// Writes down what is new.
    pub(super) fn save(self) {
        if !self.fresh.is_empty() {
            self.store.write_index(&self.fresh, self.anew);
        }
    }
}

/// The name in a line, which begins with it; names of captures need no escapes, and those that do are read
/// from their files.
fn name_of(line: &[u8]) -> Option<&[u8]> {
    let rest = line.strip_prefix(b"{\"name\":\"")?;
    let end = memchr::memchr(b'"', rest)?;
    rest.get(..end)
}
