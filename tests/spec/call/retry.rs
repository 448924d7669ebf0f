//! What is tried again, and when.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use crate::support::{
    JSON, Outcome, REQUEST, Reply, Server, Step, assert_snapshot, each, free_port, response, step,
};

const OK: &str = r#"{"id":"x","status":"Cancelled"}"#;

fn ok() -> Reply {
    Reply::bytes(response("200 OK", &[JSON], OK))
}

fn called(server: &Server) -> Step {
    step().api_with_token(server)
}

#[track_caller]
fn assert_tries(outcome: &Outcome, server: &Server, tries: usize) {
    assert_eq!(
        server.received().len(),
        tries,
        "{outcome} {:?}",
        outcome.retries
    );
    assert_eq!(outcome.retries.len(), tries - 1);
}

#[test]
fn what_may_pass_is_tried_again_and_what_may_not_is_the_answer() {
    each(
        ["408 x", "429 x", "500 x", "502 x", "503 x", "504 x"],
        |status| {
            let server = Server::tls([Reply::bytes(response(status, &[], "")), ok()]);
            let outcome = called(&server).run();
            assert_eq!(outcome.status, Some(0), "{outcome}");
            assert_tries(&outcome, &server, 2);
        },
    );
    each(
        [
            "301 x", "400 x", "401 x", "403 x", "404 x", "405 x", "409 x", "412 x", "425 x",
            "501 x", "505 x",
        ],
        |status| {
            let server = Server::tls([
                Reply::bytes(response(status, &["Retry-After: 0"], "")),
                ok(),
            ]);
            let outcome = called(&server).run();
            assert_eq!(outcome.status, Some(1), "{outcome}");
            assert_tries(&outcome, &server, 1);
        },
    );
}

#[test]
fn a_lost_answer_is_asked_for_again() {
    let lost = [
        Reply::bytes(""),
        Reply::bytes("HTTP/1.1 200 OK\r\nContent-Le"),
        Reply::bytes("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"),
        Reply::bytes("HTTP/1.1 200 OK\r\n\r\n{").breaking_off(),
        Reply::unasked(""),
    ];
    each(lost, |reply| {
        let server = Server::tls([reply, ok()]);
        let outcome = called(&server).run();
        assert_eq!(
            (outcome.status, outcome.retries.len()),
            (Some(0), 1),
            "{outcome}"
        );
    });
}

#[test]
fn the_verdict_after_the_last_try_tells_of_all() {
    let server = Server::tls([Reply::bytes(response("503 Busy", &[], ""))]);
    let outcome = called(&server).run();
    assert_eq!(outcome.status, Some(8), "{outcome}");
    assert!((4..=10).contains(&server.received().len()));
    let (tries, count) = (outcome.tries.unwrap(), server.received().len());
    assert_eq!(
        tries,
        format!("{count} attempts in {{time}} s, all: HTTP 503")
    );

    let server = Server::tls([
        Reply::bytes(""),
        Reply::bytes(response("503 Busy", &["Retry-After: 0"], "")),
        Reply::bytes("SSH-2.0-x\r\n\r\n"),
    ]);
    let outcome = called(&server).run();
    assert_eq!(
        (outcome.status, outcome.retries.len()),
        (Some(5), 2),
        "{outcome}"
    );
    assert_eq!(outcome.json()["error"]["request_sent"], "unknown");
    assert_snapshot!(outcome.tries.unwrap(), @"3 attempts in {time} s, connection closed, then HTTP 503, then not HTTP");
    assert_snapshot!(
        outcome
            .retries
            .join("\n")
            .split("; retrying")
            .next()
            .unwrap(), @"cancel-machine-action: action 988cc94e-7a8f-4b28-ab65-54970c5d5018: attempt 1 of the cancel failed (connection closed)");
}

/// Each `Retry-After`, with how long the next try must wait, or `None` if the 429 is the answer at once.
#[test]
fn no_try_comes_sooner_than_asked() {
    let date = |time| httpdate::fmt_http_date(time);
    let cases = [
        ("0", Some(0)),
        ("2", Some(2000)),
        ("99999", None),
        ("18446744073709551615", None),
        ("ten minutes ago", Some(0)),
        // The date has no fractions: up to a second of the three is gone.
        ("in 3 seconds", Some(2000)),
        ("in an hour", None),
        ("nonsense", Some(0)),
        ("-5", Some(0)),
    ];
    each(cases, |(named, wait)| {
        for status in ["429 x", "503 x"] {
            let now = SystemTime::now();
            let value = match named {
                "ten minutes ago" => date(now - Duration::from_secs(600)),
                "in 3 seconds" => date(now + Duration::from_secs(3)),
                "in an hour" => date(now + Duration::from_secs(3600)),
                value => value.to_owned(),
            };
            let header = format!("Retry-After: {value}");
            let server = Server::tls([Reply::bytes(response(status, &[&header], "")), ok()]);
            let outcome = called(&server).args(["--timeout", "10"]).run();
            match wait {
                Some(wait) => {
                    assert_eq!(outcome.status, Some(0), "{value}: {outcome}");
                    assert!(
                        outcome.took >= Duration::from_millis(wait),
                        "{value}: {:?}",
                        outcome.took
                    );
                }
                None => {
                    assert_tries(&outcome, &server, 1);
                    assert_eq!(outcome.json()["response_headers"]["Retry-After"], value);
                    assert!(
                        outcome.took < Duration::from_secs(4),
                        "{value}: {:?}",
                        outcome.took
                    );
                }
            }
        }
    });
}

