//! The examples that the schemas show: each is made by what makes it in a run.

use std::io;
use std::time::{Duration, UNIX_EPOCH};

use rustix::io::Errno;
use ureq::http::{HeaderMap, StatusCode, Uri};

use crate::auth::SignIn;
use crate::auth::app_registration::{Application, Proof};
use crate::auth::claims::Claims;
use crate::auth::secret::Secret;
use crate::call::api;
use crate::call::diagnosis::{self, Peer};
use crate::call::received::Received;
use crate::call::service_url::ServiceUrl;
use crate::call::wire::progress::Stage;
use crate::input::validate::validate_line;
use crate::output::failure::{Failure, RequestSent};
use crate::settings::clouds::COMMERCIAL;
use crate::settings::variables::{CLIENT_ID, TENANT_ID};
use crate::step::check::Report;

/// When `check` was run, in seconds since 1970: the time of the documented answer.
const NOW: u64 = 1_738_925_843;

/// A wrong request, and a lost answer.
pub(super) fn failures() -> Vec<Failure> {
    [misspelt(), lost()].into_iter().flatten().collect()
}

fn misspelt() -> Option<Failure> {
    let request = r#"{"path_parameters":{"machineactionid":"x"},"json_body":{"comment":"x"}}"#;
    validate_line(request).err()
}

fn lost() -> Option<Failure> {
    let uri: Uri = COMMERCIAL.api.parse().ok()?;
    let peer = Peer::new(&api::CANCEL, &uri, None, Duration::ZERO);
    let cause = io::Error::from(Errno::CONNRESET).into();
    let failure = diagnosis::explain(&cause, Stage::Wait, &peer);
    Some(failure.with_request_sent(RequestSent::Unknown))
}

/// An identity that may cancel, one that may not, and one that could not sign in.
pub(super) fn reports() -> Vec<Report> {
    let reports = [
        report_on(&["Machine.Isolate", "Machine.Read.All"]),
        report_on(&["Machine.Read.All"]),
        report_on_refusal(),
    ];
    reports.into_iter().flatten().collect()
}

/// The report on an application with `roles`.
fn report_on(roles: &[&str]) -> Option<Report> {
    let mut report = report(&identity()?);
    let resource = COMMERCIAL.scope.trim_end_matches("/.default");
    let claims = Claims {
        audiences: vec![resource.to_owned()],
        tenant: Some(TENANT_ID.example.to_owned()),
        application: Some(CLIENT_ID.example.to_owned()),
        valid_from: Some(NOW),
        expires_at: Some(NOW + 3599),
        roles: roles.iter().map(ToString::to_string).collect(),
        scopes: None,
    };
    report.judge(&claims, resource, UNIX_EPOCH + Duration::from_secs(NOW));
    Some(report)
}

/// The report on an application whose secret has expired.
fn report_on_refusal() -> Option<Report> {
    let body = r#"{"error":"invalid_client","error_description":"AADSTS7000222: The provided client secret keys are expired."}"#;
    let refusal = Received {
        status: StatusCode::UNAUTHORIZED,
        headers: HeaderMap::new(),
        length: body.len(),
        body: Ok(body.into()),
        unread: None,
    };
    let identity = identity()?;
    let mut report = report(&identity);
    report.fail(identity.grant(&refusal, None).err()?);
    Some(report)
}

/// The report on an identity of which nothing is known yet.
fn report(identity: &SignIn) -> Report {
    Report {
        identity: Some(identity.to_string()),
        api: Some(COMMERCIAL.api.to_owned()),
        scope: Some(COMMERCIAL.scope.to_owned()),
        ..Report::default()
    }
}

fn identity() -> Option<SignIn> {
    let authority = ServiceUrl::parse(COMMERCIAL.authority).ok()?;
    Some(SignIn::Application(Application {
        authority,
        tenant: TENANT_ID.example.to_owned(),
        client_id: CLIENT_ID.example.to_owned(),
        scope: COMMERCIAL.scope.to_owned(),
        proof: Proof::Secret(Secret::new("secret".to_owned())),
    }))
}
