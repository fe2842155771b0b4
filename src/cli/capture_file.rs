//! The capture that `wire send` writes: where the file is created, and the report at its end.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::args::{self, CommonArgs};
use super::error::CliError;
use super::exit::ExitReason;
use super::job::SendJob;
use super::output;
use crate::capture::CaptureWriter;
use crate::capture::keeper::BackgroundWriter;
use crate::capture::store::{self, CaptureStore, StoreError};
use crate::render::wording;

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
        let created = match &args.capture {
            Some(path) => capture.create_at(path),
            None => capture.create_in_store(&output::capture_store(common), job),
        };
        let file = created.map_err(|error| {
            CliError::new(
                ExitReason::WriteFailed,
                format!("no capture can be written: {error}"),
            )
            .with_hint("name another folder with --captures, or go without: --no-capture")
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

    fn create_at(&mut self, path: &Path) -> Result<File, StoreError> {
        let file = store::create_file(path, false)?;
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
        match close_writer(writer) {
            Ok(written) if notes => {
                output::print_fact(&format!("captured in {path} ({written})"));
                exit
            }
            Ok(_) => exit,
            Err(why) => {
                let text = format!("{path}: the capture breaks off {why}");
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

/// Returns how much was written, or where and why the capture breaks off, in words.
fn close_writer(writer: CaptureWriter<BackgroundWriter<File>>) -> Result<String, String> {
    let Some(end) = writer.finish().ok().and_then(BackgroundWriter::finish) else {
        return Err("where its thread panicked".to_owned());
    };
    let written = wording::format_bytes(end.bytes);
    match end.error {
        None => Ok(written),
        Some(error) => Err(format!("after {written}: {error}")),
    }
}
