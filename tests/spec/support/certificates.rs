//! Certificate authorities made for the run, and what they issue.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair,
    date_time_ymd,
};
use rsa::sha2::Digest;
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;

use super::step::file_with;

/// A certificate authority.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    pem_path: PathBuf,
}

/// What a server's certificate says.
#[derive(Clone, Copy)]
pub enum Leaf {
    /// Valid, for this machine's loopback address.
    Good,
    /// Valid once.
    Expired,
    /// Valid, for another name.
    WrongName,
}

impl Authority {
    /// The one that steps are told to trust.
    pub fn trusted() -> &'static Self {
        static TRUSTED: OnceLock<Authority> = OnceLock::new();
        TRUSTED.get_or_init(|| Self::new("Trusted Test CA"))
    }

    /// Another one, that no step is told to trust unless it is told here. Its name feigns that of somebody else.
    pub fn unknown() -> &'static Self {
        static UNKNOWN: OnceLock<Authority> = OnceLock::new();
        UNKNOWN.get_or_init(|| Self::new("Unknown Test CA,O=Trusted\u{1b}[2K"))
    }

    fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().expect("a key");
        let issuer = CertifiedIssuer::self_signed(params, key).expect("a certificate");
        let pem_path = file_with(issuer.pem());
        Self { issuer, pem_path }
    }

    /// The file with the authority's certificate.
    pub fn pem_path(&self) -> &str {
        self.pem_path.to_str().expect("a UTF-8 path")
    }

    /// A server with a certificate of this authority.
    pub fn server_config(&self, leaf: Leaf) -> Arc<ServerConfig> {
        let name = match leaf {
            Leaf::WrongName => "elsewhere.example",
            _ => "127.0.0.1",
        };
        let mut params = CertificateParams::new([name.to_owned()]).expect("a name");
        if matches!(leaf, Leaf::Expired) {
            params.not_before = date_time_ymd(2019, 1, 1);
            params.not_after = date_time_ymd(2020, 1, 1);
        }
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        let config =
            ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .expect("protocol versions")
                .with_no_client_auth()
                .with_single_cert(
                    vec![certificate.der().clone()],
                    PrivateKeyDer::try_from(key.serialize_der()).expect("a key"),
                )
                .expect("a server's configuration");
        Arc::new(config)
    }
}

/// The private key of a test, in PEM, by its file's name.
pub fn key(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/spec/data/keys");
    std::fs::read_to_string(format!("{folder}/{name}")).expect("a key")
}

/// When a client certificate is valid.
#[derive(Clone, Copy)]
pub enum Validity {
    /// Now.
    Now,
    /// Long ago.
    Past,
    /// In times to come.
    Future,
}

/// A self-signed certificate for `key` (PKCS#8, in PEM), in PEM; and the SHA-256 of its DER in base64url.
pub fn client_certificate(key: &str, validity: Validity) -> (String, String) {
    let key = KeyPair::from_pem(key).expect("a key");
    let mut params = CertificateParams::default();
    let (from, to) = match validity {
        Validity::Now => (2020, 2120),
        Validity::Past => (2019, 2020),
        Validity::Future => (2120, 2121),
    };
    params.not_before = date_time_ymd(from, 1, 1);
    params.not_after = date_time_ymd(to, 1, 1);
    let certificate = params.self_signed(&key).expect("a certificate");
    let hash = rsa::sha2::Sha256::digest(certificate.der());
    (certificate.pem(), BASE64_URL_SAFE_NO_PAD.encode(hash))
}
