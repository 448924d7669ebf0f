//! The way to the hosts: proxies, and what they may do to a call.

use std::io::{self, Write};
use std::net::TcpStream;
use std::time::Duration;

use cancel_machine_action::call::proxy::ProxySettings;

use crate::support::certificates::Leaf;
use crate::support::proxy::Proxy;
use crate::support::{Authority, JSON, Reply, Server, Step, assert_snapshot, each, response, step};

fn sign_in() -> Server {
    Server::tls([Reply::bytes(response(
        "200 OK",
        &[JSON],
        r#"{"access_token":"a.token"}"#,
    ))])
}

fn api() -> Server {
    Server::tls([Reply::bytes(response("200 OK", &[JSON], "{}"))])
}

fn through(proxy: &Proxy, sign_in: &Server, api: &Server) -> Step {
    step()
        .api(api)
        .signing_in_at(sign_in)
        .naming(proxy.host(), "{proxy}")
        .env("HTTPS_PROXY", format!("http://{}", proxy.host()))
}

#[test]
fn sign_in_and_cancel_go_through_the_proxy() {
    let (proxy, sign_in, api) = (Proxy::answering("200 OK"), sign_in(), api());
    let outcome = through(&proxy, &sign_in, &api).run();
    assert_eq!(
        (outcome.status, outcome.stderr.as_str()),
        (Some(0), ""),
        "{outcome}"
    );
    let asked: Vec<String> = proxy.asked();
    let lines: Vec<&str> = asked
        .iter()
        .map(|head| head.lines().next().unwrap())
        .collect();
    assert_eq!(
        lines,
        [sign_in.host(), api.host()].map(|host| format!("CONNECT {host} HTTP/1.1"))
    );
    assert!(!asked.concat().contains("uthorization"));
}

#[test]
fn the_variable_may_be_in_lower_case_and_carry_a_password() {
    let (proxy, sign_in, api) = (Proxy::answering("200 OK"), sign_in(), api());
    let step = through(&proxy, &sign_in, &api).env("HTTPS_PROXY", "");
    let outcome = step
        .env(
            "https_proxy",
            format!("http://user:pass%40word@{}", proxy.host()),
        )
        .args(["--verbose"])
        .run();
    assert_eq!(outcome.status, Some(0), "{outcome}");
    // user:pass@word
    assert!(
        proxy.asked()[0].contains("Basic dXNlcjpwYXNzQHdvcmQ="),
        "{:?}",
        proxy.asked()
    );
    assert!(!outcome.to_string().contains("word"), "{outcome}");
}

#[test]
fn no_proxy_goes_past_it() {
    for (name, value) in [
        ("NO_PROXY", "example.com, 127.0.0.1"),
        ("no_proxy", "127.0.0.1"),
        ("NO_PROXY", "*"),
    ] {
        let (proxy, sign_in, api) = (Proxy::answering("200 OK"), sign_in(), api());
        let outcome = through(&proxy, &sign_in, &api).env(name, value).run();
        assert_eq!(
            (outcome.status, proxy.asked().len()),
            (Some(0), 0),
            "{outcome}"
        );
    }
}

#[test]
fn a_call_in_clear_to_this_machine_takes_no_proxy() {
    let proxy = Proxy::answering("200 OK");
    let api = Server::plain([Reply::bytes(response("200 OK", &[JSON], "{}"))]);
    let outcome = step()
        .api_with_token(&api)
        .env("HTTPS_PROXY", format!("http://{}", proxy.host()))
        .run();
    assert_eq!(
        (outcome.status, proxy.asked().len()),
        (Some(0), 0),
        "{outcome}"
    );
}

#[test]
fn a_proxy_that_lets_no_call_through_is_named_without_its_password() {
    let refusing = [
        "407 Proxy Authentication Required",
        "403 Forbidden",
        "502 Bad Gateway",
    ]
    .map(Proxy::answering);
    let refused = refusing
        .iter()
        .map(|proxy| (format!("http://user:PASSWORD@{}", proxy.host()), proxy));
    let unknown = format!("http://user:PASSWORD@{}.example:3128", "a".repeat(64));
    let others = [
        "http://user:PASSWORD@127.0.0.1:1",
        &unknown,
        "127.0.0.1 3128",
        "ftp://user:PASSWORD@127.0.0.1",
        "http://",
        "socks5://user:PASSWORD@127.0.0.1:1",
        "http://user:PASSWORD/rest@127.0.0.1:1",
        "http://user:4711#PASSWORD@127.0.0.1:1",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:abc",
    ];
    let others = others.map(|url| (url.to_owned(), &refusing[0]));
    let outcomes = each(refused.chain(others), |(url, proxy)| {
        let step = through(proxy, &sign_in(), &api()).env("HTTPS_PROXY", url);
        step.run().to_string()
    });
    let all = outcomes.join("\n\n");
    assert!(!all.contains("PASSWORD"));
    assert_snapshot!(all);
}

#[test]
fn a_cancel_that_the_proxy_keeps_from_its_host_was_not_sent() {
    let proxy = Proxy::answering("403 Forbidden");
    let outcome = step()
        .api_with_token(&api())
        .env("HTTPS_PROXY", format!("http://{}", proxy.host()))
        .run();
    assert_eq!(outcome.json()["error"]["request_sent"], "no", "{outcome}");
    let inspecting = Server::with_config(Authority::unknown().server_config(Leaf::Good), []);
    let proxy = Proxy::answering("200 OK");
    let step = step()
        .api_with_token(&inspecting)
        .env("HTTPS_PROXY", format!("http://{}", proxy.host()));
    let outcome = step.run();
    assert_eq!(outcome.json()["error"]["request_sent"], "no", "{outcome}");
    assert!(outcome.stderr.contains("(CN=Unknown Test CA"), "{outcome}");
}

