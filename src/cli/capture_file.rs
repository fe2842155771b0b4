//! The capture that `wire send` writes: where the file is created, and the report at its end.

use std::fmt::Display;
use std::fs::File;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::args::{self, CommonArgs};
use super::error::CliError;
use super::exit::ExitReason;
use super::job::SendJob;
use super::output;
use crate::capture::CaptureWriter;
use crate::capture::keeper::BackgroundWriter;
use crate::capture::store::{self, CaptureStore, StoreError};
use crate::render::wording;
use crate::tape::TapeOrigin;

/// A capture that is being written. No writer: no capture is wanted.
pub(super) struct CaptureFile {
    pub(super) writer: Option<CaptureWriter<BackgroundWriter<File>>>,
    path: PathBuf,
    /// Salt of the fingerprints of masked secrets, which is the same for a folder.
    pub(super) salt: [u8; 32],
}

/// Returns a random salt, which no folder has.
pub(super) fn random_salt() -> [u8; 32] {
    let mut salt = [0; 32];
    // Without randomness there could be no TLS either; fingerprints would then compare beyond their folder.
    let _ = ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut salt);
    salt
}

impl CaptureFile {
    /// Creates the file before anything is sent: an answer that cannot be kept may cost money.
    pub(super) fn create(
        common: &CommonArgs,
        args: &args::RecordingArgs,
        job: &SendJob,
    ) -> Result<Self, CliError> {
        let mut capture = Self {
            writer: None,
            path: PathBuf::new(),
            salt: random_salt(),
        };
        if args.no_capture {
            return Ok(capture);
        }
        check_start_time(&job.origin)?;
        let created = match &args.capture {
            Some(path) => capture.create_at(path, args.force),
            None => capture.create_in_store(&output::capture_store(common), job),
        };
        let file = created.map_err(|error| {
            let hint = match error {
                StoreError::Exists(_) => "name another file, or replace it with --force",
                _ => "name another folder with --captures, or go without: --no-capture",
            };
            no_capture(error).with_hint(hint)
        })?;
        capture.writer = Some(CaptureWriter::new(BackgroundWriter::new(file), &job.origin));
        Ok(capture)
    }

    fn create_in_store(&mut self, store: &CaptureStore, job: &SendJob) -> Result<File, StoreError> {
        self.salt = store.salt(self.salt)?;
        let (file, path) = store.create(&job.origin, &job.label)?;
        self.path = path;
        Ok(file)
    }

    fn create_at(&mut self, path: &Path, force: bool) -> Result<File, StoreError> {
        let file = store::create_named_file(path, force)?;
        path.clone_into(&mut self.path);
        // Fingerprints compare within one folder; a device has none.
        if let (true, Some(folder)) = (path.is_file(), path.parent()) {
            let folder = if folder == Path::new("") {
                Path::new(".")
            } else {
                folder
            };
            self.salt = CaptureStore::new(folder.to_owned())
                .salt(self.salt)
                .unwrap_or(self.salt);
        }
        Ok(file)
    }

    /// The path of the file, if one is written.
    pub(super) fn path(&self) -> Option<&Path> {
        self.writer.as_ref().map(|_| self.path.as_path())
    }

    /// Ends the capture. Prints where it is if `notes` are shown, and in any case an error if it breaks off. Returns how to
    /// end: `exit`, unless writing failed.
    pub(super) fn finish(self, exit: ExitReason, notes: bool) -> ExitReason {
        let Some(writer) = self.writer else {
            return exit;
        };
        let path = self.path.display().to_string();
        match close_writer(writer, &self.path) {
            Ok(written) if notes => {
                output::print_fact(&format!("captured in {path} ({written})"));
                exit
            }
            Ok(_) => exit,
            Err(why) => {
                let text = format!("{path}: the capture {why}");
                let write_failed = CliError::new(ExitReason::WriteFailed, text).print();
                if matches!(exit, ExitReason::Done | ExitReason::FoundSomething) {
                    write_failed
                } else {
                    exit
                }
            }
        }
    }
}

/// The error for a capture that cannot be begun.
fn no_capture(why: impl Display) -> CliError {
    let text = format!("no capture can be written: {why}");
    CliError::new(ExitReason::WriteFailed, text)
}

/// An error if the clock is before 1970: the id of a capture counts its time from there (RFC 9562, 5.7).
fn check_start_time(origin: &TapeOrigin) -> Result<(), CliError> {
    if origin.started >= Timestamp::UNIX_EPOCH {
        return Ok(());
    }
    let text = format!("this machine's clock is at {}, before 1970", origin.started);
    Err(no_capture(text).with_hint("set the clock, or go without: --no-capture"))
}

/// Returns how much was written, or in words what is wrong with the capture at `path`.
fn close_writer(
    writer: CaptureWriter<BackgroundWriter<File>>,
    path: &Path,
) -> Result<String, String> {
    let Some(end) = writer.finish().ok().and_then(BackgroundWriter::finish) else {
        return Err("breaks off where its thread panicked".to_owned());
    };
    let written = wording::format_bytes(end.bytes);
    match end.error {
        Some(error) => Err(format!("breaks off after {written}: {error}")),
        None if !store::is_still_there(&end.file, path) => {
            Err("is lost: its file was removed or replaced while it was written".to_owned())
        }
        None => Ok(written),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_before_1970_is_an_error_in_words() {
        let mut origin = TapeOrigin {
            id: String::new(),
            started: "1966-11-28T08:00:00Z".parse().unwrap(),
            via: String::new(),
            url: String::new(),
            tool: String::new(),
            connection: None,
        };
        assert_eq!(
            check_start_time(&origin).unwrap_err().print().code(),
            ExitReason::WriteFailed.code()
        );
        origin.started = Timestamp::UNIX_EPOCH;
        assert!(check_start_time(&origin).is_ok());
    }
}
