//! A sink that is moved to a thread of its own once there is much to write, so that the thread that reads from
//! the network need not wait until the disk has taken what came before.
//!
//! ```text
//! bytes ──> waiting ──(swapped when the thread is done)──> batch ──> the sink
//!          at most QUEUE_BYTES                                   as much again
//! ```
//!
//! The order stays, and nothing is dropped: a full queue blocks the caller, and with it the next read. Nothing waits
//! for a batch to fill: an idle thread takes at once what comes.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};

use crate::span::{Moment, StreamSide};
use crate::tape::{ConnectionFact, WireSink};

/// Bytes written on the caller's thread before a writer thread is started: a small exchange pays for no thread.
const DIRECT_BYTES: u64 = 1 << 20;

/// Bytes that may wait in the queue, plus one read; as many again may be in the batch that is being written.
const QUEUE_BYTES: usize = 1 << 20;

/// Passes everything on to `W`: directly at first, through a thread after the first MiB.
///
/// It is never done, since a capture is kept to its end.
#[derive(Debug)]
pub struct CaptureKeeper<W> {
    sink: Arc<Mutex<W>>,
    /// Bytes that are still passed on directly.
    direct_left: u64,
    background: Option<KeeperThread>,
}

/// The thread, and the way to it.
#[derive(Debug)]
struct KeeperThread {
    queue: Arc<SinkQueue>,
    thread: JoinHandle<()>,
}

impl<W: WireSink + Send + 'static> CaptureKeeper<W> {
    /// A keeper that passes everything on to `watch`.
    pub fn new(watch: W) -> Self {
        Self {
            sink: Arc::new(Mutex::new(watch)),
            direct_left: DIRECT_BYTES,
            background: None,
        }
    }

    /// Waits until everything was passed on and returns the sink; `None` if it panicked on its thread.
    pub fn finish(self) -> Option<W> {
        if let Some(KeeperThread { queue, thread }) = self.background {
            queue.close();
            // Its panic is known by the lock that it leaves poisoned.
            let _ = thread.join();
        }
        Arc::into_inner(self.sink)?.into_inner().ok()
    }

    fn forward(&mut self, tell: impl FnOnce(&mut dyn WireSink)) {
        match &self.background {
            None => tell(&mut *lock(&self.sink)),
            Some(aside) => aside.queue.put(|waiting| tell(waiting)),
        }
    }

    /// Starts the thread. If the system cannot start one, as many bytes again are passed on directly before the next
    /// try.
    fn start_thread(&mut self) {
        let (watch, queue) = (Arc::clone(&self.sink), Arc::new(SinkQueue::default()));
        let taken = Arc::clone(&queue);
        let thread = Builder::new()
            .name("keeper".to_owned())
            .spawn(move || taken.drain_into(&mut *lock(&watch)));
        self.direct_left = DIRECT_BYTES;
        self.background = thread.ok().map(|thread| KeeperThread { queue, thread });
    }
}

impl<W: WireSink + Send + 'static> WireSink for CaptureKeeper<W> {
    fn fact(&mut self, moment: Moment, fact: &ConnectionFact) {
        self.forward(|watch| watch.fact(moment, fact));
    }

    fn bytes(&mut self, side: StreamSide, moment: Moment, bytes: &[u8]) {
        if self.background.is_none() {
            self.direct_left = self.direct_left.saturating_sub(bytes.len() as u64);
            if self.direct_left == 0 {
                self.start_thread();
            }
        }
        self.forward(|watch| watch.bytes(side, moment, bytes));
    }

    fn ended(&mut self, side: StreamSide, moment: Moment) {
        self.forward(|watch| watch.ended(side, moment));
    }
}

/// The queue between two threads. At most one of them waits for the other.
#[derive(Debug, Default)]
struct SinkQueue {
    state: Mutex<QueueState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct QueueState {
    waiting: EventBatch,
    /// Either thread has left: nothing more comes, or nothing more is taken.
    closed: bool,
}

impl SinkQueue {
    /// Appends to the queue, once there is room.
    fn put(&self, put: impl FnOnce(&mut EventBatch)) {
        let full = |state: &mut QueueState| state.waiting.size() >= QUEUE_BYTES && !state.closed;
        let mut state = self.wait_while(full);
        if !state.closed {
            put(&mut state.waiting);
            self.changed.notify_one();
        }
    }

