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
        listener: CaptureListener,
    ) -> std::io::Result<(Self, JoinHandle<WrittenCaptures>)> {
        let (lines, queue) = channel();
        let load = Arc::new(QueueLoad::default());
        let mut writer = Writer {
            store,
            listener,
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
    /// The files of captures that have not ended; `None` after an error, since nothing more is written then.
    open: HashMap<u64, Option<PathBuf>>,
    done: WrittenCaptures,
}

impl Writer {
    fn run(&mut self, queue: &Receiver<CaptureLines>, load: &QueueLoad) {
        while let Ok(first) = queue.recv() {
            let mut batch: HashMap<u64, CaptureLines> = HashMap::new();
            let mut taken = 0u64;
            for lines in std::iter::once(first).chain(queue.try_iter()) {
                taken = taken.saturating_add(lines.lines.len() as u64);
                match batch.entry(lines.number) {
                    Entry::Vacant(place) => _ = place.insert(lines),
                    Entry::Occupied(mut place) => {
                        let before = place.get_mut();
                        before.lines.extend_from_slice(&lines.lines);
                        before.ended |= lines.ended;
                    }
                }
                if taken > BATCH_BYTES {
                    break;
                }
            }
            for lines in batch.into_values() {
                self.write(lines);
            }
            load.bytes.fetch_sub(taken, Ordering::Relaxed);
            load.has_room.notify_waiters();
            std::thread::sleep(GATHER_TIME);
        }
    }

    fn write(&mut self, lines: CaptureLines) {
        let path = match lines.new {
            Some(new) => self
                .store
                .write_new(&new.origin, &new.label, &lines.lines)
                .map(Some),
            None => match self.open.remove(&lines.number).flatten() {
                Some(path) => self.store.append(&path, &lines.lines).map(|()| Some(path)),
                None => Ok(None),
            },
        };
        let path = path.unwrap_or_else(|error| {
            self.done.failed = self.done.failed.saturating_add(1);
            self.done.error.get_or_insert(error);
            None
        });
        match (lines.ended, path) {
            (false, path) => _ = self.open.insert(lines.number, path),
            (true, Some(path)) => {
                (self.listener)(&path);
                self.done.count = self.done.count.saturating_add(1);
                if self.done.paths.len() >= LISTED_CAPTURES {
                    self.done.paths.pop_front();
                }
                self.done.paths.push_back(path);
            }
            (true, None) => {}
        }
    }
}
