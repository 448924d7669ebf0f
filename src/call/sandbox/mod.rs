//! An embedded Defender: ureq middleware that never calls the next, so that a playbook can be written and tested with
//! no tenant, no credentials and no network. Everything but the network is real: sign-in, the request as it would be
//! sent, the body's compression.
//!
//! The same request gets the same answer, byte for byte, in each run. Times are those of the documentation's examples.

pub mod scenarios;
pub(crate) mod reply;
mod action;
pub(crate) mod list;

use std::collections::HashMap;
use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use percent_encoding::percent_decode_str;
use serde_json::json;
use ureq::http::header::{AUTHORIZATION, HeaderValue};
use ureq::http::{Method, Request, Response, Uri};
use ureq::middleware::{Middleware, MiddlewareNext};
use ureq::{Body, Error, SendBody};

use crate::call::api::PATH;
use crate::call::sandbox::reply::{Asked, Reply};
use crate::call::sandbox::scenarios::SCENARIO_PREFIX;
use crate::input::JsonBody;

/// The tenant of the embedded Defender.
pub(crate) const TENANT: &str = "00000000-0000-0000-0000-000000000000";
/// Its only application.
pub(crate) const CLIENT: &str = "00000000-0000-0000-0000-000000000001";

/// Answers in the service's place.
#[derive(Debug, Default)]
pub(crate) struct Sandbox {
    has_granted: AtomicBool,
    /// How often a scenario was asked for: a cancel, or a read.
    counts: Mutex<HashMap<(bool, String), u32>>,
}

/// How long a token is good for, in seconds.
const LIFETIME: u64 = 3599;
/// What stands in a token's signature: the first, and one that was asked for later.
const FIRST: &str = "sandbox-1";
const RENEWED: &str = "sandbox-2";

impl Middleware for Sandbox {
    fn handle(
        &self,
        request: Request<SendBody<'_>>,
        _never_called: MiddlewareNext<'_>,
    ) -> Result<Response<Body>, Error> {
        let (head, body) = request.into_parts();
        let mut text = String::new();
        body.into_reader().read_to_string(&mut text)?;
        let reply = match asked_about(&head.method, &head.uri) {
            Some((id, is_cancel)) => {
                let token = head.headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
                let is_renewed = |token: &[u8]| token.ends_with(RENEWED.as_bytes());
                let body: JsonBody = serde_json::from_str(&text).unwrap_or_default();
                let asked = Asked {
                    count: self.count(is_cancel, id),
                    id: id.to_owned(),
                    comment: body.comment,
                    token_was_renewed: token.is_some_and(is_renewed),
                };
                scenarios::reply(&asked, is_cancel)
            }
            None if head.uri.path().ends_with(PATH) => {
                list::page(head.uri.query().unwrap_or_default())
            }
            None if head.uri.path().ends_with("/oauth2/v2.0/token") => self.grant(&text),
            None => Reply::text(404, "text/plain", ""),
        };
        reply.into_response()
    }
}

impl Sandbox {
    fn count(&self, is_cancel: bool, id: &str) -> u32 {
        if !id.starts_with(SCENARIO_PREFIX) {
            return 1;
        }
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry((is_cancel, id.to_owned())).or_default();
        *count += 1;
        *count
    }

    /// A token as Microsoft Entra ID makes them, for the scope that `form` asks for.
    fn grant(&self, form: &str) -> Reply {
        let mut fields = form.split('&');
        let scope = fields.find_map(|field| field.strip_prefix("scope="));
        let scope = percent_decode_str(scope.unwrap_or_default()).decode_utf8_lossy();
        let signature = match self.has_granted.swap(true, Ordering::Relaxed) {
            true => RENEWED,
            false => FIRST,
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let claims = json!({
            "aud": scope.strip_suffix("/.default"),
            "tid": TENANT,
            "appid": CLIENT,
            "exp": now.unwrap_or_default().as_secs() + LIFETIME,
            "roles": ["Machine.Isolate", "Machine.Read.All"],
        });
        let [header, claims] = [json!({"typ": "JWT"}), claims]
            .map(|part| BASE64_URL_SAFE_NO_PAD.encode(part.to_string()));
        let token = format!("{header}.{claims}.{signature}");
        Reply::json(
            200,
            &json!({"token_type": "Bearer", "expires_in": LIFETIME, "access_token": token}),
        )
    }
}

/// The id in `POST …/api/machineactions/{id}/cancel` or `GET …/api/machineactions/{id}`, and whether it is the former.
fn asked_about<'a>(method: &Method, uri: &'a Uri) -> Option<(&'a str, bool)> {
    let path = uri.path();
    let is_cancel = method == Method::POST;
    let path = if is_cancel {
        path.strip_suffix("/cancel")?
    } else {
        path
    };
    let (before, id) = path.rsplit_once('/')?;
    before
        .ends_with("/api/machineactions")
        .then_some((id, is_cancel))
}
