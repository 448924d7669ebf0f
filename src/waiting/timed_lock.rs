//! A lock that whoever holds it may keep for long, because nobody reads what it writes.

use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread;
use std::time::Duration;

use super::deadline::Deadline;

/// How often it is looked whether the lock is free.
const GLANCE: Duration = Duration::from_millis(20);

/// Locks `mutex`; what a thread left that panicked is taken as it is.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Locks `mutex`, if it is free before `deadline`.
#[expect(clippy::disallowed_methods, reason = "a mutex knows no time limit")]
pub(crate) fn lock_until<T>(mutex: &Mutex<T>, deadline: Deadline) -> Option<MutexGuard<'_, T>> {
    loop {
        match mutex.try_lock() {
            Ok(guard) => return Some(guard),
            Err(TryLockError::Poisoned(error)) => return Some(error.into_inner()),
            Err(TryLockError::WouldBlock) if deadline.remaining().is_zero() => return None,
            Err(TryLockError::WouldBlock) => thread::sleep(GLANCE),
        }
    }
}
