//! Tokens that are kept between runs, if the operator names a folder for them: an engine that starts the step a hundred
//! times a minute need not sign in a hundred times.
//!
//! A token is a credential. The folder is for the owner alone (0700), and so is each file (0600); anything looser, or
//! of another user, is refused. A file is written under another name and then renamed, so that two steps at once find
//! the one or the other, whole. The folder may hold anything else: only names of exactly these forms are touched, the
//! hash being that of the application and its scope.
//!
//! ```text
//! <64 hex digits>.json                      the token
//! <64 hex digits>.<16 hex digits>.partial   a token that is being written
//! <64 hex digits>.lock                      whoever holds its lock signs in
//! ```

mod folder;
pub(super) mod lock;

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ring::digest::{SHA256, SHA256_OUTPUT_LEN, digest};
use ring::rand::{SecureRandom, SystemRandom};
use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};

use self::folder::{Folder, naming};
use crate::auth::app_registration::Application;
use crate::auth::grant::Grant;
use crate::call::bearer::AccessToken;
use crate::output::log::Log;

/// No file of a token is larger, in bytes.
const MAX_FILE: u64 = 64 << 10;
/// How the name of a file ends that is being written.
const PARTIAL: &str = "partial";
/// How many random bytes its name has.
const RANDOM: usize = 8;
/// A file that is being written for so long has been abandoned.
const ABANDONED: Duration = Duration::from_secs(60);

/// Where the tokens of one application, for one scope, are kept.
pub(super) struct TokenCache {
    folder: PathBuf,
    /// The hash of the application and its scope, in hex digits.
    hash: String,
}

#[derive(Serialize, Deserialize)]
struct Entry<T> {
    access_token: T,
    /// Seconds since 1970.
    expires_at: u64,
}

impl TokenCache {
    /// The cache in `folder` for the tokens of `application`.
    pub(super) fn new(folder: &Path, application: &Application) -> Self {
        let Application {
            authority,
            tenant,
            client_id,
            scope,
            ..
        } = application;
        // Settings have no line breaks, so that no two applications have one name.
        let name = format!("{authority}\n{tenant}\n{client_id}\n{scope}");
        Self {
            // Without a slash at its end, by which a link to a folder would pass for one.
            folder: folder.components().collect(),
            hash: hex(digest(&SHA256, name.as_bytes()).as_ref()),
        }
    }

    /// The token that is kept, and how long it is good from `now` on, if that is a while. Fails if the folder or the
    /// file is not for the owner alone, cannot be read, or is damaged.
    pub(super) fn find(&self, now: SystemTime) -> io::Result<Option<(AccessToken, Duration)>> {
        let Some(folder) = Folder::open(&self.folder)? else {
            return Ok(None);
        };
        let Some(entry) = self.read(&folder)? else {
            return Ok(None);
        };
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let remaining = Duration::from_secs(entry.expires_at).saturating_sub(now);
        Ok((remaining > Grant::MARGIN).then_some((entry.access_token, remaining)))
    }

    /// Keeps the token that was granted at `now`. Fails if the folder is not for the owner alone, or cannot be written.
    pub(super) fn keep(&self, grant: &Grant, now: SystemTime) -> io::Result<()> {
        let lifetime = grant.lifetime();
        let token = grant.token.expose();
        if lifetime <= Grant::MARGIN {
            return Ok(());
        }
        let folder = Folder::make(&self.folder)?;
        sweep(&folder);
        let expires_at = now.duration_since(UNIX_EPOCH).unwrap_or_default() + lifetime;
        let entry = Entry {
            access_token: token,
            expires_at: expires_at.as_secs(),
        };
        folder.write(
            &self.token_name(),
            &self.partial_name()?,
            &serde_json::to_vec(&entry)?,
        )
    }

    /// Returns the name of the file while it is written: random, because process ids are the same in two containers that
    /// share a folder.
    fn partial_name(&self) -> io::Result<String> {
        let mut random = [0; RANDOM];
        SystemRandom::new()
            .fill(&mut random)
            .map_err(|_| io::Error::other("the system has no random numbers"))?;
        Ok(format!("{}.{}.{PARTIAL}", self.hash, hex(&random)))
    }

    /// Forgets `token`, which the API does not take; one that another step has put in its place meanwhile stays. Fails
    /// if the file cannot be read or removed.
    pub(super) fn forget(&self, token: &AccessToken) -> io::Result<()> {
        let Some(folder) = Folder::open(&self.folder)? else {
            return Ok(());
        };
        match self.read(&folder)? {
            Some(entry) if entry.access_token.expose() == token.expose() => {
                folder.remove(&self.token_name())
            }
            _ => Ok(()),
        }
    }

    fn read(&self, folder: &Folder) -> io::Result<Option<Entry<AccessToken>>> {
        let Some(file) = folder.open_file(&self.token_name(), OFlags::RDONLY)? else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        file.take(MAX_FILE).read_to_end(&mut bytes)?;
        // serde's own message might repeat a part of the token.
        let entry = serde_json::from_slice(&bytes)
            .map_err(|_| io::Error::other("the token file is damaged"))
            .map_err(|error| naming(&self.folder.join(self.token_name()), &error))?;
        Ok(Some(entry))
    }

    fn token_name(&self) -> String {
        format!("{}.json", self.hash)
    }

    fn lock_name(&self) -> String {
        format!("{}.lock", self.hash)
    }
}

/// Says that the cache cannot do what it should; the step goes on.
pub(super) fn warn(error: &io::Error, log: &mut Log<'_>) {
    log.warning(format_args!(
        "the token cache is not used: {error}. Check MDE_TOKEN_CACHE."
    ));
}

/// Removes what steps have left that were killed while they wrote, of any application. What cannot be removed stays:
/// another step may have been faster.
fn sweep(folder: &Folder) {
    let now = SystemTime::now();
    for name in folder.names().into_iter().flatten() {
        if is_partial(&name)
            && let Ok(Some(file)) = folder.open_file(&name, OFlags::RDONLY)
            && let Ok(written) = file.metadata().and_then(|metadata| metadata.modified())
            && is_abandoned(written, now)
        {
            let _ = folder.remove(&name);
        }
    }
}

/// A time that has not come yet is that of a clock which was wrong: it might not come for years.
fn is_abandoned(written: SystemTime, now: SystemTime) -> bool {
    let age = now.duration_since(written);
    age.unwrap_or_else(|ahead| ahead.duration()) > ABANDONED
}

/// Whether a name is exactly what [`TokenCache::keep`] makes.
fn is_partial(name: &str) -> bool {
    let parts: Vec<&str> = name.split('.').collect();
    match parts.as_slice() {
        [hash, random, PARTIAL] => is_hex(hash, SHA256_OUTPUT_LEN) && is_hex(random, RANDOM),
        _ => false,
    }
}

fn is_hex(text: &str, bytes: usize) -> bool {
    text.len() == 2 * bytes
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
