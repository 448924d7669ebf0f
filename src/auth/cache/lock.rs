//! One process signs in, and the others wait for its token: whoever holds the lock of an application's tokens signs in.
//!
//! The lock is a file that stays: it is empty, and removing it would let two processes hold one each. The system takes
//! the lock from a process that ends, however it ends.

use std::fmt::Display;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::Errno;

use super::TokenCache;
use super::folder::{Folder, naming};
use crate::call::bearer::AccessToken;
use crate::output::log::Log;
use crate::waiting::deadline::Deadline;
use crate::waiting::interrupt::Interrupt;

/// The pause before the second look; it doubles from look to look.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
/// The longest pause between two looks.
const LONGEST_PAUSE: Duration = Duration::from_millis(50);
/// Nobody is waited for any longer: a sign-in with all its tries takes half a minute.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// What a process that needs a token is to do.
pub(crate) enum Turn {
    /// Take the token that another process has left, good for that long.
    Take(AccessToken, Duration),
    /// Sign in; the others wait as long as the lock is held, if there is one.
    SignIn(Option<Lock>),
    /// Stop, as the process was told to.
    Stop,
}

/// The right to sign in while others wait. It ends when this is dropped, or with the process.
pub(crate) struct Lock(File);

impl Lock {
    /// Lets the others go on. Without a token in `cache`, none of them waits any longer: what was refused once, or
    /// cannot be kept, would be so for each of them, one after the other.
    pub(crate) fn release(self, cache: &TokenCache) {
        let now = SystemTime::now();
        if !matches!(cache.find(now), Ok(Some(_))) {
            // If this fails, the others wait for their turn.
            let _ = self.0.set_modified(now);
        }
    }
}

impl TokenCache {
    /// Waits until there is a token or it is this process's turn to sign in. Half the time is kept for signing in
    /// without a turn: the process that has it may hang.
    pub(crate) fn turn(
        &self,
        deadline: Deadline,
        interrupt: &Interrupt,
        log: &mut Log<'_>,
    ) -> Turn {
        let folder = match Folder::make(&self.folder) {
            Ok(folder) => folder,
            Err(error) => {
                super::warn(&error, log);
                return Turn::SignIn(None);
            }
        };
        let patience = Deadline::after(LONGEST_WAIT.min(deadline.remaining() / 2));
        let turn = self.wait(&folder, patience, interrupt, log);
        turn.unwrap_or_else(|error| {
            log.warning(format_args!(
                "cannot wait for the token of another step: {error}. This step signs in itself. Check MDE_TOKEN_CACHE."
            ));
            Turn::SignIn(None)
        })
    }

    fn wait(
        &self,
        folder: &Folder,
        patience: Deadline,
        interrupt: &Interrupt,
        log: &mut Log<'_>,
    ) -> io::Result<Turn> {
        let file = folder.open_file(&self.lock_name(), OFlags::RDWR | OFlags::CREATE)?;
        let file = file.ok_or(io::ErrorKind::NotFound)?;
        let released = file.metadata()?.modified()?;
        let mut pause = FIRST_PAUSE;
        loop {
            let is_ours = try_lock(&file).map_err(|error| naming(&self.lock_path(), &error))?;
            // Only now: the token may have come just before the lock was free.
            if let Ok(Some((token, remaining))) = self.find(SystemTime::now()) {
                return Ok(Turn::Take(token, remaining));
            }
            if is_ours {
                return Ok(Turn::SignIn(Some(Lock(file))));
            }
            if file.metadata()?.modified()? != released {
                log.detail("another step signed in and left no token: signing in");
                return Ok(Turn::SignIn(None));
            }
            let remaining = patience.remaining();
            if remaining.is_zero() {
                log.warning(self.late(patience.limit()));
                return Ok(Turn::SignIn(None));
            }
            if pause == FIRST_PAUSE {
                log.detail("waiting for the token of another step, which is signing in");
            }
            interrupt.wait(pause.min(remaining));
            if interrupt.status().is_some() {
                return Ok(Turn::Stop);
            }
            pause = LONGEST_PAUSE.min(pause * 2);
        }
    }

    fn late(&self, waited: Duration) -> impl Display {
        format!(
            "another process has held {} for {:.1} s and has left no token. This step signs in itself. If that process hangs, end \
             it.",
            self.lock_path().display(),
            waited.as_secs_f64()
        )
    }

    fn lock_path(&self) -> PathBuf {
        self.folder.join(self.lock_name())
    }
}

/// Whether the lock is ours now.
fn try_lock(file: &File) -> io::Result<bool> {
    match flock(file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(true),
        Err(Errno::WOULDBLOCK | Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
