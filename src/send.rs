//! The only module that touches the network, and the only one that waits.

use std::io::{self, Read};

use ureq::config::Config;
use ureq::http::Request;
use ureq::tls::{RootCerts, TlsConfig};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::{Agent, Error};

use crate::deadline::Deadline;
use crate::error::{Failure, RequestSent};
use crate::lost::{self, Call, Peer};
use crate::progress::{self, Progress, Stage};
use crate::response::{MAX_BODY, Received};
use crate::sandbox::Sandbox;
use crate::settings::Settings;

/// The greatest header of an answer, in bytes.
const MAX_HEADER: usize = 64 << 10;

/// Makes calls, one at a time, until the deadline.
pub struct Sender {
    agent: Agent,
    progress: Progress,
    deadline: Deadline,
}

impl Sender {
    /// A sender that trusts the roots of `settings`, or that asks the embedded Defender and touches no network.
    #[must_use]
    pub fn new(settings: &Settings, deadline: Deadline, sandbox: bool) -> Self {
        let roots = match &settings.roots {
            Some(certificates) => RootCerts::new_with_certs(certificates),
            None => RootCerts::WebPki,
        };
        let config = Agent::config_builder()
            // The service's verdict is an answer, whatever its status; so is a redirect: a token follows none.
            .http_status_as_error(false)
            .max_redirects(0)
            // Without this, ureq reads a proxy from the environment by itself.
            .proxy(None)
            .tls_config(TlsConfig::builder().root_certs(roots).build())
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
        let connector = progress::connector(&progress);
        Self {
            agent: Agent::with_parts(config, connector, DefaultResolver::default()),
            progress,
            deadline,
        }
    }

    /// Sends `request` and reads its whole answer.
    ///
    /// # Errors
    ///
    /// There is no answer, or only a part of one.
    pub fn send(&self, call: Call, request: Request<Vec<u8>>) -> Result<Received, Failure> {
        let peer = Peer::new(call, request.uri(), self.deadline.limit());
        self.progress.restart();
        self.exchange(request).map_err(|error| {
            let stage = self.progress.stage();
            let request_sent = match call {
                Call::Cancel if stage >= Stage::Send => RequestSent::Unknown,
                _ => RequestSent::No,
            };
            lost::explain(&error, stage, &peer).with_request_sent(request_sent)
        })
    }

    fn exchange(&self, request: Request<Vec<u8>>) -> Result<Received, Error> {
        let only_https = request.uri().scheme_str() == Some("https");
        let request = self
            .agent
            .configure_request(request)
            .timeout_global(Some(self.deadline.remaining()))
            .https_only(only_https)
            .build();
        let (head, body) = self.agent.run(request)?.into_parts();
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
