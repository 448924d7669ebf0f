//! What holds across all stages.

use std::fs::OpenOptions;

use cancel_machine_action::output::exit_status::ExitStatus;
use cancel_machine_action::output::failure::FailureCode;
use cancel_machine_action::output::generated_files;
use cancel_machine_action::publish;
use jsonschema::Draft;
use serde_json::{Value, json};

use crate::input::validate;
use crate::support::running::Running;
use crate::support::{
    JSON, Outcome, REQUEST, Reply, Server, Step, assert_snapshot, each, request_for, response, step,
};

#[test]
fn every_exit_status_is_produced() {
    let ok = || {
        Server::tls([Reply::bytes(response(
            "200 OK",
            &[JSON],
            r#"{"id":"988cc94e-7a8f-4b28-ab65-54970c5d5018"}"#,
        ))])
    };
    let not_found = Server::tls([Reply::bytes(response("404 Not Found", &[JSON], "{}"))]);
    let refusal = r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided."}"#;
    let sign_in = Server::tls([Reply::bytes(response("401 Unauthorized", &[JSON], refusal))]);
    let silent = Server::tls([Reply::bytes("")]);
    let asking = ["Retry-After: 9007199254740991"];
    let throttled = Server::tls([Reply::bytes(response("429 x", &asking, ""))]);
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let pending = request_for("00000000-0000-0000-0000-000000200006");
    let (fine, api) = (ok(), ok());
    let steps = [
        step().api_with_token(&fine),
        step().api_with_token(&not_found),
        step().stdin("{}"),
        step(),
        step().api(&api).signing_in_at(&sign_in),
        step().api_with_token(&silent),
        step().args(["--sandbox", "--wait", "0.1"]).stdin(pending),
        step().api_with_token(&fine).stdout(full),
        step()
            .api_with_token(&throttled)
            .args(["--batch"])
            .stdin(format!("{REQUEST}\n{REQUEST}"))
            .naming("9007199254740990", "{left}")
            .naming("9007199254740991", "{left}"),
    ];
    let stopped = |signal| {
        let step = step().args(["--sandbox"]).stdin("").holding_stdin_open();
        let listens = Running::soon_after(|step: &Running| step.catches(2) && step.catches(15));
        step.signalling(signal, listens)
    };
    let steps = steps.into_iter().chain(["INT", "TERM"].map(stopped));
    let outcomes = each(steps, Step::run);
    let statuses: Vec<i32> = outcomes
        .iter()
        .filter_map(|outcome| outcome.status)
        .collect();
    assert_eq!(
        statuses,
        ExitStatus::ALL
            .iter()
            .map(|status| i32::from(status.number()))
            .collect::<Vec<_>>()
    );
    let outcomes: Vec<String> = outcomes.iter().map(ToString::to_string).collect();
    assert_snapshot!(outcomes.join("\n\n"));
}

