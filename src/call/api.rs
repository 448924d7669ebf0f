//! Input and settings become one HTTP request.

use ureq::http::Request;
use ureq::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};

use crate::auth::AccessToken;
use crate::call::service_url::{ServiceUrl, not_a_url};
use crate::input::Input;
use crate::output::failure::{Failure, FailureCode};

/// `POST {base}/api/machineactions/{id}/cancel` with the input's body.
///
/// Source: "Cancel machine action API", "HTTP request", "Request headers" and "Request body".
///
/// # Errors
///
/// The base and the id do not make a URL.
pub fn cancel(
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
    Request::post(base.join(&format!("/api/machineactions/{id}/cancel")))
        .header(AUTHORIZATION, token.header_value())
        .header(CONTENT_TYPE, "application/json")
        .header(ACCEPT, "application/json")
        .body(body)
        .map_err(|error| not_a_url(&error))
}

/// `GET {base}/api/machineactions/{id}`: the action as it is now.
///
/// Source: "Get machineAction API", "HTTP request" and "Request headers".
///
/// # Errors
///
/// The base and the id do not make a URL.
pub fn read(
    base: &ServiceUrl,
    input: &Input,
    token: &AccessToken,
) -> Result<Request<Vec<u8>>, Failure> {
    let id = input.path_parameters.machineactionid.as_str();
    Request::get(base.join(&format!("/api/machineactions/{id}")))
        .header(AUTHORIZATION, token.header_value())
        .header(ACCEPT, "application/json")
        .body(Vec::new())
        .map_err(|error| not_a_url(&error))
}
