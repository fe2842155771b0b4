//! A thread that writes the lines of a large capture, so that the thread that reads from the network does not wait for
//! the disk.
//!
//! ```text
//! CaptureWriter --whole lines--> queue of at most QUEUED_LINES --> thread --> file
//!               <---- their memory, to be used again -----------
//! ```
//!
//! The order stays, and nothing is dropped: a full queue blocks the caller, and with it the next read. An idle thread
//! writes each line as it comes; then it lets lines gather for [`GATHER_TIME`], since to be woken for each of them was a
//! tenth of the reading thread's work.

use std::io::{Error, Write};
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use super::write::LineSink;

/// Bytes written on the caller's thread before a writer thread is started: nearly all exchanges are smaller and need no
/// thread.
const DIRECT_BYTES: u64 = 1 << 20;

/// Most lines that wait in the queue. A read of 64 KiB is a line of some 75 KB, so they take at most 5 MB: the bytes of
/// a few milliseconds at full speed, and of several times [`GATHER_TIME`].
const QUEUED_LINES: usize = 64;

/// Time that the thread lets lines gather. At 1 GB/s some fifteen lines come in it; a reader of the file does not
/// notice it.
const GATHER_TIME: Duration = Duration::from_micros(500);

/// Writes lines to a file: on the caller's thread at first, on a thread of its own after the first MiB.
#[derive(Debug)]
pub struct BackgroundWriter<W> {
    destination: Arc<Mutex<Destination<W>>>,
    /// Bytes that the caller's thread still writes before a thread is started.
    direct_left: u64,
    thread: Option<WriterThread>,
}

/// The writer's thread and the queue to it.
#[derive(Debug)]
struct WriterThread {
    lines: SyncSender<Vec<u8>>,
    /// Lines that were written, whose memory is used again.
    written: Receiver<Vec<u8>>,
    handle: JoinHandle<()>,
}

/// The capture file and the result of writing to it.
#[derive(Debug)]
pub struct Destination<W> {
    /// The file.
    pub file: W,
    /// Number of bytes written to it.
    pub bytes: u64,
    /// The error that ended the writing.
    pub error: Option<Error>,
}

impl<W: Write> Destination<W> {
    fn write(&mut self, line: &[u8]) {
        if self.error.is_none() {
            match self.file.write_all(line) {
                Ok(()) => self.bytes = self.bytes.saturating_add(line.len() as u64),
                Err(error) => self.error = Some(error),
            }
        }
    }
}

impl<W: Write + Send + 'static> BackgroundWriter<W> {
    /// A writer to `file`.
    pub fn new(file: W) -> Self {
        let destination = Destination {
            file,
            bytes: 0,
            error: None,
        };
        Self {
            destination: Arc::new(Mutex::new(destination)),
            direct_left: DIRECT_BYTES,
            thread: None,
        }
    }

    /// Waits until all lines are written, and returns the file. `None` if writing to the file panicked on the thread.
    pub fn finish(self) -> Option<Destination<W>> {
        if let Some(WriterThread { lines, handle, .. }) = self.thread {
            drop(lines);
            handle.join().ok()?;
        }
        Arc::into_inner(self.destination)?.into_inner().ok()
    }

    /// Starts the writer thread. If the system cannot start one, the caller writes another [`DIRECT_BYTES`] before the
    /// next attempt.
    fn start_thread(&mut self) {
        let destination = Arc::clone(&self.destination);
        let (lines, queue) = sync_channel::<Vec<u8>>(QUEUED_LINES);
        let (give_back, written) = channel();
        let write_all = move || {
            let mut destination = lock(&destination);
            while let Ok(first) = queue.recv() {
                for line in std::iter::once(first).chain(queue.try_iter()) {
                    destination.write(&line);
                    // The caller may be gone; then the memory is freed.
                    let _ = give_back.send(line);
                }
                std::thread::sleep(GATHER_TIME);
            }
        };
        let handle = Builder::new().name("keeper".to_owned()).spawn(write_all);
        self.direct_left = DIRECT_BYTES;
        self.thread = handle.ok().map(|handle| WriterThread {
            lines,
            written,
            handle,
        });
    }
}

impl<W: Write + Send + 'static> LineSink for BackgroundWriter<W> {
    /// Writes or queues a line. Errors are returned later, by [`BackgroundWriter::finish`].
    fn put_line(&mut self, line: &mut Vec<u8>) -> std::io::Result<()> {
        if let Some(thread) = &self.thread {
            let next = thread.written.try_recv().unwrap_or_default();
            // The receiver is gone only if writing panicked, which `finish` reports.
            let _ = thread.lines.send(std::mem::replace(line, next));
            return Ok(());
        }
        lock(&self.destination).write(line);
        self.direct_left = self.direct_left.saturating_sub(line.len() as u64);
        if self.direct_left == 0 {
            self.start_thread();
        }
        Ok(())
    }
}

/// Locks `mutex`, also after the thread that held it panicked: the value is never left half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file that sends the length of each write.
    struct Lengths(std::sync::mpsc::Sender<usize>);

    impl Write for Lengths {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            assert!(bytes != b"panic", "this is the test's own panic");
            let sent = self.0.send(bytes.len());
            sent.map_or(Err(Error::other("full")), |()| Ok(bytes.len()))
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_thread_writes_the_same_bytes_as_the_caller() {
        for (lines, longest) in [(10, 10), (100, 1 << 16), (1 << 18, 9)] {
            let (mut writer, mut expected) = (BackgroundWriter::new(Vec::new()), Vec::new());
            for n in 0..lines {
                let line = vec![b'a' + (n % 26) as u8; 1 + n * 7919 % longest];
                expected.extend_from_slice(&line);
                writer.put_line(&mut line.clone()).unwrap();
            }
            assert_eq!(
                writer.thread.is_some(),
                expected.len() as u64 >= DIRECT_BYTES
            );
            let written = writer.finish().unwrap();
            assert!(written.file == expected, "{lines} lines up to {longest}");
            assert_eq!(written.bytes, expected.len() as u64);
        }
    }

    #[test]
    fn an_idle_thread_writes_at_once_and_its_error_is_kept() {
        let (lengths, written) = channel();
        let mut writer = BackgroundWriter::new(Lengths(lengths));
        for length in [DIRECT_BYTES as usize, 1, 2, 3] {
            writer.put_line(&mut vec![b'a'; length]).unwrap();
            assert_eq!(written.recv().unwrap(), length);
        }
        drop(written);
        writer.put_line(&mut vec![b'a'; 7]).unwrap();
        let end = writer.finish().unwrap();
        assert_eq!(end.bytes, DIRECT_BYTES + 6);
        assert_eq!(end.error.unwrap().to_string(), "full");
    }

    #[test]
    fn a_file_that_panics_does_not_block_the_caller() {
        let (lengths, _written) = channel();
        let mut writer = BackgroundWriter::new(Lengths(lengths));
        writer
            .put_line(&mut vec![b'a'; DIRECT_BYTES as usize])
            .unwrap();
        for _ in 0..4 * QUEUED_LINES {
            writer.put_line(&mut b"panic".to_vec()).unwrap();
        }
        assert!(writer.finish().is_none());
    }
}
