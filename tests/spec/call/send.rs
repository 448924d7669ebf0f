//! The network, and what may befall a call on it.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread;
use std::time::Duration;

use cancel_machine_action::call::api;
use cancel_machine_action::call::diagnosis::{Peer, explain};
use cancel_machine_action::call::wire::progress::Stage;
use rustls::ServerConnection;

use crate::support::certificates::Leaf;
use crate::support::{
    Authority, REQUEST, Reply, Server, Step, assert_snapshot, each, listen, response, step,
};

/// Every way to get no answer, each with the outcome as a playbook sees it.
#[test]
fn a_lost_call_says_which_host_what_happened_and_whether_the_cancel_was_sent() {
    let answer = response(
        "200 OK",
        &["Content-Type: application/json"],
        r#"{"id":"x"}"#,
    );
    let half = &answer[..answer.len() - 3];
    let trusted = Authority::trusted();
    let cases = [
        (
            "expired",
            Server::with_config(trusted.server_config(Leaf::Expired), []),
        ),
        (
            "wrong name",
            Server::with_config(trusted.server_config(Leaf::WrongName), []),
        ),
        (
            "unknown issuer",
            Server::with_config(Authority::unknown().server_config(Leaf::Good), []),
        ),
        ("silence", Server::tls([Reply::silence()])),
        (
            "not HTTP",
            Server::tls([Reply::bytes("220 smtp.example ESMTP\r\n\r\n")]),
        ),
        ("no answer", Server::tls([Reply::bytes("")])),
        (
            "cut short in the headers",
            Server::tls([Reply::bytes("HTTP/1.1 200 OK\r\nContent-")]),
        ),
        ("cut short in the body", Server::tls([Reply::bytes(half)])),
        (
            "slow body",
            Server::tls([Reply::bytes(half).pausing(Duration::from_secs(5))]),
        ),
        (
            "endless headers",
            Server::tls([Reply::bytes(format!(
                "HTTP/1.1 200 OK\r\n{}",
                "X: y\r\n".repeat(20_000)
            ))]),
        ),
        (
            "bad chunk",
            Server::tls([Reply::bytes(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
            )]),
        ),
        (
            "broken off without a length",
            Server::tls([Reply::bytes("HTTP/1.1 200 OK\r\n\r\n{\"id\":1}").breaking_off()]),
        ),
        (
            "half a JSON without a length",
            Server::tls([Reply::bytes(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"id\":",
            )]),
        ),
    ];
    let outcomes = each(cases, |(name, server)| {
        let outcome = step()
            .api_with_token(&server)
            .args(["--timeout", "1"])
            .run();
        assert!(
            outcome.took < Duration::from_secs(4),
            "{name} took {:?}",
            outcome.took
        );
        format!("## {name}\n{outcome}")
    });
    assert_snapshot!(outcomes.join("\n\n"));
}

#[test]
fn a_host_that_cannot_be_reached_is_named() {
    // The first port is for programs of the system only.
    let host = "127.0.0.1:1".to_owned();
    let plain = Server::plain([]);
    // A label of more than 63 letters is no name: it is refused before any DNS server is asked.
    let unknown = format!("{}.example", "a".repeat(64));
    let outcomes = each([&host, &plain.host(), &unknown], |host| {
        let step = step().env("MDE_BASE_URL", format!("https://{host}"));
        let step = step
            .env("MDE_ACCESS_TOKEN", "a.given-token")
            .naming(host, "{host}");
        step.args(["--timeout", "1"]).run().to_string()
    });
    assert_snapshot!(outcomes.join("\n\n"));
}

#[test]
fn a_connection_that_is_never_accepted_ends_with_the_time_limit() {
    let listener = listen();
    let address = listener.local_addr().unwrap();
    // Once its backlog is full, the kernel leaves a further connection unanswered.
    let connect = |_| TcpStream::connect_timeout(&address, Duration::from_millis(100)).ok();
    let held: Vec<TcpStream> = (0..5000).map_while(connect).collect();
    let outcome = step()
        .env("MDE_BASE_URL", format!("https://{address}"))
        .env("MDE_ACCESS_TOKEN", "a.given-token")
        .args(["--timeout", "0.5"])
        .naming(address.to_string(), "{host}")
        .run();
    assert!(outcome.took < Duration::from_secs(4));
    assert_snapshot!(outcome, @r#"
    status: 5
    stdout: {
      "error": {
        "code": "timeout",
        "message": "the time limit of 0.5 s was reached while connecting to {host}. The cancel was not sent. Check the network, or raise --timeout.",
        "retryable": true,
        "request_sent": "no",
        "details": []
      }
    }
    stderr: cancel-machine-action: error: action 988cc94e-7a8f-4b28-ab65-54970c5d5018: the time limit of 0.5 s was reached while connecting to {host}. The cancel was not sent. Check the network, or raise --timeout.
    "#);
    drop(held);
}

#[test]
fn a_connection_that_breaks_before_the_answer_leaves_the_outcome_unknown() {
    // In clear, a connection that is closed with the request unread is reset.
    let server = Server::plain([Reply::unasked("")]);
    let big = format!("{:?}", "x".repeat(900_000));
    let request = REQUEST.replace(r#""Machine action was canceled by automation""#, &big);
    let outcome = step().api_with_token(&server).stdin(request).run();
    assert_eq!(outcome.status, Some(5));
    assert_eq!(outcome.json()["error"]["code"], "network_error");
    assert_eq!(outcome.json()["error"]["request_sent"], "unknown");
}

/// A step that calls a host whose connections `act`.
fn step_against(act: fn(TcpStream) -> io::Result<()>) -> Step {
    let listener = listen();
    let url = format!("https://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        listener.incoming().flatten().for_each(|stream| {
            let _ = act(stream);
        });
    });
    step()
        .env("MDE_BASE_URL", url)
        .env("MDE_ACCESS_TOKEN", "a.given-token")
        .env("SSL_CERT_FILE", Authority::trusted().pem_path())
}

