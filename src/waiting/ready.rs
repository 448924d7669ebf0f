//! Waiting for a descriptor.

use std::os::fd::AsFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

/// Waits until `descriptor` can do what `flags` name, or fails; no longer than `limit`, if there is one. Returns `false`
/// if the limit came first.
pub(super) fn await_ready(
    descriptor: impl AsFd,
    flags: PollFlags,
    limit: Option<Duration>,
) -> Result<bool, Errno> {
    // A limit that the system cannot count to is none.
    let limit = limit.and_then(|limit| Timespec::try_from(limit).ok());
    let count = poll(&mut [PollFd::new(&descriptor, flags)], limit.as_ref())?;
    Ok(count > 0)
}
