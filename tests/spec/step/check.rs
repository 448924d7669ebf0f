//! What `check` reports.

use cancel_machine_action::output::generated_files;
use serde_json::{Value, json};

use crate::support::token::{now, token, token_with};
use crate::support::{Outcome, Reply, Server, assert_snapshot, each, response, step};

/// The outcome of `check` with `token`, the times in it by their names.
fn checked(token: &str) -> Outcome {
    let outcome = step().args(["check"]).env("MDE_ACCESS_TOKEN", token).run();
    assert_described(&outcome);
    outcome
}

fn assert_described(outcome: &Outcome) {
    let schema: Value = serde_json::from_str(generated_files::CHECK).unwrap();
    assert!(jsonschema::is_valid(&schema, &outcome.json()), "{outcome}");
}

/// What varies in a report stands by its name.
fn named(outcome: &Outcome) -> String {
    let token = &outcome.json()["token"];
    let mut text = outcome.to_string();
    if let Some((before, rest)) = text.split_once("expires in ") {
        let (_, after) = rest.split_once(" min").unwrap();
        text = format!("{before}expires in {{minutes}} min{after}");
    }
    for name in ["expires_at", "expires_in"] {
        text = text.replace(
            &format!("\"{name}\": {}", token[name]),
            &format!("\"{name}\": \"{{{name}}}\""),
        );
    }
    text
}

#[test]
fn a_token_is_judged_by_what_it_says_of_itself() {
    let may_cancel = &["Machine.Isolate"];
    let cases = [
        (
            "may cancel and read",
            token_with(&["Machine.Isolate", "Machine.Read.All"]),
            0,
        ),
        ("may cancel but not read", token_with(may_cancel), 0),
        ("no role", token_with(&[]), 3),
        (
            "a role for something else",
            token_with(&["Alert.Read.All"]),
            3,
        ),
        (
            "wrong audience",
            token(json!({"aud": "https://graph.microsoft.com", "roles": may_cancel})),
            3,
        ),
        (
            "delegated",
            token(json!({"scp": "Machine.Read Machine.Isolate", "appid": null, "azp": "client"})),
            0,
        ),
        (
            "delegated, for something else",
            token(json!({"scp": "openid"})),
            3,
        ),
        (
            "expired",
            token(json!({"exp": now() - 600, "roles": may_cancel})),
            3,
        ),
        ("no JSON Web Token", "opaque".to_owned(), 3),
        (
            "everything at once",
            token(json!({"aud": null, "exp": 1, "tid": null, "appid": null})),
            3,
        ),
    ];
    let outcomes = cases.into_iter().map(|(name, token, status)| {
        let outcome = checked(&token);
        assert_eq!(outcome.status, Some(status), "{name}: {outcome}");
        assert!(!outcome.to_string().contains(&token));
        format!("## {name}\n{}", named(&outcome))
    });
    assert_snapshot!(outcomes.collect::<Vec<String>>().join("\n\n"));
}

#[test]
fn every_role_that_allows_a_cancel_is_known() {
    for role in [
        "Machine.CollectForensics",
        "Machine.Isolate",
        "Machine.RestrictExecution",
        "Machine.Scan",
        "Machine.Offboard",
        "Machine.StopAndQuarantine",
        "Machine.LiveResponse",
    ] {
        assert_eq!(checked(&token_with(&[role])).json()["may_cancel"], true);
    }
    for role in ["Machine.Read.All", "Machine.ReadWrite.All"] {
        assert_eq!(checked(&token_with(&[role])).json()["may_read"], true);
    }
}

#[test]
fn check_signs_in_and_cancels_nothing() {
    let json = "Content-Type: application/json";
    let granted = json!({"access_token": token_with(&["Machine.Scan", "Machine.Read.All"])});
    let sign_in = Server::tls([Reply::bytes(response(
        "200 OK",
        &[json],
        granted.to_string(),
    ))]);
    let api = Server::tls([]);
    let outcome = step()
        .args(["check"])
        .signing_in_at(&sign_in)
        .api(&api)
        .run();
    assert_described(&outcome);
    assert_eq!(
        (outcome.status, api.connections()),
        (Some(0), 0),
        "{outcome}"
    );
    assert_snapshot!(named(&outcome));
}

#[test]
fn a_bad_credential_is_a_result_and_not_a_crash() {
    let json = "Content-Type: application/json";
    let refusal = r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided."}"#;
    let refusing = Server::tls([Reply::bytes(response("401 Unauthorized", &[json], refusal))]);
    let silent = Server::tls([Reply::bytes("")]);
    let cases = [
        ("refused", step().signing_in_at(&refusing)),
        ("lost", step().signing_in_at(&silent)),
        ("no settings", step()),
        (
            "bad settings",
            step()
                .env("MDE_ACCESS_TOKEN", "Bearer x")
                .env("MDE_TIMEOUT", "soon"),
        ),
    ];
    let outcomes = each(cases, |(name, step)| {
        let outcome = step.args(["check"]).run();
        assert_described(&outcome);
        format!("## {name}\n{outcome}")
    });
    assert_snapshot!(outcomes.join("\n\n"));
}