/// Makes the TLS handshake, and breaks off as soon as the client has made its part of it.
fn break_off_after_the_handshake(mut stream: TcpStream) -> io::Result<()> {
    let config = Authority::trusted().server_config(Leaf::Good);
    let mut connection = ServerConnection::new(config).map_err(io::Error::other)?;
    connection.read_tls(&mut stream)?;
    connection.process_new_packets().map_err(io::Error::other)?;
    while connection.wants_write() {
        connection.write_tls(&mut stream)?;
    }
    // ChangeCipherSpec and Finished: to read them in TLS would give the client time to send its whole request.
    stream.read_exact(&mut [0; 80])?;
    stream.shutdown(Shutdown::Both)
}

#[test]
fn a_write_that_fails_over_tls_is_told_as_such() {
    let big = format!("{:?}", "x".repeat(900_000));
    let request = REQUEST.replace(r#""Machine action was canceled by automation""#, &big);
    let step = step_against(break_off_after_the_handshake);
    let outcome = step.stdin(request).args(["--timeout", "2"]).run();
    // Now and then a try has filled the socket's buffers before it breaks.
    let is_told = |line: &String| line.contains("connection lost while sending");
    assert!(outcome.retries.iter().any(is_told), "{:?}", outcome.retries);
    assert_eq!(outcome.json()["error"]["request_sent"], "unknown");
}

/// Reads a request in TLS, and answers it in clear.
fn answer_in_clear(mut stream: TcpStream) -> io::Result<()> {
    let config = Authority::trusted().server_config(Leaf::Good);
    let mut connection = ServerConnection::new(config).map_err(io::Error::other)?;
    rustls::Stream::new(&mut connection, &mut stream).read_exact(&mut [0; 4])?;
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")?;
    // The client has to read it before the connection is reset.
    io::copy(&mut stream, &mut io::sink()).map(drop)
}

#[test]
fn what_is_no_tls_after_the_handshake_is_a_broken_connection_and_no_wrong_host() {
    let step = step_against(answer_in_clear);
    let outcome = step.args(["--timeout", "1"]).run();
    let error = &outcome.json()["error"];
    assert_eq!(error["code"], "network_error", "{outcome}");
    assert_eq!(error["request_sent"], "unknown", "{outcome}");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("the TLS connection to"), "{outcome}");
}

#[test]
fn a_redirect_is_an_answer_and_the_token_goes_to_no_other_host() {
    each(
        [
            "301 Moved Permanently",
            "302 Found",
            "307 Temporary Redirect",
            "308 Permanent Redirect",
        ],
        |status| {
            let elsewhere = Server::tls([]);
            let location = format!("Location: {}/api", elsewhere.url());
            let server = Server::tls([Reply::bytes(response(status, &[&location], ""))]);
            let outcome = step().api_with_token(&server).run();
            assert_eq!(outcome.status, Some(1), "{outcome}");
            assert_eq!(
                outcome.json()["response_headers"]["Location"],
                format!("{}/api", elsewhere.url())
            );
            assert_eq!(elsewhere.connections(), 0);
        },
    );
}

#[test]
fn the_longest_token_is_sent_and_the_longest_header_is_read() {
    let token = "x".repeat(30 << 10);
    let header = format!("X-Long: {}", "x".repeat(63 << 10));
    for serve in [Server::plain, Server::tls] {
        let server = serve(vec![Reply::bytes(response("200 OK", &[&header], "{}"))]);
        let step = step()
            .api_with_token(&server)
            .env("MDE_ACCESS_TOKEN", &token);
        let outcome = step.run();
        assert_eq!(outcome.status, Some(0), "{outcome}");
        let kept = outcome.json()["response_headers"]["X-Long"].to_string();
        assert_eq!(kept.len(), (63 << 10) + 2);
        assert!(server.received()[0].contains(&format!("authorization: Bearer {token}\r\n")));
    }
}

/// The stages that loopback is too fast to be caught in.
#[test]
fn a_time_out_names_the_stage_that_it_came_in() {
    let uri = "https://api.example/x".parse().unwrap();
    let peer = Peer::new(&api::CANCEL, &uri, None, Duration::from_secs(60));
    let explain = |stage| {
        let error = ureq::Error::Timeout(ureq::Timeout::Global);
        explain(&error, stage, &peer).message
    };
    let stages = [
        Stage::Resolve,
        Stage::Connect,
        Stage::Handshake,
        Stage::Send,
        Stage::Wait,
        Stage::Read,
    ];
    assert_snapshot!(stages.map(explain).join("\n"), @"
    the time limit of 60 s was reached while resolving the name of the host api.example. The cancel was not sent. Check the network, or raise --timeout.
    the time limit of 60 s was reached while connecting to api.example. The cancel was not sent. Check the network, or raise --timeout.
    the time limit of 60 s was reached while making the TLS handshake with api.example. The cancel was not sent. Check the network, or raise --timeout.
    the time limit of 60 s was reached while sending the request to api.example. Whether the action was cancelled is not known: read its status, or cancel it again. Check the network, or raise --timeout.
    the time limit of 60 s was reached while waiting for the answer from api.example. Whether the action was cancelled is not known: read its status, or cancel it again. Check the network, or raise --timeout.
    the time limit of 60 s was reached while reading the answer from api.example. Whether the action was cancelled is not known: read its status, or cancel it again. Check the network, or raise --timeout.
    ");
}
