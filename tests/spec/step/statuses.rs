//! What each status and each `Retry-After` come to: one table decides what is tried again, what is called retryable, and
//! the status of the process.

use std::time::{Duration, SystemTime};

use serde_json::json;

use crate::support::{
    JSON, Outcome, Reply, Server, assert_snapshot, each, request_for, response, step,
};

const OTHERS: [&str; 15] = [
    "200", "204", "400", "401", "403", "404", "408", "409", "425", "429", "500", "501", "502",
    "503", "504",
];

/// The answer in one paragraph: the exit status, how often it was tried, the keys, and stderr.
fn paragraph(name: &str, outcome: &Outcome, calls: usize) -> String {
    let answer = outcome.json();
    let keys = answer.as_object().unwrap().iter().skip(3);
    let keys = keys.map(|(key, value)| match key.as_str() {
        "json_body" | "response_text" => key.clone(),
        _ => format!("{key}={value}"),
    });
    let tried = match calls {
        1 => "once",
        _ => "again and again",
    };
    let keys = keys.collect::<Vec<_>>().join(" ");
    let stderr = outcome.stderr.replace(
        "cancel-machine-action: error: action 988cc94e-7a8f-4b28-ab65-54970c5d5018: ",
        "error: ",
    );
    let status = outcome.status.unwrap();
    format!("{name}: exit {status}, tried {tried}; {keys}\n{stderr}")
}

fn answered(status: &str, headers: &[&str]) -> (Outcome, usize) {
    let body = if status == "204" { "" } else { "{}" };
    let headers: Vec<&str> = headers.iter().copied().chain([JSON]).collect();
    // In clear: a handshake is slow beside others, and the last try may have a quarter of a second.
    let server = Server::plain([Reply::bytes(response(
        &format!("{status} x"),
        &headers,
        body,
    ))]);
    let outcome = step()
        .api_with_token(&server)
        .args(["--timeout", "1.5"])
        .run();
    let calls = server.received().len();
    (outcome, calls)
}

#[test]
fn what_each_status_comes_to() {
    let paragraphs = each(OTHERS, |status| {
        let (outcome, calls) = answered(status, &[]);
        paragraph(status, &outcome, calls)
    });
    assert_snapshot!(paragraphs.join("\n"));
}

#[test]
fn what_each_retry_after_comes_to() {
    let date =
        |seconds: u64| httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(seconds));
    let values = [
        ("0", "0".to_owned()),
        ("120", "120".to_owned()),
        ("more than fits", "18446744073709551616".to_owned()),
        (
            "a date that has passed",
            "Sun, 06 Nov 1994 08:49:37 GMT".to_owned(),
        ),
        ("a date in an hour", date(3600)),
        ("nothing", String::new()),
        ("-5", "-5".to_owned()),
        ("1.5", "1.5".to_owned()),
        ("soon", "soon".to_owned()),
    ];
    let statuses = ["200", "404", "408", "429", "503"];
    let rows = values
        .iter()
        .flat_map(|value| statuses.map(|status| (status, value)));
    let paragraphs = each(rows, |(status, (name, value))| {
        let (outcome, calls) = answered(status, &[&format!("Retry-After: {value}")]);
        let text = paragraph(&format!("{status}, {name}"), &outcome, calls);
        let near = ["3600", "3599", "3598"];
        near.into_iter()
            .fold(text, |text, seconds| text.replace(seconds, "{an hour}"))
    });
    assert_snapshot!(paragraphs.join("\n"));
}

#[test]
fn a_400_to_an_id_that_is_no_guid_says_so() {
    let server = Server::tls([Reply::bytes(response("400 Bad Request", &[JSON], "{}"))]);
    let cases = [
        ("my-action", true),
        ("988cc94e7a8f4b28ab6554970c5d50180000", true),
        ("zzzzzzzz-7a8f-4b28-ab65-54970c5d5018", true),
        ("988cc94e-7a8f-4b28-ab65-54970c5d5018", false),
        ("988CC94E-7A8F-4B28-AB65-54970C5D5018", false),
    ];
    each(cases, |(id, is_none)| {
        let step = step().api_with_token(&server).stdin(request_for(id));
        let outcome = step.run();
        assert_eq!(
            outcome.stderr.contains("takes only GUIDs"),
            is_none,
            "{outcome}"
        );
    });
}

#[test]
fn a_success_that_is_a_page_is_warned_of_and_counted_as_not_known() {
    let id = "988cc94e-7a8f-4b28-ab65-54970c5d5018";
    let other = json!({"id": "11111111-0000-0000-0000-000000000000", "status": "Cancelled"});
    let own = json!({"id": id.to_uppercase(), "status": "Pending"}).to_string();
    let cases = [
        ("<html>Sign in</html>".to_owned(), true),
        (other.to_string(), false),
        (own, false),
        ("{}".to_owned(), false),
        (String::new(), false),
    ];
    each(cases, |(body, is_warned_of)| {
        let server = Server::tls([Reply::bytes(response("200 OK", &[], &body))]);
        let outcome = step().api_with_token(&server).run();
        assert_eq!(outcome.status, Some(0), "{outcome}");
        let warning = "something in between may have answered";
        assert_eq!(outcome.stderr.contains(warning), is_warned_of, "{outcome}");
        let batch = step()
            .api_with_token(&server)
            .args(["--batch", "--verbose"])
            .run();
        let total = if is_warned_of {
            "1 not known to be cancelled"
        } else {
            "1 accepted"
        };
        assert!(batch.stderr.contains(total), "{batch}");
    });
}
