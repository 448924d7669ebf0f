//! The links of ureq's connector chain that note how far a call has come.

use std::io::{self, Read};

use ureq::Error;
use ureq::unversioned::transport::{
    Buffers, ConnectProxyConnector, ConnectionDetails, Connector, NextTimeout, TcpConnector,
    Transport,
};

use crate::call::wire::progress::{Progress, Stage};
use crate::call::wire::tls::{MAX_RECORD, TlsConnector};

/// Returns ureq's own chain (proxy, TCP, TLS) with notes between its links.
pub(crate) fn connector(progress: &Progress, tls: TlsConnector) -> impl Connector {
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
            progress.connects();
        }
        Ok(chained)
    }
}

/// Watches what goes over the finished connection.
#[derive(Debug)]
struct Watch(Progress);

impl<In: Transport> Connector<In> for Watch {
    type Out = Watched<In>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        Ok(chained.map(|transport| Watched {
            transport,
            progress: self.0.clone(),
            is_to_target: self.0.is_target(details.uri),
            unsent: Vec::new(),
        }))
    }
}

/// A connection, in TLS or in clear, to the host of the call or to a proxy on the way there. ureq gives each step of
/// the way, and the operating system each write, the whole of the time that is left; here each gets what is left by then.
#[derive(Debug)]
struct Watched<T> {
    transport: T,
    progress: Progress,
    is_to_target: bool,
    /// What waits to be sent: the head and the body of a small request go in one record, which wakes the server once.
    unsent: Vec<u8>,
}

impl<T: Transport> Watched<T> {
    /// Sends what waits. The stage is noted before the first byte goes, so that it never says too little.
    fn send(&mut self, timeout: NextTimeout) -> Result<(), Error> {
        let mut rest = self.unsent.as_slice();
        while !rest.is_empty() {
            if !self.progress.begin_to_send() {
                return Err(io::Error::from(io::ErrorKind::Interrupted).into());
            }
            let output = self.transport.buffers().output();
            let amount = rest.by_ref().take(MAX_RECORD as u64).read(output)?;
            let timeout = self.progress.shorten(timeout);
            self.transport.transmit_output(amount, timeout)?;
        }
        self.unsent.clear();
        Ok(())
    }
}

impl<T: Transport> Transport for Watched<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.transport.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        if !self.is_to_target {
            let timeout = self.progress.shorten(timeout);
            return self.transport.transmit_output(amount, timeout);
        }
        let output = self.transport.buffers().output().get(..amount);
        self.unsent.extend_from_slice(output.unwrap_or_default());
        match self.unsent.len() < MAX_RECORD {
            true => Ok(()),
            false => self.send(timeout),
        }
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        if self.is_to_target {
            self.send(timeout)?;
            self.progress.reach(Stage::Wait);
        }
        let result = self.transport.await_input(self.progress.shorten(timeout));
        if self.is_to_target && matches!(result, Err(Error::Io(_))) {
            self.progress.breaks_off();
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
