//! The ways to sign in, each with what the sign-in service gets to see.

use std::collections::BTreeMap;

use rsa::RsaPrivateKey;
use rsa::pkcs8::DecodePrivateKey;
use rsa::pss::{Signature, VerifyingKey};
use rsa::sha2::Sha256;
use rsa::signature::Verifier;
use serde_json::json;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use percent_encoding::percent_decode_str;

use crate::support::certificates::{Validity, client_certificate, key};
use crate::support::step::file_with;
use crate::support::token::{AUDIENCE, decode, now};
use crate::support::{JSON, Outcome, Reply, Server, Step, assert_snapshot, each, response, step};

/// As a managed identity's endpoint answers: numbers are strings.
const GRANTED: &str = r#"{"access_token":"granted.token","expires_in":"86399","expires_on":"1700000000","resource":"x","token_type":"Bearer"}"#;

fn granting() -> Server {
    Server::tls([Reply::bytes(response("200 OK", &[JSON], GRANTED))])
}

/// An API that takes one call with the token that was granted.
fn api() -> Server {
    Server::tls([Reply::bytes(response("200 OK", &[JSON], "{}"))])
}

fn assert_granted(outcome: &Outcome, api: &Server) {
    assert_eq!(outcome.status, Some(0), "{outcome}");
    assert_eq!(outcome.stderr, "");
    assert!(api.received()[0].contains("\r\nauthorization: Bearer granted.token\r\n"));
}

fn application(sign_in: &Server, api: &Server) -> Step {
    step()
        .api(api)
        .signing_in_at(sign_in)
        .env("AZURE_CLIENT_SECRET", "")
}

/// The fields of the form in `request`.
fn form(request: &str) -> BTreeMap<&str, String> {
    let body = request.split("\r\n\r\n").nth(1).unwrap();
    let fields = body.split('&').map(|field| field.split_once('=').unwrap());
    let decode = |value| {
        percent_decode_str(value)
            .decode_utf8()
            .unwrap()
            .into_owned()
    };
    fields.map(|(name, value)| (name, decode(value))).collect()
}

fn pem(certificate: &str, key: &str) -> String {
    let file = file_with(format!("{certificate}{key}"));
    file.to_str().unwrap().to_owned()
}

