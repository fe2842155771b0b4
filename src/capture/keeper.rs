//! A watcher that is moved to a thread of its own once there is much to tell, so that whoever reads from
//! the network need not wait until the disk has taken what came before.
//!
//! ```text
//! told ──> waiting ──(swapped whenever the thread is through)──> batch ──> the watcher
//!          at most ROOM                                          as much again
//! ```
//!
//! The order stays, and nothing is dropped: where too much waits, the telling does too, and with it the
//! next read. Nothing waits for company either: an idle thread takes at once whatever comes.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};

use crate::span::{Moment, Side};
use crate::tape::{Fact, Watch};

/// How many bytes are told where they come from: a small exchange pays for no thread.
const FEW: u64 = 1 << 20;

/// How many bytes may wait, with one run more; while these are told, as many again.
const ROOM: usize = 1 << 20;

/// Tells `W` all that it is told itself: at first directly, from the first MiB on through a thread.
///
/// It is never done: what is kept is wanted to the end.
#[derive(Debug)]
pub struct Keeper<W> {
    watch: Arc<Mutex<W>>,
    /// How many bytes more are told directly.
    few: u64,
    aside: Option<Aside>,
}

/// The thread, and the way to it.
#[derive(Debug)]
struct Aside {
    queue: Arc<Queue>,
    thread: JoinHandle<()>,
}

impl<W: Watch + Send + 'static> Keeper<W> {
    /// Keeps by telling `watch`.
    pub fn new(watch: W) -> Self {
        Self {
            watch: Arc::new(Mutex::new(watch)),
            few: FEW,
            aside: None,
        }
    }

    /// The watcher, once it was told all; `None` where it panicked on a thread of its own.
    pub fn finish(self) -> Option<W> {
        if let Some(Aside { queue, thread }) = self.aside {
            queue.close();
            // Its panic is known by the lock that it leaves poisoned.
            let _ = thread.join();
        }
        Arc::into_inner(self.watch)?.into_inner().ok()
    }

    fn tell(&mut self, tell: impl FnOnce(&mut dyn Watch)) {
        match &self.aside {
            None => tell(&mut *lock(&self.watch)),
            Some(aside) => aside.queue.put(|waiting| tell(waiting)),
        }
    }

    /// Starts the thread. Where the system gives none, as much again is told directly before it is asked
    /// once more.
    fn step_aside(&mut self) {
        let (watch, queue) = (Arc::clone(&self.watch), Arc::new(Queue::default()));
        let taken = Arc::clone(&queue);
        let thread = Builder::new()
            .name("keeper".to_owned())
            .spawn(move || taken.empty_into(&mut *lock(&watch)));
        self.few = FEW;
        self.aside = thread.ok().map(|thread| Aside { queue, thread });
    }
}

impl<W: Watch + Send + 'static> Watch for Keeper<W> {
    fn fact(&mut self, moment: Moment, fact: &Fact) {
        self.tell(|watch| watch.fact(moment, fact));
    }

    fn bytes(&mut self, side: Side, moment: Moment, bytes: &[u8]) {
        if self.aside.is_none() {
            self.few = self.few.saturating_sub(bytes.len() as u64);
            if self.few == 0 {
                self.step_aside();
            }
        }
        self.tell(|watch| watch.bytes(side, moment, bytes));
    }

    fn ended(&mut self, side: Side, moment: Moment) {
        self.tell(|watch| watch.ended(side, moment));
    }
}

/// What is to be told, between two threads. At most one of them waits for the other.
#[derive(Debug, Default)]
struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: Batch,
    /// Either side has left: nothing more comes, or nobody takes it.
    closed: bool,
}

impl Queue {
    /// Adds to what waits, as soon as there is room.
    fn put(&self, put: impl FnOnce(&mut Batch)) {
        let full = |state: &mut State| state.waiting.size() >= ROOM && !state.closed;
        let mut state = self.wait_while(full);
        if !state.closed {
            put(&mut state.waiting);
            self.changed.notify_one();
        }
    }

