//! The folder of captures. No other file of the library below `cli/` touches the file system.

#![expect(
    clippy::disallowed_methods,
    reason = "this is the module that touches the file system"
)]

use std::fs::{DirBuilder, DirEntry, File, OpenOptions};
use std::io::{BufReader, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::name::{self, CaptureSelector, SelectorError};
use super::read::{self, CaptureReadError, ParsedCapture};
use crate::tape::TapeOrigin;

/// An error of a capture file or of the capture folder.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The folder or a file in it cannot be made, listed or opened.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The name selects no capture, or several.
    #[error("{source} (in {})", folder.display())]
    Lookup {
        /// The folder that was searched.
        folder: PathBuf,
        /// The cause.
        source: SelectorError,
    },
    /// The file to write exists already.
    #[error("{} exists already", .0.display())]
    Exists(PathBuf),
    /// The path is a named pipe, a socket or a device: opening it could wait for ever.
    #[error("{} is not a regular file", .0.display())]
    NotRegular(PathBuf),
    /// The file is no capture.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: CaptureReadError,
    },
}

impl StoreError {
    fn io(path: &Path) -> impl Fn(std::io::Error) -> Self {
        move |source| Self::Io {
            path: path.to_owned(),
            source,
        }
    }

    fn unreadable(path: &Path) -> impl Fn(CaptureReadError) -> Self {
        move |source| Self::Read {
            path: path.to_owned(),
            source,
        }
    }
}

/// A folder of captures.
#[derive(Clone, Debug)]
pub struct CaptureStore {
    folder: PathBuf,
}

/// Name of the file that holds the rows of `wire ls`, so that they need not be read from every capture.
const INDEX_FILE: &str = ".index";

/// Most digits of an id in a file's name: those behind its last hyphen.
const LONGEST_TAG: usize = 12;

/// Name of the file that holds the salt of fingerprints.
const SALT_FILE: &str = ".salt";

impl CaptureStore {
    /// The store in `folder`, which is created at the first write.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The path of the folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Creates the file of a new capture, which only its owner can read.
    pub fn create(&self, origin: &TapeOrigin, label: &str) -> Result<(File, PathBuf), StoreError> {
        self.make_folder()?;
        // Names of captures that began in one millisecond may be equal; a longer tag tells them apart.
        let mut tag = 4;
        let mut has_folder = false;
        loop {
            let path = self.folder.join(name::file_name(origin, label, tag));
            let error = match create_file(&path, true) {
                Ok(file) => return Ok((file, path)),
                Err(error) => error,
            };
            let StoreError::Io { source, .. } = &error else {
                return Err(error);
            };
            match source.kind() {
                ErrorKind::AlreadyExists if tag < LONGEST_TAG => tag = tag.saturating_add(4),
                ErrorKind::NotFound if !has_folder => {
                    self.make_folder()?;
                    has_folder = true;
                }
                _ => return Err(error),
            }
        }
    }

    /// Creates the file of a new capture with its first lines.
    pub fn write_new(
        &self,
        origin: &TapeOrigin,
        label: &str,
        lines: &[u8],
    ) -> Result<PathBuf, StoreError> {
        let (mut file, path) = self.create(origin, label)?;
        file.write_all(lines).map_err(StoreError::io(&path))?;
        Ok(path)
    }

    /// Appends lines to the capture in `path`, which must still be there.
    pub fn append(&self, path: &Path, lines: &[u8]) -> Result<(), StoreError> {
        let opened = OpenOptions::new().append(true).open(path);
        let written = opened.and_then(|mut file| file.write_all(lines));
        written.map_err(StoreError::io(path))
    }

    /// Removes the capture in `path`. One that is gone already is no error, and one that cannot be removed stays.
    pub fn remove(&self, path: &Path) {
        let _ = std::fs::remove_file(path);
    }

