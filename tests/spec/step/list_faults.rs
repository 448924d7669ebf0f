//! A list that is not whole says so, in its last line and by its exit status.

use std::io::Write;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

use crate::support::batch::{batch, documents};
use crate::support::pages::{action, asked, list, page, reply};
use crate::support::{JSON, Reply, Server, assert_snapshot, each, response};

/// The status of a list from `server`, how many actions it has, its last line if that is none, and stderr.
fn ending(server: &Server, args: &[&str]) -> String {
    let outcome = list(server, args).run();
    let mut lines = documents(&outcome);
    let is_last = |line: &Value| line.get("error").is_some() || line.get("status_code").is_some();
    let last = match lines.last().is_some_and(is_last) {
        true => lines.pop().unwrap().to_string(),
        false => "none".to_owned(),
    };
    assert!(!lines.iter().any(is_last), "{outcome}");
    let status = outcome.status.unwrap();
    format!(
        "{status}, {} lines, then {last}\n{}",
        lines.len(),
        outcome.stderr
    )
}

fn link(link: &str) -> String {
    page(&action("a"), Some(link))
}

fn gzip(body: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_link_that_is_not_to_a_further_page_of_the_list_ends_it() {
    let links = [
        ("another path", "https://x/api/machines?$skip=1"),
        ("a path below", "https://x/api/machineactions/a/cancel?x=1"),
        (
            "a path that climbs",
            "https://x/api/machineactions/../machineactions?x=1",
        ),
        ("no path", "https://x?$skip=1"),
        ("no query", "https://x/api/machineactions"),
        ("a fragment", "https://x/api/machineactions?a=1#b"),
        (
            "a line break",
            "https://x/api/machineactions?$skip=1\\r\\nX: y",
        ),
        ("not ASCII", "https://x/api/machineactions?$skip=\u{e9}"),
        ("nothing", ""),
        ("relative", "machineactions?$skip=1"),
    ];
    let endings = each(links, |(name, to)| {
        let server = Server::tls([reply(link(to))]);
        let ending = ending(&server, &[]);
        assert_eq!(asked(&server).len(), 1);
        format!("## {name}\n{ending}")
    });
    assert_snapshot!(endings.join("\n"));
}

#[test]
fn a_link_back_to_a_page_that_was_read_ends_the_list() {
    let second = "https://x/api/machineactions?$filter=a eq 'b'&$skip=1";
    let same = "https://y/api/machineactions?%24filter=a%20eq+%27b%27&$skip=1";
    let first =
        "https://x/api/machineactions?$filter=(status eq 'Pending' or status eq 'InProgress')";
    for back in [same, first] {
        let server = Server::tls([reply(link(second)), reply(link(back))]);
        let ending = ending(&server, &[]);
        assert_eq!(asked(&server).len(), 2);
        assert!(ending.starts_with("5, 2 lines, "), "{ending}");
        assert!(
            ending.contains("leads back to a page that was already read"),
            "{ending}"
        );
    }
}

#[test]
fn a_page_that_is_not_a_list_is_a_failure() {
    let pages = [
        ("nothing", String::new()),
        ("a proxy's page", "<html>Sign in</html>".to_owned()),
        ("a list alone", format!("[{}]", action("a"))),
        ("no list", "{}".to_owned()),
        (
            "an error",
            r#"{"error":{"code":"x"},"s3cret":"s3cret"}"#.to_owned(),
        ),
        ("no list of actions", r#"{"value":"s3cret"}"#.to_owned()),
        (
            "two lists",
            format!(r#"{{"value":[{}],"value":[]}}"#, action("a")),
        ),
        (
            "a link that is no text",
            format!(
                r#"{{"value":[{}],"@odata.nextLink":["s3cret"]}}"#,
                action("a")
            ),
        ),
        ("more behind it", page(&action("a"), None) + "{}"),
        (
            "cut short in an action",
            format!(r#"{{"value":[{},{{"id":"#, action("a")),
        ),
        (
            "cut short between two",
            format!(r#"{{"value":[{}"#, action("a")),
        ),
        (
            "not JSON in an action",
            format!(r#"{{"value":[{},{{"id":nil}}]}}"#, action("a")),
        ),
    ];
    let endings = each(pages, |(name, page)| {
        let server = Server::tls([reply(page)]);
        let ending = ending(&server, &[]);
        assert!(!ending.contains("s3cret"), "{ending}");
        format!("## {name}\n{ending}")
    });
    assert_snapshot!(endings.join("\n"));
}

#[test]
fn a_page_that_breaks_leaves_what_was_read_and_a_failure() {
    let body = page(&format!("{},{}", action("a"), action("b")), None);
    let (start, _) = body.split_at(body.len() - 20);
    let chunk = format!("{:x}\r\n{start}\r\n", start.len());
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n";
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let compressed = gzip(&body);
    let (half, _) = compressed.split_at(compressed.len() - 12);
    let coded =
        |coding: &str, body: &[u8]| reply_with(&[&format!("Content-Encoding: {coding}")], body);
    let replies = [
        ("cut", Reply::bytes(format!("{head}{start}"))),
        (
            "cut between chunks",
            Reply::bytes(format!("{chunked}{chunk}")),
        ),
        (
            "no length",
            Reply::bytes(format!("HTTP/1.1 200 OK\r\n\r\n{start}")),
        ),
        (
            "no length, broken off",
            Reply::bytes(format!("HTTP/1.1 200 OK\r\n\r\n{body}")).breaking_off(),
        ),
        (
            "silent in the middle",
            Reply::bytes(format!("{head}{start}")).pausing(Duration::from_secs(9)),
        ),
        (
            "dripping",
            Reply::bytes(head).dripping(body.as_bytes(), Duration::from_millis(50)),
        ),
        ("compression cut", coded("gzip", half)),
        (
            "compression damaged",
            coded("gzip", b"\x1f\x8b\x08\0\0\0\0\0\0\0garbage"),
        ),
        (
            "more behind the compressed",
            coded("deflate", &[&zlib(&body)[..], b"x"].concat()),
        ),
        ("compression unknown", coded("br", b"x")),
    ];
    let endings = each(replies, |(name, reply)| {
        let server = Server::tls([reply]);
        format!("## {name}\n{}", ending(&server, &["--timeout", "2"]))
    });
    assert_snapshot!(endings.join("\n"));
}

fn reply_with(headers: &[&str], body: &[u8]) -> Reply {
    Reply::bytes(response("200 OK", headers, body))
}

fn zlib(body: &str) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// Without zlib's header and checksum.
fn bare(body: &str) -> Vec<u8> {
    let zlib = zlib(body);
    zlib[2..zlib.len() - 4].to_vec()
}

#[test]
fn a_compressed_page_is_a_page() {
    let body = page(&format!("{},{}", action("a"), action("b")), None);
    let coded = [
        ("gzip", gzip(&body)),
        ("deflate", zlib(&body)),
        ("deflate", bare(&body)),
    ];
    for (coding, body) in coded {
        let server = Server::tls([reply_with(&[&format!("Content-Encoding: {coding}")], &body)]);
        assert_eq!(ending(&server, &[]), "0, 2 lines, then none\n");
    }
}

#[test]
fn a_refused_page_is_the_last_line() {
    let refusal = r#"{"error":{"code":"x","message":"y"}}"#;
    for status in [
        "400 Bad Request",
        "403 Forbidden",
        "404 Not Found",
        "302 Found",
    ] {
        let first = reply(link("https://x/api/machineactions?$skip=1"));
        let server = Server::tls([first, Reply::bytes(response(status, &[JSON], refusal))]);
        let ending = ending(&server, &[]);
        assert!(
            ending.starts_with(r#"1, 1 lines, then {"status_code":"#),
            "{ending}"
        );
    }
    let server = Server::tls([Reply::bytes(response("400 Bad Request", &[JSON], refusal))]);
    assert_snapshot!(list(&server, &["--exit-zero"]).run(), @r#"
    status: 0
    stdout: {
      "status_code": 400,
      "reason": "Bad Request",
      "response_headers": {
        "Content-Length": "36",
        "Content-Type": "application/json; charset=utf-8"
      },
      "json_body": {
        "error": {
          "code": "x",
          "message": "y"
        }
      },
      "retryable": false
    }
    stderr: cancel-machine-action: error: the service answered 400 Bad Request, x: "y". Check the values of the filters.
    "#);
    let asking = ["Retry-After: 3600"];
    let throttled = Server::tls([Reply::bytes(response("429 Too Many", &asking, ""))]);
    let ending = ending(&throttled, &[]);
    assert!(ending.contains(r#"then {"status_code":429,"#), "{ending}");
}

#[test]
fn an_entity_without_a_usable_id_becomes_no_request_and_the_list_goes_on() {
    let entities = [
        r#"{"status":"Pending"}"#,
        r#"{"id":null}"#,
        r#"{"id":5}"#,
        r#"{"id":"../machines"}"#,
        r#"{"id":"a","id":"b"}"#,
        "null",
        "[]",
        r#""a""#,
    ];
    let entities = format!("{},{}", entities.join(","), action("good"));
    let server = Server::tls([reply(page(&entities, None))]);
    let outcome = list(&server, &["--requests", "stuck"]).run();
    assert_snapshot!(outcome, @r#"
    status: 5
    stdout: {
      "path_parameters": {
        "machineactionid": "good"
      },
      "json_body": {
        "Comment": "stuck"
      }
    }
    {
      "error": {
        "code": "invalid_answer",
        "message": "the service listed 8 entries without an id that can be cancelled, for which there is no request. All others have theirs. Check MDE_BASE_URL and any proxy in between.",
        "retryable": false,
        "request_sent": "no",
        "details": []
      }
    }
    stderr: cancel-machine-action: error: the service listed 8 entries without an id that can be cancelled, for which there is no request. All others have theirs. Check MDE_BASE_URL and any proxy in between.
    "#);
    let plain = ending(&server, &[]);
    assert!(plain.starts_with("5, 6 lines, then "), "{plain}");
}

#[test]
fn a_batch_takes_no_failure_for_a_request_and_says_what_it_is() {
    let entity = action("988cc94e-7a8f-4b28-ab65-54970c5d5018");
    let server = Server::tls([reply(page(&entity, Some("https://x/other?a=b")))]);
    let requests = list(&server, &["--requests", "stuck"]).run();
    assert_eq!(requests.status, Some(5), "{requests}");
    let refused = Server::tls([Reply::bytes(response("403 Forbidden", &[JSON], "{}"))]);
    let answer = list(&refused, &["--requests", "stuck"]).run();
    let input = format!("{}{}", requests.stdout, answer.stdout);
    let outcome = batch().args(["--sandbox"]).stdin(input).run();
    let lines = documents(&outcome);
    assert_eq!((lines.len(), outcome.status), (3, Some(2)), "{outcome}");
    assert_eq!(lines[0]["status_code"], 200);
    let errors = outcome
        .stderr
        .lines()
        .filter(|line| line.contains("error: "));
    assert_snapshot!(errors.collect::<Vec<_>>().join("\n"), @"
    cancel-machine-action: error: line 2: this line is the failure of the step before it in the pipe, and not a request. If that step is `list`, its list is incomplete: see what it says, and list again. Nothing was sent for this line.
    cancel-machine-action: error: line 3: this line is an answer of the step before it in the pipe, and not a request. If that step is `list`, its list is incomplete: see what it says, and list again. Nothing was sent for this line.
    ");
}
