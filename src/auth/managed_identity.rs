//! A managed identity of Azure: the platform vouches for the machine or the app that asks.
//!
//! Sources: "How to use managed identities for App Service and Azure Functions", "REST endpoint reference"; "How to use
//! managed identities for Azure resources on an Azure VM to acquire an access token".

use std::fmt;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use ureq::http::Request;

use crate::auth::app_registration::SIGN_IN;
use crate::auth::grant::TokenRequest;
use crate::auth::secret::Secret;
use crate::call::Call;
use crate::call::service_url::{ServiceUrl, not_a_url};
use crate::output::failure::Failure;

/// Asks the platform for a token.
///
/// Source of what may pass: "How to use managed identities for Azure resources on an Azure VM to acquire an access
/// token", "Retry guidance".
pub(crate) static ASK_THE_PLATFORM: Call = Call {
    host_setting: "IDENTITY_ENDPOINT, MDE_AUTH",
    // What the platform itself answers is never asked through a proxy.
    may_be_proxied: false,
    may_pass: |received| matches!(received.status.as_u16(), 404 | 410 | 429 | 500..=599),
    ..SIGN_IN
};

pub(crate) struct ManagedIdentity {
    /// Who is asked for the token.
    pub(crate) endpoint: Endpoint,
    /// What the token is for: the scope without `/.default`.
    pub(crate) resource: String,
    /// The client id of a user-assigned identity; the system-assigned one otherwise.
    pub(crate) client_id: Option<String>,
}

/// Who gives a managed identity its tokens.
pub(crate) enum Endpoint {
    /// The endpoint that App Service, Functions and Container Apps set up for each app.
    AppService {
        url: ServiceUrl,
        /// What proves that the caller runs in the app.
        header: Secret,
    },
    /// The instance metadata service of a virtual machine.
    Imds { url: ServiceUrl },
}

/// The instance metadata service of a virtual machine.
pub(crate) const IMDS: &str = "http://169.254.169.254";

impl ManagedIdentity {
    /// The call that asks for a token.
    pub(super) fn request(&self) -> Result<TokenRequest, Failure> {
        let query = self.query();
        let (request, proof) = match &self.endpoint {
            Endpoint::AppService { url, header } => {
                let url = url.join(&format!("?api-version=2019-08-01&{query}"));
                let request = Request::get(url).header("X-IDENTITY-HEADER", header.expose());
                (request, Some(header.clone()))
            }
            Endpoint::Imds { url } => {
                let path =
                    format!("/metadata/identity/oauth2/token?api-version=2018-02-01&{query}");
                let request = Request::get(url.join(&path)).header("Metadata", "true");
                (request, None)
            }
        };
        let call = request.body(Vec::new());
        let call = call.map_err(|error| not_a_url(&error))?;
        Ok(TokenRequest { call, proof })
    }

    fn query(&self) -> String {
        let encode = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
        let resource = encode(&self.resource);
        match &self.client_id {
            Some(client_id) => format!("resource={resource}&client_id={}", encode(client_id)),
            None => format!("resource={resource}"),
        }
    }

    pub(super) fn url(&self) -> &ServiceUrl {
        match &self.endpoint {
            Endpoint::AppService { url, .. } | Endpoint::Imds { url } => url,
        }
    }
}

impl fmt::Display for ManagedIdentity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.client_id {
            Some(id) => write!(formatter, "user-assigned managed identity {id}")?,
            None => write!(formatter, "system-assigned managed identity")?,
        }
        write!(formatter, " at {}", self.url())
    }
}
