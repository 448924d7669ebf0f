//! What an operator sets, and everything that may be wrong with it.

use std::time::Duration;

use crate::support::step::file_with;
use crate::support::{Authority, Reply, Server, assert_snapshot, response, step};

#[test]
fn everything_that_is_wrong_with_the_settings_is_told_at_once() {
    let file = |content: &str| file_with(content).to_str().unwrap().to_owned();
    let too_long = "x".repeat(31 << 10);
    let (empty, no_pem, token) = (file(""), file("no PEM\n"), file("a.token"));
    let broken_pem = file("-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n");
    let junk_pem = file("-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n");
    let cases: Vec<(&str, Vec<(&str, &str)>)> = vec![
        ("nothing", vec![]),
        ("half an app registration", vec![("AZURE_CLIENT_ID", "x")]),
        ("a secret alone", vec![("AZURE_CLIENT_SECRET", "MARKER")]),
        (
            "two ways",
            vec![
                ("AZURE_CLIENT_SECRET", "MARKER"),
                ("MDE_ACCESS_TOKEN", "MARKER"),
            ],
        ),
        (
            "a way that lacks its settings",
            vec![
                ("MDE_AUTH", "client-secret"),
                ("MDE_ACCESS_TOKEN", "MARKER"),
            ],
        ),
        ("an unknown way", vec![("MDE_AUTH", "password")]),
        (
            "a value and its file",
            vec![
                ("MDE_ACCESS_TOKEN", "MARKER"),
                ("MDE_ACCESS_TOKEN_FILE", "/MARKER"),
            ],
        ),
        ("an empty file", vec![("MDE_ACCESS_TOKEN_FILE", &empty)]),
        (
            "a missing file",
            vec![("MDE_ACCESS_TOKEN_FILE", "/no/such/file")],
        ),
        (
            "Bearer before the token",
            vec![("MDE_ACCESS_TOKEN", "bearer MARKER")],
        ),
        (
            "a token of two lines",
            vec![("MDE_ACCESS_TOKEN", "MARKER\r\nX-Injected: y")],
        ),
        ("a token of 31 KiB", vec![("MDE_ACCESS_TOKEN", &too_long)]),
        (
            "a tenant that climbs",
            vec![
                ("AZURE_TENANT_ID", "../MARKER"),
                ("AZURE_CLIENT_ID", "x"),
                ("AZURE_CLIENT_SECRET", "MARKER"),
            ],
        ),
        (
            "an unknown cloud",
            vec![("MDE_CLOUD", "moon"), ("MDE_ACCESS_TOKEN", "x")],
        ),
        (
            "in clear",
            vec![
                ("MDE_BASE_URL", "http://api.example"),
                ("MDE_ACCESS_TOKEN", "x"),
            ],
        ),
        (
            "a password in the URL",
            vec![
                ("MDE_BASE_URL", "https://u:MARKER@api.example"),
                ("MDE_ACCESS_TOKEN", "x"),
            ],
        ),
        (
            "a query in the URL",
            vec![
                ("MDE_BASE_URL", "https://api.example?x=MARKER"),
                ("MDE_ACCESS_TOKEN", "x"),
            ],
        ),
        (
            "no URL",
            vec![("MDE_BASE_URL", "api example"), ("MDE_ACCESS_TOKEN", "x")],
        ),
        (
            "a sign-in host in clear",
            vec![
                ("AZURE_AUTHORITY_HOST", "http://login.example"),
                ("MDE_ACCESS_TOKEN", "x"),
            ],
        ),
        (
            "roots that are missing",
            vec![
                ("SSL_CERT_FILE", "/no/such/file"),
                ("MDE_ACCESS_TOKEN", "x"),
            ],
        ),
        (
            "roots that are no PEM",
            vec![("SSL_CERT_FILE", &no_pem), ("MDE_ACCESS_TOKEN", "x")],
        ),
        (
            "roots that are broken",
            vec![
                ("SSL_CERT_FILE", &broken_pem),
                ("MDE_ACCESS_TOKEN_FILE", &token),
            ],
        ),
        (
            "a port that is none",
            vec![
                ("MDE_BASE_URL", "http://127.0.0.1:99999"),
                ("MDE_ACCESS_TOKEN", "x"),
            ],
        ),
        (
            "port 0",
            vec![
                ("MDE_BASE_URL", "https://127.0.0.1:0"),
                ("MDE_ACCESS_TOKEN", "x"),
            ],
        ),
        (
            "a path that climbs",
            vec![
                ("MDE_BASE_URL", "https://127.0.0.1/x/.."),
                ("MDE_ACCESS_TOKEN", "x"),
            ],
        ),
        (
            "a secret of two lines",
            vec![
                ("AZURE_TENANT_ID", "x"),
                ("AZURE_CLIENT_ID", "x"),
                ("AZURE_CLIENT_SECRET", "MARKER\nMARKER"),
            ],
        ),
        (
            "a token file that is no token",
            vec![("MDE_ACCESS_TOKEN_FILE", &no_pem)],
        ),
        (
            "roots of which one is none",
            vec![
                ("SSL_CERT_FILE", &junk_pem),
                ("MDE_ACCESS_TOKEN_FILE", &token),
            ],
        ),
        (
            "options and settings",
            vec![
                ("MDE_TIMEOUT", "abc"),
                ("MDE_CLOUD", "x"),
                ("MDE_AUTH", "y"),
                ("AZURE_TENANT_ID", "../x"),
                ("MDE_ACCESS_TOKEN", "MARKER"),
                ("MDE_ACCESS_TOKEN_FILE", "/MARKER"),
            ],
        ),
        (
            "several at once",
            vec![
                ("AZURE_CLIENT_SECRET", "MARKER"),
                ("MDE_CLOUD", "moon"),
                ("MDE_BASE_URL", "ftp://x"),
                ("SSL_CERT_FILE", "/no/such/file"),
            ],
        ),
    ];
    let outcomes: Vec<String> = cases
        .into_iter()
        .map(|(name, variables)| {
            let step = variables
                .into_iter()
                .fold(step(), |step, (name, value)| step.env(name, value));
            let outcome = step.run();
            assert_eq!(outcome.status, Some(3), "{name}: {outcome}");
            assert!(!outcome.to_string().contains("MARKER"), "{name}: {outcome}");
            format!("## {name}\n{outcome}")
        })
        .collect();
    assert_snapshot!(outcomes.join("\n\n"));
}

