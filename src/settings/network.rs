//! How hosts are reached: which certificate authorities are trusted, and the proxy.

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::call::Network;
use crate::call::proxy::ProxySettings;
use crate::settings::environment::Reader;
use crate::settings::variables::{self, Setting};

pub(super) fn read(reader: &mut Reader<'_>) -> Network {
    Network {
        roots: roots(reader),
        proxy: proxy(reader),
    }
}

fn roots(reader: &mut Reader<'_>) -> Option<Vec<CertificateDer<'static>>> {
    let path = reader.text(&variables::CERT_FILE)?;
    let name = variables::CERT_FILE.name;
    let pem = reader.file(name, &path)?;
    parse_roots(&pem)
        .inspect_err(|rule| reader.problem(name, *rule))
        .ok()
}

fn parse_roots(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, &'static str> {
    // A mark would hide the first certificate.
    let pem = pem.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(pem);
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let certificates = certificates.map_err(|_| "names a file that is not PEM")?;
    if certificates.is_empty() {
        return Err("names a file without a certificate in PEM");
    }
    let mut store = RootCertStore::empty();
    let is_usable = |certificate: &CertificateDer<'_>| store.add(certificate.clone()).is_ok();
    match certificates.iter().any(is_usable) {
        true => Ok(certificates),
        false => Err("names a file in which no certificate can be read"),
    }
}

/// Reads the proxy from the variables in upper or lower case, as other programs do.
fn proxy(reader: &mut Reader<'_>) -> Option<ProxySettings> {
    let either = |reader: &mut Reader<'_>, setting: &Setting| {
        let lower_case = setting.name.to_ascii_lowercase();
        reader
            .value(setting.name)
            .or_else(|| reader.value(&lower_case))
    };
    let url = either(reader, &variables::HTTPS_PROXY)?;
    let exceptions = either(reader, &variables::NO_PROXY).unwrap_or_default();
    ProxySettings::parse(&url, &exceptions)
        .inspect_err(|rule| reader.problem(variables::HTTPS_PROXY.name, *rule))
        .ok()
}
