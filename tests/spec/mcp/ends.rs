//! How a server ends.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::client::{Client, arguments, document, entity, id, modern, server, slow};
use crate::support::{JSON, Reply, Server, each, response};

#[test]
fn the_end_of_input_answers_what_was_accepted() {
    let api = Server::plain([slow(), Reply::bytes(entity())]);
    let mut client = Client::legacy(server().api_with_token(&api).args(["--allow", "any"]));
    for number in 1..=3 {
        client.cancel(number, &id(number));
    }
    let ended = client.end();
    assert_eq!(ended.status, Some(0));
    let ids: Vec<_> = ended
        .rest
        .iter()
        .map(|answer| answer["id"].clone())
        .collect();
    assert_eq!(ids, [json!(1), json!(2), json!(3)]);
    assert_eq!(api.received().len(), 3);
}

#[test]
fn without_calls_the_end_of_input_is_the_end() {
    let ended = Client::legacy(server()).end();
    assert_eq!((ended.status, ended.rest), (Some(0), vec![]));
    assert!(ended.took < Duration::from_secs(4), "{:?}", ended.took);
}

#[test]
fn a_signal_ends_it_within_five_seconds_and_what_is_known_is_told() {
    let api = Server::plain([Reply::silence()]);
    let server = server().api_with_token(&api).args(["--allow", "any"]);
    let mut client = Client::legacy(server.args(["--timeout", "18"]));
    client.cancel(1, &id(1));
    client.until(api.heard(1));
    client.cancel(2, &id(2));
    client.request(3, "ping", json!({}));
    assert_eq!(client.hear()["id"], 3);
    let ended = client.signal("TERM");
    assert_eq!(ended.status, Some(143));
    assert!(ended.took < Duration::from_secs(5), "{:?}", ended.took);
    let mut known: Vec<_> = ended
        .rest
        .iter()
        .map(|answer| {
            (
                answer["id"].clone(),
                document(answer)["error"]["code"].clone(),
                document(answer)["error"]["request_sent"].clone(),
            )
        })
        .collect();
    known.sort_by_key(|(id, ..)| id.as_u64());
    assert_eq!(
        known,
        [
            (json!(1), json!("interrupted"), json!("unknown")),
            (json!(2), json!("interrupted"), json!("no")),
        ]
    );
    assert_eq!(api.received().len(), 1);
    for (number, said) in [
        (1, "Whether the action was cancelled is not known"),
        (2, "no cancel was sent"),
    ] {
        let line = |line: &&str| line.contains(&id(number)) && line.contains("told to stop");
        let told = ended.stderr.lines().find(line).unwrap();
        assert!(told.contains(said), "{}", ended.stderr);
    }
}

#[test]
fn a_call_that_ends_soon_after_a_signal_is_answered() {
    let api = Server::plain([slow()]);
    let mut client = Client::legacy(server().api_with_token(&api).args(["--allow", "any"]));
    client.cancel(1, &id(1));
    client.until(api.heard(1));
    let ended = client.signal("INT");
    assert_eq!(ended.status, Some(130));
    assert_eq!(ended.rest.len(), 1);
    assert_eq!(ended.rest[0]["result"]["isError"], false);
}

#[test]
fn without_calls_a_signal_ends_it_at_once() {
    for (name, status) in [("TERM", 143), ("INT", 130)] {
        let ended = Client::legacy(server()).signal(name);
        assert_eq!((ended.status, ended.rest), (Some(status), vec![]));
        assert!(ended.took < Duration::from_secs(4), "{:?}", ended.took);
    }
}