#[test]
fn an_empty_variable_counts_as_not_set() {
    let server = Server::tls([Reply::bytes(response("200 OK", &[], "{}"))]);
    let outcome = step()
        .api_with_token(&server)
        .env("AZURE_CLIENT_SECRET", "")
        .env("MDE_ACCESS_TOKEN_FILE", "")
        .env("MDE_AUTH", "")
        .env("MDE_CLOUD", "")
        .env("MDE_SANDBOX", "")
        .run();
    assert_eq!(outcome.status, Some(0), "{outcome}");
}

#[test]
fn the_named_way_is_taken_where_the_settings_allow_several() {
    let server = Server::tls([Reply::bytes(response("200 OK", &[], "{}"))]);
    let step = step()
        .api_with_token(&server)
        .env("AZURE_CLIENT_SECRET", "x");
    let outcome = step.env("MDE_AUTH", "access-token").run();
    assert_eq!(outcome.status, Some(0), "{outcome}");
    assert!(server.received()[0].contains("Bearer a.given-token"));
}

#[test]
fn a_file_that_is_a_pipe_is_read_but_not_waited_for_beyond_the_time_limit() {
    let pipe = file_with("");
    std::fs::remove_file(&pipe).unwrap();
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let pipe = pipe.to_str().unwrap();
    let silent = step()
        .env("MDE_ACCESS_TOKEN_FILE", pipe)
        .naming(pipe, "{pipe}")
        .args(["--timeout", "0.5"])
        .run();
    assert!(silent.took < Duration::from_secs(4), "{:?}", silent.took);
    assert_snapshot!(silent, @r#"
    status: 3
    stdout: {
      "error": {
        "code": "invalid_settings",
        "message": "the settings are not usable: MDE_ACCESS_TOKEN_FILE names a file that cannot be read: {pipe}: its end did not come within 0.5 s; if it is a pipe, close the other end. Nothing was sent; `cancel-machine-action --help` lists the settings.",
        "retryable": false,
        "request_sent": "no",
        "details": [
          {
            "pointer": "/MDE_ACCESS_TOKEN_FILE",
            "message": "names a file that cannot be read: {pipe}: its end did not come within 0.5 s; if it is a pipe, close the other end"
          }
        ]
      }
    }
    stderr: cancel-machine-action: error: the settings are not usable: MDE_ACCESS_TOKEN_FILE names a file that cannot be read: {pipe}: its end did not come within 0.5 s; if it is a pipe, close the other end. Nothing was sent; `cancel-machine-action --help` lists the settings.
    "#);

    let server = Server::tls([Reply::bytes(response("200 OK", &[], "{}"))]);
    let path = pipe.to_owned();
    let writer = std::thread::spawn(move || std::fs::write(path, "\u{feff}piped.token\n"));
    let outcome = step().api(&server).env("MDE_ACCESS_TOKEN_FILE", pipe).run();
    writer.join().unwrap().unwrap();
    assert_eq!(outcome.status, Some(0), "{outcome}");
    assert!(server.received()[0].contains("Bearer piped.token\r\n"));
}

/// By mistake, the secret may stand where the file with it should be named.
#[test]
fn a_file_that_cannot_be_read_is_named_unless_its_name_may_be_a_secret() {
    let missing = file_with("").with_extension("missing");
    let missing = missing.to_str().unwrap();
    let named = |name: &str| step().env("MDE_ACCESS_TOKEN_FILE", name).run().stderr;
    assert!(named(missing).contains(&format!("cannot be read: {missing}: No such file")));
    for secret in [
        "s3cret~Value",
        "/s3cret~Value",
        "/s3cret/~Value=",
        "s3cret/~Value=",
    ] {
        let stderr = named(secret);
        assert!(stderr.contains("cannot be read: No such file"), "{stderr}");
        assert!(!stderr.contains("Value"), "{stderr}");
    }
}

#[test]
fn a_file_of_a_mebibyte_is_taken_and_one_byte_more_is_not() {
    let token = |size: usize| {
        let file = file_with(format!("a.given-token{}", "\n".repeat(size - 13)));
        let step = step().env("MDE_ACCESS_TOKEN_FILE", file.to_str().unwrap());
        step.args(["check"]).run().stderr
    };
    assert!(token(1 << 20).contains("not a JSON Web Token"));
    assert!(token((1 << 20) + 1).contains("it is larger than 1048576 bytes"));
}

/// Some editors begin a file with one.
#[test]
fn a_byte_order_mark_hides_no_certificate_authority() {
    let pem = std::fs::read_to_string(Authority::trusted().pem_path()).unwrap();
    let marked = file_with(format!("\u{feff}{pem}"));
    let api = Server::answering(&["200 OK"]);
    let step = step().api_with_token(&api);
    let outcome = step.env("SSL_CERT_FILE", marked.to_str().unwrap()).run();
    assert_eq!(outcome.status, Some(0), "{outcome}");
}