    /// Tells `watch` all that is put, until the queue is closed and empty.
    fn empty_into(&self, watch: &mut impl Watch) {
        // Whoever waits for room must not wait for a thread that panicked.
        let _leaving = Leaving(self);
        let mut batch = Batch::default();
        loop {
            let idle = |state: &mut State| state.waiting.told.is_empty() && !state.closed;
            std::mem::swap(&mut batch, &mut self.wait_while(idle).waiting);
            self.changed.notify_one();
            if batch.told.is_empty() {
                return;
            }
            batch.tell(watch);
        }
    }

    fn close(&self) {
        lock(&self.state).closed = true;
        self.changed.notify_one();
    }

    fn wait_while(&self, mut condition: impl FnMut(&mut State) -> bool) -> MutexGuard<'_, State> {
        let state = lock(&self.state);
        let waited = self.changed.wait_while(state, &mut condition);
        waited.unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes the queue when its thread ends, however it ends.
struct Leaving<'a>(&'a Queue);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// What was told, in order, to be told again.
#[derive(Debug, Default)]
struct Batch {
    told: Vec<Told>,
    /// The bytes of all runs.
    bytes: Vec<u8>,
}

#[derive(Debug)]
enum Told {
    Fact(Moment, Box<Fact>),
    Run(Side, Moment, usize),
    Ended(Side, Moment),
}

impl Batch {
    /// How much memory it takes, about: many small runs take more than their bytes.
    fn size(&self) -> usize {
        let told = self.told.len().saturating_mul(size_of::<Told>());
        self.bytes.len().saturating_add(told)
    }

    fn tell(&mut self, watch: &mut impl Watch) {
        let mut rest = self.bytes.as_slice();
        for told in self.told.drain(..) {
            match told {
                Told::Fact(moment, fact) => watch.fact(moment, &fact),
                Told::Run(side, moment, length) => {
                    let (run, after) = rest.split_at(length);
                    watch.bytes(side, moment, run);
                    rest = after;
                }
                Told::Ended(side, moment) => watch.ended(side, moment),
            }
        }
        self.bytes.clear();
    }
}

impl Watch for Batch {
    fn fact(&mut self, moment: Moment, fact: &Fact) {
        self.told.push(Told::Fact(moment, Box::new(fact.clone())));
    }

    fn bytes(&mut self, side: Side, moment: Moment, bytes: &[u8]) {
        self.told.push(Told::Run(side, moment, bytes.len()));
        self.bytes.extend_from_slice(bytes);
    }