#[test]
fn a_client_that_does_not_listen_cannot_keep_it_from_ending() {
    let mut client = Client::deaf(server());
    for number in 0..300 {
        client.say(modern(number, "tools/list", json!({})));
    }
    let begun = std::time::Instant::now();
    client.until(move |_| begun.elapsed() > Duration::from_secs(1));
    let ended = client.signal("TERM");
    assert_eq!(ended.status, Some(143));
    assert!(ended.took < Duration::from_secs(5), "{:?}", ended.took);
    assert!(
        ended.stderr.contains("nobody reads stdout"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_client_that_is_gone_ends_it_and_what_was_sent_is_told() {
    let api = Server::plain([slow()]);
    let server = server().api_with_token(&api).args(["--allow", "any"]);
    let mut client = Client::deaf(server);
    client.close_stdout();
    for number in 1..=3 {
        let params = json!({"name": "cancel_machine_action", "arguments": arguments(&id(number))});
        client.say(modern(number, "tools/call", params));
    }
    client.until(api.heard(1));
    client.say(modern(4, "tools/list", json!({})));
    let ended = client.end();
    assert_eq!(ended.status, Some(7));
    assert!(ended.took < Duration::from_secs(5), "{:?}", ended.took);
    assert_eq!(api.received().len(), 1);
    assert!(
        ended.stderr.contains("stdout cannot be written"),
        "{}",
        ended.stderr
    );
    assert!(
        ended
            .stderr
            .contains("cancel_machine_action: type Isolate, the service answered 200 OK"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_command_line_that_is_wrong_is_told_on_stderr_only() {
    for args in [
        ["--allow", "any,Isolate"],
        ["--batch", ""],
        ["--wait", "45"],
        ["too", "many"],
    ] {
        let ended = Client::of(server().env("MDE_TIMEOUT", "").args(args)).end();
        assert_eq!((ended.status, ended.rest), (Some(2), vec![]), "{args:?}");
        assert!(
            ended.stderr.starts_with("cancel-machine-action: error: "),
            "{args:?}"
        );
    }
}

#[test]
fn settings_that_are_wrong_are_told_for_each_call() {
    let mut client = Client::legacy(server().env("MDE_CLOUD", "none"));
    for number in 1..=2 {
        client.call(
            number,
            "get_machine_action",
            json!({"machineactionid": "x"}),
        );
        let failed = client.hear();
        assert_eq!(document(&failed)["error"]["code"], "invalid_settings");
    }
    assert_eq!(client.end().status, Some(0));
}

#[test]
fn what_the_service_answered_is_told_even_if_the_wait_for_the_outcome_is_cut_short() {
    let body = json!({"id": id(1), "type": "Isolate", "status": "Pending"}).to_string();
    each(0..6, |_| {
        let api = Server::plain([Reply::bytes(response("200 OK", &[JSON], &body))]);
        let server = server().api_with_token(&api);
        let mut client =
            Client::legacy(server.args(["--allow", "any", "--wait", "30", "--timeout", "40"]));
        client.cancel(1, &id(1));
        client.until(api.heard(2));
        let ended = client.signal("TERM");
        assert_eq!(ended.status, Some(143));
        let known: Vec<Value> = ended.rest.iter().map(document).collect();
        assert_eq!(known.len(), 1, "{known:?}");
        assert_eq!(known[0]["status_code"], 200, "{known:?}");
    });
}

#[test]
fn a_read_that_is_cut_short_says_nothing_of_a_cancel() {
    let api = Server::plain([Reply::silence()]);
    let mut client = Client::legacy(server().api_with_token(&api));
    client.call(1, "get_machine_action", json!({"machineactionid": id(1)}));
    client.call(2, "list_machine_actions", json!({}));
    client.until(api.heard(1));
    let ended = client.signal("TERM");
    assert_eq!(ended.status, Some(143));
    assert_eq!(ended.rest.len(), 2, "{:?}", ended.rest);
    for answer in &ended.rest {
        let error = &document(answer)["error"];
        assert_eq!(error["code"], "interrupted", "{answer}");
        let message = error["message"].as_str().unwrap();
        assert!(
            message.ends_with("Nothing was read. Make the call again."),
            "{message}"
        );
    }
    assert!(!ended.stderr.contains("cancel was"), "{}", ended.stderr);
}