    /// The folder's secret salt for fingerprints. If there is none yet, `fresh`, 32 random bytes, becomes the salt.
    pub fn salt(&self, fresh: [u8; 32]) -> Result<[u8; 32], StoreError> {
        self.make_folder()?;
        let path = self.folder.join(SALT_FILE);
        if let Some(salt) = read_salt(&path) {
            return Ok(salt);
        }
        // Written under another name first, so that a concurrent reader finds all of it or nothing.
        let draft = self
            .folder
            .join(format!("{SALT_FILE}-{}", hex::encode(&fresh[..4])));
        let linked = write_file(&draft, true, &fresh).and_then(|()| {
            match std::fs::hard_link(&draft, &path) {
                Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                    Err(StoreError::io(&path)(error))
                }
                _ => Ok(()),
            }
        });
        let _ = std::fs::remove_file(&draft);
        linked?;
        Ok(read_salt(&path).unwrap_or(fresh))
    }

    fn make_folder(&self) -> Result<(), StoreError> {
        let made = DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.folder);
        made.map_err(StoreError::io(&self.folder))
    }

    /// The file names of all captures, old to new; empty if there is no folder. Only regular files count: a named pipe
    /// would block its reader.
    pub fn names(&self) -> Result<Vec<String>, StoreError> {
        let failed = StoreError::io(&self.folder);
        let entries = match std::fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(vec![]),
            Err(error) => return Err(failed(error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(&failed)?;
            let name = entry.file_name();
            if let Some(name) = name
                .to_str()
                .filter(|name| name.ends_with(name::FILE_SUFFIX) && is_regular_entry(&entry))
            {
                names.push(name.to_owned());
            }
        }
        // A name that the user chose has no time, so it sorts before all that have one, and `@` is the newest of those.
        names.sort_unstable_by(|one, other| (is_dated(one), one).cmp(&(is_dated(other), other)));
        Ok(names)
    }

    /// The bytes of the capture `name`.
    pub fn read(&self, name: &str) -> std::io::Result<Vec<u8>> {
        std::fs::read(self.folder.join(name))
    }

    /// Size and modification time (nanoseconds since 1970) of the capture `name`: if they differ from those in the
    /// index, its row is read anew.
    pub fn size_and_mtime(&self, name: &str) -> Option<(u64, u64)> {
        let data = std::fs::metadata(self.folder.join(name)).ok()?;
        let changed = data
            .modified()
            .ok()?
            .duration_since(std::time::UNIX_EPOCH)
            .ok()?;
        Some((
            data.len(),
            u64::try_from(changed.as_nanos()).unwrap_or(u64::MAX),
        ))
    }

    /// The bytes of the index file; empty if there is none.
    pub fn read_index(&self) -> Vec<u8> {
        read_regular(&self.folder.join(INDEX_FILE)).unwrap_or_default()
    }

    /// Appends `lines` to the index file, or replaces it. A write error is ignored: the index can be made again at any
    /// time.
    pub fn write_index(&self, lines: &[u8], anew: bool) {
        let path = self.folder.join(INDEX_FILE);
        if anew {
            let draft = self
                .folder
                .join(format!("{INDEX_FILE}-{}", std::process::id()));
            let _ = write_file(&draft, false, lines).map(|()| std::fs::rename(&draft, &path));
            let _ = std::fs::remove_file(&draft);
            return;
        }
        let mut options = OpenOptions::new();
        let opened = options.append(true).create(true).mode(0o600).open(&path);
        let _ = opened.and_then(|mut file| file.write_all(lines));
    }

    /// The path of the capture that a user named: `-` for standard input, the path of a file, `@`, `@~N`, or the
    /// beginning of a name or id.
    pub fn find(&self, text: &str) -> Result<PathBuf, StoreError> {
        if text == "-" {
            return Ok(PathBuf::from("/dev/stdin"));
        }
        let is_file = |path: &Path| path.exists() && !path.is_dir();
        if !text.starts_with('@') && is_file(Path::new(text)) {
            let path = PathBuf::from(text);
            return match is_safe_to_open(&path) {
                true => Ok(path),
                false => Err(StoreError::NotRegular(path)),
            };
        }
        let failed = |source| StoreError::Lookup {
            folder: self.folder.clone(),
            source,
        };
        let selector = CaptureSelector::parse(text).map_err(failed)?;
        let names = self.names()?;
        match name::select_capture(&selector, &names) {
            Ok(name) => Ok(self.folder.join(name)),
            Err(SelectorError::Unknown(prefix)) => {
                match self.names_with_id(&prefix, &names).as_slice() {
                    [] => Err(failed(SelectorError::Unknown(prefix))),
                    [name] => Ok(self.folder.join(name)),
                    several => Err(failed(SelectorError::Ambiguous {
                        candidates: several.iter().map(|name| (*name).to_owned()).collect(),
                        prefix,
                    })),
                }
            }
            Err(error) => Err(failed(error)),
        }
    }

    /// The paths of the captures that a user named: one, as in [`CaptureStore::find`], or for `FIRST..LAST` all from
    /// one to the other, old to new.
    pub fn find_all(&self, text: &str) -> Result<Vec<PathBuf>, StoreError> {
        let ends = text.split_once("..").filter(|_| !Path::new(text).exists());
        let Some((first, last)) = ends else {
            return Ok(vec![self.find(text)?]);
        };
        let last = if last.is_empty() { "@" } else { last };
        let ends = [self.find(first)?, self.find(last)?];
        let paths: Vec<_> = self.names()?.iter().map(|name| self.path(name)).collect();
        let places = ends
            .each_ref()
            .map(|end| paths.iter().position(|path| path == end));
        match places {
            [Some(first), Some(last)] => {
                let (first, last) = (first.min(last), first.max(last));
                Ok(paths.get(first..=last).unwrap_or_default().to_vec())
            }
            // There is no list between captures outside the folder.
            _ => Ok(ends.to_vec()),
        }
    }

    /// The names of the captures whose id begins with `prefix`, which must have at least four digits.
    fn names_with_id<'a>(&self, prefix: &str, names: &'a [String]) -> Vec<&'a str> {
        let is_id = |byte: u8| byte.is_ascii_hexdigit() || byte == b'-';
        if prefix.len() < 4 || !prefix.bytes().all(is_id) {
            return vec![];
        }
        let fits = |name: &&str| {
            let file = File::open(self.folder.join(name)).ok();
            let origin = file.and_then(|file| read::read_origin(&mut BufReader::new(file)).ok());
            origin.is_some_and(|origin| origin.id.starts_with(prefix))
        };
        names.iter().map(String::as_str).filter(fits).collect()
    }

    /// The path of the capture `name` in this folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// Whether a file name begins with a date of eight digits, as those of [`CaptureStore::create`] do.
