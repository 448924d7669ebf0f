//! The ways to sign in, each with what the sign-in service gets to see.

use serde_json::json;

use crate::support::granted::{api, application, assert_granted, form, granting};
use crate::support::step::file_with;
use crate::support::{JSON, Reply, Server, assert_snapshot, response, step};

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

#[test]
fn a_tenant_cannot_change_the_shape_of_the_sign_in_url() {
    for tenant in [
        "a/b", "a%2Fb", "a?b", "a#b", "a b", ".", "..", ".a", "a@b", "ä",
    ] {
        let outcome = step()
            .env("AZURE_TENANT_ID", tenant)
            .env("AZURE_CLIENT_ID", "c")
            .env("AZURE_CLIENT_SECRET", "s")
            .run();
        assert_eq!(outcome.status, Some(3), "{tenant}: {outcome}");
        let details = outcome.json()["error"]["details"].to_string();
        assert!(details.contains("AZURE_TENANT_ID"), "{tenant}: {outcome}");
    }
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
