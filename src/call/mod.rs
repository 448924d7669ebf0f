//! A described call becomes what came back.

pub mod api;
pub(crate) mod bearer;
pub(crate) mod service_url;
pub(crate) mod send;
pub(crate) mod exchange;
pub(crate) mod tries;
mod backoff;
pub mod pace;
pub mod received;
mod header_text;
pub(crate) mod filter;
pub(crate) mod next_link;
pub(crate) mod page;
pub(crate) mod streamed_body;
mod decompression;
pub(crate) mod interpret;
pub mod proxy;
mod no_proxy;
pub mod diagnosis;
pub mod wire;
pub mod sandbox;

use crate::call::proxy::ProxySettings;
use crate::call::received::Received;
use rustls::pki_types::CertificateDer;

/// How often a call is made at most, if the time limit does not end it before: with the pauses that follow, these take
/// half a minute.
pub(crate) const MAX_TRIES: u32 = 10;

/// Describes a kind of call: what sending it must know. It is declared beside the request.
pub struct Call {
    /// What it is for, in a word or two.
    pub(crate) name: &'static str,
    /// The variable that names its host.
    pub(crate) host_setting: &'static str,
    /// Whether it is one of the API, and counts against the API's limits.
    pub(crate) is_of_the_api: bool,
    /// Whether a proxy may stand on its way.
    pub(crate) may_be_proxied: bool,
    /// Whether it may change something, so that a lost one may have been carried out.
    pub(crate) may_change_something: bool,
    /// Whether the body of a success is left to be read as it comes.
    pub(crate) is_streamed: bool,
    /// What is known of the action if the call was lost before it was sent.
    pub(crate) if_not_sent: &'static str,
    /// What is known of the action if the call was lost afterwards.
    pub(crate) if_lost: &'static str,
    /// How often it is made at most.
    pub(crate) max_tries: u32,
    /// Whether what was answered may pass by itself.
    pub(crate) may_pass: fn(&Received) -> bool,
}

/// The way to the hosts.
#[derive(Default)]
pub(crate) struct Network {
    /// The certificate authorities to trust; `None` for those that are compiled in.
    pub(crate) roots: Option<Vec<CertificateDer<'static>>>,
    /// The proxy for calls over HTTPS.
    pub proxy: Option<ProxySettings>,
}
