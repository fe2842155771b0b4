//! The thread that writes the captures of all recorded exchanges, so that no connection waits for the disk and no file
//! stays open for a stream.
//!
//! ```text
//! exchanges --lines--> queue --> thread: open, append, close
//!           <--room--- (bytes)
//! ```
//!
//! A connection gives its lines and goes on. Before its next read it waits until the queue has room again, so that a slow
//! disk slows the peers down instead of filling the memory.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use tokio::sync::Notify;

use crate::capture::store::{CaptureStore, StoreError};
use crate::tape::TapeOrigin;

/// Bytes of lines that may wait: the output of some seconds of thousands of streams, and a fraction of the memory of any
/// machine that runs them.
const QUEUE_BYTES: u64 = 64 << 20;

/// Bytes that one batch takes at most, so that the queue has room again soon.
const BATCH_BYTES: u64 = 4 << 20;

/// Captures that are remembered for the list at the end: more rows than anybody reads.
pub const LISTED_CAPTURES: usize = 1000;

/// Time that the thread lets lines gather, so that it opens the file of a fast stream less often. A reader of the file
/// does not notice it.
const GATHER_TIME: Duration = Duration::from_millis(2);

/// A capture that the writer has not created yet: its first line and its name.
#[derive(Debug)]
pub(super) struct NewCapture {
    pub(super) origin: TapeOrigin,
    /// The model or host, for the file's name.
    pub(super) label: String,
}

/// Lines of one capture.
#[derive(Debug)]
pub(super) struct CaptureLines {
    /// Which capture; equal for all its lines.
    pub(super) number: u64,
    /// Set with the first lines.
    pub(super) new: Option<Box<NewCapture>>,
    pub(super) lines: Vec<u8>,
    /// Whether these are the last lines.
    pub(super) ended: bool,
}

/// What became of the captures.
#[derive(Debug, Default)]
pub struct WrittenCaptures {
    /// Number of captures that are whole.
    pub count: u64,
    /// The files of the last of them, at most [`LISTED_CAPTURES`], in the order in which their exchanges ended.
    pub paths: VecDeque<PathBuf>,
    /// Number of captures of which lines are missing.
    pub failed: u64,
    /// The first error.
    pub error: Option<StoreError>,
}

/// How many captures of a recording stay. Those that others wrote are never removed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Retention {
    /// Most captures; `None` for all.
    pub captures: Option<usize>,
    /// Most bytes of captures that are whole; `None` for any number.
    pub bytes: Option<u64>,
}

/// The receiver of the path of each capture that is whole.
pub type CaptureListener = Box<dyn FnMut(&std::path::Path) + Send>;

/// The queue to the writer thread.
#[derive(Debug)]
pub(super) struct CaptureQueue {
    lines: Sender<CaptureLines>,
    load: Arc<QueueLoad>,
}

#[derive(Debug, Default)]
struct QueueLoad {
    bytes: AtomicU64,
    has_room: Notify,
}

impl CaptureQueue {
    /// Starts the thread, which writes into `store`. It ends once the queue is dropped.
    pub(super) fn start(
        store: CaptureStore,
        retention: Retention,
        listener: CaptureListener,
    ) -> std::io::Result<(Self, JoinHandle<WrittenCaptures>)> {
        let (lines, queue) = channel();
        let load = Arc::new(QueueLoad::default());
        let mut writer = Writer {
            store,
            listener,
            retention,
            kept: VecDeque::new(),
            kept_bytes: 0,
            open: HashMap::new(),
            done: WrittenCaptures::default(),
        };
        let thread_load = Arc::clone(&load);
        let run = move || {
            writer.run(&queue, &thread_load);
            writer.done
        };
        let handle = Builder::new()
            .name("capture-writer".to_owned())
            .spawn(run)?;
        Ok((Self { lines, load }, handle))
    }

    /// Adds lines. Never waits.
    pub(super) fn put(&self, lines: CaptureLines) {
        let size = lines.lines.len() as u64;
        self.load.bytes.fetch_add(size, Ordering::Relaxed);
        // The thread ends only after this queue, or by a panic, which its handle reports.
        let _ = self.lines.send(lines);
    }

