//! Calls whose answers are not wanted any more, and calls that wait.

use std::time::Duration;

use serde_json::json;

use crate::support::client::{Client, document, entity, id, modern, server, slow};
use crate::support::{JSON, Reply, Server, assert_snapshot, response};

#[test]
fn a_list_is_answered_during_a_call() {
    let api = Server::plain([slow()]);
    let mut client = Client::legacy(server().api_with_token(&api).args(["--allow", "any"]));
    client.cancel(1, &id(1));
    client.until(api.heard(1));
    client.request(2, "tools/list", json!({}));
    client.say(modern(3, "server/discover", json!({})));
    let order = [client.hear(), client.hear(), client.hear()].map(|answer| answer["id"].clone());
    assert_eq!(order, [json!(2), json!(3), json!(1)]);
}

#[test]
fn a_call_that_is_given_up_while_it_waits_is_never_sent() {
    let api = Server::plain([slow()]);
    let mut client = Client::legacy(server().api_with_token(&api).args(["--allow", "any"]));
    client.cancel(1, &id(1));
    client.until(api.heard(1));
    client.cancel(2, &id(2));
    client.cancel("3", &id(3));
    client.cancel(3, &id(4));
    client.give_up(2);
    client.give_up("3");
    assert_eq!(
        [client.hear()["id"].clone(), client.hear()["id"].clone()],
        [json!(1), json!(3)]
    );
    let ended = client.end();
    assert_eq!((ended.status, ended.rest), (Some(0), vec![]));
    let received = api.received();
    assert_eq!(received.len(), 2, "{received:?}");
    assert!(received[1].contains(&id(4)));
    assert_snapshot!(ended.stderr, @"
    cancel-machine-action: action 11111111-0000-0000-0000-000000000002: cancel_machine_action: given up by the client before it was begun; nothing was sent
    cancel-machine-action: action 11111111-0000-0000-0000-000000000003: cancel_machine_action: given up by the client before it was begun; nothing was sent
    cancel-machine-action: action 11111111-0000-0000-0000-000000000001: cancel_machine_action: type Isolate, the service answered 200 OK
    cancel-machine-action: action 11111111-0000-0000-0000-000000000004: cancel_machine_action: the service answered 200 OK
    ");
}

#[test]
fn a_call_that_is_given_up_in_hand_gets_no_further_try_and_no_answer() {
    let busy = response("503 Service Unavailable", &[JSON], "{}");
    let api = Server::plain([
        Reply::bytes("")
            .pausing(Duration::from_millis(300))
            .then(busy),
        Reply::bytes(entity()),
    ]);
    let mut client = Client::legacy(server().api_with_token(&api).args(["--allow", "any"]));
    client.cancel(1, &id(1));
    client.until(api.heard(1));
    client.give_up(1);
    client.cancel(2, &id(2));
    assert_eq!(client.hear()["id"], 2);
    let ended = client.end();
    assert_eq!(ended.rest, vec![] as Vec<serde_json::Value>);
    let received = api.received();
    assert_eq!(received.len(), 2, "{received:?}");
    assert!(received[1].contains(&id(2)));
    assert!(
        ended
            .stderr
            .contains("given up by the client after the cancel was sent; the service answered 503"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_call_that_is_given_up_between_read_and_cancel_is_not_sent() {
    let api = Server::plain([slow(), Reply::bytes(entity())]);
    let server = server().api_with_token(&api).args(["--allow", "Isolate"]);
    let mut client = Client::legacy(server);
    client.cancel(1, &id(1));
    client.until(api.heard(1));
    client.give_up(1);
    let ended = client.end();
    assert_eq!((ended.status, ended.rest), (Some(0), vec![]));
    assert_eq!(api.received().len(), 1);
    assert!(
        ended
            .stderr
            .contains("given up by the client, the cancel was not sent"),
        "{}",
        ended.stderr
    );
}

#[test]
fn an_action_whose_watch_is_given_up_is_not_read_again() {
    let open = json!({"id": id(1), "type": "Isolate", "status": "Pending"}).to_string();
    let api = Server::plain([Reply::bytes(response("200 OK", &[JSON], open))]);
    let server = server().api_with_token(&api).args(["--allow", "any"]);
    let server = server.args(["--wait", "15", "--timeout", "18"]);
    let mut client = Client::legacy(server);
    client.cancel(1, &id(1));
    client.until(api.heard(3));
    client.give_up(1);
    let ended = client.end();
    assert!(ended.took < Duration::from_secs(5), "{ended:?}");
    assert_eq!(ended.rest, vec![] as Vec<serde_json::Value>);
    assert!(
        ended.stderr.contains("after the cancel was sent"),
        "{}",
        ended.stderr
    );
}

#[test]
fn an_id_that_is_still_open_is_not_taken_again() {
    let api = Server::plain([slow()]);
    let mut client = Client::legacy(server().api_with_token(&api).args(["--allow", "any"]));
    client.cancel(1, &id(1));
    client.until(api.heard(1));
    client.cancel(1, &id(2));
    let refused = client.hear();
    assert_eq!(
        (&refused["error"]["code"], refused.get("id")),
        (&json!(-32600), None)
    );
    assert_eq!(client.hear()["id"], 1);
    client.cancel(1, &id(3));
    assert_eq!(client.hear()["id"], 1);
    assert_eq!(api.received().len(), 2);
}

#[test]
fn calls_for_which_there_is_no_room_are_told_to_come_again() {
    let api = Server::plain([Reply::silence()]);
    let server = server().api_with_token(&api).args(["--allow", "any"]);
    let mut client = Client::legacy(server.args(["--timeout", "18"]));
    client.cancel(1, &id(1));
    client.until(api.heard(1));
    for number in 2..=34 {
        client.cancel(number, &id(number));
    }
    let full = client.hear();
    assert_eq!(full["id"], 34);
    let error = &document(&full)["error"];
    assert_eq!(
        (&error["code"], &error["retryable"]),
        (&json!("throttled"), &json!(true))
    );
    assert_eq!(error["request_sent"], "no");
}

#[test]
fn the_time_limit_of_a_call_begins_when_it_comes() {
    let api = Server::plain([Reply::silence()]);
    let server = server().api_with_token(&api).args(["--allow", "any"]);
    let mut client = Client::legacy(server.args(["--timeout", "1"]));
    let begun = std::time::Instant::now();
    client.cancel(1, &id(1));
    client.cancel(2, &id(2));
    assert_eq!(document(&client.hear())["error"]["request_sent"], "unknown");
    let waited = client.hear();
    assert_eq!(document(&waited)["error"]["code"], "timeout");
    assert_eq!(document(&waited)["error"]["request_sent"], "no");
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert_eq!(api.received().len(), 1);
}
