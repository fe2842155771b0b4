//! The capture that `wire send` writes: where it goes, and what is said of it at the end.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::args::{self, Common};
use super::complain::Complaint;
use super::exit::Exit;
use super::job::Job;
use super::output;
use crate::capture::Writer;
use crate::capture::keeper::CaptureKeeper;
use crate::capture::store::{self, Store, StoreError};
use crate::render::words;

/// The capture that is being written; without a writer, none is wanted.
pub(super) struct Capture {
    pub(super) writer: Option<CaptureKeeper<Writer<File>>>,
    path: PathBuf,
    /// The secret of the folder's fingerprints.
    pub(super) salt: [u8; 32],
}

/// A salt of no folder.
pub(super) fn fresh_salt() -> [u8; 32] {
    let mut salt = [0; 32];
    // Without randomness there could be no TLS either; fingerprints would then compare beyond their folder.
    let _ = aws_lc_rs::rand::fill(&mut salt);
    salt
}

impl Capture {
    /// Creates the file before anything is sent: an answer that cannot be kept may cost money.
    pub(super) fn create(common: &Common, args: &args::Keep, job: &Job) -> Result<Self, Complaint> {
        let mut capture = Self {
            writer: None,
            path: PathBuf::new(),
            salt: fresh_salt(),
        };
        if args.no_capture {
            return Ok(capture);
        }
        let created = match &args.capture {
            Some(path) => capture.create_at(path),
            None => capture.create_in(&output::store(common), job),
        };
        let file = created.map_err(|error| {
            Complaint::new(
                Exit::NoCapture,
                format!("no capture can be written: {error}"),
            )
            .hint("name another folder with --captures, or go without: --no-capture")
        })?;
        capture.writer = Some(CaptureKeeper::new(Writer::new(file, &job.origin)));
        Ok(capture)
    }

    fn create_in(&mut self, store: &Store, job: &Job) -> Result<File, StoreError> {
        self.salt = store.salt(self.salt)?;
        let (file, path) = store.create(&job.origin, &job.label)?;
        self.path = path;
        Ok(file)
    }

    fn create_at(&mut self, path: &Path) -> Result<File, StoreError> {
        let file = store::create(path, false)?;
        path.clone_into(&mut self.path);
        // Fingerprints compare within one folder; a device has none.
        if let (true, Some(folder)) = (path.is_file(), path.parent()) {
            let folder = if folder == Path::new("") {
                Path::new(".")
            } else {
                folder
            };
            self.salt = Store::new(folder.to_owned())
                .salt(self.salt)
                .unwrap_or(self.salt);
        }
        Ok(file)
    }

    /// The file, if there is one.
    pub(super) fn path(&self) -> Option<&Path> {
        self.writer.as_ref().map(|_| self.path.as_path())
    }

    /// Says where the capture is, if there is room for `notes`, or in any case that it is not whole.
    /// `exit` is how the exchange itself ended.
    pub(super) fn finish(self, exit: Exit, notes: bool) -> Exit {
        let Some(writer) = self.writer else {
            return exit;
        };
        let path = self.path.display().to_string();
        match close(writer) {
            Ok(written) if notes => {
                output::fact(&format!("captured in {path} ({written})"));
                exit
            }
            Ok(_) => exit,
            Err(why) => {
                let text = format!("{path}: the capture breaks off {why}");
                let told = Complaint::new(Exit::NoCapture, text).tell();
                if matches!(exit, Exit::Done | Exit::Found) {
                    told
                } else {
                    exit
                }
            }
        }
    }
}

/// How much was written; or where and why it breaks off, in words.
fn close(keeper: CaptureKeeper<Writer<File>>) -> Result<String, String> {
    let Some(writer) = keeper.finish() else {
        return Err("where its thread panicked".to_owned());
    };
    let written = words::bytes(writer.written());
    match writer.finish() {
        Ok(_) => Ok(written),
        Err(error) => Err(format!("after {written}: {error}")),
    }
}
