//! The only module that touches the network, and the only one that waits.

use std::io::{self, Read};
use std::time::{Duration, Instant};

use ring::rand::{SecureRandom, SystemRandom};
use ureq::config::Config;
use ureq::http::Request;
use ureq::{Agent, Error, Proxy};

use crate::call::bearer::AccessToken;
use crate::call::diagnosis::{self, Peer};
use crate::call::pace::{LONGEST_PAUSE, Pacer};
use crate::call::proxy::ProxySettings;
use crate::call::received::{self, MAX_BODY, Received};
use crate::call::retry;
use crate::call::sandbox::Sandbox;
use crate::call::wire::progress::{Progress, Stage};
use crate::call::wire::resolver::KeepingResolver;
use crate::call::wire::tls::{MAX_RECORD, TlsConnector};
use crate::call::wire::watch;
use crate::call::{Call, Network};
use crate::output::failure::{Failure, FailureCode, RequestSent};
use crate::output::log::Log;
use crate::waiting::deadline::Deadline;
use crate::waiting::interrupt::Interrupt;

/// The greatest header of an answer, in bytes.
const MAX_HEADER: usize = 64 << 10;

/// The longest line of a request, in bytes: the one with the token.
const MAX_LINE: usize = AccessToken::MAX_LENGTH + (2 << 10);

/// What a try takes at least: a connection, a handshake and an answer over a long way.
const LEAST_TRY: Duration = Duration::from_millis(250);
/// A try that took longer may have met with a passing trouble.
const LONGEST_TRY: Duration = Duration::from_secs(1);

/// One run of the step, as far as whoever works for it must know.
pub struct Run<'a, 'log> {
    /// Until when it may take.
    pub deadline: Deadline,
    /// Where it says what people should know.
    pub log: &'a mut Log<'log>,
}

/// Makes calls, one at a time, each until its deadline.
pub struct Sender {
    agent: Agent,
    proxy: Option<ProxySettings>,
    progress: Progress,
    interrupt: Interrupt,
    /// The pace of all calls of the API: its limits are those of the application as a whole.
    pacer: Pacer,
    /// The longest pause that is waited for; one request knows no other bound than its deadline.
    longest_pause: Duration,
}

impl Sender {
    /// A sender that goes the way of `network`, or that asks the embedded Defender and touches no network. Its waiting is
    /// cut short by `interrupt`.
    #[must_use]
    pub fn new(network: Network, sandbox: bool, interrupt: Interrupt) -> Self {
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
            // Compression is decoded when it comes anyway, but not asked for: an answer is about a kilobyte.
            .accept_encoding("");
        let config: Config = if sandbox {
            config.middleware(Sandbox::default()).build()
        } else {
            config.build()
        };
        let progress = Progress::default();
        let connector = watch::connector(&progress, TlsConnector::new(network.roots));
        Self {
            agent: Agent::with_parts(config, connector, KeepingResolver::default()),
            proxy: network.proxy,
            progress,
            interrupt,
            // One request needs no pace, but heeds what the service asks for.
            pacer: Pacer::new(0, 0),
            longest_pause: Duration::MAX,
        }
    }

    /// Paces all further calls, as a batch must: so many in a minute and in an hour, 0 being no limit. From now on no
    /// pause of more than [`LONGEST_PAUSE`] is waited for.
    pub fn pace(&mut self, per_minute: u32, per_hour: u32) {
        self.pacer = Pacer::new(per_minute, per_hour);
        self.longest_pause = LONGEST_PAUSE;
    }

    /// How long a call of the API that is ready now has to wait for its turn.
    #[must_use]
    pub fn wait_for_turn(&self) -> Duration {
        self.pacer.wait(Instant::now())
    }

    /// What is left of a pause that the API has asked for, if that is longer than is waited for.
    #[must_use]
    pub fn held_up(&self) -> Option<Duration> {
        let left = self.pacer.asked(Instant::now());
        (left > self.longest_pause).then_some(left)
    }

