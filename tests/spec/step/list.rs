//! What is open.

use std::time::Duration;

use serde_json::Value;

use crate::support::batch::{batch, documents};
use crate::support::pages::{action, asked, ids, list, page, reply};
use crate::support::{Reply, Server, assert_snapshot, each, response, step};

/// The digits of the sandbox's actions that `args` list.
fn listed(args: &[&str]) -> Vec<String> {
    let outcome = step()
        .args(["list", "--sandbox"])
        .args(args.iter().copied());
    let outcome = outcome.run();
    assert_eq!(outcome.status, Some(0), "{outcome}");
    let digits = |id: String| id[30..].to_owned();
    ids(&outcome).into_iter().map(digits).collect()
}

#[test]
fn the_sandbox_lists_its_open_actions_over_several_pages_and_honours_filters() {
    let open = [
        "200000", "200002", "200003", "200004", "200005", "200006", "401001", "409000", "429001",
        "503001",
    ];
    assert_eq!(listed(&[]), open);
    assert_eq!(listed(&["--status", "Pending"]), open);
    assert_eq!(listed(&["--type", "LiveResponse"]), ["200004"]);
    assert_eq!(
        listed(&["--type", "Isolate", "--status", "Succeeded,Failed"]),
        ["200001", "400000"]
    );
    assert_eq!(listed(&["--machine-id", "0000"]), [""; 0]);
    let machine = "7b1f4967d9728e5aa3c06a9e617a22a4a5a17378";
    assert_eq!(
        listed(&["--machine-id", machine, "--since", "2025-02-07"]),
        open
    );
    assert_eq!(listed(&["--since", "2025-02-07T12:00:00Z"]), [""; 0]);
    // The service itself has left them out.
    let later = step().args(["list", "--sandbox", "--since", "2025-02-08"]);
    assert!(!later.run().stderr.contains("not match the filters"));
    let verbose = step().args(["list", "--sandbox", "--verbose"]).run();
    assert_eq!(verbose.stderr.matches("GET ").count(), 3, "{verbose}");
    let answered = "answered with status 200\n";
    assert_eq!(verbose.stderr.matches(answered).count(), 3, "{verbose}");
}

