//! Input and settings become one HTTP request.

use ureq::http::Request;
use ureq::http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE};

use crate::call::bearer::AccessToken;
use crate::call::service_url::{ServiceUrl, not_a_url};
use crate::call::{Call, MAX_TRIES};
use crate::input::{Input, MachineActionId};
use crate::output::failure::{Failure, FailureCode};
use crate::output::retry_policy::may_pass;

/// The path of all actions.
pub(super) const PATH: &str = "/api/machineactions";

/// Cancels the action.
pub static CANCEL: Call = Call {
    name: "the cancel",
    may_change_something: true,
    if_not_sent: "The cancel was not sent.",
    if_lost: "Whether the action was cancelled is not known: read its status, or cancel it again.",
    ..READ_CALL
};

/// Reads the action.
pub(crate) static READ: Call = READ_CALL;

/// Reads the action once: who watches it looks again anyway.
pub(crate) static LOOK: Call = Call {
    max_tries: 1,
    ..READ_CALL
};

/// Lists actions. A page may be larger than what is kept in memory.
pub(crate) static LIST: Call = Call {
    name: "listing the actions",
    is_streamed: true,
    if_not_sent: "The list is incomplete.",
    if_lost: "The list is incomplete.",
    ..READ_CALL
};

const READ_CALL: Call = Call {
    name: "reading the action",
    host_setting: "MDE_BASE_URL",
    is_of_the_api: true,
    may_be_proxied: true,
    may_change_something: false,
    max_tries: MAX_TRIES,
    is_streamed: false,
    if_not_sent: "The status of the action could not be read.",
    if_lost: "The status of the action could not be read.",
    may_pass: |received| may_pass(received.status.as_u16()),
};

/// `POST {base}/api/machineactions/{id}/cancel` with the input's body.
///
/// Source: "Cancel machine action API", "HTTP request", "Request headers" and "Request body".
pub(crate) fn cancel(
    base: &ServiceUrl,
    input: &Input,
    token: &AccessToken,
) -> Result<Request<Vec<u8>>, Failure> {
    let id = input.path_parameters.machineactionid.as_str();
    let body = serde_json::to_vec(&input.json_body).map_err(|error| {
        Failure::new(
            FailureCode::InvalidInput,
            "the request's body cannot be written as JSON.",
        )
        .because(&error)
    })?;
    Request::post(base.join(&format!("{PATH}/{id}/cancel")))
        .header(AUTHORIZATION, token.header_value())
        .header(CONTENT_TYPE, "application/json")
        .header(ACCEPT, "application/json")
        .body(body)
        .map_err(|error| not_a_url(&error))
}

/// `GET {base}/api/machineactions/{id}`: the action as it is now.
///
/// Source: "Get machineAction API", "HTTP request" and "Request headers".
pub(crate) fn read(
    base: &ServiceUrl,
    id: &MachineActionId,
    token: &AccessToken,
) -> Result<Request<Vec<u8>>, Failure> {
    let id = id.as_str();
    Request::get(base.join(&format!("{PATH}/{id}")))
        .header(AUTHORIZATION, token.header_value())
        .header(ACCEPT, "application/json")
        .body(Vec::new())
        .map_err(|error| not_a_url(&error))
}

/// `GET {base}/api/machineactions?{query}`: a page of actions.
///
/// Source: "List machineActions API", "HTTP request" and "Request headers".
pub(crate) fn list(
    base: &ServiceUrl,
    query: &str,
    token: &AccessToken,
) -> Result<Request<Vec<u8>>, Failure> {
    Request::get(base.join(&format!("{PATH}?{query}")))
        .header(AUTHORIZATION, token.header_value())
        .header(ACCEPT, "application/json")
        // A page is about ten megabytes.
        .header(ACCEPT_ENCODING, "gzip")
        .body(Vec::new())
        .map_err(|error| not_a_url(&error))
}
