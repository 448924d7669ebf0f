//! The proxy for calls over HTTPS, and the hosts that are called without it.

use std::net::IpAddr;

use ureq::http::Uri;
use ureq::{Proxy, ProxyProtocol};

/// A proxy, and what goes past it.
#[derive(Debug)]
pub struct ProxySettings {
    proxy: Proxy,
    exceptions: Vec<Exception>,
}

impl ProxySettings {
    /// The proxy at `url`, for all hosts but those in `exceptions`.
    ///
    /// # Errors
    ///
    /// The rule that `url` breaks.
    pub fn parse(url: &str, exceptions: &str) -> Result<Self, &'static str> {
        const RULE: &str =
            "must be a URL such as http://host:port or http://user:password@host:port";
        let url = if url.contains("://") {
            url.to_owned()
        } else {
            format!("http://{url}")
        };
        let uri: Uri = url.parse().map_err(|_| RULE)?;
        let authority = uri.authority().ok_or(RULE)?.as_str();
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() || url.contains('#') {
            return Err(
                "must be a URL without a path; write / as %2F, # as %23 and ? as %3F in its user and password",
            );
        }
        let host = authority.rsplit('@').next().unwrap_or_default();
        let after_host = match host.rsplit_once(']') {
            Some((_, port)) => port,
            None => host
                .find(':')
                .and_then(|at| host.get(at..))
                .unwrap_or_default(),
        };
        let port = after_host.strip_prefix(':').map(str::parse);
        if !after_host.is_empty() && !matches!(port, Some(Ok(1..=u16::MAX))) {
            return Err("must have a port from 1 to 65535");
        }
        let proxy = Proxy::new(&url).map_err(|_| RULE)?;
        if !matches!(proxy.protocol(), ProxyProtocol::Http | ProxyProtocol::Https) {
            return Err("must be the URL of an HTTP proxy: SOCKS is not supported");
        }
        let entries = exceptions.split([',', ' ', '\t']).map(str::trim);
        Ok(Self {
            proxy,
            exceptions: entries.filter_map(Exception::parse).collect(),
        })
    }

    /// The proxy by way of which `uri` is called, if it is.
    #[must_use]
    pub fn for_uri(&self, uri: &Uri) -> Option<&Proxy> {
        let host = uri.host().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let port = uri.port_u16().unwrap_or(443);
        let is_excepted = |exception: &Exception| exception.covers(host, port);
        (!self.exceptions.iter().any(is_excepted)).then_some(&self.proxy)
    }
}

/// One entry of `NO_PROXY`, as curl, Go and Python read it.
#[derive(Debug)]
struct Exception {
    hosts: Hosts,
    /// Any port if there is none.
    port: Option<u16>,
}

#[derive(Debug)]
enum Hosts {
    All,
    /// A domain, in lower case: it and all below it.
    Domain(String),
    /// The addresses that begin with so many bits.
    Network(IpAddr, u8),
}

impl Exception {
    fn parse(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        if text.is_empty() {
            return None;
        }
        if text == "*" {
            return Some(Self {
                hosts: Hosts::All,
                port: None,
            });
        }
        if let Some((address, bits)) = text.split_once('/') {
            return Some(Self {
                hosts: Hosts::Network(address.parse().ok()?, bits.parse().ok()?),
                port: None,
            });
        }
        let (host, port) = match text.rsplit_once(':') {
            // More than one colon is an IPv6 address, unless it is in brackets.
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
                (host, Some(port.parse().ok()?))
            }
            _ => (text.as_str(), None),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let hosts = match host.parse::<IpAddr>() {
            Ok(address) => Hosts::Network(address, if address.is_ipv4() { 32 } else { 128 }),
            Err(_) => {
                let domain = host.trim_start_matches('*').trim_start_matches('.');
                Hosts::Domain(domain.to_owned())
            }
        };
        Some(Self { hosts, port })
    }

    fn covers(&self, host: &str, port: u16) -> bool {
        let is_covered = match &self.hosts {
            Hosts::All => true,
            Hosts::Domain(domain) => {
                let host = host.to_ascii_lowercase();
                let before = host.strip_suffix(domain.as_str());
                before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
            }
            Hosts::Network(network, bits) => host
                .parse()
                .is_ok_and(|address| is_in_network(address, *network, *bits)),
        };
        is_covered && self.port.is_none_or(|wanted| wanted == port)
    }
}

fn is_in_network(address: IpAddr, network: IpAddr, bits: u8) -> bool {
    let (address, network, length) = match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => (
            u128::from(address.to_bits()),
            u128::from(network.to_bits()),
            32,
        ),
        (IpAddr::V6(address), IpAddr::V6(network)) => (address.to_bits(), network.to_bits(), 128),
        _ => return false,
    };
    let ignored = u32::from(128_u8.min(length).saturating_sub(bits));
    let shift = |bits: u128| bits.checked_shr(ignored).unwrap_or_default();
    shift(address) == shift(network)
}