/// Every way to fail, with a marker in all that is secret; none may show it.
#[test]
fn no_secret_and_no_value_of_the_request_shows_in_any_failure() {
    const MARKER: &str = "M4RK3R";
    let echo = format!(
        r#"{{"error":"invalid_client","error_description":"You sent {MARKER}-secret and {MARKER}-secret"}}"#
    );
    let request = format!(
        r#"{{"path_parameters":{{"machineactionid":"00000000-0000-0000-0000-000000404000"}},"json_body":{{"Comment":"{MARKER}"}}}}"#
    );
    let token = format!("{MARKER}.token");
    let granted = format!(r#"{{"access_token":"{MARKER}.token"}}"#);
    let secret = |step: Step, server: &Server| {
        step.signing_in_at(server)
            .env("AZURE_CLIENT_SECRET", format!("{MARKER}-secret"))
    };
    let apis: Vec<Server> = [
        Reply::bytes(""),
        Reply::bytes("not HTTP\r\n\r\n"),
        Reply::bytes("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"),
        Reply::bytes(response("200 OK", &["Content-Encoding: gzip"], "no gzip")),
        Reply::bytes(response("401 Unauthorized", &[JSON], "{}")),
        Reply::bytes(response("403 Forbidden", &[JSON], "{}")),
        Reply::bytes(response("500 Oops", &[JSON], "{}")),
        Reply::silence(),
        Reply::unasked(""),
    ]
    .map(|reply| Server::tls([reply]))
    .into();
    let mut steps: Vec<Step> = Vec::new();
    for api in &apis {
        steps.push(step().api(api).env("MDE_ACCESS_TOKEN", &token));
    }
    let sign_ins: Vec<Server> = [
        Reply::bytes(response("400 Bad Request", &[JSON], &echo)),
        Reply::bytes(response("500 Oops", &[JSON], &echo)),
        Reply::bytes(response(
            "200 OK",
            &[JSON],
            format!(r#"{{"access_token":"{MARKER} {MARKER}"}}"#),
        )),
        Reply::bytes(""),
        Reply::silence(),
        Reply::bytes(response("200 OK", &[JSON], &granted)),
    ]
    .map(|reply| Server::tls([reply]))
    .into();
    for sign_in in &sign_ins {
        steps.push(secret(step().api(&apis[0]), sign_in));
    }
    let both = secret(step(), &sign_ins[0]).env("MDE_ACCESS_TOKEN", &token);
    steps.push(both);
    steps.push(step().env("MDE_ACCESS_TOKEN", format!("{MARKER}\n")));
    steps.push(step().args([]).env("AZURE_CLIENT_SECRET", MARKER));
    steps.push(step().args(["--sandbox"]));
    each(steps, |step| {
        let outcome = step
            .args(["--verbose", "--timeout", "1"])
            .stdin(&request)
            .run();
        assert_ne!(outcome.status, Some(0), "{outcome}");
        assert!(!outcome.to_string().contains(MARKER), "{outcome}");
    });
    let broken = [
        request.replace("json_body", "json_bodY"),
        request.replace("Comment", "comment"),
        request.replace(
            "00000000-0000-0000-0000-000000404000",
            &format!("../{MARKER}"),
        ),
        request.replace('}', ""),
        format!("{request}{request}"),
        request.replace(MARKER, &format!("{MARKER}\\ud800")),
    ];
    for request in broken {
        let outcome = step().stdin(request).run();
        assert_eq!(outcome.status, Some(2), "{outcome}");
        assert!(!outcome.to_string().contains(MARKER), "{outcome}");
    }
}

const DRAFT_2020_12: &str = "https://json-schema.org/draft/2020-12/schema";
const DRAFT_07: &str = "http://json-schema.org/draft-07/schema#";

#[test]
fn the_schemas_and_their_examples_are_valid_in_both_drafts_and_say_the_same_in_both() {
    let drafts = [Draft::Draft202012, Draft::Draft7];
    for (path, mut schema) in publish::files() {
        if !path.ends_with(".schema.json") {
            continue;
        }
        assert!(jsonschema::meta::is_valid(&schema), "{path}");
        let examples = schema["examples"].as_array().cloned().unwrap_or_default();
        assert!(!examples.is_empty(), "{path} has no example");
        for dialect in [DRAFT_2020_12, DRAFT_07] {
            schema["$schema"] = json!(dialect);
            assert!(jsonschema::meta::is_valid(&schema), "{path}: {dialect}");
            for example in &examples {
                let is_valid = jsonschema::is_valid(&schema, example);
                assert!(is_valid, "{path}: {dialect}: {example}");
            }
        }
    }
    let mut schema: Value = serde_json::from_str(generated_files::INPUT).unwrap();
    schema.as_object_mut().unwrap().remove("$schema");
    let verdicts = |request: &Value| {
        drafts.map(|draft| {
            jsonschema::options()
                .with_draft(draft)
                .build(&schema)
                .unwrap()
                .is_valid(request)
        })
    };
    for request in validate::good() {
        assert_eq!(verdicts(&request), [true, true], "{request}");
    }
    for (name, request) in validate::bad() {
        assert_eq!(verdicts(&request), [false, false], "{name}");
    }
}

/// Whether the output schema takes `document`.
pub fn output_accepts(document: &Value) -> bool {
    let schema: Value = serde_json::from_str(generated_files::OUTPUT).unwrap();
    jsonschema::is_valid(&schema, document)
}

/// Bodies as captured from the service and from gateways before it.
#[test]
fn the_output_schema_takes_what_the_wire_really_sends() {
    let bodies = [
        r#"{"@odata.context":"https://api.securitycenter.microsoft.com/api/$metadata#MachineActions/$entity","id":"6b001073-5500-4205-8287-6f1184936f67","type":"Isolate","title":null,"requestor":"Integration MSGraph Security API","requestorComment":"New new comment","status":"Pending","machineId":"1234","computerDnsName":"windows11","creationDateTimeUtc":"2024-10-21T11:25:48.3308187Z","lastUpdateDateTimeUtc":"2024-10-21T11:25:48.330819Z","cancellationRequestor":null,"cancellationComment":null,"cancellationDateTimeUtc":null,"errorHResult":0,"scope":null,"externalId":null,"requestSource":"PublicApi","relatedFileInfo":null,"commands":[],"troubleshootInfo":null}"#,
        r#"{"commands":[{"index":0,"startTime":"2025-07-07T18:50:10.186354Z","endTime":"2025-07-07T18:50:21.811356Z","commandStatus":"Completed","errors":[],"command":{"type":"RunScript","params":[{"key":"ScriptName","value":"x.ps1"}]}}]}"#,
        r#"{"commands":["PutFile"],"relatedFileInfo":{"fileIdentifier":"x","fileIdentifierType":"Sha1"},"newKey":[1]}"#,
        r#"{"commands":null,"relatedFileInfo":""}"#,
        r#"{"error":{"code":"ResourceNotFound","message":"Machine 123123123 was not found","target":"43f4cb08-8fac-4b65-9db1-745c2ae65f3a"}}"#,
        r#"{"error":{"code":"","message":"The query specified in the URI is not valid.","details":[]}}"#,
        r#"{"error":{"code":400,"source":"logic-apis-northcentralus.azure-apim.net","clientRequestId":"x","innerError":"x"}}"#,
        r#"{"statusCode":404,"message":"Resource not found"}"#,
        r#"{"type":"https://tools.ietf.org/html/rfc7231#section-6.5.4","title":"Not Found","status":404,"traceId":"00-x"}"#,
        r#"{"error":"a text"}"#,
        "{}",
        "<html></html>",
        "",
    ];
    each(bodies, |body| {
        let server = Server::tls([Reply::bytes(response(
            "200 OK",
            &[JSON, "X-Other: 1"],
            body,
        ))]);
        let answer = step().api_with_token(&server).run().json();
        assert!(output_accepts(&answer), "{answer}");
    });
}

#[test]
fn the_output_schema_takes_nothing_else() {
    let good = json!({"status_code": 200, "reason": "OK", "response_headers": {}, "json_body": {}});
    assert!(output_accepts(&good));
    let with = |key: &str, value: Value| {
        let mut document = good.clone();
        document[key] = value;
        document
    };
    let without = |key: &str| {
        let mut document = good.clone();
        document.as_object_mut().unwrap().remove(key);
        document
    };
    let bad = [
        without("status_code"),
        without("reason"),
        without("response_headers"),
        without("json_body"),
        with("response_text", json!("both")),
        with("status_code", json!("200")),
        with("response_headers", json!({"Vary": ["a", "b"]})),
        with("json_body", json!([])),
        with("json_body", json!({"id": 5})),
        json!({"error": {}}),
    ];
    for document in bad {
        assert!(!output_accepts(&document), "{document}");
    }
}

/// The documented keys and headers, each with its type.
#[test]
fn the_output_schema_describes_every_documented_key() {
    let schema: Value = serde_json::from_str(generated_files::OUTPUT).unwrap();
    let documented = publish::schemas::documented_answer();
    let described = [
        ("json_body", "/oneOf/0/properties/json_body/properties"),
        (
            "response_headers",
            "/properties/response_headers/properties",
        ),
    ];
    for (part, pointer) in described {
        for key in documented[part].as_object().unwrap().keys() {
            let property = &schema.pointer(pointer).unwrap()[key];
            assert!(property["description"].is_string(), "{part}.{key}");
        }
    }
    assert_eq!(schema["examples"], json!([documented]));
}

#[test]
fn every_property_of_every_schema_has_a_description() {
    fn undescribed(path: &str, schema: &Value, found: &mut Vec<String>) {
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            if !property["description"].is_string() {
                found.push(format!("{path}/{name}"));
            }
            undescribed(&format!("{path}/{name}"), property, found);
        }
        for keyword in ["oneOf", "anyOf"] {
            for branch in schema[keyword].as_array().into_iter().flatten() {
                undescribed(path, branch, found);
            }
        }
        if schema["items"].is_object() {
            undescribed(&format!("{path}/items"), &schema["items"], found);
        }
    }
    let mut found = Vec::new();
    for (path, schema) in publish::files() {
        if path.ends_with(".schema.json") {
            undescribed(path, &schema, &mut found);
        }
    }
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn every_failure_document_is_what_its_schema_says() {
    let schema: Value = serde_json::from_str(generated_files::ERROR).unwrap();
    let refused = Server::tls([Reply::bytes("")]);
    let documents: Vec<Outcome> = vec![
        step().stdin("{}").run(),
        step().args(["--bogus"]).run(),
        step().run(),
        step().api_with_token(&refused).run(),
    ];
    for outcome in documents {
        assert!(jsonschema::is_valid(&schema, &outcome.json()), "{outcome}");
    }
    let names: Vec<Value> = FailureCode::ALL.iter().map(|code| json!(code)).collect();
    let described = schema
        .pointer("/properties/error/properties/code/oneOf")
        .unwrap();
    let described: Vec<Value> = described
        .as_array()
        .unwrap()
        .iter()
        .map(|code| code["const"].clone())
        .collect();
    assert_eq!(described, names);
}

#[test]
fn the_manifest_is_what_its_schema_says_and_has_cargos_version() {
    let files = publish::files();
    let schema = &files["schema/manifest.schema.json"];
    let manifest: Value = serde_json::from_str(generated_files::MANIFEST).unwrap();
    assert!(jsonschema::is_valid(schema, &manifest));
    assert_eq!(manifest["version"], env!("CARGO_PKG_VERSION"));
    for path in manifest["schemas"].as_object().unwrap().values() {
        assert!(files.contains_key(path.as_str().unwrap()), "{path}");
    }
}
