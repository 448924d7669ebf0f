//! Tokens that are kept between runs, if the operator names a folder for them: an engine that starts the step a hundred
//! times a minute need not sign in a hundred times.
//!
//! A token is a credential. The folder is for the owner alone (0700), and so is each file (0600); anything looser, or
//! of another user, is refused. A file is written under another name and then renamed, so that two steps at once find
//! the one or the other, whole.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};

use crate::auth::application::Application;
use crate::auth::{AccessToken, Grant};

/// A token is renewed this long before it expires.
const MARGIN: Duration = Duration::from_secs(5 * 60);
/// No file of a token is larger, in bytes.
const MAX_FILE: u64 = 64 << 10;

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
        // No part can hold a line break, so that no two applications have one name.
        let name = format!("{authority}\n{tenant}\n{client_id}\n{scope}");
        let hash = digest(&SHA256, name.as_bytes());
        let hex: String = hash
            .as_ref()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Self {
            folder: folder.to_owned(),
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
        Ok((remaining > MARGIN).then_some((entry.access_token, remaining)))
    }

    /// Keeps the token that was granted at `now`.
    ///
    /// # Errors
    ///
    /// The folder is not for the owner alone, or cannot be written.
    pub fn keep(&self, grant: &Grant, now: SystemTime) -> io::Result<()> {
        let lifetime = Duration::from_secs(grant.expires_in);
        if lifetime <= MARGIN {
            return Ok(());
        }
        self.make_folder()?;
        let expires_at = now.duration_since(UNIX_EPOCH).unwrap_or_default() + lifetime;
        let entry = Entry {
            access_token: grant.token.expose(),
            expires_at: expires_at.as_secs(),
        };
        // Random, because process ids are the same in two containers that share a folder.
        let mut random = [0; 8];
        SystemRandom::new()
            .fill(&mut random)
            .map_err(|_| io::Error::other("this machine gives no random numbers"))?;
        let suffix = format!("{:x}.partial", u64::from_ne_bytes(random));
        let partial = self.path.with_extension(suffix);
        let written = write_new(&partial, &serde_json::to_vec(&entry)?)
            .and_then(|()| fs::rename(&partial, &self.path));
        if written.is_err() {
            // It may not even exist; what matters is the first error.
            let _ = fs::remove_file(&partial);
        }
        written
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
        if !self.folder.exists() {
            return Ok(None);
        }
        check_owner(&self.folder, 0o700)?;
        if !self.path.exists() {
            return Ok(None);
        }
        check_owner(&self.path, 0o600)?;
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
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => check_owner(&self.folder, 0o700),
        }
    }
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

/// Refuses what is another user's, a link, or open to others.
fn check_owner(path: &Path, allowed: u32) -> io::Result<()> {
    let metadata = fs::symlink_metadata(path)?;
    let refuse = |what: String| {
        Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!("{} {what}", path.display()),
        ))
    };
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return refuse("belongs to another user".to_owned());
    }
    if metadata.is_symlink() {
        return refuse("is a link".to_owned());
    }
    let mode = metadata.mode() & 0o777;
    if mode & !allowed != 0 {
        return refuse(format!(
            "has the mode {mode:03o}, which is open to others; set it: chmod {allowed:03o}"
        ));
    }
    Ok(())
}
