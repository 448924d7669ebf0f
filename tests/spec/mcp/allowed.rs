//! Only what is allowed is cancelled.

use serde_json::{Value, json};

use crate::support::client::{Client, document, server};
use crate::support::{JSON, Reply, Server, response};

const ID: &str = "988cc94e-7a8f-4b28-ab65-54970c5d5018";

fn reply(entity: impl ToString) -> Reply {
    Reply::bytes(response("200 OK", &[JSON], entity.to_string()))
}

fn entity(kind: impl Into<Value>) -> Value {
    json!({"id": ID, "type": kind.into(), "status": "Pending"})
}

fn cancels(api: &Server) -> usize {
    let received = api.received();
    received
        .iter()
        .filter(|request| request.starts_with("POST"))
        .count()
}

#[test]
fn without_allow_there_is_no_tool_that_cancels() {
    let api = Server::plain([reply(entity("Isolate"))]);
    let mut client = Client::legacy(server().api_with_token(&api));
    client.request(1, "tools/list", json!({}));
    assert!(
        !client
            .hear()
            .to_string()
            .contains("cancel_machine_action\"")
    );
    client.cancel(2, ID);
    let refused = client.hear();
    assert_eq!(refused["error"]["code"], -32602);
    assert!(!refused.to_string().contains("allow"), "{refused}");
    client.end();
    assert_eq!(api.received().len(), 0);
}

#[test]
fn what_is_not_surely_of_an_allowed_type_is_never_sent() {
    let twice = format!(r#"{{"id":"{ID}","type":"Isolate","type":"Offboard","status":"Pending"}}"#);
    let other = json!({"id": "11111111-0000-0000-0000-000000000000", "type": "Isolate"});
    let entities = [
        entity("Offboard").to_string(),
        entity("isolate").to_string(),
        entity("Isolate ").to_string(),
        entity("").to_string(),
        entity("any").to_string(),
        entity(json!(null)).to_string(),
        entity(json!(["Isolate"])).to_string(),
        json!({"id": ID}).to_string(),
        twice,
        other.to_string(),
        json!([entity("Isolate")]).to_string(),
        "\"Isolate\"".to_owned(),
        "Isolate".to_owned(),
        String::new(),
    ];
    let count = entities.len();
    let mut replies: Vec<Reply> = entities.into_iter().map(reply).collect();
    for status in ["403 Forbidden", "404 Not Found", "302 Found"] {
        replies.push(Reply::bytes(response(
            status,
            &[JSON],
            entity("Isolate").to_string(),
        )));
    }
    let api = Server::plain(replies);
    let server = server()
        .api_with_token(&api)
        .env("MDE_CALLS_PER_MINUTE", "0");
    let mut client = Client::legacy(server.args(["--allow", "Isolate,RunAntiVirusScan"]));
    for number in 1..=count + 3 {
        client.cancel(number, ID);
        let refused = client.hear();
        assert_eq!(refused["result"]["isError"], true, "{number}");
        let error = &document(&refused)["error"];
        assert_eq!(error["code"], "not_allowed", "{number}: {error}");
        assert_eq!(error["request_sent"], "no");
    }
    client.end();
    assert_eq!((cancels(&api), api.received().len()), (0, count + 3));
}

#[test]
fn the_type_is_read_anew_for_each_call() {
    let api = Server::plain([
        reply(entity("Isolate")),
        reply(entity("Isolate")),
        reply(entity("Offboard")),
        reply(entity("Offboard")),
    ]);
    let mut client = Client::legacy(server().api_with_token(&api).args(["--allow", "Isolate"]));
    client.cancel(1, ID);
    assert_eq!(client.hear()["result"]["isError"], false);
    client.cancel(2, ID);
    assert_eq!(document(&client.hear())["error"]["code"], "not_allowed");
    client.end();
    assert_eq!((cancels(&api), api.received().len()), (1, 3));
}

#[test]
fn an_answer_that_changes_its_type_after_the_read_is_told_as_it_is() {
    let api = Server::plain([reply(entity("Isolate")), reply(entity("Offboard"))]);
    let mut client = Client::legacy(server().api_with_token(&api).args(["--allow", "Isolate"]));
    client.cancel(1, ID);
    let answer = client.hear();
    assert_eq!(
        answer["result"]["structuredContent"]["json_body"]["type"],
        "Offboard"
    );
    let ended = client.end();
    assert!(ended.stderr.contains("type Offboard"), "{}", ended.stderr);
}

#[test]
fn with_any_nothing_is_read_first() {
    let api = Server::plain([reply(entity("Offboard"))]);
    let mut client = Client::legacy(server().api_with_token(&api).args(["--allow", "any"]));
    client.cancel(1, ID);
    assert_eq!(client.hear()["result"]["isError"], false);
    client.end();
    assert_eq!((cancels(&api), api.received().len()), (1, 1));
}
