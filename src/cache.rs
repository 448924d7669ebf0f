//! Tokens that are kept between runs, if the operator names a folder for them: an engine that starts the step a hundred
//! times a minute need not sign in a hundred times.
//!
//! A token is a credential. The folder is for the owner alone (0700), and so is each file (0600); anything looser, or
//! of another user, is refused. A file is written under another name and then renamed, so that two steps at once find
//! the one or the other, whole.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};

use crate::auth::application::Application;
use crate::auth::{AccessToken, Grant};

/// A token that is larger is not kept, in bytes; those of the service have some two thousand.
const MAX_TOKEN: usize = 32 << 10;
/// No file of a token is larger, in bytes.
const MAX_FILE: u64 = 64 << 10;
/// How the name of a file ends that is being written.
const PARTIAL: &str = "partial";
/// A file that is being written for so long has been abandoned.
const ABANDONED: Duration = Duration::from_secs(60);

/// Where the tokens of one application, for one scope, are kept.
pub struct TokenCache {
    folder: PathBuf,
    path: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct Entry<T> {
    access_token: T,
    /// Seconds since 1970.
    expires_at: u64,
}

impl TokenCache {
    /// The cache in `folder` for the tokens of `application`.
    #[must_use]
    pub fn new(folder: &Path, application: &Application) -> Self {
        let Application {
            authority,
            tenant,
            client_id,
            scope,
            ..
        } = application;
        // Settings have no line breaks, so that no two applications have one name.
        let name = format!("{authority}\n{tenant}\n{client_id}\n{scope}");
        let hash = digest(&SHA256, name.as_bytes());
        let hex: String = hash
            .as_ref()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Self {
            // Without a slash at its end, by which a link to a folder would pass for one.
            folder: folder.components().collect(),
            path: folder.join(format!("{hex}.json")),
        }
    }

    /// The token that is kept, and how long it is good from `now` on, if that is a while.
    ///
    /// # Errors
    ///
    /// The folder or the file is not for the owner alone, or cannot be read, or is damaged.
    pub fn find(&self, now: SystemTime) -> io::Result<Option<(AccessToken, Duration)>> {
        let Some(entry) = self.read()? else {
            return Ok(None);
        };
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let remaining = Duration::from_secs(entry.expires_at).saturating_sub(now);
        Ok((remaining > Grant::MARGIN).then_some((entry.access_token, remaining)))
    }

    /// Keeps the token that was granted at `now`.
    ///
    /// # Errors
    ///
    /// The folder is not for the owner alone, or cannot be written.
    pub fn keep(&self, grant: &Grant, now: SystemTime) -> io::Result<()> {
        let lifetime = grant.lifetime();
        let token = grant.token.expose();
        if lifetime <= Grant::MARGIN || token.len() > MAX_TOKEN {
            return Ok(());
        }
        self.make_folder()?;
        self.sweep(now)?;
        let expires_at = now.duration_since(UNIX_EPOCH).unwrap_or_default() + lifetime;
        let entry = Entry {
            access_token: token,
            expires_at: expires_at.as_secs(),
        };
        // Random, because process ids are the same in two containers that share a folder.
        let mut random = [0; 8];
        SystemRandom::new()
            .fill(&mut random)
            .map_err(|_| io::Error::other("this machine gives no random numbers"))?;
        let suffix = format!("{:x}.{PARTIAL}", u64::from_ne_bytes(random));
        let partial = self.path.with_extension(suffix);
        let written = write_new(&partial, &serde_json::to_vec(&entry)?)
            .and_then(|()| fs::rename(&partial, &self.path));
        if written.is_err() {
            // It may not even exist; what matters is the first error.
            let _ = fs::remove_file(&partial);
        }
        written.map_err(|error| naming(&self.folder, &error))
    }

    /// Removes what steps have left that were killed while they wrote.
    fn sweep(&self, now: SystemTime) -> io::Result<()> {
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            let is_partial = path
                .extension()
                .is_some_and(|extension| extension == PARTIAL);
            let written = fs::symlink_metadata(&path).and_then(|metadata| metadata.modified());
            let is_old = written
                .is_ok_and(|written| now.duration_since(written).is_ok_and(|age| age > ABANDONED));
            if is_partial && is_old {
                // Another step may have been faster.
                let _ = fs::remove_file(path);
            }
        }
        Ok(())
    }

    /// Forgets `token`, which the API does not take; one that another step has put in its place meanwhile stays.
    ///
    /// # Errors
    ///
    /// The file cannot be read or removed.
    pub fn forget(&self, token: &AccessToken) -> io::Result<()> {
        match self.read()? {
            Some(entry) if entry.access_token.expose() == token.expose() => {
                fs::remove_file(&self.path)
            }
            _ => Ok(()),
        }
    }

    fn read(&self) -> io::Result<Option<Entry<AccessToken>>> {
        let Some(folder) = metadata(&self.folder)? else {
            return Ok(None);
        };
        check_folder(&self.folder, &folder)?;
        let Some(file) = metadata(&self.path)? else {
            return Ok(None);
        };
        check_owner(&self.path, &file, 0o600)?;
        if !file.is_file() {
            return Err(refused(&self.path, "is no file"));
        }
        let mut bytes = Vec::new();
        File::open(&self.path)?
            .take(MAX_FILE)
            .read_to_end(&mut bytes)?;
        // serde's own message might repeat a part of the token.
        let entry = serde_json::from_slice(&bytes)
            .map_err(|_| io::Error::other("the file of the token is damaged"))?;
        Ok(Some(entry))
    }

    fn make_folder(&self) -> io::Result<()> {
        match DirBuilder::new().mode(0o700).create(&self.folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                Err(naming(&self.folder, &error))
            }
            _ => check_folder(&self.folder, &fs::symlink_metadata(&self.folder)?),
        }
    }
}

fn metadata(path: &Path) -> io::Result<Option<Metadata>> {
    match fs::symlink_metadata(path) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(naming(path, &error)),
    }
}

fn naming(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

fn refused(path: &Path, what: &str) -> io::Error {
    let message = format!("{} {what}", path.display());
    io::Error::new(io::ErrorKind::PermissionDenied, message)
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(bytes)?;
    file.flush()
}

/// Refuses a folder that is a link, another user's, or open to others. It may be one that everybody uses: nobody is told
/// to change its mode.
fn check_folder(path: &Path, metadata: &Metadata) -> io::Result<()> {
    if !metadata.is_dir() {
        return Err(refused(path, "is no folder"));
    }
    check_owner(path, metadata, 0o700).map_err(|error| {
        io::Error::other(format!(
            "{error}; name a folder of its own, which is created if it is missing"
        ))
    })
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
            &format!("has the mode {mode:03o}, which is open to others"),
        ));
    }
    Ok(())
}
