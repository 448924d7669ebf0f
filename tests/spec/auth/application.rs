//! Signing in.

use std::time::{Duration, SystemTime};

use crate::support::step::file_with;
use crate::support::{JSON, Reply, Server, Step, assert_snapshot, each, response, step};

const TOKEN: &str = "first.token";
const GRANTED: &str = r#"{"token_type":"Bearer","expires_in":3599,"access_token":"first.token"}"#;
const OTHER_TOKEN: &str = "second.token";
fn with_secret(sign_in: &Server, api: &Server) -> Step {
    step()
        .api(api)
        .signing_in_at(sign_in)
        .args(["--timeout", "5"])
}

#[test]
fn a_client_secret_brings_the_token_that_the_call_carries() {
    let (sign_in, api) = (
        Server::granting(&[TOKEN], 3599),
        Server::answering(&["200 OK"]),
    );
    let outcome = with_secret(&sign_in, &api).run();
    assert_eq!(outcome.status, Some(0), "{outcome}");
    assert_eq!(outcome.stderr, "");
    assert!(
        api.received()[0].contains("\r\nauthorization: Bearer first.token\r\n"),
        "{:?}",
        api.received()
    );
    assert_snapshot!(sign_in.received().join("\n---\n"), @"
    POST /tenant.example/oauth2/v2.0/token HTTP/1.1
    content-length: 160
    user-agent: cancel-machine-action/0.2.0
    host: {host}
    content-type: application/x-www-form-urlencoded
    accept: application/json

    client_id=client%2D1&scope=https%3A%2F%2Fapi%2Esecuritycenter%2Emicrosoft%2Ecom%2F%2Edefault&client_secret=s3cret%26%3D%2B%2F%25&grant_type=client%5Fcredentials
    ");
}

#[test]
fn a_secret_may_come_from_a_file_with_a_line_break_at_its_end() {
    let (sign_in, api) = (
        Server::granting(&[TOKEN], 3599),
        Server::answering(&["200 OK"]),
    );
    let file = file_with("from-a-file\r\n");
    let signing_in = with_secret(&sign_in, &api).env("AZURE_CLIENT_SECRET", "");
    let outcome = signing_in
        .env("AZURE_CLIENT_SECRET_FILE", file.to_str().unwrap())
        .run();
    assert_eq!(outcome.status, Some(0), "{outcome}");
    assert!(
        sign_in.received()[0].contains("client_secret=from%2Da%2Dfile&"),
        "{:?}",
        sign_in.received()
    );

    let (api, file) = (Server::answering(&["200 OK"]), file_with("file.token\n"));
    let outcome = step()
        .api(&api)
        .env("MDE_ACCESS_TOKEN_FILE", file.to_str().unwrap())
        .run();
    assert_eq!(outcome.status, Some(0), "{outcome}");
    assert!(api.received()[0].contains("authorization: Bearer file.token\r\n"));
}

#[test]
fn a_token_that_the_api_refuses_is_renewed_once() {
    let (sign_in, api) = (
        Server::granting(&[TOKEN, OTHER_TOKEN], 3599),
        Server::answering(&["401 Unauthorized", "200 OK"]),
    );
    let outcome = with_secret(&sign_in, &api).run();
    assert_eq!(outcome.status, Some(0), "{outcome}");
    assert!(api.received()[1].contains("Bearer second.token"));

    let (sign_in, api) = (
        Server::granting(&[TOKEN, OTHER_TOKEN], 3599),
        Server::answering(&["401 Unauthorized", "401 Unauthorized"]),
    );
    let outcome = with_secret(&sign_in, &api).run();
    assert_eq!(outcome.status, Some(1), "{outcome}");
    assert_eq!((sign_in.received().len(), api.received().len()), (2, 2));
}

#[test]
fn a_given_token_is_not_renewed() {
    let api = Server::answering(&["401 Unauthorized"]);
    let outcome = step().api_with_token(&api).run();
    assert_eq!(outcome.status, Some(1));
    assert_eq!(api.received().len(), 1);
}

#[test]
fn a_renewal_that_fails_leaves_the_answer_standing() {
    let refusal = r#"{"error":"invalid_client","error_description":"AADSTS7000222: The provided client secret keys are expired."}"#;
    let (sign_in, api) = (
        Server::tls([
            Reply::bytes(response("200 OK", &[JSON], GRANTED)),
            Reply::bytes(response("401 Unauthorized", &[JSON], refusal)),
        ]),
        Server::answering(&["401 Unauthorized"]),
    );
    assert_snapshot!(with_secret(&sign_in, &api).run(), @r#"
    status: 1
    stdout: {
      "status_code": 401,
      "reason": "Unauthorized",
      "response_headers": {
        "Content-Length": "2",
        "Content-Type": "application/json; charset=utf-8"
      },
      "json_body": {},
      "retryable": false
    }
    stderr: cancel-machine-action: error: action 988cc94e-7a8f-4b28-ab65-54970c5d5018: sign-in at https://{sign-in} was refused: invalid_client: AADSTS7000222: The provided client secret keys are expired. Set AZURE_CLIENT_SECRET (or its file) to the value, not the id, of a secret that has not expired. Nothing was cancelled.
    cancel-machine-action: error: action 988cc94e-7a8f-4b28-ab65-54970c5d5018: the service answered 401 Unauthorized. Nothing was cancelled. The token is not valid for this API, or it has expired or been revoked: check MDE_SCOPE, MDE_BASE_URL and the tenant, or get a new token.
    "#);
}

/// Each code for which there is a hint, and what else may come instead of a token.
#[test]
fn a_refused_sign_in_says_why_and_what_helps() {
    let codes = [
        7_000_215, 7_000_222, 700_016, 90_002, 90_038, 900_382, 900_432, 500_011, 70_011,
        7_000_112, 50_012, 700_024, 70_021, 90_055, 53_003,
    ];
    let mut outcomes = each(codes, |code| {
        let body = format!(
            "{{\"error\":\"invalid_client\",\"error_description\":\"AADSTS{code}: Some reason for app 'x'.\\r\\nTrace ID: \
             TRACE\\r\\nCorrelation ID: TRACE\",\"error_codes\":[{code}],\"trace_id\":\"TRACE\",\"correlation_id\":\"TRACE\"}}"
        );
        let sign_in = Server::tls([Reply::bytes(response("401 Unauthorized", &[JSON], body))]);
        let outcome = with_secret(&sign_in, &Server::answering(&[]))
            .naming("Some reason for app 'x'.", "{text}")
            .run();
        format!("## {code}\n{outcome}")
    });
    let long = format!(
        "{{\"error\":\"invalid_client\",\"error_description\":\"{}s3cret&=+/%\"}}",
        "x".repeat(395)
    );
    let others = [
        (
            "repeats the form",
            "400 Bad Request",
            r#"{"error":"invalid_client","error_description":"bad body client_secret=s3cret%26%3D%2B%2F%25 or s3cret%26%3d%2b%2f%25"}"#,
        ),
        (
            "repeats the secret where it is cut",
            "400 Bad Request",
            &long,
        ),
        (
            "an error of two lines",
            "400 Bad Request",
            r#"{"error":"bad\r\nTrace ID: TRACE"}"#,
        ),
        (
            "another trace",
            "400 Bad Request",
            r#"{"error":"x","error_description":"AADSTS50000: oops. Correlation ID: TRACE"}"#,
        ),
        (
            "repeats an assertion",
            "400 Bad Request",
            r#"{"error":"x","error_description":"eyJTRACE.eyJTRACE.TRACE is bad"}"#,
        ),
        (
            "down, in its own words",
            "503 Service Unavailable",
            r#"{"error":"server_error","error_description":"down"}"#,
        ),
        (
            "one line",
            "400 Bad Request",
            r#"{"error":"invalid_scope","error_description":"AADSTS70011: Bad. Trace ID: TRACE Timestamp: TRACE"}"#,
        ),
        (
            "no description",
            "400 Bad Request",
            r#"{"error":"temporarily_unavailable"}"#,
        ),
        (
            "repeats the secret",
            "400 Bad Request",
            r#"{"error":"invalid_client","error_description":"You sent s3cret&=+/% \u001b[31m"}"#,
        ),
        ("throttled", "429 Too Many Requests", "slow down"),
        ("down", "503 Service Unavailable", "<html>down</html>"),
        ("a page", "200 OK", "<html>Log in</html>"),
        ("no token in it", "200 OK", r#"{"token_type":"Bearer"}"#),
        (
            "a token that is none",
            "200 OK",
            r#"{"access_token":"a\r\nX-Injected: b"}"#,
        ),
        ("a redirect", "302 Found", ""),
    ];
    outcomes.extend(each(others, |(name, status, body)| {
        let sign_in = Server::tls([Reply::bytes(response(
            status,
            &[JSON, "Retry-After: 7"],
            body,
        ))]);
        let outcome = with_secret(&sign_in, &Server::answering(&[])).run();
        format!("## {name}\n{outcome}")
    }));
    let all = outcomes.join("\n\n");
    assert!(!all.contains("TRACE") && !all.contains("s3cret"));
    assert_snapshot!(all);
}

#[test]
fn a_date_in_retry_after_becomes_seconds() {
    let cases: [(&[&str], _); 8] = [
        (&["Retry-After: Wed, 21 Oct 2015 07:28:00 GMT"], Some(0)),
        (&["Retry-After: nonsense"], None),
        (&["Retry-After: 99999"], Some(99_999)),
        // It counts from when the service answered, whatever this machine's clock says.
        (
            &[
                "Date: Wed, 21 Oct 2015 07:28:00 GMT",
                "Retry-After: Fri, 23 Oct 2015 07:28:00 GMT",
            ],
            Some(172_800),
        ),
        (
            &[
                "Date: Wed, 21 Oct 2099 07:28:00 GMT",
                "Retry-After: Fri, 23 Oct 2099 07:28:00 GMT",
            ],
            Some(172_800),
        ),
        // Never sooner than asked.
        (&["Retry-After: 1, 99999"], Some(99_999)),
        (&["Retry-After: 1", "Retry-After: 99999"], Some(99_999)),
        (&["Retry-After: 99999", "Retry-After: soon"], Some(99_999)),
    ];
    each(cases, |(headers, seconds)| {
        let refusal = response("429 Too Many Requests", headers, "");
        let sign_in = Server::tls([Reply::bytes(refusal)]);
        let outcome = with_secret(&sign_in, &Server::answering(&[])).run();
        assert_eq!(
            outcome.json()["error"]["retry_after_seconds"].as_u64(),
            seconds,
            "{outcome}"
        );
    });
}

#[test]
fn a_second_call_that_is_not_sent_leaves_the_first_answer_standing() {
    let sign_in = Server::granting(&[TOKEN, OTHER_TOKEN], 3599);
    let api = Server::plain([
        Reply::bytes(response("401 Unauthorized", &[JSON], "{}")).closing_the_server()
    ]);
    let outcome = with_secret(&sign_in, &api).run();
    assert_eq!(outcome.status, Some(1), "{outcome}");
    assert_eq!(outcome.json()["status_code"], 401);
    assert!(
        outcome.stderr.contains("The cancel was not sent."),
        "{outcome}"
    );
}

#[test]
fn a_lost_sign_in_is_no_answer_and_nothing_was_sent() {
    let cases = [
        ("silence", Server::tls([Reply::silence()])),
        ("no answer", Server::tls([Reply::bytes("")])),
        (
            "not TLS",
            Server::plain([Reply::unasked("no TLS here\r\n")]),
        ),
    ];
    let outcomes = each(cases, |(name, sign_in)| {
        let authority = sign_in.url().replace("http:", "https:");
        let step =
            with_secret(&sign_in, &Server::answering(&[])).env("AZURE_AUTHORITY_HOST", authority);
        format!("## {name}\n{}", step.args(["--timeout", "1"]).run())
    });
    assert_snapshot!(outcomes.join("\n\n"));
}

#[test]
fn sign_in_and_call_share_one_connection_to_one_host() {
    let server = Server::tls([
        Reply::keeping_open(response("200 OK", &[JSON], GRANTED)),
        Reply::keeping_open(response("200 OK", &[JSON], "{}")),
    ]);
    let outcome = with_secret(&server, &server).run();
    assert_eq!(outcome.status, Some(0), "{outcome}");
    assert_eq!(server.connections(), 1);
}

/// One of the two is wrong: then this machine's clock counts.
#[test]
fn a_retry_after_before_the_answers_own_date_is_taken_by_the_clock() {
    let in_two_days = SystemTime::now() + Duration::from_secs(172_800);
    let asked = format!("Retry-After: {}", httpdate::fmt_http_date(in_two_days));
    let headers = ["Date: Fri, 31 Dec 9999 00:00:00 GMT", asked.as_str()];
    let sign_in = Server::tls([Reply::bytes(response("429 x", &headers, ""))]);
    let outcome = with_secret(&sign_in, &Server::answering(&[])).run();
    let seconds = outcome.json()["error"]["retry_after_seconds"]
        .as_u64()
        .unwrap();
    assert!((172_700..=172_800).contains(&seconds), "{outcome}");
}