/// What a proxy does with a connection.
type Act = fn(&mut TcpStream) -> io::Result<()>;

/// What a proxy may do instead of making way, each with the host that is to blame.
#[test]
fn trouble_with_the_proxy_is_told_as_such_and_within_the_time_limit() {
    let cases: [(&str, Act); 5] = [
        ("hangs", hold),
        ("drips", |client| {
            for byte in b"HTTP/1.1 200 OK\r\nX: y\r\n\r\n" {
                client.write_all(&[*byte])?;
                pause(Duration::from_millis(400));
            }
            Ok(())
        }),
        ("talks garbage", |client| {
            client.write_all(b"SSH-2.0-OpenSSH\r\n\r\n")
        }),
        ("closes", |_| Ok(())),
        ("says 200 and closes", |client| {
            client.write_all(b"HTTP/1.1 200 OK\r\n\r\n")
        }),
    ];
    let outcomes = each(cases, |(name, act)| {
        let proxy = Proxy::acting(act);
        let step = step()
            .api_with_token(&api())
            .naming(proxy.host(), "{proxy}");
        let step = step.env("HTTPS_PROXY", format!("http://{}", proxy.host()));
        let outcome = step.args(["--timeout", "1"]).run();
        assert!(
            outcome.took < Duration::from_secs(4),
            "{name}: {:?}",
            outcome.took
        );
        assert_eq!(
            outcome.json()["error"]["request_sent"],
            "no",
            "{name}: {outcome}"
        );
        format!("## {name}\n{}", outcome.stderr)
    });
    assert_snapshot!(outcomes.join("\n"), @"
    ## hangs
    cancel-machine-action: error: action 988cc94e-7a8f-4b28-ab65-54970c5d5018: the time limit of 1 s was reached while connecting to {api} through the proxy {proxy}. The cancel was not sent. Check the network, or raise --timeout.

    ## drips
    cancel-machine-action: error: action 988cc94e-7a8f-4b28-ab65-54970c5d5018: the time limit of 1 s was reached while connecting to {api} through the proxy {proxy}. The cancel was not sent. Check the network, or raise --timeout.

    ## talks garbage
    cancel-machine-action: error: action 988cc94e-7a8f-4b28-ab65-54970c5d5018: could not reach {api} through the proxy {proxy}. The cancel was not sent. Check the host and the port in HTTPS_PROXY, and that the proxy is running. {tries} (Cause: http parse fail: invalid HTTP version)

    ## closes
    cancel-machine-action: error: action 988cc94e-7a8f-4b28-ab65-54970c5d5018: could not reach {api} through the proxy {proxy}, which closed the connection without an answer. The cancel was not sent. Check the host and the port in HTTPS_PROXY, and that the proxy can reach the host. {tries}

    ## says 200 and closes
    cancel-machine-action: error: action 988cc94e-7a8f-4b28-ab65-54970c5d5018: {api}, or the proxy {proxy} in between, closed the connection during the TLS handshake. The cancel was not sent. Check MDE_BASE_URL and the network, then try again. {tries}
    ");
    let plain = Proxy::acting(|client| client.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n"));
    let step = step()
        .api_with_token(&api())
        .env("HTTPS_PROXY", format!("https://{}", plain.host()));
    let outcome = step.run();
    assert!(
        outcome.stderr.contains("begin HTTPS_PROXY with http://"),
        "{outcome}"
    );
}

fn hold(client: &mut TcpStream) -> io::Result<()> {
    io::copy(client, &mut io::sink()).map(drop)
}

#[expect(clippy::disallowed_methods, reason = "a test may wait")]
fn pause(time: Duration) {
    std::thread::sleep(time);
}

#[test]
fn the_exceptions_are_those_of_other_programs() {
    let goes_past = |exceptions: &str, url: &str| {
        let settings = ProxySettings::parse("http://proxy.example:3128", exceptions).unwrap();
        settings.for_uri(&url.parse().unwrap()).is_none()
    };
    let cases = [
        ("example.com", "https://example.com/x", true),
        ("example.com", "https://sub.EXAMPLE.com", true),
        ("example.com", "https://notexample.com", false),
        (".example.com", "https://sub.example.com", true),
        (".example.com", "https://example.com", true),
        ("*.example.com", "https://sub.example.com", true),
        ("example.com:443", "https://example.com", true),
        ("example.com:8443", "https://example.com", false),
        ("example.com:8443", "https://example.com:8443", true),
        ("127.0.0.0/8", "https://127.1.2.3", true),
        ("127.0.0.0/8", "https://128.0.0.1", false),
        ("10.0.0.0/8, 127.0.0.1", "https://127.0.0.1:1", true),
        ("::1", "https://[::1]:1", true),
        ("[::1]:1", "https://[::1]:1", true),
        ("fe80::/10", "https://[fe80::1]", true),
        ("foo bar", "https://bar", true),
        ("*", "https://anything.example", true),
        ("", "https://anything.example", false),
        (" , ,", "https://anything.example", false),
    ];
    for (exceptions, url, expected) in cases {
        assert_eq!(goes_past(exceptions, url), expected, "{exceptions} {url}");
    }
}