#[test]
fn a_slow_answer_that_asks_for_ever_is_the_answer() {
    let throttled = response("429 x", &["Retry-After: 18446744073709551615"], "");
    let slow = Reply::bytes("")
        .pausing(Duration::from_millis(1200))
        .then(throttled);
    let outcome = called(&Server::tls([slow])).run();
    assert_eq!(outcome.status, Some(8), "{outcome}");
}

#[test]
fn no_try_begins_that_cannot_end_in_time() {
    let slow = || {
        Reply::bytes("")
            .pausing(Duration::from_millis(700))
            .then(response("503 Busy", &[], ""))
    };
    let server = Server::tls([slow()]);
    let outcome = called(&server).args(["--timeout", "1.2"]).run();
    assert_eq!(outcome.status, Some(8), "{outcome}");
    assert_eq!(server.received().len(), 1);
}

#[test]
fn sign_in_is_tried_again_by_its_own_rules() {
    let granted = r#"{"access_token":"a.token","expires_in":3599}"#;
    let transient =
        r#"{"error":"invalid_request","error_description":"AADSTS90033: A transient error."}"#;
    let refusals = [
        ("429 x", "{}"),
        ("500 x", "{}"),
        ("503 x", transient),
        ("400 x", transient),
    ];
    for (status, body) in refusals {
        let sign_in = Server::tls([
            Reply::bytes(response(status, &[JSON], body)),
            Reply::bytes(response("200 OK", &[JSON], granted)),
        ]);
        let api = Server::tls([ok()]);
        let outcome = step().api(&api).signing_in_at(&sign_in).run();
        assert_eq!(outcome.status, Some(0), "{outcome}");
        assert_eq!(sign_in.received().len(), 2);
    }
    let refusal = r#"{"error":"invalid_client","error_description":"AADSTS7000215: No."}"#;
    let sign_in = Server::tls([Reply::bytes(response("401 x", &[JSON], refusal))]);
    let outcome = step().signing_in_at(&sign_in).run();
    assert_eq!(
        (outcome.status, sign_in.received().len()),
        (Some(4), 1),
        "{outcome}"
    );
}

#[test]
fn a_refused_connection_is_tried_again_until_it_is_accepted() {
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let server = std::thread::spawn(move || {
        #[expect(clippy::disallowed_methods, reason = "a test may wait")]
        std::thread::sleep(Duration::from_millis(300));
        let listener = std::net::TcpListener::bind(address).unwrap();
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = [0; 4096];
        std::io::Read::read(&mut stream, &mut head).unwrap();
        std::io::Write::write_all(&mut stream, &response("200 OK", &[JSON], OK)).unwrap();
    });
    let outcome = step()
        .env("MDE_BASE_URL", format!("http://{address}"))
        .env("MDE_ACCESS_TOKEN", "x")
        .run();
    server.join().unwrap();
    assert_eq!(outcome.status, Some(0), "{outcome} {:?}", outcome.retries);
    assert!(!outcome.retries.is_empty());
}

#[test]
fn a_cancel_that_was_lost_once_may_have_been_sent_whatever_came_after() {
    let server = Server::plain([Reply::bytes("").closing_the_server()]);
    let outcome = called(&server).run();
    let failure = &outcome.json()["error"];
    assert_eq!(failure["request_sent"], "unknown", "{outcome}");
    let message = failure["message"].as_str().unwrap();
    assert!(message.contains("is not known"), "{outcome}");
    assert!(!message.contains("was not sent"), "{outcome}");
}

#[test]
fn a_cancel_that_was_answered_once_has_reached_the_service_whatever_came_after() {
    each(["429 x", "500 x", "502 x", "503 x", "504 x"], |status| {
        let server = Server::plain([
            Reply::bytes(response(status, &["Connection: close"], "")).closing_the_server()
        ]);
        let outcome = called(&server).run();
        assert_eq!(outcome.status, Some(5), "{outcome}");
        let failure = &outcome.json()["error"];
        assert_eq!(failure["request_sent"], "unknown", "{outcome}");
        let message = failure["message"].as_str().unwrap();
        assert!(!message.contains("was not sent"), "{outcome}");
    });
}

#[test]
fn the_request_is_the_same_in_every_try() {
    let server = Server::tls([
        Reply::bytes(response("500 x", &[], "")),
        Reply::bytes(""),
        ok(),
    ]);
    let outcome = called(&server).stdin(REQUEST).run();
    assert_eq!(outcome.status, Some(0), "{outcome}");
    let received = server.received();
    assert_eq!(received.len(), 3);
    assert!(received.iter().all(|request| *request == received[0]));
}
