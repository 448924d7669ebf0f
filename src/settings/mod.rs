//! What an operator sets: where the calls go, who makes them, and how.

pub(crate) mod arguments;
pub(crate) mod commands;
pub(crate) mod list_options;
mod suggestions;
pub(crate) mod help;
pub mod options;
pub(crate) mod allowed_types;
mod credentials;
mod network;
pub(crate) mod environment;
pub(crate) mod clouds;
pub mod variables;

use std::path::PathBuf;

use self::clouds::{CLOUDS, COMMERCIAL, Cloud};
use self::environment::Reader;
use self::variables::Setting;
use crate::auth::Credentials;
use crate::call::Network;
use crate::call::service_url::ServiceUrl;
use crate::output::failure::Failure;
use crate::waiting::deadline::Deadline;

/// Where the calls go, who makes them, and how.
pub(crate) struct Settings {
    /// The API: what `/api/machineactions/…` is appended to.
    pub(crate) base: ServiceUrl,
    pub(crate) scope: String,
    pub(crate) credentials: Credentials,
    /// How many calls a batch makes in a minute at most; 0 is no limit.
    pub(crate) calls_per_minute: u32,
    /// How many calls a batch makes in an hour at most; 0 is no limit.
    pub(crate) calls_per_hour: u32,
    /// Where tokens are kept between runs.
    pub(crate) token_cache: Option<PathBuf>,
    /// How hosts are reached.
    pub(crate) network: Network,
}

impl Settings {
    /// Reads the settings, and checks all of them: fails with everything that is missing or contradictory, by the
    /// variable's name. In the sandbox the embedded Defender's own credentials are used, and no secret is read. All
    /// files are read until `deadline`.
    pub(crate) fn read(
        mut reader: Reader<'_>,
        sandbox: bool,
        deadline: Deadline,
    ) -> Result<Self, Failure> {
        reader.set_deadline(deadline);
        let cloud = cloud(&mut reader);
        let base = service_url(&mut reader, &variables::BASE_URL, cloud.api);
        let authority = service_url(&mut reader, &variables::AUTHORITY_HOST, cloud.authority);
        let scope = reader
            .text(&variables::SCOPE)
            .unwrap_or_else(|| cloud.scope.to_owned());
        let calls_per_minute = count(&mut reader, &variables::CALLS_PER_MINUTE);
        let calls_per_hour = count(&mut reader, &variables::CALLS_PER_HOUR);
        let token_cache = reader.text(&variables::TOKEN_CACHE).map(PathBuf::from);
        let network = network::read(&mut reader);
        let credentials = if sandbox {
            authority.map(|authority| credentials::of_sandbox(authority, &scope))
        } else {
            credentials::read(&mut reader, authority, &scope)
        };
        // Whatever is missing here has left a problem behind.
        let (Some(base), Some(credentials)) = (base, credentials) else {
            return Err(reader.failure());
        };
        reader.finish()?;
        Ok(Self {
            base,
            scope,
            credentials,
            calls_per_minute,
            calls_per_hour,
            token_cache: token_cache.filter(|_| !sandbox),
            network,
        })
    }

    /// What a token must be for: the scope without `/.default`.
    pub(crate) fn resource(&self) -> &str {
        credentials::resource_of(&self.scope)
    }
}

fn count(reader: &mut Reader<'_>, setting: &Setting) -> u32 {
    let parse = |text: &str| {
        text.parse()
            .map_err(|_| "must be a whole number, 0 for no limit")
    };
    reader
        .parsed(setting, parse)
        .or_else(|| parse(setting.default?).ok())
        .unwrap_or_default()
}

fn cloud(reader: &mut Reader<'_>) -> &'static Cloud {
    let named = reader.text(&variables::CLOUD);
    let find = |name| CLOUDS.iter().find(|cloud| cloud.name == name);
    named.as_deref().and_then(find).unwrap_or(&COMMERCIAL)
}

fn service_url(reader: &mut Reader<'_>, setting: &Setting, default: &str) -> Option<ServiceUrl> {
    if reader.is_set(setting) {
        reader.parsed(setting, ServiceUrl::parse)
    } else {
        ServiceUrl::parse(default).ok()
    }
}