#[test]
fn a_certificate_signs_an_assertion_that_another_implementation_verifies() {
    let pkcs8 = key("rsa.pem");
    let (certificate, thumbprint) = client_certificate(&pkcs8, Validity::Now);
    let (other, _) = client_certificate(&key("other-rsa.pem"), Validity::Now);
    let (expired, _) = client_certificate(&pkcs8, Validity::Past);
    let files = [
        pem(&certificate, &pkcs8),
        pem(&pkcs8, &certificate),
        pem(&certificate, &key("rsa-pkcs1.pem")),
        pem(&format!("Bag Attributes\n{other}{certificate}"), &pkcs8),
        pem(
            &format!("0 the old and the new\n{expired}{certificate}"),
            &pkcs8,
        ),
        pem(&format!("\u{feff}{certificate}{expired}"), &pkcs8),
    ];
    let mut seen = Vec::new();
    for file in files {
        let (sign_in, api) = (granting(), api());
        let begun = now();
        let outcome = application(&sign_in, &api)
            .env("AZURE_CLIENT_CERTIFICATE_PATH", file)
            .run();
        assert_granted(&outcome, &api);

        let url = format!("{}/tenant.example/oauth2/v2.0/token", sign_in.url());
        let request = sign_in.received().remove(0);
        let form = form(&request);
        let names: Vec<&str> = form.keys().copied().collect();
        assert_eq!(
            names,
            [
                "client_assertion",
                "client_assertion_type",
                "client_id",
                "grant_type",
                "scope"
            ]
        );
        assert_eq!(
            form["client_assertion_type"],
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        );
        assert_eq!(form["client_id"], "client-1");
        assert_eq!(form["grant_type"], "client_credentials");
        assert_eq!(form["scope"], format!("{AUDIENCE}/.default"));

        let assertion = &form["client_assertion"];
        let [header, claims] = decode(assertion).try_into().unwrap();
        assert_eq!(
            header,
            json!({"alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint})
        );
        assert_eq!(claims["aud"], url);
        assert_eq!(
            (&claims["iss"], &claims["sub"]),
            (&json!("client-1"), &json!("client-1"))
        );
        let time = |name: &str| claims[name].as_u64().unwrap();
        assert!((begun..=now()).contains(&time("iat")));
        assert_eq!(time("nbf"), time("iat"));
        assert!((1..=600).contains(&(time("exp") - time("iat"))));
        let jti = claims["jti"].as_str().unwrap().to_owned();
        assert_eq!((jti.len(), &jti[14..15]), (36, "4"), "{jti}");
        assert!(!seen.contains(&jti));
        seen.push(jti);

        let (signed, signature) = assertion.rsplit_once('.').unwrap();
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap();
        let private = RsaPrivateKey::from_pkcs8_pem(&pkcs8).unwrap();
        VerifyingKey::<Sha256>::new(private.to_public_key())
            .verify(
                signed.as_bytes(),
                &Signature::try_from(signature.as_slice()).unwrap(),
            )
            .unwrap();
    }
}

#[test]
fn a_federated_token_is_read_anew_for_each_sign_in() {
    let file = file_with("eyJmaXJzdA.token.1\n");
    let path = file.to_str().unwrap();
    for content in ["eyJmaXJzdA.token.1", "eyJzZWNvbmQ.token.2"] {
        std::fs::write(&file, format!("{content}\n")).unwrap();
        let (sign_in, api) = (granting(), api());
        let outcome = application(&sign_in, &api)
            .env("AZURE_FEDERATED_TOKEN_FILE", path)
            .run();
        assert_granted(&outcome, &api);
        let request = sign_in.received().remove(0);
        let form = form(&request);
        assert_eq!(form["client_assertion"], content);
        assert_eq!(
            form["client_assertion_type"],
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        );
    }
}

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
            user-agent: cancel-machine-action/0.1.0
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

#[test]
fn what_proved_the_identity_is_not_shown_however_the_service_repeats_it() {
    let token = file_with("a-federated-token");
    for description in ["you sent a-federated-token", "eyJhbGciOi.x"] {
        for error in ["invalid_client", "a-federated-token", "eyJhbGciOi.y"] {
            let refusal = json!({"error": error, "error_description": description});
            let refusal = response("400 Bad Request", &[JSON], refusal.to_string());
            let sign_in = Server::tls([Reply::bytes(refusal)]);
            let step = application(&sign_in, &api());
            let outcome = step
                .env("AZURE_FEDERATED_TOKEN_FILE", token.to_str().unwrap())
                .run();
            assert_eq!(outcome.status, Some(4), "{outcome}");
            assert!(
                !outcome.to_string().contains("a-federated-token"),
                "{outcome}"
            );
            assert!(!outcome.to_string().contains("eyJ"), "{outcome}");
        }
    }
    let refusal = r#"{"error":"s3cret","error_description":null}"#;
    let sign_in = Server::tls([Reply::bytes(response("400 Bad Request", &[JSON], refusal))]);
    let outcome = step()
        .api(&api())
        .signing_in_at(&sign_in)
        .env("AZURE_CLIENT_SECRET", "s3cret")
        .run();
    assert_eq!(outcome.status, Some(4), "{outcome}");
    assert!(!outcome.to_string().contains("s3cret"), "{outcome}");
}

#[test]
fn an_odd_lifetime_costs_no_sign_in() {
    for lifetime in ["3599.0", "null", "-1", "\"x\"", "1e300"] {
        let grant = format!(r#"{{"access_token":"granted.token","expires_in":{lifetime}}}"#);
        let sign_in = Server::tls([Reply::bytes(response("200 OK", &[JSON], grant))]);
        let api = api();
        let outcome = step().api(&api).signing_in_at(&sign_in).run();
        assert_granted(&outcome, &api);
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
    user-agent: cancel-machine-action/0.1.0
    accept: */*
    host: {host}
    metadata: true
    ");

    let (metadata, proxied) = (granting(), self::api());
    let step = imds(&metadata, &proxied).env("HTTPS_PROXY", "http://127.0.0.1:1");
    let outcome = step.args(["--timeout", "3"]).run();
    assert_eq!(metadata.received().len(), 1, "{outcome}");
    assert!(
        outcome.stderr.contains("the proxy 127.0.0.1:1 made no way"),
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
        "message": "the managed identity's endpoint at https://{imds} refused: invalid_request: Identity not found. Check that an identity is assigned to this machine or app, and AZURE_CLIENT_ID if it is a user-assigned one. Nothing was cancelled.",
        "retryable": false,
        "request_sent": "no",
        "details": []
      }
    }
    stderr: cancel-machine-action: error: the managed identity's endpoint at https://{imds} refused: invalid_request: Identity not found. Check that an identity is assigned to this machine or app, and AZURE_CLIENT_ID if it is a user-assigned one. Nothing was cancelled.
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
        "message": "the managed identity's endpoint at https://{endpoint} refused: error (its text is not shown, because it repeats a credential). Check that an identity is assigned to this machine or app, and AZURE_CLIENT_ID if it is a user-assigned one. Nothing was cancelled.",
        "retryable": false,
        "request_sent": "no",
        "details": []
      }
    }
    stderr: cancel-machine-action: error: the managed identity's endpoint at https://{endpoint} refused: error (its text is not shown, because it repeats a credential). Check that an identity is assigned to this machine or app, and AZURE_CLIENT_ID if it is a user-assigned one. Nothing was cancelled.
    "#);
}

#[test]
fn a_certificate_that_cannot_be_used_is_told_before_any_call() {
    let (rsa, other) = (key("rsa.pem"), key("other-rsa.pem"));
    let (good, _) = client_certificate(&rsa, Validity::Now);
    let (expired, _) = client_certificate(&rsa, Validity::Past);
    let (future, _) = client_certificate(&rsa, Validity::Future);
    let elliptic = rcgen::KeyPair::generate().unwrap().serialize_pem();
    let (elliptic_certificate, _) = client_certificate(&elliptic, Validity::Now);
    let keys = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/spec/data/keys");
    let cases = [
        ("encrypted", pem(&good, &key("encrypted.pem"))),
        (
            "encrypted in the old way",
            pem(&good, &key("encrypted-pkcs1.pem")),
        ),
        ("PFX", format!("{keys}/client.pfx")),
        ("another key", pem(&good, &other)),
        ("expired", pem(&expired, &rsa)),
        ("not valid yet", pem(&future, &rsa)),
        ("no certificate", pem("", &rsa)),
        ("no key", pem(&good, "")),
        ("an elliptic key", pem(&elliptic_certificate, &elliptic)),
        ("a small key", pem(&good, &key("small-rsa.pem"))),
        ("no PEM", pem("hello", "")),
        ("damaged", pem(&good.replace("\nMII", "\n!!!"), &rsa)),
        ("no file", "/no/such/file".to_owned()),
    ];
    let outcomes = each(cases, |(name, path)| {
        let sign_in = Server::tls([]);
        let outcome = application(&sign_in, &api())
            .env("AZURE_CLIENT_CERTIFICATE_PATH", path)
            .run();
        assert_eq!(
            (outcome.status, sign_in.connections()),
            (Some(3), 0),
            "{name}: {outcome}"
        );
        format!("## {name}\n{outcome}")
    });
    let all = outcomes.join("\n\n");
    for key in [rsa, other, key("rsa-pkcs1.pem"), key("encrypted.pem")] {
        let line = key.lines().nth(3).unwrap();
        assert!(!all.contains(line));
    }
    assert_snapshot!(all);
}

#[test]
fn settings_from_which_no_one_way_follows_are_told() {
    let app = [("AZURE_TENANT_ID", "t"), ("AZURE_CLIENT_ID", "c")];
    let cases: Vec<(&str, Vec<(&str, &str)>)> = vec![
        ("an application without a proof", vec![]),
        (
            "secret and certificate",
            vec![
                ("AZURE_CLIENT_SECRET", "MARKER"),
                ("AZURE_CLIENT_CERTIFICATE_PATH", "/x"),
            ],
        ),
        (
            "federated and managed",
            vec![
                ("AZURE_FEDERATED_TOKEN_FILE", "/x"),
                ("IDENTITY_ENDPOINT", "http://127.0.0.1/"),
            ],
        ),
        (
            "all of them",
            vec![
                ("AZURE_CLIENT_SECRET", "MARKER"),
                ("AZURE_CLIENT_CERTIFICATE_PATH", "/x"),
                ("AZURE_FEDERATED_TOKEN_FILE", "/x"),
                ("IDENTITY_ENDPOINT", "http://127.0.0.1/"),
                ("MDE_ACCESS_TOKEN", "MARKER"),
            ],
        ),
        (
            "managed without its header",
            vec![("IDENTITY_ENDPOINT", "http://127.0.0.1/")],
        ),
        (
            "managed elsewhere in clear",
            vec![
                ("IDENTITY_ENDPOINT", "http://identity.example/"),
                ("IDENTITY_HEADER", "MARKER"),
            ],
        ),
        (
            "a header of two lines",
            vec![
                ("IDENTITY_ENDPOINT", "http://127.0.0.1/"),
                ("IDENTITY_HEADER", "MARKER\r\nX: y"),
            ],
        ),
        (
            "a federated token that is missing",
            vec![("AZURE_FEDERATED_TOKEN_FILE", "/no/such/file")],
        ),
        (
            "a federated token that is empty",
            vec![("AZURE_FEDERATED_TOKEN_FILE", "/dev/null")],
        ),
        (
            "a named way without its settings",
            vec![
                ("MDE_AUTH", "client-certificate"),
                ("AZURE_CLIENT_SECRET", "MARKER"),
            ],
        ),
    ];
    let outcomes: Vec<String> = cases
        .into_iter()
        .map(|(name, variables)| {
            let step = app
                .into_iter()
                .chain(variables)
                .fold(step(), |step, (name, value)| step.env(name, value));
            let outcome = step.run();
            assert_eq!(outcome.status, Some(3), "{name}: {outcome}");
            format!("## {name}\n{outcome}")
        })
        .collect();
    let all = outcomes.join("\n\n");
    assert!(!all.contains("MARKER"));
    assert_snapshot!(all);
}

/// Each cloud's hosts and scope, and that each can be overridden.
#[test]
fn every_cloud_has_its_hosts_and_scope_and_every_one_can_be_overridden() {
    let clouds = ["commercial", "gcc", "gcc-high", "dod"];
    let mut lines = Vec::new();
    for cloud in clouds {
        let (sign_in, api) = (granting(), api());
        let outcome = step()
            .signing_in_at(&sign_in)
            .api(&api)
            .env("MDE_CLOUD", cloud)
            .args(["--verbose"])
            .run();
        assert_eq!(outcome.status, Some(0), "{outcome}");
        let scope = form(&sign_in.received()[0])["scope"].clone();
        let sandbox = step()
            .args(["--sandbox", "--verbose"])
            .env("MDE_CLOUD", cloud)
            .run();
        let words = sandbox.stderr.split_whitespace();
        let urls: Vec<&str> = words.filter(|word| word.starts_with("https://")).collect();
        let host = |url: &str| url.split('/').nth(2).unwrap().to_owned();
        lines.push(format!(
            "{cloud}: sign-in {}, API {}, scope {scope}",
            host(urls[0]),
            host(urls[1])
        ));

        let (sign_in, api) = (granting(), self::api());
        let step = step()
            .signing_in_at(&sign_in)
            .api(&api)
            .env("MDE_CLOUD", cloud);
        step.env("MDE_SCOPE", "https://other.example/.default")
            .run();
        assert_eq!(
            form(&sign_in.received()[0])["scope"],
            "https://other.example/.default"
        );
    }
    assert_snapshot!(lines.join("\n"), @"
    commercial: sign-in login.microsoftonline.com, API api.security.microsoft.com, scope https://api.securitycenter.microsoft.com/.default
    gcc: sign-in login.microsoftonline.com, API api-gcc.securitycenter.microsoft.us, scope https://api-gcc.securitycenter.microsoft.us/.default
    gcc-high: sign-in login.microsoftonline.us, API api-gov.securitycenter.microsoft.us, scope https://api-gov.securitycenter.microsoft.us/.default
    dod: sign-in login.microsoftonline.us, API api-gov.securitycenter.microsoft.us, scope https://api-gov.securitycenter.microsoft.us/.default
    ");
}
