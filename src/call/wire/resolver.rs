//! The names of hosts become addresses.

use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// How long what a name was found to mean is taken for granted.
const KEPT: Duration = Duration::from_secs(10);

/// How many addresses of a host are tried; ureq takes no more.
const MAX_ADDRESSES: usize = 16;

/// Keeps the last answer: ureq asks before each call, even if a connection is open. An address needs no answer. Only a
/// name needs a thread, because the system's lookup knows no time limit; ureq's own resolver panics if there is none.
#[derive(Debug, Default)]
pub(crate) struct KeepingResolver {
    last: Mutex<Option<Found>>,
}

#[derive(Debug)]
struct Found {
    /// Host and port.
    host: String,
    addresses: Vec<SocketAddr>,
    at: Instant,
}

impl KeepingResolver {
    fn addresses(&self, host: String, timeout: NextTimeout) -> Result<Vec<SocketAddr>, Error> {
        if let Ok(address) = host.parse() {
            return Ok(vec![address]);
        }
        if let Some(found) = &*self.last.lock().unwrap_or_else(PoisonError::into_inner)
            && found.host == host
            && found.at.elapsed() < KEPT
        {
            return Ok(found.addresses.clone());
        }
        let addresses = look_up(host.clone(), timeout)?;
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(Found {
            host,
            addresses: addresses.clone(),
            at: Instant::now(),
        });
        Ok(addresses)
    }
}

impl Resolver for KeepingResolver {
    fn resolve(
        &self,
        uri: &Uri,
        _: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let host = uri.scheme().zip(uri.authority());
        let host = host
            .and_then(|(scheme, authority)| DefaultResolver::host_and_port(scheme, authority))
            .ok_or(Error::HostNotFound)?;
        let mut resolved = self.empty();
        for address in self.addresses(host, timeout)? {
            resolved.push(address);
        }
        Ok(resolved)
    }
}

fn look_up(host: String, timeout: NextTimeout) -> Result<Vec<SocketAddr>, Error> {
    let (sender, receiver) = mpsc::sync_channel(1);
    let ask = move || {
        // Nobody listens any more if it took too long.
        let _ = sender.send(host.to_socket_addrs());
    };
    thread::Builder::new()
        .spawn(ask)
        .map_err(|error| Error::Io(io::Error::other(NoThread(error))))?;
    let found = receiver
        .recv_timeout(*timeout.after)
        .map_err(|reason| match reason {
            RecvTimeoutError::Timeout => Error::Timeout(timeout.reason),
            RecvTimeoutError::Disconnected => Error::HostNotFound,
        })?;
    let addresses: Vec<SocketAddr> = found?.take(MAX_ADDRESSES).collect();
    let addresses = Some(addresses).filter(|addresses| !addresses.is_empty());
    addresses.ok_or(Error::HostNotFound)
}

/// No thread could be made for the lookup.
#[derive(Debug)]
pub(crate) struct NoThread(io::Error);

impl fmt::Display for NoThread {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl std::error::Error for NoThread {}