    /// Passes everything in the queue on to the sink, until the queue is closed and empty.
    fn drain_into(&self, watch: &mut impl WireSink) {
        // A caller that waits for room must not wait for a thread that panicked.
        let _leaving = CloseOnDrop(self);
        let mut batch = EventBatch::default();
        loop {
            let idle = |state: &mut QueueState| state.waiting.events.is_empty() && !state.closed;
            std::mem::swap(&mut batch, &mut self.wait_while(idle).waiting);
            self.changed.notify_one();
            if batch.events.is_empty() {
                return;
            }
            batch.replay_into(watch);
        }
    }

    fn close(&self) {
        lock(&self.state).closed = true;
        self.changed.notify_one();
    }

    fn wait_while(
        &self,
        mut condition: impl FnMut(&mut QueueState) -> bool,
    ) -> MutexGuard<'_, QueueState> {
        let state = lock(&self.state);
        let waited = self.changed.wait_while(state, &mut condition);
        waited.unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes the queue when its thread ends, however it ends.
struct CloseOnDrop<'a>(&'a SinkQueue);

impl Drop for CloseOnDrop<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Events in order, to be replayed to the sink.
#[derive(Debug, Default)]
struct EventBatch {
    events: Vec<SinkEvent>,
    /// The bytes of all runs.
    bytes: Vec<u8>,
}

#[derive(Debug)]
enum SinkEvent {
    Fact(Moment, Box<ConnectionFact>),
    Bytes(StreamSide, Moment, usize),
    Ended(StreamSide, Moment),
}

impl EventBatch {
    /// How much memory it takes, about: many small runs take more than their bytes.
    fn size(&self) -> usize {
        let told = self.events.len().saturating_mul(size_of::<SinkEvent>());
        self.bytes.len().saturating_add(told)
    }

    fn replay_into(&mut self, watch: &mut impl WireSink) {
        let mut rest = self.bytes.as_slice();
        for told in self.events.drain(..) {
            match told {
                SinkEvent::Fact(moment, fact) => watch.fact(moment, &fact),
                SinkEvent::Bytes(side, moment, length) => {
                    let (run, after) = rest.split_at(length);
                    watch.bytes(side, moment, run);
                    rest = after;
                }
                SinkEvent::Ended(side, moment) => watch.ended(side, moment),
            }
        }
        self.bytes.clear();
    }
}

impl WireSink for EventBatch {
    fn fact(&mut self, moment: Moment, fact: &ConnectionFact) {
        self.events
            .push(SinkEvent::Fact(moment, Box::new(fact.clone())));
    }

    fn bytes(&mut self, side: StreamSide, moment: Moment, bytes: &[u8]) {
        self.events
            .push(SinkEvent::Bytes(side, moment, bytes.len()));
        self.bytes.extend_from_slice(bytes);
    }

    fn ended(&mut self, side: StreamSide, moment: Moment) {
        self.events.push(SinkEvent::Ended(side, moment));
    }
}

/// A panic leaves nothing half done in what is locked here.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::capture::CaptureWriter;
    use crate::tape::{CloseKind, ConnectionParty, TapeOrigin};

    /// An exchange of `size` bytes in runs of changing length, with facts among them.
    fn play(watch: &mut dyn WireSink, size: usize, longest: usize) {
        let text = "data: {\"n\": \"\u{e9}\"}\n\n".repeat(longest);
        let (mut told, mut now) = (0, 0);
        watch.bytes(
            StreamSide::Sent,
            Moment::default(),
            b"GET / HTTP/1.1\r\n\r\n",
        );
        watch.ended(StreamSide::Sent, Moment::default());
        while told < size {
            now += 1;
            let length = 1 + now * 7919 % longest;
            let moment = Moment::from_micros(now as u64);
            watch.bytes(StreamSide::Received, moment, &text.as_bytes()[..length]);
            told += length;
            if now % 100 == 0 {
                let (peer, error) = (format!("192.0.2.1:{now}"), "refused".to_owned());
                watch.fact(moment, &ConnectionFact::Tried { peer, error });
            }
        }
        let (by, how) = (ConnectionParty::Peer, CloseKind::Eof);
        watch.fact(
            Moment::from_micros(now as u64),
            &ConnectionFact::Closed { by, how },
        );
    }