fn is_dated(name: &str) -> bool {
    name.bytes().take_while(u8::is_ascii_digit).count() == 8
}

/// Creates a file that only its owner can read. With `fresh`, it must not exist yet.
pub fn create_file(path: &Path, fresh: bool) -> Result<File, StoreError> {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    if fresh {
        options.create_new(true)
    } else {
        options.create(true).truncate(true)
    };
    options.open(path).map_err(StoreError::io(path))
}

/// Creates the capture file that a user named. An existing file is replaced only with `force`; a device or a pipe is
/// written to.
pub fn create_named_file(path: &Path, force: bool) -> Result<File, StoreError> {
    let is_replaceable = force || is_system_path(path) || !path.is_file();
    if path.exists() && is_replaceable {
        return create_file(path, false);
    }
    create_file(path, true).map_err(|error| match error {
        StoreError::Io { path, source } if source.kind() == ErrorKind::AlreadyExists => {
            StoreError::Exists(path)
        }
        other => other,
    })
}

/// Whether `path` still leads to `file`. A device or pipe always counts as there.
pub fn is_still_there(file: &File, path: &Path) -> bool {
    let Ok(own) = file.metadata() else {
        return true;
    };
    let same = |found: std::fs::Metadata| (found.dev(), found.ino()) == (own.dev(), own.ino());
    !own.is_file() || std::fs::metadata(path).is_ok_and(same)
}

/// Whether opening `path` cannot wait for another program: it is a regular file, or a device or pipe that the system
/// itself provides, such as `/dev/stdin` or the `/dev/fd/63` of a shell's `<(...)`.
fn is_safe_to_open(path: &Path) -> bool {
    is_system_path(path) || std::fs::metadata(path).is_ok_and(|data| data.is_file())
}

fn is_system_path(path: &Path) -> bool {
    path.starts_with("/dev") || path.starts_with("/proc")
}

/// Whether an entry of a folder is a regular file, or a link to one. A link that leads nowhere counts too, so that `ls`
/// reports it.
fn is_regular_entry(entry: &DirEntry) -> bool {
    match entry.file_type() {
        Ok(kind) if kind.is_symlink() => {
            std::fs::metadata(entry.path()).map_or(true, |data| data.is_file())
        }
        Ok(kind) => kind.is_file(),
        Err(_) => false,
    }
}

/// The bytes of a regular file.
fn read_regular(path: &Path) -> Option<Vec<u8>> {
    is_safe_to_open(path).then(|| std::fs::read(path).ok())?
}

fn write_file(path: &Path, fresh: bool, bytes: &[u8]) -> Result<(), StoreError> {
    let mut file = create_file(path, fresh)?;
    file.write_all(bytes).map_err(StoreError::io(path))
}

/// Reads the capture at `path`.
pub fn open(path: &Path) -> Result<ParsedCapture, StoreError> {
    let file = File::open(path).map_err(StoreError::io(path))?;
    // Large reads: the lines of a capture are some 64 KiB long.
    let mut file = BufReader::with_capacity(1 << 16, file);
    read::read(&mut file).map_err(StoreError::unreadable(path))
}