    /// What cuts the waiting short.
    #[must_use]
    pub fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }

    /// What breaks off a call in hand, from another thread.
    pub fn breaker(&self) -> impl FnOnce() + Send + 'static {
        let agent = self.agent.clone();
        move || agent.shutdown()
    }

    /// Sends `request` and reads its whole answer; tries again where that may help and the deadline allows.
    ///
    /// # Errors
    ///
    /// There is no answer, or only a part of one.
    pub fn send(
        &mut self,
        call: &'static Call,
        request: &Request<Vec<u8>>,
        run: &mut Run<'_, '_>,
    ) -> Result<Received, Failure> {
        let deadline = run.deadline;
        let mut tries = Tries::default();
        loop {
            let begun = Instant::now();
            if call.is_of_the_api {
                self.pacer.called(begun);
            }
            let outcome = self.send_once(call, request, deadline);
            tries.note(&outcome);
            let Some(pause) = self.pause(call, &outcome, &mut tries) else {
                return tries.conclude(outcome);
            };
            // No try begins that cannot end in time; it may be faster than the last one, or slower.
            let needed = pause.saturating_add(begun.elapsed().clamp(LEAST_TRY, LONGEST_TRY));
            if needed >= deadline.remaining() {
                return tries.conclude(outcome);
            }
            if !pause.is_zero() {
                run.log.notice(format_args!(
                    "try {} of {}: {}; the next follows in {:.1} s.",
                    tries.count(),
                    call.name,
                    tries.last(),
                    pause.as_secs_f64()
                ));
                self.interrupt.wait(pause);
            }
            if self.interrupt.status().is_some() {
                return tries.conclude(outcome);
            }
        }
    }

    /// How long to wait before the next try of `call`, after the last of `tries` ended in `outcome`; `None` if that stands.
    fn pause(
        &mut self,
        call: &'static Call,
        outcome: &Result<Received, Failure>,
        tries: &mut Tries,
    ) -> Option<Duration> {
        if let Ok(received) = outcome
            && call.is_of_the_api
            && matches!(received.status.as_u16(), 429 | 503)
            && let Some(seconds) = received::retry_after_seconds(received)
        {
            // Whatever becomes of this call, the next ones wait, too.
            self.pacer
                .pause(Instant::now(), Duration::from_secs(seconds));
        }
        if self.interrupt.status().is_some() {
            return None;
        }
        let turn = match call.is_of_the_api {
            true => self.wait_for_turn(),
            false => Duration::ZERO,
        };
        let is_network_error =
            matches!(outcome, Err(failure) if failure.code == FailureCode::NetworkError);
        if is_network_error && self.progress.is_on_kept_connection() && tries.repeats_at_once() {
            // The server has closed a connection that was kept alive, just as the request went out.
            return Some(turn);
        }
        let pause = retry::pause(
            call,
            outcome.as_ref(),
            tries.count(),
            random(),
            self.longest_pause,
        )?;
        Some(pause.max(turn))
    }

    fn send_once(
        &self,
        call: &'static Call,
        request: &Request<Vec<u8>>,
        deadline: Deadline,
    ) -> Result<Received, Failure> {
        let proxy = self.proxy_for(call, request);
        let via = proxy.map(|proxy| format!("{}:{}", proxy.host(), proxy.port()));
        let peer = Peer::new(call, request.uri(), via, deadline.limit());
        self.progress.restart(request.uri(), deadline);
        let exchange = self.exchange(request.clone(), proxy.cloned(), deadline);
        exchange.map_err(|error| {
            let stage = self.progress.stage();
            let request_sent = match stage >= Stage::Send && call.may_change_something {
                true => RequestSent::Unknown,
                false => RequestSent::No,
            };
            let failure = match self.interrupt.status() {
                Some(_) => diagnosis::broken_off(stage, &peer),
                None => diagnosis::explain(&error, stage, &peer),
            };
            failure.with_request_sent(request_sent)
        })
    }

    /// A proxy is for calls over HTTPS; what the platform itself answers is never asked through one.
    fn proxy_for(&self, call: &Call, request: &Request<Vec<u8>>) -> Option<&Proxy> {
        let is_for_proxy = call.may_be_proxied && is_https(request);
        let settings = self.proxy.as_ref().filter(|_| is_for_proxy)?;
        settings.for_uri(request.uri())
    }

    fn exchange(
        &self,
        request: Request<Vec<u8>>,
        proxy: Option<Proxy>,
        deadline: Deadline,
    ) -> Result<Received, Error> {
        let only_https = is_https(&request);
        let request = self
            .agent
            .configure_request(request)
            .timeout_global(Some(deadline.remaining()))
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
            tries: String::new(),
            follows_lost: false,
        })
    }
}

/// What became of the tries of one call.
#[derive(Default)]
struct Tries {
    said: Vec<String>,
    was_lost: bool,
    was_repeated_at_once: bool,
}

impl Tries {
    fn count(&self) -> u32 {
        u32::try_from(self.said.len()).unwrap_or(u32::MAX)
    }

    /// The last try in a few words.
    fn last(&self) -> &str {
        self.said.last().map_or("", String::as_str)
    }

    /// Whether the call may be repeated at once; once it may.
    fn repeats_at_once(&mut self) -> bool {
        !std::mem::replace(&mut self.was_repeated_at_once, true)
    }

    /// Notes one more try.
    fn note(&mut self, outcome: &Result<Received, Failure>) {
        self.said.push(match outcome {
            Ok(received) => format!("answered with status {}", received.status.as_u16()),
            Err(failure) => {
                self.was_lost |= failure.request_sent == RequestSent::Unknown;
                failure.what.to_string()
            }
        });
    }

    /// The outcome that stands. It tells of every try, and whether the request may have been sent in any of them.
    fn conclude(self, outcome: Result<Received, Failure>) -> Result<Received, Failure> {
        let tries = match self.said.as_slice() {
            [] | [_] => String::new(),
            said => {
                let numbered = said.iter().zip(1..);
                let numbered: Vec<String> = numbered
                    .map(|(said, number)| format!("{number}: {said}"))
                    .collect();
                format!(" Tried {} times ({}).", said.len(), numbered.join("; "))
            }
        };
        match outcome {
            Ok(received) => Ok(Received {
                tries,
                follows_lost: self.was_lost,
                ..received
            }),
            Err(mut failure) => {
                failure.message += &tries;
                if self.was_lost {
                    failure.request_sent = RequestSent::Unknown;
                }
                Err(failure)
            }
        }
    }
}

/// A number from 0 to 1.
fn random() -> f64 {
    let mut bytes = [0; 4];
    // Without random numbers the pauses are the shortest; they only spread the load.
    let _ = SystemRandom::new().fill(&mut bytes);
    f64::from(u32::from_ne_bytes(bytes)) / f64::from(u32::MAX)
}

fn is_https(request: &Request<Vec<u8>>) -> bool {
    request.uri().scheme_str() == Some("https")
}