#[test]
fn check_takes_no_request_and_reads_none() {
    let outcome = step()
        .args(["check"])
        .env("MDE_ACCESS_TOKEN", token_with(&["Machine.Scan"]))
        .holding_stdin_open()
        .run();
    assert_eq!(outcome.status, Some(0), "{outcome}");
    assert_eq!(step().args(["check", "request.json"]).run().status, Some(2));
    let sandbox = step().args(["check", "--sandbox"]).run();
    assert_eq!(sandbox.json()["may_cancel"], true, "{sandbox}");
}

#[test]
fn a_refusal_of_the_api_is_explained_from_the_token() {
    let json = "Content-Type: application/json";
    let cases = [
        ("403 Forbidden", token_with(&["Machine.Read.All"])),
        ("403 Forbidden", token_with(&[])),
        (
            "401 Unauthorized",
            token(json!({"aud": "https://graph.microsoft.com", "roles": ["Machine.Scan"]})),
        ),
        (
            "401 Unauthorized",
            token(json!({"exp": 100, "roles": ["Machine.Scan"]})),
        ),
        ("403 Forbidden", token(json!({"scp": "Machine.Scan"}))),
        ("403 Forbidden", token_with(&["Machine.Scan"])),
        ("403 Forbidden", "opaque".to_owned()),
        ("404 Not Found", token_with(&[])),
    ];
    let outcomes = each(cases, |(status, token)| {
        let server = Server::tls([Reply::bytes(response(status, &[json], "{}"))]);
        let outcome = step().api(&server).env("MDE_ACCESS_TOKEN", &token).run();
        assert_eq!(outcome.stderr.lines().count(), 1);
        outcome.stderr
    });
    assert_snapshot!(outcomes.join("\n"), @"
    cancel-machine-action: error: action 988cc94e-7a8f-4b28-ab65-54970c5d5018: the service answered 403 Forbidden. Nothing was cancelled. The token is for https://api.securitycenter.microsoft.com and has the permissions Machine.Read.All; a cancel needs one of Machine.CollectForensics, Machine.Isolate, Machine.RestrictExecution, Machine.Scan, Machine.Offboard, Machine.StopAndQuarantine, Machine.LiveResponse: grant it with admin consent.

    cancel-machine-action: error: action 988cc94e-7a8f-4b28-ab65-54970c5d5018: the service answered 403 Forbidden. Nothing was cancelled. The token is for https://api.securitycenter.microsoft.com and has no permissions; a cancel needs one of Machine.CollectForensics, Machine.Isolate, Machine.RestrictExecution, Machine.Scan, Machine.Offboard, Machine.StopAndQuarantine, Machine.LiveResponse: grant it with admin consent.

    cancel-machine-action: error: action 988cc94e-7a8f-4b28-ab65-54970c5d5018: the service answered 401 Unauthorized. Nothing was cancelled. The token is for https://graph.microsoft.com and has the permissions Machine.Scan; a cancel needs a token for https://api.securitycenter.microsoft.com: check MDE_SCOPE and MDE_CLOUD.

    cancel-machine-action: error: action 988cc94e-7a8f-4b28-ab65-54970c5d5018: the service answered 401 Unauthorized. Nothing was cancelled. The token is for https://api.securitycenter.microsoft.com and has the permissions Machine.Scan; it has expired: get another one, or correct this machine's clock.

    cancel-machine-action: error: action 988cc94e-7a8f-4b28-ab65-54970c5d5018: the service answered 403 Forbidden. Nothing was cancelled. The token is for https://api.securitycenter.microsoft.com and has the permissions Machine.Scan; it acts for a user: that user's role in Defender must allow a cancel too.

    cancel-machine-action: error: action 988cc94e-7a8f-4b28-ab65-54970c5d5018: the service answered 403 Forbidden. Nothing was cancelled. The token is for https://api.securitycenter.microsoft.com and has the permissions Machine.Scan; that is enough for a cancel: check the tenant, MDE_BASE_URL, and which devices the application may act on.

    cancel-machine-action: error: action 988cc94e-7a8f-4b28-ab65-54970c5d5018: the service answered 403 Forbidden. Nothing was cancelled. Grant the application one of the permissions that allow a cancel (Machine.Isolate, Machine.Scan, Machine.CollectForensics, …) with admin consent, or check MDE_SCOPE.

    cancel-machine-action: error: action 988cc94e-7a8f-4b28-ab65-54970c5d5018: the service answered 404 Not Found. Nothing was cancelled. There is no such machine action in this tenant, or something else has answered: check MDE_BASE_URL (without /api) and any proxy in between.
    ");
}
