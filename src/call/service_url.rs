//! Where a credential may be sent.

use std::fmt;
use std::net::IpAddr;

use ureq::http::uri::Scheme;
use ureq::http::{self, Uri};

use crate::output::failure::{Failure, FailureCode};

/// The root of a service: `https://host[:port][/prefix]`, without a slash at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceUrl(String);

impl ServiceUrl {
    const MAX_LENGTH: usize = 2048;
    const RULE: &str = "must be a URL such as https://host";

    /// Checks that a credential may be sent there: over HTTPS, or to this machine itself.
    ///
    /// # Errors
    ///
    /// The rule that `text` breaks.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        Self::parse_with(text, is_loopback).map_err(|rule| {
            rule.unwrap_or(
                "must begin with https:// (http:// is accepted for loopback addresses only)",
            )
        })
    }

    /// The same for the endpoint of a managed identity, which Azure serves in clear on loopback and link-local addresses.
    ///
    /// # Errors
    ///
    /// The rule that `text` breaks.
    pub fn parse_local(text: &str) -> Result<Self, &'static str> {
        Self::parse_with(text, |host| is_loopback(host) || is_link_local(host)).map_err(|rule| {
            rule.unwrap_or(
                "must begin with https:// (http:// is accepted for loopback and link-local addresses only)",
            )
        })
    }

    /// The error is `None` if the URL is in clear to a host to which it may not be.
    fn parse_with(
        text: &str,
        may_be_in_clear: impl FnOnce(&str) -> bool,
    ) -> Result<Self, Option<&'static str>> {
        let text = text.trim_end_matches('/');
        if text.len() > Self::MAX_LENGTH {
            return Err(Some("is too long"));
        }
        let uri: Uri = text.parse().map_err(|_| Some(Self::RULE))?;
        let authority = uri.authority().ok_or(Some(Self::RULE))?;
        if authority.as_str().contains('@') {
            return Err(Some("must not carry a user name or password"));
        }
        let after_host = authority
            .as_str()
            .strip_prefix(authority.host())
            .unwrap_or_default();
        if !after_host.is_empty() && authority.port_u16().is_none_or(|port| port == 0) {
            return Err(Some("must have a port from 1 to 65535, or none"));
        }
        if uri
            .path()
            .split('/')
            .any(|segment| matches!(segment, "." | ".."))
        {
            return Err(Some("must not have . or .. in its path"));
        }
        if uri.query().is_some() || text.contains('#') {
            return Err(Some("must not carry a query or a fragment"));
        }
        let is_https = uri.scheme() == Some(&Scheme::HTTPS);
        let is_http = uri.scheme() == Some(&Scheme::HTTP);
        if is_https || (is_http && may_be_in_clear(authority.host())) {
            Ok(Self(text.to_owned()))
        } else {
            Err(None)
        }
    }

    /// The URL of `path`, which begins with a slash or a question mark, at this service.
    #[must_use]
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }
}

impl fmt::Display for ServiceUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || bare
            .parse()
            .is_ok_and(|address: IpAddr| address.is_loopback())
}

fn is_link_local(host: &str) -> bool {
    matches!(host.parse(), Ok(IpAddr::V4(address)) if address.is_link_local())
}

/// The failure of settings that do not make a URL.
#[must_use]
pub fn not_a_url(error: &http::Error) -> Failure {
    Failure::new(
        FailureCode::InvalidSettings,
        "the settings do not make a URL. Check MDE_BASE_URL and AZURE_AUTHORITY_HOST.",
    )
    .because(error)
}
