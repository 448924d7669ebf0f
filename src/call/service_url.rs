//! Where a credential may be sent.

use std::fmt;
use std::net::IpAddr;

use ureq::http::uri::{Authority, Scheme};
use ureq::http::{self, Uri};

use crate::output::failure::{Failure, FailureCode};

/// The root of a service: `https://host[:port][/prefix]`, without a slash at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServiceUrl(String);

impl ServiceUrl {
    const MAX_LENGTH: usize = 2048;
    const RULE: &str = "must be a URL such as https://host";

    /// Checks that a credential may be sent there: over HTTPS, or to this machine itself. The error is the rule that
    /// `text` breaks.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        const CLEAR: &str =
            "must begin with https:// (http:// is accepted for loopback addresses only)";
        Self::parse_with(text, is_loopback, CLEAR)
    }

    /// The same for the endpoint of a managed identity, which Azure serves in clear on loopback and link-local addresses.
    pub(crate) fn parse_local(text: &str) -> Result<Self, &'static str> {
        const CLEAR: &str = "must begin with https:// (http:// is accepted for loopback and link-local addresses only)";
        Self::parse_with(text, |host| is_loopback(host) || is_link_local(host), CLEAR)
    }

    /// `clear_rule` is that of a URL in clear to a host to which it may not be.
    fn parse_with(
        text: &str,
        may_be_in_clear: impl FnOnce(&str) -> bool,
        clear_rule: &'static str,
    ) -> Result<Self, &'static str> {
        let text = text.trim_end_matches('/');
        if text.len() > Self::MAX_LENGTH {
            return Err("must have at most 2048 characters");
        }
        let uri: Uri = text.parse().map_err(|_| Self::RULE)?;
        let authority = uri.authority().ok_or(Self::RULE)?;
        let is_https = uri.scheme() == Some(&Scheme::HTTPS);
        let is_http = uri.scheme() == Some(&Scheme::HTTP);
        let has_user = authority.as_str().contains('@');
        let has_dots = uri.path().split('/').any(|part| matches!(part, "." | ".."));
        let has_more = uri.query().is_some() || text.contains('#');
        let may_be_sent = is_https || (is_http && may_be_in_clear(authority.host()));
        let rules = [
            (!has_user, "must not contain a user name or a password"),
            (
                has_valid_port(authority),
                "must have a port from 1 to 65535, or none",
            ),
            (!has_dots, "must not have . or .. in its path"),
            (!has_more, "must not have a query or a fragment"),
            (may_be_sent, clear_rule),
        ];
        match rules.iter().find(|(is_kept, _)| !is_kept) {
            Some((_, rule)) => Err(rule),
            None => Ok(Self(text.to_owned())),
        }
    }

    /// Returns the path before those of the service, without a slash at its end; usually there is none.
    pub(super) fn prefix(&self) -> String {
        let uri: Option<Uri> = self.0.parse().ok();
        let path = uri.as_ref().map_or("", Uri::path);
        path.trim_end_matches('/').to_owned()
    }

    /// Returns the URL of `path`, which begins with a slash or a question mark, at this service.
    pub(crate) fn join(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }
}

impl fmt::Display for ServiceUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Whether there is no port after the host, or one from 1 to 65535.
pub(super) fn has_valid_port(authority: &Authority) -> bool {
    let host = authority.as_str().rsplit('@').next().unwrap_or_default();
    host == authority.host() || authority.port_u16().is_some_and(|port| port > 0)
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
pub(crate) fn not_a_url(error: &http::Error) -> Failure {
    Failure::new(
        FailureCode::InvalidSettings,
        "no URL can be made from the settings. Check MDE_BASE_URL and AZURE_AUTHORITY_HOST.",
    )
    .because(error)
}
