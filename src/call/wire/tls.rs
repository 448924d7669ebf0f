//! The TLS link of the connector chain: ureq's own, but that it names the issuer of a certificate that is not trusted.
//! A proxy that inspects TLS is found by that name.

use std::fmt;
use std::io::{Read, Write};
use std::sync::{Arc, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, OtherError,
    RootCertStore, SignatureScheme, StreamOwned,
};
use ureq::Error;
use ureq::unversioned::transport::time::{Duration, Instant};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport,
    TransportAdapter,
};
use x509_cert::der::Decode;

use crate::output::letters::is_harmful;

/// Wraps a connection in TLS where the URL asks for it.
pub struct TlsConnector {
    roots: Option<Vec<CertificateDer<'static>>>,
    /// Made when it is first needed: a refused request, or a call in clear, needs none.
    config: OnceLock<Arc<ClientConfig>>,
}

impl TlsConnector {
    /// A connector that trusts `roots`, or those of Mozilla.
    #[must_use]
    pub fn new(roots: Option<Vec<CertificateDer<'static>>>) -> Self {
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
    let mut store = RootCertStore::empty();
    match roots {
        Some(certificates) => {
            store.add_parsable_certificates(certificates.iter().cloned());
        }
        None => store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
    }
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider.clone())
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
            .map_err(|_| Error::Tls("the host is no name that a certificate can be for"))?;
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
            unsent: Vec::new(),
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

impl fmt::Debug for TlsConnector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("TlsConnector")
    }
}

/// What one record of TLS carries at most, in bytes.
pub(crate) const MAX_RECORD: usize = 16 << 10;

/// A connection in TLS.
pub struct TlsTransport {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter>,
    /// What waits to be sent: the head and the body of a small request go in one record, which wakes the server once.
    unsent: Vec<u8>,
}

impl TlsTransport {
    fn send(&mut self, timeout: NextTimeout) -> Result<(), Error> {
        if !self.unsent.is_empty() {
            self.stream.get_mut().set_timeout(timeout);
            self.stream.write_all(&self.unsent)?;
            self.unsent.clear();
        }
        Ok(())
    }
}

impl Transport for TlsTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let output = self.buffers.output().get(..amount).unwrap_or_default();
        self.unsent.extend_from_slice(output);
        if self.unsent.len() < MAX_RECORD {
            return Ok(());
        }
        self.send(timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.send(timeout)?;
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

/// Why a certificate is not trusted.
#[derive(Debug)]
pub struct UntrustedIssuer {
    /// Who issued it: common name, unit and organization, as RFC 4514 writes them.
    pub issuer: String,
}

impl fmt::Display for UntrustedIssuer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "issued by {}", self.issuer)
    }
}

impl std::error::Error for UntrustedIssuer {}

/// Leaves every verdict to rustls, and adds the issuer's name to one of them.
#[derive(Debug)]
struct NamingVerifier(Arc<WebPkiServerVerifier>);

impl ServerCertVerifier for NamingVerifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verdict =
            self.0
                .verify_server_cert(certificate, intermediates, name, ocsp_response, now);
        verdict.map_err(|error| match error {
            rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
                let issuer = issuer(intermediates.last().unwrap_or(certificate));
                let reason = OtherError(Arc::new(UntrustedIssuer { issuer }));
                rustls::Error::InvalidCertificate(CertificateError::Other(reason))
            }
            other => other,
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

/// The longest issuer that a message repeats, in characters: whoever answers chooses it.
const MAX_SHOWN_ISSUER: usize = 120;

fn issuer(certificate: &CertificateDer<'_>) -> String {
    let certificate = x509_cert::Certificate::from_der(certificate).ok();
    let name = certificate
        .as_ref()
        .map(|certificate| certificate.tbs_certificate().issuer());
    // The library could write any name in full, but only with a table of all names of attributes that there are.
    let parts = [
        ("CN", name.and_then(|name| name.common_name().ok()?)),
        ("OU", name.and_then(|name| name.organization_unit().ok()?)),
        ("O", name.and_then(|name| name.organization().ok()?)),
    ];
    let told = parts
        .into_iter()
        .filter_map(|(label, part)| Some(format!("{label}={}", escaped(&part?.value()))));
    let issuer = told.collect::<Vec<_>>().join(",");
    match issuer.is_empty() {
        true => "an issuer without a name".to_owned(),
        false => issuer.chars().take(MAX_SHOWN_ISSUER).collect(),
    }
}

/// A part of a name cannot feign another (RFC 4514, section 2.4), nor write to a terminal.
fn escaped(part: &str) -> String {
    let mut escaped = String::new();
    for letter in part.chars() {
        if ",+\"\\<>;=#".contains(letter) {
            escaped.push('\\');
        }
        escaped.push(if is_harmful(letter) { ' ' } else { letter });
    }
    escaped
}