    fn ended(&mut self, side: Side, moment: Moment) {
        self.told.push(Told::Ended(side, moment));
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
    use crate::capture::Writer;
    use crate::tape::{Closing, Origin, Party};

    /// An exchange of `size` bytes in runs of changing length, with facts among them.
    fn play(watch: &mut dyn Watch, size: usize, longest: usize) {
        let text = "data: {\"n\": \"\u{e9}\"}\n\n".repeat(longest);
        let (mut told, mut now) = (0, 0);
        watch.bytes(Side::Sent, Moment::default(), b"GET / HTTP/1.1\r\n\r\n");
        watch.ended(Side::Sent, Moment::default());
        while told < size {
            now += 1;
            let length = 1 + now * 7919 % longest;
            let moment = Moment::from_micros(now as u64);
            watch.bytes(Side::Received, moment, &text.as_bytes()[..length]);
            told += length;
            if now % 100 == 0 {
                let (peer, error) = (format!("192.0.2.1:{now}"), "refused".to_owned());
                watch.fact(moment, &Fact::Tried { peer, error });
            }
        }
        let (by, how) = (Party::Peer, Closing::Eof);
        watch.fact(Moment::from_micros(now as u64), &Fact::Closed { by, how });
    }

    #[test]
    fn the_capture_is_the_same_with_a_thread() {
        let origin = Origin {
            id: "0".into(),
            started: jiff::Timestamp::UNIX_EPOCH,
            via: "send".into(),
            url: "http://h/".into(),
            tool: "t".into(),
        };
        for (size, longest) in [
            (100, 10),
            (FEW as usize, 1 << 16),
            (5 << 20, 1 << 16),
            (3 << 19, 9),
        ] {
            let mut writer = Writer::new(Vec::new(), &origin);
            play(&mut writer, size, longest);
            let mut keeper = Keeper::new(Writer::new(Vec::new(), &origin));
            play(&mut keeper, size, longest);
            assert_eq!(keeper.aside.is_some(), size as u64 >= FEW);
            let kept = keeper.finish().unwrap().finish().unwrap();
            assert!(
                kept == writer.finish().unwrap(),
                "{size} bytes in runs up to {longest}"
            );
        }
    }

    /// Counts what is told before and behind a keeper.
    struct Count<W>(Arc<AtomicUsize>, W);

    impl<W: Watch> Watch for Count<W> {
        fn fact(&mut self, moment: Moment, fact: &Fact) {
            self.1.fact(moment, fact);
        }

        fn bytes(&mut self, side: Side, moment: Moment, bytes: &[u8]) {
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

    impl Watch for Behind {
        fn fact(&mut self, _: Moment, _: &Fact) {}

        fn bytes(&mut self, _: Side, _: Moment, bytes: &[u8]) {
            // The teller gets every chance to run ahead.
            std::thread::yield_now();
            self.heard += bytes.len();
            let behind = self.told.load(Ordering::SeqCst) - self.heard;
            assert!(behind <= self.most, "{behind} bytes wait");
        }
    }

    #[test]
    fn a_queue_that_is_full_delays_the_telling() {
        // One run more may wait, one is being told, and one is counted while it waits for room.
        let runs = [
            (8 << 20, 1 << 16, 2 * ROOM + (3 << 16)),
            (3 << 19, 1, 2 * ROOM / size_of::<Told>() + 3),
        ];
        for (size, longest, most) in runs {
            let told = Arc::new(AtomicUsize::new(0));
            let behind = Behind {
                told: Arc::clone(&told),
                heard: 0,
                most,
            };
            let mut count = Count(told, Keeper::new(behind));
            play(&mut count, size, longest);
            let behind = count.1.finish().expect("what waits is bounded");
            assert_eq!(behind.heard, count.0.load(Ordering::SeqCst));
        }
    }

    #[test]
    fn an_idle_thread_takes_at_once_what_comes() {
        struct Pass(std::sync::mpsc::Sender<usize>);
        impl Watch for Pass {
            fn fact(&mut self, _: Moment, _: &Fact) {}
            fn bytes(&mut self, _: Side, _: Moment, bytes: &[u8]) {
                self.0.send(bytes.len()).unwrap();
            }
        }
        let (pass, passed) = std::sync::mpsc::channel();
        let mut keeper = Keeper::new(Pass(pass));
        for length in [FEW as usize, 1, 2, 3] {
            keeper.bytes(Side::Received, Moment::default(), &vec![b'a'; length]);
            assert_eq!(passed.recv().unwrap(), length);
        }
    }

    #[test]
    fn a_watcher_that_panics_holds_up_nobody() {
        struct Broken;
        impl Watch for Broken {
            fn fact(&mut self, _: Moment, _: &Fact) {}
            fn bytes(&mut self, side: Side, _: Moment, bytes: &[u8]) {
                assert!(
                    side == Side::Sent || bytes.len() != 7,
                    "this is the test's own panic"
                );
            }
        }
        let mut keeper = Keeper::new(Broken);
        keeper.bytes(Side::Received, Moment::default(), &vec![b'a'; FEW as usize]);
        keeper.bytes(Side::Received, Moment::default(), b"1234567");
        play(&mut keeper, 3 * ROOM, 1 << 16);
        assert!(keeper.finish().is_none());
    }
}