#[test]
fn the_requests_of_a_list_are_those_of_a_batch() {
    let requests = step()
        .args(["list", "--sandbox", "--requests", "it's \"stuck\"\u{202e}"])
        .run();
    assert_eq!(requests.status, Some(0), "{requests}");
    assert!(!requests.stdout.contains('\u{202e}'));
    let first = requests.stdout.lines().next().unwrap();
    assert_snapshot!(first, @r#"{"path_parameters":{"machineactionid":"00000000-0000-0000-0000-000000200000"},"json_body":{"Comment":"it's \"stuck\"\u202e"}}"#);
    let outcome = batch()
        .args(["--sandbox"])
        .stdin(&requests.stdout)
        .patiently()
        .run();
    let statuses: Vec<Value> = documents(&outcome)
        .into_iter()
        .map(|answer| answer["status_code"].clone())
        .collect();
    assert_eq!(statuses, [200, 200, 200, 200, 200, 200, 200, 409, 200, 200]);
}

#[test]
fn each_line_is_the_services_own_object_compact_and_otherwise_unchanged() {
    let entity = "{ \"z\" : 1.0e5,\r\n\t\"id\":\"a\",\"status\":\"InProgress\",\"a\":[ 1 , {\"b\":\"  \\u00e9\\n\u{202e}é \"} ],\n\"z2\":-0.10 }";
    let server = Server::tls([reply(page(&format!(" {entity}\n,\n{entity}"), None))]);
    let outcome = list(&server, &[]).run();
    let line = "{\"z\":1.0e5,\"id\":\"a\",\"status\":\"InProgress\",\"a\":[1,{\"b\":\"  \\u00e9\\n\\u202eé \"}],\"z2\":-0.10}\n";
    assert_eq!(outcome.stdout, line.repeat(2));
    assert_eq!((outcome.status, outcome.stderr.as_str()), (Some(0), ""));
    let empty = Server::tls([reply(page("", None))]);
    let outcome = list(&empty, &[]).run();
    assert_eq!((outcome.status, outcome.stdout.as_str()), (Some(0), ""));
}

#[test]
fn the_filters_are_one_query_and_no_value_can_steer_it() {
    let server = Server::tls([reply(page("", None))]);
    let lists: [&[&str]; 5] = [
        &[],
        &["--status", "Succeeded"],
        &[
            "--type",
            "Isolate,RunAntiVirusScan",
            "--machine-id",
            "7b1f49",
            "--machine-id=0a",
        ],
        &[
            "--requestor",
            "Smith, J. (é) & $top=1 #?",
            "--since",
            "2026-11-01",
        ],
        &["--since", "2026-11-01t00:30:00.500+01:00"],
    ];
    for args in lists {
        let outcome = list(&server, args).run();
        assert_eq!(outcome.status, Some(0), "{outcome}");
    }
    assert_snapshot!(asked(&server).join("\n"), @"
    GET /api/machineactions?$filter=%28status%20eq%20%27Pending%27%20or%20status%20eq%20%27InProgress%27%29 HTTP/1.1
    GET /api/machineactions?$filter=status%20eq%20%27Succeeded%27 HTTP/1.1
    GET /api/machineactions?$filter=%28status%20eq%20%27Pending%27%20or%20status%20eq%20%27InProgress%27%29%20and%20%28type%20eq%20%27Isolate%27%20or%20type%20eq%20%27RunAntiVirusScan%27%29%20and%20%28machineId%20eq%20%277b1f49%27%20or%20machineId%20eq%20%270a%27%29 HTTP/1.1
    GET /api/machineactions?$filter=%28status%20eq%20%27Pending%27%20or%20status%20eq%20%27InProgress%27%29%20and%20requestor%20eq%20%27Smith%2C%20J.%20%28%C3%A9%29%20%26%20%24top%3D1%20%23%3F%27%20and%20creationDateTimeUtc%20ge%202026-11-01T00%3A00%3A00Z HTTP/1.1
    GET /api/machineactions?$filter=%28status%20eq%20%27Pending%27%20or%20status%20eq%20%27InProgress%27%29%20and%20creationDateTimeUtc%20ge%202026-10-31T23%3A30%3A00.5Z HTTP/1.1
    ");
    let wrong = [
        ["--status", "Pending'"],
        ["--status", "Pending or 1 eq 1"],
        ["--status", "Pending%27"],
        ["--status", "Pending,"],
        ["--status", ""],
        ["--type", "Isolate\r\nX: y"],
        ["--type", "Isolate&$top=1"],
        ["--machine-id", "../x"],
        ["--requestor", "x' or 'a' eq 'a"],
        ["--requestor", "x%27"],
        ["--requestor", "x\u{2019}"],
        ["--requestor", "a\nb"],
        ["--requestor", ""],
        ["--since", "yesterday"],
        ["--since", "2026-13-01"],
        ["--since", "2026-02-29"],
        ["--since", "2026-11-01T00:00:00"],
        ["--since", "2026-11-01T00:00:00.1x3Z"],
        ["--since", "2026-11-01T00:00:00.12345678901234567890Z"],
        ["--since", "2026-11-01T00:00:00Z or 1 eq 1"],
        ["--since", "2026-11-01T00:00:00+1:00"],
        ["--requests", " "],
    ];
    let messages = each(wrong, |args| {
        let outcome = list(&server, &args).run();
        assert_eq!(outcome.status, Some(2), "{outcome}");
        outcome.stderr
    });
    assert_eq!(asked(&server).len(), lists.len());
    let mut messages: Vec<String> = messages;
    messages.dedup();
    assert_snapshot!(messages.concat(), @"
    cancel-machine-action: error: the command line is wrong: --status must be letters and digits; several are separated by commas without spaces. See `cancel-machine-action list --help`.
    cancel-machine-action: error: the command line is wrong: --type must be letters and digits; several are separated by commas without spaces. See `cancel-machine-action list --help`.
    cancel-machine-action: error: the command line is wrong: --machine-id must be letters and digits; several are separated by commas without spaces. See `cancel-machine-action list --help`.
    cancel-machine-action: error: the command line is wrong: --requestor must be a name of 1 to 64 bytes without quotes, backslashes, percent signs and control characters. See `cancel-machine-action list --help`.
    cancel-machine-action: error: the command line is wrong: --since must be a date or a time as RFC 3339 has it: 2026-11-01, 2026-11-01T08:00:00Z or 2026-11-01T09:00:00+01:00. See `cancel-machine-action list --help`.
    cancel-machine-action: error: the command line is wrong: --requests must be the reason for the cancel: it is kept with each action. See `cancel-machine-action list --help`.
    ");
}

#[test]
fn a_link_is_asked_of_our_own_host_whatever_host_it_names() {
    let other = Server::tls([]);
    let links = [
        format!("{}/api/machineactions?$skip=1&x=1", other.url()),
        format!("http://{}/api/machineactions?$skip=1&x=2", other.host()),
        "ftp://user@nowhere.invalid:1/api/MachineActions?$skip=1&x=3".to_owned(),
        "/api/machineactions?$skip=1&x=4".to_owned(),
        "https://x/api/machineactions?$filter=status eq 'Pending'&$skiptoken={a|b}%2F".to_owned(),
    ];
    let entity = action("a");
    let pages = links.iter().map(|link| reply(page(&entity, Some(link))));
    let server = Server::tls(pages.chain([reply(page(&entity, None))]));
    let outcome = list(&server, &[]).run();
    assert_eq!(outcome.status, Some(0), "{outcome}");
    assert_eq!(ids(&outcome).len(), links.len() + 1);
    assert_eq!((other.connections(), server.connections()), (0, 1));
    assert!(
        server
            .received()
            .iter()
            .all(|request| request.contains("\r\nhost: {host}\r\n"))
    );
    assert_snapshot!(asked(&server)[1..].join("\n"), @"
    GET /api/machineactions?$skip=1&x=1 HTTP/1.1
    GET /api/machineactions?$skip=1&x=2 HTTP/1.1
    GET /api/machineactions?$skip=1&x=3 HTTP/1.1
    GET /api/machineactions?$skip=1&x=4 HTTP/1.1
    GET /api/machineactions?$filter=status%20eq%20'Pending'&$skiptoken=%7Ba%7Cb%7D%2F HTTP/1.1
    ");
}

#[test]
fn behind_a_gateway_the_link_may_have_the_gateways_path_or_the_services() {
    for link in [
        "https://x/api/machineactions?$skip=1",
        "https://x/mde/v1/api/machineactions?$skip=1",
    ] {
        let server = Server::tls([reply(page(&action("a"), Some(link))), reply(page("", None))]);
        let base = format!("{}/mde/v1/", server.url());
        let outcome = list(&server, &[]).env("MDE_BASE_URL", base).run();
        assert_eq!(outcome.status, Some(0), "{outcome}");
        assert_eq!(
            asked(&server)[1],
            "GET /mde/v1/api/machineactions?$skip=1 HTTP/1.1"
        );
    }
}

/// A gateway may take the query away.
#[test]
fn what_was_not_asked_for_is_left_out_whatever_the_service_sends() {
    let entity = |id: &str, status: &str, kind: &str, created: &str| {
        format!(
            r#"{{"id":"{id}","status":"{status}","type":"{kind}","creationDateTimeUtc":"{created}","machineId":"AB","requestor":null}}"#
        )
    };
    let entities = [
        entity(
            "wanted",
            "pending",
            "Isolate",
            "2026-11-01T08:00:00.1234567Z",
        ),
        entity(
            "final",
            "Succeeded",
            "Isolate",
            "2026-11-01T08:00:00.1234567Z",
        ),
        entity(
            "other",
            "Pending",
            "Unisolate",
            "2026-11-01T08:00:00.1234567Z",
        ),
        entity("old", "Pending", "Isolate", "2026-11-01T07:59:59.9999999Z"),
        r#"{"id":"bare"}"#.to_owned(),
    ];
    let server = Server::tls([reply(page(&entities.join(","), None))]);
    let cases: [(&[&str], &[&str]); 5] = [
        (&[], &["wanted", "other", "old", "bare"]),
        (&["--type", "Isolate"], &["wanted", "old"]),
        (
            &["--since", "2026-11-01T09:00:00.0+01:00"],
            &["wanted", "other"],
        ),
        (&["--machine-id", "ab,cd"], &["wanted", "other", "old"]),
        (&["--requestor", "x"], &[]),
    ];
    for (args, wanted) in cases {
        let outcome = list(&server, args).run();
        assert_eq!(
            (ids(&outcome), outcome.status),
            (wanted.iter().map(ToString::to_string).collect(), Some(0)),
            "{outcome}"
        );
        assert!(
            outcome.stderr.contains("not match the filters"),
            "{outcome}"
        );
    }
}

#[test]
fn a_page_is_tried_again_and_a_token_renewed_before_anything_of_it_is_used() {
    let sign_in = Server::granting(&["first", "second"], 3599);
    let whole = || reply(page(&action("a"), None));
    let server = Server::tls([
        Reply::bytes(response("503 Busy", &[], "")),
        Reply::bytes(""),
        Reply::bytes("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"),
        Reply::bytes(response("429 x", &["Retry-After: 1"], "")),
        reply(page(
            &action("a"),
            Some("https://x/api/machineactions?$skip=1"),
        )),
        Reply::bytes(response("401 Unauthorized", &[], "")),
        whole(),
    ]);
    let outcome = step()
        .args(["list", "--timeout", "10"])
        .api(&server)
        .signing_in_at(&sign_in)
        .run();
    assert_eq!(
        (outcome.status, outcome.stderr.as_str()),
        (Some(0), ""),
        "{outcome}"
    );
    assert_eq!(
        (ids(&outcome).len(), outcome.retries.len()),
        (2, 4),
        "{:?}",
        outcome.retries
    );
    let told = "attempt 1 of listing the actions failed (HTTP 503)";
    assert!(outcome.retries[0].contains(told), "{:?}", outcome.retries);
    assert!(outcome.took >= Duration::from_secs(1), "{:?}", outcome.took);
    assert!(
        server
            .received()
            .pop()
            .unwrap()
            .contains("Bearer second\r\n")
    );
}

#[test]
fn the_pages_keep_the_pace_of_a_batch_and_its_pauses_do_not_count() {
    let link = |number: usize| format!("https://x/api/machineactions?$skip={number}");
    let pages = (0..3).map(|number| reply(page(&action("a"), Some(&link(number)))));
    let server = Server::tls(pages.chain([reply(page("", None))]));
    // Three calls may come at once; the next one is due two seconds later.
    let step = list(&server, &["--timeout", "1"]).env("MDE_CALLS_PER_MINUTE", "30");
    let outcome = step.run();
    assert_eq!(
        (outcome.status, ids(&outcome).len()),
        (Some(0), 3),
        "{outcome}"
    );
    assert!(outcome.took >= Duration::from_secs(2), "{:?}", outcome.took);
}
