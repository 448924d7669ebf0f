//! The proxy for calls over HTTPS.

use ureq::http::Uri;
use ureq::{Proxy, ProxyProtocol};

use crate::call::no_proxy::NoProxy;
use crate::call::service_url::has_valid_port;

/// A proxy, and what goes past it.
pub struct ProxySettings {
    proxy: Proxy,
    no_proxy: NoProxy,
}

impl ProxySettings {
    /// Returns the proxy at `url`, for all hosts but those in `exceptions`. The error is the rule that `url` breaks.
    pub fn parse(url: &str, exceptions: &str) -> Result<Self, &'static str> {
        const RULE: &str =
            "must be a URL such as http://host:port or http://user:password@host:port";
        let url = match url.contains("://") {
            true => url.to_owned(),
            false => format!("http://{url}"),
        };
        let uri: Uri = url.parse().map_err(|_| RULE)?;
        let authority = uri.authority().ok_or(RULE)?;
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() || url.contains('#') {
            return Err(
                "must be a URL without a path; in the user name and the password, write / as %2F, # as %23 and ? as %3F",
            );
        }
        if !has_valid_port(authority) {
            return Err("must have a port from 1 to 65535");
        }
        let proxy = Proxy::new(&url).map_err(|_| RULE)?;
        if !matches!(proxy.protocol(), ProxyProtocol::Http | ProxyProtocol::Https) {
            return Err("must be the URL of an HTTP proxy: SOCKS is not supported");
        }
        let no_proxy = NoProxy::parse(exceptions);
        Ok(Self { proxy, no_proxy })
    }

    /// Returns the proxy through which `uri` is called, if it is.
    pub fn for_uri(&self, uri: &Uri) -> Option<&Proxy> {
        (!self.no_proxy.covers(uri)).then_some(&self.proxy)
    }
}
