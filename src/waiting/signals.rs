//! Told to stop: SIGINT and SIGTERM are heard, what is in hand gets a short time to end, and then the process ends,
//! whatever it is about. Nothing here waits for a lock that is held while something is written, or for a reader.

use std::io;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rustix::event::PollFlags;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::backend::{Handle, SignalDelivery};
use signal_hook::iterator::exfiltrator::SignalOnly;
use signal_hook::{flag, low_level};

use super::deadline::Deadline;
use super::ready::await_ready;
use super::sink::Output;
use crate::output::exit_status::ExitStatus;
use crate::output::log::Log;

/// How long a call in hand may go on.
const PATIENCE: Duration = Duration::from_secs(4);
/// How long whoever is cut short may take to say what is known; after that the listener says it.
const SOON: Duration = Duration::from_millis(400);
/// When the process ends at the latest: less than the five seconds that are promised.
const GRACE: Duration = Duration::from_millis(4700);
/// How long one line of the last words may wait for a reader of stderr.
const PATIENCE_FOR_A_LINE: Duration = Duration::from_millis(20);
/// How long the last words may take at least.
const LAST_WORDS: Duration = Duration::from_millis(250);

/// What is in hand, as far as the end of the process goes.
pub(crate) trait InHand: Send + 'static {
    /// Wakes whoever waits, so that nothing more is begun; the process is to end with `status`. Returns whether a call
    /// is in hand that may end. Does not wait.
    fn stop(&mut self, status: ExitStatus) -> bool;

    /// Breaks off the call in hand. Does not wait.
    fn break_off(&mut self);

    /// Writes what is known, unless somebody else has, until `deadline`.
    fn say_what_is_known(&mut self, deadline: Deadline, log: &mut Log<'_>);
}

/// Signals are heard until this is dropped. After that each ends the process at once.
pub(crate) struct Listening {
    ear: Handle,
    is_busy: Arc<AtomicBool>,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.ear.close();
        // What handles a signal stays, and must not swallow it.
        self.is_busy.store(true, Ordering::SeqCst);
    }
}

/// Hears of SIGINT and SIGTERM from now on. At the first, `in_hand` is stopped, and says what is known; a call that may
/// end is broken off before. The process ends within five seconds, or at the second signal. Fails if the signals cannot
/// be heard, or there is no thread to hear them.
pub(crate) fn listen(in_hand: impl InHand) -> io::Result<Listening> {
    let is_busy = Arc::new(AtomicBool::new(false));
    let attendant = Attendant {
        in_hand,
        is_busy: Arc::clone(&is_busy),
    };
    let (introduce, introduced) = mpsc::sync_channel(1);
    // The thread comes first: without it, a signal that is caught would be lost.
    thread::Builder::new().spawn(move || {
        if let Ok(ear) = introduced.recv() {
            attendant.attend(Ear(ear));
        }
    })?;
    let shut_down = |signal| {
        let status = i32::from(status_of(signal).number());
        flag::register_conditional_shutdown(signal, status, Arc::clone(&is_busy))
    };
    // These come before the ear: what handles one signal must ask whether the thread is busy before it wakes it.
    shut_down(SIGINT)?;
    shut_down(SIGTERM)?;
    let (hearing, waking) = UnixStream::pair()?;
    let ear = SignalDelivery::with_pipe(hearing, waking, SignalOnly, [SIGINT, SIGTERM])?;
    let listening = Listening {
        ear: ear.handle(),
        is_busy,
    };
    // The thread waits for this.
    let _ = introduce.send(ear);
    Ok(listening)
}

/// Waits for the end of the process, which whoever heard the signal brings about.
#[expect(clippy::disallowed_methods, reason = "there is nothing left to do")]
pub(crate) fn await_end() {
    thread::sleep(GRACE + PATIENCE);
}

fn status_of(signal: i32) -> ExitStatus {
    match signal {
        SIGINT => ExitStatus::Interrupted,
        _ => ExitStatus::Terminated,
    }
}

/// Who hears the signals and sees to it that the process ends.
struct Attendant<H> {
    in_hand: H,
    /// Whether this thread does something else than to listen. A signal that comes meanwhile ends the process by itself.
    is_busy: Arc<AtomicBool>,
}

impl<H: InHand> Attendant<H> {
    fn attend(mut self, mut ear: Ear) {
        let Some(status) = ear.wait(None) else {
            return;
        };
        let grace = Deadline::after(GRACE);
        let may_end = self.in_hand.stop(status);
        let patience = if may_end { PATIENCE } else { Duration::ZERO };
        if ear.wait(Some(patience)).is_none() && !ear.is_closed() {
            self.is_busy.store(true, Ordering::SeqCst);
            self.in_hand.break_off();
            self.is_busy.store(false, Ordering::SeqCst);
            if ear.wait(Some(SOON)).is_none() && !ear.is_closed() {
                self.is_busy.store(true, Ordering::SeqCst);
                self.speak(grace);
            }
        }
        if !ear.is_closed() {
            low_level::exit(i32::from(status.number()));
        }
    }

    /// Says what is known. Who is to hear it may not listen: a thread does it, which is not waited for longer than
    /// until `grace`.
    fn speak(self, grace: Deadline) {
        let (done, is_done) = mpsc::sync_channel(1);
        let mut in_hand = self.in_hand;
        // That nobody listens is to be said, too.
        let patience = grace.remaining().saturating_sub(LAST_WORDS);
        let speak = move || {
            let mut stderr = Output::never_blocking(rustix::stdio::stderr(), PATIENCE_FOR_A_LINE);
            let mut log = Log::new(&mut stderr, false);
            in_hand.say_what_is_known(Deadline::after(patience), &mut log);
            let _ = done.send(());
        };
        if thread::Builder::new().spawn(speak).is_ok() {
            let _ = is_done.recv_timeout(patience + LAST_WORDS);
        }
    }
}

/// Where the signals come in.
struct Ear(SignalDelivery<UnixStream, SignalOnly>);

impl Ear {
    /// The next signal, as the status that it ends the process with; `None` if none came within `limit`, or nothing is to
    /// be heard any more.
    fn wait(&mut self, limit: Option<Duration>) -> Option<ExitStatus> {
        let deadline = limit.map(Deadline::after);
        while !self.is_closed() {
            if let Some(signal) = self.0.pending().next() {
                return Some(status_of(signal));
            }
            let left = deadline.as_ref().map(Deadline::remaining);
            if left == Some(Duration::ZERO) {
                break;
            }
            // Whatever wakes it, the signals are asked for again.
            let _ = await_ready(self.0.get_read(), PollFlags::IN, left);
        }
        None
    }

    fn is_closed(&self) -> bool {
        self.0.handle().is_closed()
    }
}
