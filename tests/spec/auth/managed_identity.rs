//! The platform that a step runs on vouches for it.

use crate::support::granted::{GRANTED, api, assert_granted, granting};
use crate::support::{JSON, Reply, Server, Step, assert_snapshot, each, response, step};

#[test]
fn app_service_is_asked_with_its_header() {
    for client_id in ["", "a user's/id"] {
        let (endpoint, api) = (granting(), api());
        let outcome = step()
            .api(&api)
            .env(
                "IDENTITY_ENDPOINT",
                format!("{}/msi/token/", endpoint.url()),
            )
            .env("IDENTITY_HEADER", "the-header")
            .env("AZURE_CLIENT_ID", client_id)
            .run();
        assert_granted(&outcome, &api);
        insta::allow_duplicates! {
            assert_snapshot!(endpoint.received().join("\n").replace("&client_id=a%20user%27s%2Fid", ""), @"
            GET /msi/token?api-version=2019-08-01&resource=https%3A%2F%2Fapi%2Esecuritycenter%2Emicrosoft%2Ecom HTTP/1.1
            user-agent: cancel-machine-action/0.2.0
            accept: */*
            host: {host}
            x-identity-header: the-header
            ");
        }
        assert_eq!(
            endpoint.received()[0].contains("&client_id=a%20user%27s%2Fid "),
            !client_id.is_empty()
        );
    }
}

fn imds(server: &Server, api: &Server) -> Step {
    step()
        .api(api)
        .env("MDE_AUTH", "managed-identity")
        .env("AZURE_POD_IDENTITY_AUTHORITY_HOST", server.url())
        .naming(server.host(), "{imds}")
}

#[test]
fn the_metadata_service_is_asked_as_documented_and_never_through_a_proxy() {
    let (metadata, api) = (granting(), api());
    let step = imds(&metadata, &api)
        .env("HTTPS_PROXY", "http://127.0.0.1:1")
        .env("NO_PROXY", api.url().replace("https://", ""));
    let outcome = step.env("NO_PROXY", "127.0.0.1").run();
    assert_granted(&outcome, &api);
    assert_snapshot!(metadata.received().join("\n"), @"
    GET /metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fapi%2Esecuritycenter%2Emicrosoft%2Ecom HTTP/1.1
    user-agent: cancel-machine-action/0.2.0
    accept: */*
    host: {host}
    metadata: true
    ");

    let (metadata, proxied) = (granting(), self::api());
    let step = imds(&metadata, &proxied).env("HTTPS_PROXY", "http://127.0.0.1:1");
    let outcome = step.args(["--timeout", "3"]).run();
    assert_eq!(metadata.received().len(), 1, "{outcome}");
    assert!(
        outcome.stderr.contains("through the proxy 127.0.0.1:1: "),
        "{outcome}"
    );
}

#[test]
fn the_metadata_service_is_asked_again_where_that_is_documented_to_help() {
    each(
        [
            "404 Not Found",
            "410 Gone",
            "429 Too Many Requests",
            "500 Oops",
            "503 Busy",
        ],
        |status| {
            let metadata = Server::tls([
                Reply::bytes(response(status, &[JSON], "{}")),
                Reply::bytes(response("200 OK", &[JSON], GRANTED)),
            ]);
            let api = api();
            let outcome = imds(&metadata, &api).run();
            assert_eq!(outcome.status, Some(0), "{outcome}");
            assert_eq!(metadata.received().len(), 2);
        },
    );
    let refusal = r#"{"error":"invalid_request","error_description":"Identity not found"}"#;
    let metadata = Server::tls([Reply::bytes(response("400 Bad Request", &[JSON], refusal))]);
    assert_snapshot!(imds(&metadata, &api()).run(), @r#"
    status: 4
    stdout: {
      "error": {
        "code": "sign_in_refused",
        "message": "the managed identity endpoint at https://{imds} refused: invalid_request: Identity not found. Check that a managed identity is assigned to this machine or app. For a user-assigned identity, check AZURE_CLIENT_ID. Nothing was cancelled.",
        "retryable": false,
        "request_sent": "no",
        "details": []
      }
    }
    stderr: cancel-machine-action: error: action 988cc94e-7a8f-4b28-ab65-54970c5d5018: the managed identity endpoint at https://{imds} refused: invalid_request: Identity not found. Check that a managed identity is assigned to this machine or app. For a user-assigned identity, check AZURE_CLIENT_ID. Nothing was cancelled.
    "#);
    assert_eq!(metadata.received().len(), 1);
}

#[test]
fn app_service_refuses_in_its_own_words_without_the_header() {
    let refusal =
        r#"{"statusCode":400,"message":"No User Assigned Managed Identity found for the-header."}"#;
    let endpoint = Server::tls([Reply::bytes(response("400 Bad Request", &[JSON], refusal))]);
    let outcome = step()
        .api(&api())
        .env("IDENTITY_ENDPOINT", endpoint.url())
        .env("IDENTITY_HEADER", "the-header")
        .naming(endpoint.host(), "{endpoint}")
        .run();
    assert!(!outcome.to_string().contains("the-header"));
    assert_snapshot!(outcome, @r#"
    status: 4
    stdout: {
      "error": {
        "code": "sign_in_refused",
        "message": "the managed identity endpoint at https://{endpoint} refused: error (its message is not shown, because it repeats a credential). Check that a managed identity is assigned to this machine or app. For a user-assigned identity, check AZURE_CLIENT_ID. Nothing was cancelled.",
        "retryable": false,
        "request_sent": "no",
        "details": []
      }
    }
    stderr: cancel-machine-action: error: action 988cc94e-7a8f-4b28-ab65-54970c5d5018: the managed identity endpoint at https://{endpoint} refused: error (its message is not shown, because it repeats a credential). Check that a managed identity is assigned to this machine or app. For a user-assigned identity, check AZURE_CLIENT_ID. Nothing was cancelled.
    "#);
}
