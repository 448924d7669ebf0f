//! One exchange with a host: a request goes out, a whole answer comes back.

use std::io::{self, Read};
use std::sync::{Arc, OnceLock};

use ureq::config::Config;
use ureq::http::{Request, Response};
use ureq::{Agent, Body, Error, Proxy, Timeout};

use crate::call::bearer::AccessToken;
use crate::call::decompression::{self, MAX_BODY};
use crate::call::diagnosis::Peer;
use crate::call::proxy::ProxySettings;
use crate::call::received::Received;
use crate::call::sandbox::Sandbox;
use crate::call::streamed_body::Loss;
use crate::call::wire::progress::{Progress, Stage};
use crate::call::wire::resolver::KeepingResolver;
use crate::call::wire::tls::{MAX_RECORD, TlsConnector};
use crate::call::wire::watch;
use crate::call::{Call, Network};
use crate::output::exit_status::ExitStatus;
use crate::output::failure::Failure;
use crate::waiting::deadline::Deadline;
use crate::waiting::interrupt::Interrupt;

/// The greatest header of an answer, in bytes.
const MAX_HEADER: usize = 64 << 10;

/// The longest line of a request, in bytes: the one with the token.
const MAX_LINE: usize = AccessToken::MAX_LENGTH + (2 << 10);

/// Cuts waiting short and ends a call in hand, from another thread.
#[derive(Clone, Default)]
pub(crate) struct Brake {
    pub(crate) interrupt: Interrupt,
    progress: Progress,
    /// What makes the calls; none before the settings are read.
    agent: Arc<OnceLock<Agent>>,
}

impl Brake {
    /// Cuts all waiting short, and lets no further request be sent: the process is to end with `status`. Returns whether a
    /// call of the API is in hand, which may end.
    pub(crate) fn stop(&self, status: ExitStatus) -> bool {
        self.interrupt.stop(status);
        self.progress.close()
    }

    /// Forgets a stop: it was meant for a call that is over.
    pub(crate) fn resume(&self) {
        self.interrupt.resume();
        self.progress.reopen();
    }

    /// Breaks off the call in hand.
    pub(crate) fn break_off(&self) {
        if let Some(agent) = self.agent.get() {
            agent.clone().shutdown();
        }
    }

    /// Whether the cancel that is worked on was sent, or a part of it.
    pub(crate) fn was_sent(&self) -> bool {
        self.progress.was_sent()
    }

    /// Forgets what was sent: another action is worked on.
    pub(crate) fn forget_sent(&self) {
        self.progress.forget_sent();
    }
}

/// ureq's agent, and what it does not know by itself.
pub(super) struct Client {
    agent: Agent,
    proxy: Option<ProxySettings>,
    brake: Brake,
}

impl Client {
    pub(super) fn new(network: Network, sandbox: bool, brake: Brake) -> Self {
        let connector = watch::connector(&brake.progress, TlsConnector::new(network.roots));
        let agent = Agent::with_parts(config(sandbox), connector, KeepingResolver::default());
        let _ = brake.agent.set(agent.clone());
        Self {
            agent,
            proxy: network.proxy,
            brake,
        }
    }

    pub(super) fn interrupt(&self) -> &Interrupt {
        &self.brake.interrupt
    }

    /// Whether the last call went out on a connection that an earlier one had opened.
    pub(super) fn was_on_kept_connection(&self) -> bool {
        self.brake.progress.is_on_kept_connection()
    }

    /// Sends `request` and returns its whole answer, or why there is none; `may_have_arrived` if an earlier try may
    /// have been carried out.
    pub(super) fn exchange(
        &self,
        call: &'static Call,
        request: &Request<Vec<u8>>,
        deadline: Deadline,
        may_have_arrived: bool,
    ) -> Result<Received, Failure> {
        let proxy = self.proxy_for(call, request);
        self.brake.progress.restart(call, request.uri(), deadline);
        let via = proxy.map(|proxy| format!("{}:{}", proxy.host(), proxy.port()));
        let mut peer = Peer::new(call, request.uri(), via, deadline.limit());
        peer.may_have_arrived = may_have_arrived;
        let loss = Loss {
            peer,
            progress: self.brake.progress.clone(),
            interrupt: self.brake.interrupt.clone(),
        };
        let response = match self.answer_to(call, request.clone(), proxy.cloned(), deadline) {
            Ok(response) if call.is_streamed && response.status().is_success() => {
                self.brake.progress.reach(Stage::Read);
                return Received::streamed(response, loss);
            }
            response => response,
        };
        let received = response.and_then(|response| self.received(response, deadline));
        received.map_err(|error| loss.explain(&error))
    }

    /// A proxy is for calls over HTTPS; what the platform itself answers is never asked through one.
    fn proxy_for(&self, call: &Call, request: &Request<Vec<u8>>) -> Option<&Proxy> {
        let is_for_proxy = call.may_be_proxied && is_https(request);
        let settings = self.proxy.as_ref().filter(|_| is_for_proxy)?;
        settings.for_uri(request.uri())
    }

    fn answer_to(
        &self,
        call: &Call,
        request: Request<Vec<u8>>,
        proxy: Option<Proxy>,
        deadline: Deadline,
    ) -> Result<Response<Body>, Error> {
        let only_https = is_https(&request);
        let left = Some(deadline.remaining());
        let request = self.agent.configure_request(request);
        let request = match call.is_streamed {
            // The deadline of what is streamed may be moved: `Progress` keeps it, once there is a connection.
            true => request.timeout_resolve(left).timeout_connect(left),
            false => request.timeout_global(left),
        };
        let request = request.https_only(only_https).proxy(proxy).build();
        match request.body().is_empty() {
            // An empty body is announced as one, which a GET should not do.
            true => self.agent.run(request.map(drop)),
            false => self.agent.run(request),
        }
    }

    /// Reads the body to its end, and decodes it.
    fn received(&self, response: Response<Body>, deadline: Deadline) -> Result<Received, Error> {
        let (head, body) = response.into_parts();
        self.brake.progress.reach(Stage::Read);
        let mut bytes = Vec::new();
        let limit = MAX_BODY as u64 + 1;
        body.into_reader().take(limit).read_to_end(&mut bytes)?;
        if bytes.len() > MAX_BODY {
            return Err(Error::BodyExceedsLimit(MAX_BODY as u64));
        }
        if self.brake.progress.broke_off() {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        let length = bytes.len();
        let body = decompression::decode(&head.headers, bytes, deadline);
        if matches!(&body, Err(error) if error.kind() == io::ErrorKind::TimedOut) {
            return Err(Error::Timeout(Timeout::Global));
        }
        Ok(Received {
            status: head.status,
            headers: head.headers,
            length,
            body,
            unread: None,
        })
    }
}

fn config(sandbox: bool) -> Config {
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
        // ureq's own buffers are larger, and each is filled with zeros before anything is sent.
        .input_buffer_size(MAX_HEADER + MAX_RECORD)
        .output_buffer_size(MAX_LINE)
        // Compression is decoded when it comes, but only a list asks for it: an answer is about a kilobyte.
        .accept_encoding("");
    match sandbox {
        true => config.middleware(Sandbox::default()).build(),
        false => config.build(),
    }
}

fn is_https(request: &Request<Vec<u8>>) -> bool {
    request.uri().scheme_str() == Some("https")
}
