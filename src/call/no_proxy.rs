//! `NO_PROXY`: the hosts that are called without a proxy.

use std::net::IpAddr;

use ureq::http::Uri;

/// The entries of `NO_PROXY`.
pub(super) struct NoProxy(Vec<Exception>);

impl NoProxy {
    /// Reads `text`; what is no entry is passed over, as other programs do.
    pub(super) fn parse(text: &str) -> Self {
        let entries = text.split([',', ' ', '\t']).map(str::trim);
        Self(entries.filter_map(Exception::parse).collect())
    }

    /// Whether `uri` is called without the proxy.
    pub(super) fn covers(&self, uri: &Uri) -> bool {
        let host = without_brackets(uri.host().unwrap_or_default());
        let port = uri.port_u16().unwrap_or(443);
        self.0.iter().any(|exception| exception.covers(host, port))
    }
}

fn without_brackets(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

/// One entry of `NO_PROXY`, as curl, Go and Python read it.
struct Exception {
    hosts: Hosts,
    /// Any port if there is none.
    port: Option<u16>,
}

enum Hosts {
    All,
    /// A domain, in lower case: it and all below it.
    Domain(String),
    /// The addresses that begin with so many bits.
    Network(IpAddr, u8),
}

impl Hosts {
    fn parse(host: &str) -> Self {
        let host = without_brackets(host);
        match host.parse::<IpAddr>() {
            Ok(address) => Self::Network(address, if address.is_ipv4() { 32 } else { 128 }),
            Err(_) => {
                let domain = host.trim_start_matches('*').trim_start_matches('.');
                Self::Domain(domain.to_owned())
            }
        }
    }
}

impl Exception {
    fn parse(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        if text.is_empty() {
            return None;
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
        let hosts = if text == "*" {
            Hosts::All
        } else {
            Hosts::parse(host)
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
