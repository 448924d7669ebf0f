//! The names of hosts become addresses.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::http::uri::{Authority, Scheme};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// How long what a name was found to mean is taken for granted.
const KEPT: Duration = Duration::from_secs(10);

/// Keeps the last answer: ureq asks before each call, even if a connection is open, and each time in a thread of its own.
#[derive(Debug, Default)]
pub struct KeepingResolver {
    resolver: DefaultResolver,
    last: Mutex<Option<Found>>,
}

#[derive(Debug)]
struct Found {
    host: (Option<Scheme>, Option<Authority>),
    addresses: Vec<SocketAddr>,
    at: Instant,
}

impl Resolver for KeepingResolver {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let host = (uri.scheme().cloned(), uri.authority().cloned());
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = &*last
            && found.host == host
            && found.at.elapsed() < KEPT
        {
            let mut addresses = self.empty();
            found
                .addresses
                .iter()
                .for_each(|address| addresses.push(*address));
            return Ok(addresses);
        }
        let addresses = self.resolver.resolve(uri, config, timeout)?;
        *last = Some(Found {
            host,
            addresses: addresses.to_vec(),
            at: Instant::now(),
        });
        Ok(addresses)
    }
}