    #[test]
    fn the_capture_is_the_same_with_a_thread() {
        let origin = TapeOrigin {
            id: "0".into(),
            started: jiff::Timestamp::UNIX_EPOCH,
            via: "send".into(),
            url: "http://h/".into(),
            tool: "t".into(),
        };
        for (size, longest) in [
            (100, 10),
            (DIRECT_BYTES as usize, 1 << 16),
            (5 << 20, 1 << 16),
            (3 << 19, 9),
        ] {
            let mut writer = CaptureWriter::new(Vec::new(), &origin);
            play(&mut writer, size, longest);
            let mut keeper = CaptureKeeper::new(CaptureWriter::new(Vec::new(), &origin));
            play(&mut keeper, size, longest);
            assert_eq!(keeper.background.is_some(), size as u64 >= DIRECT_BYTES);
            let kept = keeper.finish().unwrap().finish().unwrap();
            assert!(
                kept == writer.finish().unwrap(),
                "{size} bytes in runs up to {longest}"
            );
        }
    }

    /// Counts the bytes before and behind a keeper.
    struct Count<W>(Arc<AtomicUsize>, W);

    impl<W: WireSink> WireSink for Count<W> {
        fn fact(&mut self, moment: Moment, fact: &ConnectionFact) {
            self.1.fact(moment, fact);
        }

        fn bytes(&mut self, side: StreamSide, moment: Moment, bytes: &[u8]) {
            self.0.fetch_add(bytes.len(), Ordering::SeqCst);
            self.1.bytes(side, moment, bytes);
        }
    }

    /// Asserts how far behind it is.
    struct Behind {
        told: Arc<AtomicUsize>,
        heard: usize,
        most: usize,
    }

    impl WireSink for Behind {
        fn fact(&mut self, _: Moment, _: &ConnectionFact) {}

        fn bytes(&mut self, _: StreamSide, _: Moment, bytes: &[u8]) {
            // The teller gets every chance to run ahead.
            std::thread::yield_now();
            self.heard += bytes.len();
            let behind = self.told.load(Ordering::SeqCst) - self.heard;
            assert!(behind <= self.most, "{behind} bytes wait");
        }
    }

    #[test]
    fn a_queue_that_is_full_delays_the_telling() {
        // One more read may wait, one is being written, and one is counted while it waits for room.
        let runs = [
            (8 << 20, 1 << 16, 2 * QUEUE_BYTES + (3 << 16)),
            (3 << 19, 1, 2 * QUEUE_BYTES / size_of::<SinkEvent>() + 3),
        ];
        for (size, longest, most) in runs {
            let told = Arc::new(AtomicUsize::new(0));
            let behind = Behind {
                told: Arc::clone(&told),
                heard: 0,
                most,
            };
            let mut count = Count(told, CaptureKeeper::new(behind));
            play(&mut count, size, longest);
            let behind = count.1.finish().expect("what waits is bounded");
            assert_eq!(behind.heard, count.0.load(Ordering::SeqCst));
        }
    }

    #[test]
    fn an_idle_thread_takes_at_once_what_comes() {
        struct Pass(std::sync::mpsc::Sender<usize>);
        impl WireSink for Pass {
            fn fact(&mut self, _: Moment, _: &ConnectionFact) {}
            fn bytes(&mut self, _: StreamSide, _: Moment, bytes: &[u8]) {
                self.0.send(bytes.len()).unwrap();
            }
        }
        let (pass, passed) = std::sync::mpsc::channel();
        let mut keeper = CaptureKeeper::new(Pass(pass));
        for length in [DIRECT_BYTES as usize, 1, 2, 3] {
            keeper.bytes(StreamSide::Received, Moment::default(), &vec![b'a'; length]);
            assert_eq!(passed.recv().unwrap(), length);
        }
    }

    #[test]
    fn a_watcher_that_panics_holds_up_nobody() {
        struct Broken;
        impl WireSink for Broken {
            fn fact(&mut self, _: Moment, _: &ConnectionFact) {}
            fn bytes(&mut self, side: StreamSide, _: Moment, bytes: &[u8]) {
                assert!(
                    side == StreamSide::Sent || bytes.len() != 7,
                    "this is the test's own panic"
                );
            }
        }
        let mut keeper = CaptureKeeper::new(Broken);
        keeper.bytes(
            StreamSide::Received,
            Moment::default(),
            &vec![b'a'; DIRECT_BYTES as usize],
        );
        keeper.bytes(StreamSide::Received, Moment::default(), b"1234567");
        play(&mut keeper, 3 * QUEUE_BYTES, 1 << 16);
        assert!(keeper.finish().is_none());
    }
}
