//! The only module that touches the network, and the only one that waits.

use std::io::{self, Read};
use std::thread;

use ureq::config::Config;
use ureq::http::Request;
use ureq::unversioned::resolver::DefaultResolver;
use ureq::{Agent, Error, Proxy};

use crate::deadline::Deadline;
use crate::error::{Failure, RequestSent};
use crate::log::Log;
use crate::lost::{self, Call, Peer};
use crate::progress::{self, Progress, Stage};
use crate::response::{MAX_BODY, Received};
use crate::retry;
use crate::sandbox::Sandbox;
use crate::settings::Network;
use crate::tls::TlsConnector;

/// The greatest header of an answer, in bytes.
const MAX_HEADER: usize = 64 << 10;

/// Makes calls, one at a time, until the deadline.
pub struct Sender {
    agent: Agent,
    proxy: Option<Proxy>,
    progress: Progress,
    deadline: Deadline,
}

impl Sender {
    /// A sender that goes the way of `network`, or that asks the embedded Defender and touches no network.
    #[must_use]
    pub fn new(network: Network, deadline: Deadline, sandbox: bool) -> Self {
        let config = Agent::config_builder()
            // The service's verdict is an answer, whatever its status; so is a redirect: a token follows none.
            .http_status_as_error(false)
            .max_redirects(0)
            // Without this, ureq reads a proxy from the environment by itself.
            .proxy(None)
            .user_agent(concat!(
                env!("CARGO_PKG_NAME"),
                "/",
                env!("CARGO_PKG_VERSION")
            ))
            .max_response_header_size(MAX_HEADER)
            // Compression is decoded when it comes anyway, but not asked for: an answer is about a kilobyte.
            .accept_encoding("");
        let config: Config = if sandbox {
            config.middleware(Sandbox::default()).build()
        } else {
            config.build()
        };
        let progress = Progress::default();
        let connector = progress::connector(&progress, TlsConnector::new(network.roots));
        Self {
            agent: Agent::with_parts(config, connector, DefaultResolver::default()),
            proxy: network.proxy,
            progress,
            deadline,
        }
    }

    /// Sends `request` and reads its whole answer; tries again where that is documented to help.
    ///
    /// # Errors
    ///
    /// There is no answer, or only a part of one.
    pub fn send(
        &self,
        call: Call,
        request: &Request<Vec<u8>>,
        log: &mut Log<'_>,
    ) -> Result<Received, Failure> {
        let mut tries = 1;
        loop {
            let received = self.send_once(call, request.clone())?;
            let pause = retry::pause(call, received.status, tries)
                .filter(|pause| *pause < self.deadline.remaining());
            let Some(pause) = pause else {
                return Ok(received);
            };
            log.notice(format_args!(
                "try {tries} was answered with status {}; the next follows in {} s.",
                received.status.as_u16(),
                pause.as_secs_f64()
            ));
            #[expect(clippy::disallowed_methods, reason = "the one place that waits")]
            thread::sleep(pause);
            tries += 1;
        }
    }

    fn send_once(&self, call: Call, request: Request<Vec<u8>>) -> Result<Received, Failure> {
        let proxy = self.proxy_for(call, &request);
        let via = proxy.map(|proxy| format!("{}:{}", proxy.host(), proxy.port()));
        let peer = Peer::new(call, request.uri(), via, self.deadline.limit());
        self.progress.restart(request.uri());
        self.exchange(request, proxy.cloned()).map_err(|error| {
            let stage = self.progress.stage();
            let request_sent = match call {
                Call::Cancel if stage >= Stage::Send => RequestSent::Unknown,
                _ => RequestSent::No,
            };
            lost::explain(&error, stage, &peer).with_request_sent(request_sent)
        })
    }

    /// A proxy is for calls over HTTPS; what the platform itself answers is never asked through one.
    fn proxy_for(&self, call: Call, request: &Request<Vec<u8>>) -> Option<&Proxy> {
        let proxy = self.proxy.as_ref()?;
        let is_for_proxy = call != Call::ManagedIdentity && is_https(request);
        (is_for_proxy && !proxy.is_no_proxy(request.uri())).then_some(proxy)
    }

    fn exchange(&self, request: Request<Vec<u8>>, proxy: Option<Proxy>) -> Result<Received, Error> {
        let only_https = is_https(&request);
        let request = self
            .agent
            .configure_request(request)
            .timeout_global(Some(self.deadline.remaining()))
            .https_only(only_https)
            .proxy(proxy)
            .build();
        let response = if request.body().is_empty() {
            // An empty body is announced as one, which a GET should not do.
            self.agent.run(request.map(drop))?
        } else {
            self.agent.run(request)?
        };
        let (head, body) = response.into_parts();
        self.progress.reach(Stage::Read);
        let mut bytes = Vec::new();
        let limit = MAX_BODY as u64 + 1;
        body.into_reader().take(limit).read_to_end(&mut bytes)?;
        if bytes.len() > MAX_BODY {
            return Err(Error::BodyExceedsLimit(MAX_BODY as u64));
        }
        if self.progress.broke_off() {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        Ok(Received {
            status: head.status,
            headers: head.headers,
            body: bytes,
        })
    }
}

fn is_https(request: &Request<Vec<u8>>) -> bool {
    request.uri().scheme_str() == Some("https")
}
