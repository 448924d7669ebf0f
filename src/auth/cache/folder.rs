//! The folder of the cache. It and its files are opened first and checked then, by their descriptors: whoever puts
//! something else in their place meanwhile changes nothing. No link is followed.

use std::fs::{DirBuilder, File, Metadata};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Dir, Mode, OFlags, openat, renameat, unlinkat};
use rustix::io::Errno;

/// A folder that is for its owner alone.
pub(super) struct Folder {
    file: File,
    path: PathBuf,
}

impl Folder {
    /// Opens the folder; `None` if there is none.
    pub(super) fn open(path: &Path) -> io::Result<Option<Self>> {
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = match openat(CWD, path, flags, Mode::empty()) {
            Ok(descriptor) => File::from(descriptor),
            Err(Errno::NOENT) => return Ok(None),
            Err(error) => return Err(no_folder(path, error.into())),
        };
        check_owner(path, &file.metadata()?, 0o700).map_err(|error| {
            // It may be one that everybody uses: nobody is told to change its mode.
            io::Error::other(format!(
                "{error}; use a folder of its own, which is created if it is missing"
            ))
        })?;
        let path = path.to_owned();
        Ok(Some(Self { file, path }))
    }

    /// Opens the folder, and makes it if there is none.
    pub(super) fn make(path: &Path) -> io::Result<Self> {
        match DirBuilder::new().mode(0o700).create(path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(no_folder(path, error));
            }
            _ => {}
        }
        Self::open(path)?.ok_or_else(|| refused(path, "has just been removed"))
    }

    /// Opens a file that is for its owner alone; `None` if there is none.
    pub(super) fn open_file(&self, name: &str, flags: OFlags) -> io::Result<Option<File>> {
        let path = self.path.join(name);
        // A pipe in its place must not be waited for.
        let flags = flags | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = match openat(&self.file, name, flags, OWNER) {
            Ok(descriptor) => File::from(descriptor),
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP | Errno::ISDIR | Errno::NXIO) => {
                return Err(refused(&path, "is not a regular file"));
            }
            Err(error) => return Err(naming(&path, &error.into())),
        };
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(refused(&path, "is not a regular file"));
        }
        check_owner(&path, &metadata, 0o600)?;
        Ok(Some(file))
    }

    /// Writes a file whole: under the name `partial` first, which nobody has, then renamed.
    pub(super) fn write(&self, name: &str, partial: &str, bytes: &[u8]) -> io::Result<()> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let written = openat(&self.file, partial, flags, OWNER)
            .map_err(io::Error::from)
            .and_then(|descriptor| File::from(descriptor).write_all(bytes))
            .and_then(|()| Ok(renameat(&self.file, partial, &self.file, name)?));
        written.map_err(|error| {
            // It may not even exist; what matters is the first error.
            let _ = self.remove(partial);
            naming(&self.path, &error)
        })
    }

    /// Removes a file, unless another process was faster.
    pub(super) fn remove(&self, name: &str) -> io::Result<()> {
        match unlinkat(&self.file, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(naming(&self.path.join(name), &error.into())),
        }
    }

    /// The names of all that is in it; those that are no UTF-8 are left out.
    pub(super) fn names(&self) -> io::Result<impl Iterator<Item = String>> {
        let entries = Dir::read_from(&self.file)?;
        Ok(entries.filter_map(|entry| entry.ok()?.file_name().to_str().map(String::from).ok()))
    }
}

/// The mode of a new file.
const OWNER: Mode = Mode::RUSR.union(Mode::WUSR);

/// Why there is no folder at `path`.
fn no_folder(path: &Path, error: io::Error) -> io::Error {
    match Errno::from_io_error(&error) {
        Some(Errno::NOTDIR | Errno::LOOP) => refused(path, "is not a folder"),
        _ => naming(path, &error),
    }
}

/// Refuses what is another user's, or open to others.
fn check_owner(path: &Path, metadata: &Metadata, allowed: u32) -> io::Result<()> {
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(refused(path, "belongs to another user"));
    }
    let mode = metadata.mode() & 0o777;
    if mode & !allowed != 0 {
        return Err(refused(
            path,
            &format!("has the mode {mode:03o}, which lets other users in"),
        ));
    }
    Ok(())
}

/// The same error, with the path that it is about.
pub(super) fn naming(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

fn refused(path: &Path, what: &str) -> io::Error {
    let message = format!("{} {what}", path.display());
    io::Error::new(io::ErrorKind::PermissionDenied, message)
}