    /// Whether a connection may read on.
    pub(super) fn has_room(&self) -> bool {
        self.load.bytes.load(Ordering::Relaxed) < QUEUE_BYTES
    }

    /// Waits until a connection may read on.
    pub(super) async fn room(&self) {
        loop {
            let notified = self.load.has_room.notified();
            if self.has_room() {
                return;
            }
            notified.await;
        }
    }
}

struct Writer {
    store: CaptureStore,
    listener: CaptureListener,
    retention: Retention,
    /// Captures that are whole and may be removed, with their sizes, oldest first. Empty without a retention.
    kept: VecDeque<(PathBuf, u64)>,
    kept_bytes: u64,
    /// The files of captures that have not ended, with the bytes written to each; `None` after an error, since nothing
    /// more is written then.
    open: HashMap<u64, Option<(PathBuf, u64)>>,
    done: WrittenCaptures,
}

impl Writer {
    fn run(&mut self, queue: &Receiver<CaptureLines>, load: &QueueLoad) {
        while let Ok(first) = queue.recv() {
            let mut batch: HashMap<u64, (usize, CaptureLines)> = HashMap::new();
            let mut taken = 0u64;
            for (place, lines) in std::iter::once(first).chain(queue.try_iter()).enumerate() {
                taken = taken.saturating_add(lines.lines.len() as u64);
                match batch.entry(lines.number) {
                    Entry::Vacant(entry) => _ = entry.insert((place, lines)),
                    Entry::Occupied(mut entry) => {
                        let (last, before) = entry.get_mut();
                        before.lines.extend_from_slice(&lines.lines);
                        before.ended |= lines.ended;
                        *last = place;
                    }
                }
                if taken > BATCH_BYTES {
                    break;
                }
            }
            // In the order of their last lines, which is that of their ends.
            let mut batch: Vec<_> = batch.into_values().collect();
            batch.sort_unstable_by_key(|(place, _)| *place);
            for (_, lines) in batch {
                self.write(lines);
            }
            load.bytes.fetch_sub(taken, Ordering::Relaxed);
            load.has_room.notify_waiters();
            std::thread::sleep(GATHER_TIME);
        }
    }

    fn write(&mut self, lines: CaptureLines) {
        let length = lines.lines.len() as u64;
        let written = match lines.new {
            Some(new) => {
                let path = self.store.write_new(&new.origin, &new.label, &lines.lines);
                path.map(|path| Some((path, length)))
            }
            None => match self.open.remove(&lines.number).flatten() {
                Some((path, before)) => {
                    let appended = self.store.append(&path, &lines.lines);
                    appended.map(|()| Some((path, before.saturating_add(length))))
                }
                None => Ok(None),
            },
        };
        let written = written.unwrap_or_else(|error| {
            self.done.failed = self.done.failed.saturating_add(1);
            self.done.error.get_or_insert(error);
            None
        });
        match (lines.ended, written) {
            (false, written) => _ = self.open.insert(lines.number, written),
            (true, Some((path, size))) => self.finish(path, size),
            (true, None) => {}
        }
    }

    /// Reports a capture that is whole, and removes the oldest ones that are too many.
    fn finish(&mut self, path: PathBuf, size: u64) {
        (self.listener)(&path);
        self.done.count = self.done.count.saturating_add(1);
        if self.done.paths.len() >= LISTED_CAPTURES {
            self.done.paths.pop_front();
        }
        self.done.paths.push_back(path.clone());
        let Retention { captures, bytes } = self.retention;
        if captures.is_none() && bytes.is_none() {
            return;
        }
        self.kept.push_back((path, size));
        self.kept_bytes = self.kept_bytes.saturating_add(size);
        while self.kept.len() > captures.unwrap_or(usize::MAX)
            || self.kept_bytes > bytes.unwrap_or(u64::MAX)
        {
            let Some((oldest, size)) = self.kept.pop_front() else {
                return;
            };
            self.kept_bytes = self.kept_bytes.saturating_sub(size);
            self.store.remove(&oldest);
            self.done.paths.retain(|path| *path != oldest);
        }
    }
}
