//! The way to the hosts: proxies, and what they may do to a call.

use insta::assert_snapshot;

use crate::support::certificates::Leaf;
use crate::support::proxy::Proxy;
use crate::support::{Authority, JSON, Reply, Server, Step, response, step};

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
fn a_proxy_that_makes_no_way_is_named_without_its_password() {
    let refusing = [
        "407 Proxy Authentication Required",
        "403 Forbidden",
        "502 Bad Gateway",
    ]
    .map(Proxy::answering);
    let mut outcomes: Vec<String> = Vec::new();
    for proxy in &refusing {
        let url = format!("http://user:PASSWORD@{}", proxy.host());
        outcomes.push(
            through(proxy, &sign_in(), &api())
                .env("HTTPS_PROXY", url)
                .run()
                .to_string(),
        );
    }
    let unreachable = through(&refusing[0], &sign_in(), &api())
        .env("HTTPS_PROXY", "http://user:PASSWORD@127.0.0.1:1");
    outcomes.push(unreachable.run().to_string());
    let unknown = format!("http://user:PASSWORD@{}.example:3128", "a".repeat(64));
    outcomes.push(
        through(&refusing[0], &sign_in(), &api())
            .env("HTTPS_PROXY", unknown)
            .run()
            .to_string(),
    );
    for wrong in ["127.0.0.1 3128", "ftp://user:PASSWORD@127.0.0.1", "http://"] {
        outcomes.push(
            through(&refusing[0], &sign_in(), &api())
                .env("HTTPS_PROXY", wrong)
                .run()
                .to_string(),
        );
    }
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
    assert!(
        outcome.stderr.contains("(issued by CN=Unknown Test CA)"),
        "{outcome}"
    );
}
