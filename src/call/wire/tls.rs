//! The TLS link of the connector chain: ureq's own, but with a verifier that names the issuer that is not trusted.

use std::fmt;
use std::io::{Read, Write};
use std::sync::{Arc, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

use rustls::client::WebPkiServerVerifier;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use ureq::Error;
use ureq::unversioned::transport::time::{Duration, Instant};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport,
    TransportAdapter,
};

use crate::call::wire::certificate_issuer::NamingVerifier;

/// Wraps a connection in TLS where the URL asks for it.
#[derive(Debug)]
pub(crate) struct TlsConnector {
    roots: Option<Vec<CertificateDer<'static>>>,
    /// Made when it is first needed: a refused request, or a call in clear, needs none.
    config: OnceLock<Arc<ClientConfig>>,
}

impl TlsConnector {
    /// Returns a connector that trusts `roots`, or those of Mozilla.
    pub(crate) fn new(roots: Option<Vec<CertificateDer<'static>>>) -> Self {
        Self {
            roots,
            config: OnceLock::new(),
        }
    }

    fn config(&self) -> Result<Arc<ClientConfig>, Error> {
        if let Some(config) = self.config.get() {
            return Ok(Arc::clone(config));
        }
        let config = Arc::new(client_config(self.roots.as_deref())?);
        Ok(Arc::clone(self.config.get_or_init(|| config)))
    }
}

fn client_config(roots: Option<&[CertificateDer<'static>]>) -> Result<ClientConfig, Error> {
    let provider = Arc::new(ring::default_provider());
    let roots = Arc::new(trusted(roots));
    let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider.clone())
        .build()
        .map_err(|_| Error::Tls("SSL_CERT_FILE has no certificate that can be trusted"))?;
    Ok(
        ClientConfig::builder_with_details(provider, Arc::new(Clock))
            .with_safe_default_protocol_versions()?
            // Not dangerous: the verifier is rustls's own, and no verdict of it is changed.
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(NamingVerifier(verifier)))
            .with_no_client_auth(),
    )
}

/// Returns the certificate authorities to trust: those that are given, or those that are compiled in.
fn trusted(roots: Option<&[CertificateDer<'static>]>) -> RootCertStore {
    let mut store = RootCertStore::empty();
    match roots {
        Some(certificates) => {
            store.add_parsable_certificates(certificates.iter().cloned());
        }
        None => store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
    }
    store
}

/// This machine's clock. That of rustls panics before 1970; this one has no time then, and the handshake fails.
#[derive(Debug)]
struct Clock;

impl TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        now.ok().map(UnixTime::since_unix_epoch)
    }
}

impl<In: Transport> Connector<In> for TlsConnector {
    type Out = Either<In, TlsTransport>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        let Some(transport) = chained else {
            return Ok(None);
        };
        if !details.needs_tls() || transport.is_tls() {
            return Ok(Some(Either::A(transport)));
        }
        let host = details.uri.host().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(host)
            .map_err(|_| Error::Tls("no certificate can be for this host name"))?;
        let mut connection = ClientConnection::new(self.config()?, name.to_owned())?;
        let mut socket = TransportAdapter::new(transport.boxed(), details.current_time.clone());
        // What looking up and connecting have taken is gone from the limit.
        socket.set_timeout(remaining(details));
        connection.complete_io(&mut socket)?;
        Ok(Some(Either::B(TlsTransport {
            buffers: LazyBuffers::new(
                details.config.input_buffer_size(),
                details.config.output_buffer_size(),
            ),
            stream: StreamOwned::new(connection, socket),
        })))
    }
}

fn remaining(details: &ConnectionDetails<'_>) -> NextTimeout {
    let mut timeout = details.timeout;
    let now = (details.current_time)();
    if let (Instant::Exact(begun), Instant::Exact(now), Duration::Exact(limit)) =
        (details.now, now, timeout.after)
    {
        timeout.after = Duration::Exact(limit.saturating_sub(now - begun));
    }
    timeout
}

/// What one record of TLS carries at most, in bytes.
pub(crate) const MAX_RECORD: usize = 16 << 10;

/// A connection in TLS.
pub(crate) struct TlsTransport {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter>,
}

impl Transport for TlsTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let output = self.buffers.output().get(..amount).unwrap_or_default();
        self.stream.get_mut().set_timeout(timeout);
        self.stream.write_all(output)?;
        // A write that fails is only reported by what comes next.
        Ok(self.stream.flush()?)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.stream.get_mut().set_timeout(timeout);
        let amount = self.stream.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.get_mut().get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

impl fmt::Debug for TlsTransport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("TlsTransport")
    }
}
