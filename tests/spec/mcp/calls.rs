//! Calls of tools, and what they come to.

use cancel_machine_action::output::generated_files;
use cancel_machine_action::publish;
use serde_json::{Value, json};

use crate::support::client::{Client, arguments, document, modern, server};
use crate::support::{JSON, Reply, Server, assert_snapshot, each, response};

const ID: &str = "988cc94e-7a8f-4b28-ab65-54970c5d5018";

fn entity(kind: &str, status: &str) -> Vec<u8> {
    let entity = json!({"id": ID, "type": kind, "status": status, "commands": []});
    response("200 OK", &[JSON], entity.to_string())
}

#[test]
fn an_action_is_read_and_cancelled() {
    let api = Server::plain([
        Reply::bytes(entity("Isolate", "Pending")),
        Reply::bytes(entity("Isolate", "Cancelled")),
    ]);
    let server = server().api_with_token(&api).args(["--allow", "any"]);
    let mut client = Client::legacy(server);
    client.call(1, "get_machine_action", json!({"machineactionid": ID}));
    let read = client.hear();
    assert_eq!(read["result"]["isError"], false);
    assert_eq!(
        read["result"]["structuredContent"]["json_body"]["status"],
        "Pending"
    );
    assert_eq!(document(&read), read["result"]["structuredContent"]);
    client.cancel("b", ID);
    let cancelled = client.hear();
    assert_eq!(cancelled["id"], "b");
    assert_eq!(
        cancelled["result"]["structuredContent"]["json_body"]["status"],
        "Cancelled"
    );
    assert_eq!(cancelled["result"].get("resultType"), None);
    let ended = client.end();
    assert_eq!(ended.status, Some(0));
    assert_snapshot!(ended.stderr, @"
    cancel-machine-action: action 988cc94e-7a8f-4b28-ab65-54970c5d5018: get_machine_action: type Isolate, the service answered 200 OK
    cancel-machine-action: action 988cc94e-7a8f-4b28-ab65-54970c5d5018: cancel_machine_action: type Isolate, the service answered 200 OK
    ");
    let received = api.received();
    assert_eq!(received.len(), 2);
    assert!(received[0].starts_with("GET /api/machineactions/988cc94e"));
    assert!(received[1].starts_with("POST /api/machineactions/988cc94e"));
    assert!(received[1].ends_with(r#"{"Comment":"not needed"}"#));
}

/// A client throws away what is not as the tool's schema says: then the answer of a cancel that was sent would be lost.
#[test]
fn whatever_the_service_writes_is_as_the_schema_of_its_tool_says() {
    let tools: Value = serde_json::from_str(generated_files::TOOLS).unwrap();
    let schema_of = |name: &str| {
        let mut tools = tools["tools"].as_array().unwrap().iter();
        tools.find(|tool| tool["name"] == name).unwrap()["outputSchema"].clone()
    };
    let documented = publish::schemas::documented_answer();
    let keys = documented["json_body"].as_object().unwrap().keys();
    let values = [
        json!(null),
        json!(7.5),
        json!("x"),
        json!([null]),
        json!({"a": [1]}),
    ];
    let rows = keys.flat_map(|key| values.clone().map(|value| (key, value)));
    each(rows, |(key, value)| {
        let mut action = json!({"id": ID, "type": "Isolate", "status": "Pending"});
        action[key] = value;
        let page = json!({"value": [action]}).to_string();
        let api = Server::plain([
            Reply::bytes(response("200 OK", &[JSON], action.to_string())),
            Reply::bytes(response("200 OK", &[JSON], action.to_string())),
            Reply::bytes(response("200 OK", &[JSON], page)),
        ]);
        let server = server().api_with_token(&api).args(["--allow", "any"]);
        let mut client = Client::legacy(server);
        let id = json!({"machineactionid": ID});
        client.call(1, "get_machine_action", id);
        client.cancel(2, ID);
        client.call(3, "list_machine_actions", json!({"status": ["Pending"]}));
        for name in [
            "get_machine_action",
            "cancel_machine_action",
            "list_machine_actions",
        ] {
            let answer = client.hear();
            let structured = &answer["result"]["structuredContent"];
            assert!(
                jsonschema::is_valid(&schema_of(name), structured),
                "{name}: {answer}"
            );
        }
        client.end();
    });
}

#[test]
fn a_refusal_is_an_error_with_the_answer_and_a_failure_one_without() {
    let refusal = response(
        "404 Not Found",
        &[JSON],
        r#"{"error":{"code":"ResourceNotFound"}}"#,
    );
    let api = Server::plain([Reply::bytes(refusal), Reply::bytes("not HTTP")]);
    let server = server()
        .api_with_token(&api)
        .args(["--allow", "any", "--timeout", "1"]);
    let mut client = Client::of(server);
    let params = json!({"name": "cancel_machine_action", "arguments": arguments(ID)});
    client.say(modern(1, "tools/call", params.clone()));
    let refused = client.hear();
    assert_eq!(refused["result"]["isError"], true);
    assert_eq!(refused["result"]["structuredContent"]["status_code"], 404);
    assert_eq!(refused["result"]["structuredContent"]["retryable"], false);
    assert_eq!(refused["result"]["resultType"], "complete");
    client.say(modern(2, "tools/call", params));
    let failed = client.hear();
    assert_eq!(failed["result"]["isError"], true);
    assert_eq!(failed["result"].get("structuredContent"), None);
    assert_eq!(document(&failed)["error"]["request_sent"], "unknown");
    let ended = client.end();
    let audit: Vec<&str> = ended
        .stderr
        .lines()
        .filter(|line| line.contains("_action: "))
        .collect();
    assert_eq!(audit.len(), 2, "{}", ended.stderr);
}

#[test]
fn what_a_call_gives_is_checked_before_anything_is_sent() {
    let api = Server::plain([Reply::bytes(entity("Isolate", "Pending"))]);
    let mut client = Client::legacy(server().api_with_token(&api).args(["--allow", "any"]));
    let rows = [
        ("nothing_known", json!({})),
        ("", json!({})),
        ("get_machine_action", json!([])),
        ("get_machine_action", json!(null)),
        ("get_machine_action", json!("x")),
    ];
    for (tool, arguments) in rows {
        client.call(1, tool, arguments.clone());
        let answer = client.hear();
        assert_eq!(answer["error"]["code"], -32602, "{tool} {arguments}");
    }
    let rows = [
        ("get_machine_action", json!({})),
        ("get_machine_action", json!({"machineactionid": "../x"})),
        ("get_machine_action", json!({"machineactionid": 1})),
        (
            "get_machine_action",
            json!({"machineactionid": ID, "confirm": true}),
        ),
        ("cancel_machine_action", json!({})),
        ("cancel_machine_action", json!({"machineactionid": ID})),
        (
            "cancel_machine_action",
            json!({"path_parameters": {"machineactionid": ID}, "json_body": {"comment": "x"}}),
        ),
        (
            "cancel_machine_action",
            json!({"path_parameters": {"machineactionid": ID}, "json_body": {}, "confirm": true}),
        ),
    ];
    for (tool, arguments) in rows {
        client.call(1, tool, arguments.clone());
        let answer = client.hear();
        assert_eq!(answer["result"]["isError"], true, "{tool} {arguments}");
        assert_eq!(
            document(&answer)["error"]["code"],
            "invalid_input",
            "{tool} {arguments}"
        );
        assert_eq!(document(&answer)["error"]["request_sent"], "no");
    }
    for line in [
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_machine_action","arguments":{"machineactionid":"x","machineactionid":"y"}}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_machine_action","name":"x","arguments":{"machineactionid":"x"}}}"#,
    ] {
        client.say(line);
        let answer = client.hear();
        assert!(
            answer["result"]["isError"] == true || answer["error"]["code"] == -32602,
            "{line}"
        );
    }
    client.request(1, "tools/call", json!({"name": "get_machine_action"}));
    assert_eq!(document(&client.hear())["error"]["code"], "invalid_input");
    client.end();
    assert_eq!(api.received().len(), 0);
}

#[test]
fn the_action_is_watched_within_the_time_limit() {
    let api = Server::plain([
        Reply::bytes(entity("Isolate", "Pending")),
        Reply::bytes(entity("Isolate", "Pending")),
        Reply::bytes(entity("Isolate", "Cancelled")),
    ]);
    let server = server().api_with_token(&api);
    let mut client = Client::legacy(server.args(["--allow", "any", "--wait", "3"]));
    client.cancel(1, ID);
    assert_eq!(
        client.hear()["result"]["structuredContent"]["outcome"],
        "cancelled"
    );
    assert_eq!(api.received().len(), 3);
}

#[test]
fn an_action_that_stays_open_is_pending_before_the_time_limit_ends() {
    let api = Server::plain([Reply::bytes(entity("Isolate", "Pending"))]);
    let server = server().api_with_token(&api);
    let server = server.args(["--allow", "any", "--wait", "3.9"]);
    let mut client = Client::legacy(server);
    let begun = std::time::Instant::now();
    client.cancel(1, ID);
    let answer = client.hear();
    assert_eq!(answer["result"]["structuredContent"]["outcome"], "pending");
    assert_eq!(answer["result"]["isError"], true);
    assert!(begun.elapsed().as_secs_f64() < 4.2, "{begun:?}");
}

#[test]
fn a_call_that_the_pace_does_not_allow_in_time_is_not_begun() {
    let api = Server::plain([Reply::bytes(entity("Isolate", "Pending"))]);
    let server = server().api_with_token(&api);
    // One call each 6.7 s.
    let server = server.env("MDE_CALLS_PER_MINUTE", "10");
    let mut client = Client::legacy(server.args(["--allow", "Isolate"]));
    client.cancel(1, ID);
    let begun = std::time::Instant::now();
    let refused = client.hear();
    let error = &document(&refused)["error"];
    assert_eq!(
        (&error["code"], &error["request_sent"]),
        (&json!("throttled"), &json!("no"))
    );
    assert_eq!(error["retry_after_seconds"], 7);
    client.call(2, "get_machine_action", json!({"machineactionid": ID}));
    assert_eq!(document(&client.hear())["error"]["code"], "throttled");
    assert!(begun.elapsed().as_secs() < 3);
    assert_eq!(api.received().len(), 1);
}

#[test]
fn the_calls_share_one_token() {
    let sign_in = Server::granting(&["first", "second"], 3600);
    let api = Server::tls([Reply::keeping_open(entity("Isolate", "Pending"))]);
    let server = server().api(&api).signing_in_at(&sign_in);
    let mut client = Client::legacy(server);
    for id in 1..=3 {
        client.call(id, "get_machine_action", json!({"machineactionid": ID}));
        assert_eq!(client.hear()["result"]["isError"], false);
    }
    assert_eq!(sign_in.received().len(), 1);
    assert_eq!(api.connections(), 1);
}

#[test]
fn an_agent_that_hands_on_an_answer_is_told_of_its_arguments_and_not_of_a_pipe() {
    let mut client = Client::legacy(server().args(["--sandbox", "--allow", "any"]));
    let answer = json!({"status_code": 200, "json_body": {"id": ID}});
    client.call(1, "cancel_machine_action", answer);
    let text = client.hear()["result"]["content"][0]["text"].to_string();
    assert!(text.contains("path_parameters"), "{text}");
    assert!(!text.contains("pipe") && !text.contains("line"), "{text}");
    client.end();
}
