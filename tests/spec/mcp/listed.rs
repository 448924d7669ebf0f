//! The actions that are open, as many as an agent can use.

use serde_json::{Value, json};

use crate::support::client::{Client, document, server};
use crate::support::{JSON, Reply, Server, response};

const TOOL: &str = "list_machine_actions";

fn action(number: usize) -> Value {
    json!({"id": format!("11111111-0000-0000-0000-{number:012}"), "type": "Isolate", "status": "Pending"})
}

fn page(actions: Vec<Value>, link: Option<&str>) -> Reply {
    let mut page = json!({"value": actions});
    if let Some(link) = link {
        page["@odata.nextLink"] = json!(link);
    }
    Reply::bytes(response("200 OK", &[JSON], page.to_string()))
}

fn list(api: &Server, arguments: Value) -> (Value, String) {
    let mut client = Client::legacy(server().api_with_token(api));
    client.call(1, TOOL, arguments);
    let answer = client.hear();
    (answer, client.end().stderr)
}

#[test]
fn the_open_actions_are_listed() {
    let api = Server::plain([page((1..=3).map(action).collect(), None)]);
    let (answer, stderr) = list(&api, json!({}));
    let structured = &answer["result"]["structuredContent"];
    assert_eq!(
        structured["actions"],
        json!([action(1), action(2), action(3)])
    );
    assert_eq!(
        (&structured["more"], &answer["result"]["isError"]),
        (&json!(false), &json!(false))
    );
    assert_eq!(&document(&answer), structured);
    assert!(api.received()[0].starts_with(
        "GET /api/machineactions?$filter=%28status%20eq%20%27Pending%27%20or%20status%20eq%20%27InProgress%27%29 "
    ));
    assert_eq!(
        stderr,
        "cancel-machine-action: list_machine_actions: 3 actions\n"
    );
}

#[test]
fn there_are_a_hundred_at_most_and_it_says_whether_there_are_more() {
    for (count, listed, more) in [(100, 100, false), (101, 100, true), (2000, 100, true)] {
        let api = Server::plain([page((0..count).map(action).collect(), None)]);
        let (answer, _) = list(&api, json!({}));
        let structured = &answer["result"]["structuredContent"];
        assert_eq!(structured["actions"].as_array().unwrap().len(), listed);
        assert_eq!(structured["more"], more, "{count}");
    }
}

#[test]
fn pages_are_followed_until_there_are_enough() {
    let link = "https://elsewhere.example/api/machineactions?$skip=60";
    let api = Server::plain([
        page((0..60).map(action).collect(), Some(link)),
        page(
            (60..120).map(action).collect(),
            Some("https://x.example/api/machineactions?$skip=120"),
        ),
    ]);
    let (answer, _) = list(&api, json!({"type": ["Isolate"]}));
    let structured = &answer["result"]["structuredContent"];
    assert_eq!(
        (
            structured["actions"].as_array().unwrap().len(),
            &structured["more"]
        ),
        (100, &json!(true))
    );
    assert_eq!(api.received().len(), 2);
}

#[test]
fn what_no_model_could_use_is_left_out() {
    let large = |number| {
        let mut action = action(number);
        action["title"] = json!("x".repeat(50_000));
        action
    };
    let api = Server::plain([page((0..10).map(large).collect(), None)]);
    let (answer, _) = list(&api, json!({}));
    let structured = &answer["result"]["structuredContent"];
    assert_eq!(
        (
            structured["actions"].as_array().unwrap().len(),
            &structured["more"]
        ),
        (5, &json!(true))
    );
}

#[test]
fn filters_go_into_the_query_and_nothing_else_does() {
    let api = Server::plain([page(vec![], None)]);
    let mut client = Client::legacy(server().api_with_token(&api));
    let filters = json!({"status": ["Failed"], "type": ["Isolate", "Offboard"], "machine_id": ["abc"], "requestor": ["A, B"], "since": "2026-11-01"});
    client.call(1, TOOL, filters);
    assert_eq!(
        client.hear()["result"]["structuredContent"],
        json!({"actions": [], "more": false})
    );
    for arguments in [
        json!({"status": "Pending"}),
        json!({"status": ["Pending,Failed"]}),
        json!({"status": ["x' or 1 eq 1"]}),
        json!({"requestor": ["x' or 1 eq 1"]}),
        json!({"machine_id": ["../x"]}),
        json!({"type": [1]}),
        json!({"type": vec!["x"; 26]}),
        json!({"since": null}),
        json!({"since": "yesterday"}),
        json!({"Status": ["Pending"]}),
        json!({"$filter": "x"}),
    ] {
        client.call(2, TOOL, arguments.clone());
        let failed = client.hear();
        assert_eq!(
            document(&failed)["error"]["code"],
            "invalid_input",
            "{arguments}"
        );
    }
    client.end();
    assert_eq!(api.received().len(), 1);
    assert!(
        api.received()[0]
            .contains("requestor%20eq%20%27A%2C%20B%27%20and%20creationDateTimeUtc%20ge%20")
    );
}

#[test]
fn a_list_that_is_refused_or_broken_is_an_error_in_text() {
    let refusal = Reply::bytes(response(
        "403 Forbidden",
        &[JSON],
        r#"{"error":{"code":"Forbidden"}}"#,
    ));
    let (answer, stderr) = list(&Server::plain([refusal]), json!({}));
    assert_eq!(
        (
            &answer["result"]["isError"],
            answer["result"].get("structuredContent")
        ),
        (&json!(true), None)
    );
    assert_eq!(document(&answer)["status_code"], 403);
    assert!(stderr.contains("Machine.Read.All"), "{stderr}");
    for (broken, code) in [
        ("{\"value\":[1]}", "invalid_answer"),
        ("{}", "invalid_answer"),
        ("[]", "invalid_answer"),
    ] {
        let api = Server::plain([Reply::bytes(response("200 OK", &[JSON], broken))]);
        let (answer, _) = list(&api, json!({}));
        assert_eq!(document(&answer)["error"]["code"], code, "{broken}");
    }
}