/// Parses the bytes of a capture that came from `path`, which errors name.
pub fn parse(path: &Path, bytes: &[u8]) -> Result<ParsedCapture, StoreError> {
    read::read(&mut &*bytes).map_err(StoreError::unreadable(path))
}

fn read_salt(path: &Path) -> Option<[u8; 32]> {
    read_regular(path)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_salt_is_made_once() {
        let folder = tempfile::tempdir().unwrap();
        let store = CaptureStore::new(folder.path().join("a/b"));
        assert_eq!(store.salt([1; 32]).unwrap(), [1; 32]);
        assert_eq!(store.salt([2; 32]).unwrap(), [1; 32]);
        assert_eq!(store.names().unwrap(), Vec::<String>::new());
    }

    #[test]
    fn captures_are_private_to_their_owner_and_found_by_name() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let store = CaptureStore::new(folder.path().join("captures"));
        let origin = TapeOrigin {
            id: "0197f0aa-0000-7000-8000-00000000cafe".into(),
            started: jiff::Timestamp::UNIX_EPOCH,
            via: "send".into(),
            url: "http://h/".into(),
            tool: "t".into(),
            connection: None,
        };
        let (_, path) = store.create(&origin, "m").unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(store.folder()), 0o700);
        let longer = [(); 2].map(|()| store.create(&origin, "m").unwrap().1);
        assert!(longer[0].ends_with("19700101-000000.000-m-0000cafe.wire"));
        assert!(
            store.create(&origin, "m").is_err(),
            "an existing capture is never overwritten"
        );
        for path in &longer {
            std::fs::remove_file(path).unwrap();
        }
        create_file(&store.path("mine.wire"), true).unwrap();
        assert_eq!(store.find("@").unwrap(), path);
        assert_eq!(store.find("@~1").unwrap(), store.path("mine.wire"));
        assert_eq!(store.find("cafe").unwrap(), path);
        assert_eq!(store.find("-").unwrap(), Path::new("/dev/stdin"));
        assert_eq!(store.find("/dev/null").unwrap(), Path::new("/dev/null"));
        let line = r#"{"wire":1,"id":"0197f0aa-1","started":"1970-01-01T00:00:00Z","via":"send","url":"","tool":""}"#;
        for name in ["one.wire", "two.wire"] {
            std::fs::write(store.path(name), format!("{line}\n")).unwrap();
        }
        let error = store.find("0197f0aa").unwrap_err().to_string();
        assert!(error.contains("may be one.wire, two.wire"), "{error}");
    }
    #[test]
    fn only_regular_files_are_captures() {
        let folder = tempfile::tempdir().unwrap();
        let store = CaptureStore::new(folder.path().to_owned());
        let path = |name: &str| folder.path().join(name);
        for name in ["a.wire", ".index", ".salt", ".salt-02020202"] {
            let made = std::process::Command::new("mkfifo")
                .arg(path(name))
                .status();
            assert!(made.unwrap().success());
        }
        std::fs::create_dir(path("b.wire")).unwrap();
        std::os::unix::fs::symlink(path("a.wire"), path("c.wire")).unwrap();
        std::os::unix::fs::symlink(path("nothing"), path("d.wire")).unwrap();
        std::fs::write(path("e.wire"), "").unwrap();
        std::os::unix::fs::symlink(path("e.wire"), path("f.wire")).unwrap();
        assert_eq!(store.names().unwrap(), ["d.wire", "e.wire", "f.wire"]);
        assert_eq!(store.read_index(), b"");
        assert_eq!(store.salt([1; 32]).unwrap(), [1; 32]);
        for name in ["a.wire", "c.wire"] {
            let error = store.find(path(name).to_str().unwrap()).unwrap_err();
            assert!(matches!(error, StoreError::NotRegular(_)), "{error}");
        }
    }

    #[test]
    fn a_named_file_is_replaced_only_by_force() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.wire");
        let file = create_named_file(&path, false).unwrap();
        let error = create_named_file(&path, false).unwrap_err();
        assert!(error.to_string().ends_with("mine.wire exists already"));
        create_named_file(&path, true).unwrap();
        assert!(is_still_there(&file, &path));
        std::fs::remove_file(&path).unwrap();
        assert!(!is_still_there(&file, &path));
        std::fs::write(&path, "").unwrap();
        assert!(!is_still_there(&file, &path), "another file took its name");
        let device = Path::new("/dev/null");
        let null = create_named_file(device, false).unwrap();
        assert!(is_still_there(&null, &path));
    }
}
