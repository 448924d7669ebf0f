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
use signal_hook::SigId;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::backend::{Handle, SignalDelivery};
use signal_hook::iterator::exfiltrator::SignalOnly;
use signal_hook::{flag, low_level};

use super::deadline::Deadline;
use super::ready::await_ready;
use super::sink::{self, MAX_AT_ONCE};
use crate::output::exit_status::ExitStatus;
use crate::output::log;

/// How long a call in hand may go on.
const PATIENCE: Duration = Duration::from_secs(4);
/// When the process ends at the latest. With [`LAST_WORDS`] these are less than the five seconds that are promised.
const GRACE: Duration = Duration::from_millis(4700);
/// How long the last words may take, once there seems to be room for them.
const LAST_WORDS: Duration = Duration::from_millis(250);

/// What is in hand, as far as the end of the process goes. Nothing here may wait.
pub(crate) trait InHand: Send + 'static {
    /// Wakes whoever waits, so that nothing more is begun; the process is to end with `status`.
    fn stop(&mut self, status: ExitStatus);

    /// Breaks off the call in hand.
    fn break_off(&mut self);

    /// What people should know if the process ends in the middle.
    fn last_words(&self) -> String;
}

/// Signals are heard until this is dropped.
pub(crate) struct Listening {
    ear: Handle,
    shutdowns: [SigId; 2],
    last_words: LastWords,
}

impl Listening {
    /// Whether the caller is the one to say how the process ends: it is said once.
    pub(crate) fn may_say_last_words(&self) -> bool {
        self.last_words.claim()
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.ear.close();
        for shutdown in self.shutdowns {
            low_level::unregister(shutdown);
        }
    }
}

/// Whoever claims them first says them.
#[derive(Clone, Default)]
struct LastWords(Arc<AtomicBool>);

impl LastWords {
    fn claim(&self) -> bool {
        !self.0.swap(true, Ordering::Relaxed)
    }
}

/// Hears of SIGINT and SIGTERM from now on. At the first, `in_hand` is stopped; what goes on is broken off a little
/// before the process ends, which it does within five seconds, or at the second signal.
///
/// # Errors
///
/// The signals cannot be heard, or there is no thread to hear them.
pub(crate) fn listen(in_hand: impl InHand) -> io::Result<Listening> {
    let is_busy = Arc::new(AtomicBool::new(false));
    let last_words = LastWords::default();
    let attendant = Attendant {
        in_hand,
        is_busy: Arc::clone(&is_busy),
        last_words: last_words.clone(),
    };
    let (introduce, introduced) = mpsc::sync_channel(1);
    // The thread comes first: without it, a signal that is caught would be lost.
    thread::Builder::new().spawn(move || {
        if let Ok(ear) = introduced.recv() {
            attendant.attend(Ear(ear));
        }
    })?;
    let (hearing, waking) = UnixStream::pair()?;
    let ear = SignalDelivery::with_pipe(hearing, waking, SignalOnly, [SIGINT, SIGTERM])?;
    let shut_down = |signal| {
        let status = i32::from(status_of(signal).number());
        flag::register_conditional_shutdown(signal, status, Arc::clone(&is_busy))
    };
    let listening = Listening {
        ear: ear.handle(),
        shutdowns: [shut_down(SIGINT)?, shut_down(SIGTERM)?],
        last_words,
    };
    // The thread waits for this.
    let _ = introduce.send(ear);
    Ok(listening)
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
    /// Whether a call is being broken off. A signal that comes meanwhile ends the process by itself, without this thread.
    is_busy: Arc<AtomicBool>,
    last_words: LastWords,
}

impl<H: InHand> Attendant<H> {
    fn attend(mut self, mut ear: Ear) {
        let Some(status) = ear.wait(None) else {
            return;
        };
        self.in_hand.stop(status);
        let grace = Deadline::after(GRACE);
        if ear.wait(Some(PATIENCE)).is_none() && !ear.is_closed() {
            self.is_busy.store(true, Ordering::SeqCst);
            self.in_hand.break_off();
            self.is_busy.store(false, Ordering::SeqCst);
            ear.wait(Some(grace.remaining()));
        }
        if !ear.is_closed() {
            self.end(status);
        }
    }

    /// Ends the process in the middle. What cannot be broken off (a connection that is being opened, a stdout that nobody
    /// reads) ends with it.
    fn end(&self, status: ExitStatus) -> ! {
        if self.last_words.claim() {
            say(&self.in_hand.last_words());
        }
        low_level::exit(i32::from(status.number()));
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

/// Says `words` on stderr if it takes them at once. They are written by a thread that is not waited for long: others may
/// write to the same pipe, and take the room in the last moment.
fn say(words: &str) {
    let line = log::line(format_args!("error: {words}"), MAX_AT_ONCE);
    let (done, is_done) = mpsc::sync_channel(1);
    let speak = move || {
        let stderr = rustix::stdio::stderr();
        if let Ok(true) = sink::has_room(stderr, Duration::ZERO) {
            let _ = rustix::io::write(stderr, line.as_bytes());
        }
        let _ = done.send(());
    };
    if thread::Builder::new().spawn(speak).is_ok() {
        let _ = is_done.recv_timeout(LAST_WORDS);
    }
}
