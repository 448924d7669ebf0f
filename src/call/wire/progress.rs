//! How far a call has come. ureq's errors do not tell what was sent before them, so these links of its connector chain
//! take note of each stage as it is reached.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use ureq::Error;
use ureq::http::Uri;
use ureq::unversioned::transport::{
    Buffers, ConnectProxyConnector, ConnectionDetails, Connector, Either, NextTimeout,
    TcpConnector, Transport, time,
};

use crate::call::wire::tls::TlsConnector;
use crate::waiting::deadline::Deadline;

/// How much is sent at once, in bytes.
const SLICE: usize = 4096;

/// The stages of a call, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Stage {
    /// The host's address is looked up.
    Resolve,
    /// A connection is opened.
    Connect,
    /// The TLS handshake is made.
    Handshake,
    /// The request is sent: from here on the service may have got it.
    Send,
    /// The answer's headers are waited for.
    Wait,
    /// The answer's body is read.
    Read,
}

impl Stage {
    const ALL: [Self; 6] = [
        Self::Resolve,
        Self::Connect,
        Self::Handshake,
        Self::Send,
        Self::Wait,
        Self::Read,
    ];
}

/// The stage that a call has reached, shared with the links of the chain.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<Notes>);

#[derive(Debug, Default)]
struct Notes {
    /// Host and port that the call is to; what is done with a proxy on the way there is part of connecting.
    target: Mutex<String>,
    deadline: Mutex<Option<Deadline>>,
    stage: AtomicU8,
    has_connected: AtomicBool,
    broke_off: AtomicBool,
}

impl Progress {
    /// A new call, of `uri`, begins.
    pub fn restart(&self, uri: &Uri, deadline: Deadline) {
        let mut target = self.0.target.lock().unwrap_or_else(PoisonError::into_inner);
        *target = authority(uri);
        let mut until = self
            .0
            .deadline
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *until = Some(deadline);
        self.0.stage.store(0, Ordering::Relaxed);
        self.0.has_connected.store(false, Ordering::Relaxed);
        self.0.broke_off.store(false, Ordering::Relaxed);
    }

    /// `timeout`, or what is left until the call's deadline if that is less.
    fn shorten(&self, mut timeout: NextTimeout) -> NextTimeout {
        let deadline = self
            .0
            .deadline
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(deadline) = *deadline {
            let left = time::Duration::Exact(deadline.remaining());
            timeout.after = match timeout.after {
                time::Duration::Exact(after) => time::Duration::Exact(after.min(*left)),
                time::Duration::NotHappening => left,
            };
        }
        timeout
    }

    /// Whether `uri` is at the host that the call is to, not at a proxy on the way there.
    fn is_target(&self, uri: &Uri) -> bool {
        let target = self.0.target.lock().unwrap_or_else(PoisonError::into_inner);
        *target == authority(uri)
    }

    /// The call is at least at `stage` now.
    pub fn reach(&self, stage: Stage) {
        self.0.stage.fetch_max(stage as u8, Ordering::Relaxed);
    }

    /// Whether the call went out on a connection that an earlier call had opened.
    #[must_use]
    pub fn is_on_kept_connection(&self) -> bool {
        self.stage() >= Stage::Send && !self.0.has_connected.load(Ordering::Relaxed)
    }

    /// The stage that the call has reached.
    #[must_use]
    pub fn stage(&self) -> Stage {
        let number = usize::from(self.0.stage.load(Ordering::Relaxed));
        Stage::ALL.get(number).copied().unwrap_or(Stage::Read)
    }

    /// Whether the connection ended without a proper close (TLS without `close_notify`, a reset). ureq takes such an
    /// end for the end of a body that has no length; RFC 9112, section 9.8, takes the body for incomplete.
    #[must_use]
    pub fn broke_off(&self) -> bool {
        self.0.broke_off.load(Ordering::Relaxed)
    }
}

fn authority(uri: &Uri) -> String {
    uri.authority().map(ToString::to_string).unwrap_or_default()
}

/// ureq's own chain (proxy, TCP, TLS) with notes between its links.
pub fn connector(progress: &Progress, tls: TlsConnector) -> impl Connector {
    let note = |stage| Note(progress.clone(), stage);
    ().chain(note(Stage::Connect))
        .chain(ConnectProxyConnector::default())
        .chain(TcpConnector::default())
        .chain(note(Stage::Handshake))
        .chain(tls)
        .chain(Watch(progress.clone()))
}

/// Notes that the chain has come here.
#[derive(Debug)]
struct Note(Progress, Stage);

impl<In: Transport> Connector<In> for Note {
    type Out = In;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<In>, Error> {
        let Self(progress, stage) = self;
        if progress.is_target(details.uri) {
            progress.reach(*stage);
            progress.0.has_connected.store(true, Ordering::Relaxed);
        }
        Ok(chained)
    }
}

/// Watches what goes over the finished connection.
#[derive(Debug)]
struct Watch(Progress);

impl<In: Transport> Connector<In> for Watch {
    type Out = Either<Hurried<In>, Watched<In>>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        let progress = self.0.clone();
        if !self.0.is_target(details.uri) {
            return Ok(chained.map(|transport| {
                Either::A(Hurried {
                    transport,
                    progress,
                })
            }));
        }
        Ok(chained.map(|transport| {
            Either::B(Watched {
                transport,
                progress,
            })
        }))
    }
}

/// A connection to a proxy. ureq gives each step of the way through it the whole of the time that is left; here each
/// gets what is left by then.
#[derive(Debug)]
struct Hurried<T> {
    transport: T,
    progress: Progress,
}

impl<T: Transport> Transport for Hurried<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.transport.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let timeout = self.progress.shorten(timeout);
        self.transport.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let timeout = self.progress.shorten(timeout);
        self.transport.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.transport.is_open()
    }

    fn is_tls(&self) -> bool {
        self.transport.is_tls()
    }
}

#[derive(Debug)]
struct Watched<T> {
    transport: T,
    progress: Progress,
}

impl<T: Transport> Transport for Watched<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.transport.buffers()
    }

    /// Sends slice by slice: the operating system gives each write the whole of the time that is left, and one write of
    /// much to a slow reader would take it many times over.
    fn transmit_output(&mut self, amount: usize, mut timeout: NextTimeout) -> Result<(), Error> {
        self.progress.reach(Stage::Send);
        let begun = Instant::now();
        let limit = timeout.after;
        let mut left = amount;
        while left > SLICE {
            self.transport.transmit_output(SLICE, timeout)?;
            self.transport
                .buffers()
                .output()
                .copy_within(SLICE..left, 0);
            left -= SLICE;
            if let time::Duration::Exact(limit) = limit {
                timeout.after = time::Duration::Exact(limit.saturating_sub(begun.elapsed()));
            }
        }
        self.transport.transmit_output(left, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.progress.reach(Stage::Wait);
        let result = self.transport.await_input(timeout);
        if matches!(result, Err(Error::Io(_))) {
            self.progress.0.broke_off.store(true, Ordering::Relaxed);
        }
        result
    }

    fn is_open(&mut self) -> bool {
        self.transport.is_open()
    }

    fn is_tls(&self) -> bool {
        self.transport.is_tls()
    }
}
