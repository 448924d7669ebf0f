//! Whether and when to try again: pure, without a clock.

use std::time::Duration;

use ureq::http::StatusCode;

use crate::lost::Call;

/// How often a managed identity's endpoint is asked at most.
const MAX_TRIES: u32 = 5;

/// How long to wait before the next try of `call`, after its `tries`-th was answered with `status`; `None` if the
/// answer stands.
///
/// Source for a managed identity: "How to use managed identities for Azure resources on an Azure VM to acquire an access
/// token", "Retry guidance".
#[must_use]
pub fn pause(call: Call, status: StatusCode, tries: u32) -> Option<Duration> {
    let may_pass = matches!(status.as_u16(), 404 | 410 | 429 | 500..=599);
    let is_worth_it = call == Call::ManagedIdentity && may_pass && tries < MAX_TRIES;
    is_worth_it.then(|| Duration::from_millis(500) * 2_u32.pow(tries - 1))
}
