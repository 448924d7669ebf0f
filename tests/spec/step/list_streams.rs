//! A list is a stream: its pages come as they come, and its lines go as somebody takes them.

use std::io::{self, BufRead, BufReader, Write};
use std::sync::{Mutex, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::Value;

use crate::support::batch::documents;
use crate::support::pages::{Pages, action, ids, list, page, reply};
use crate::support::{Reply, Server, Step, each, step};

/// A page of `count` actions of four kilobytes each.
fn write_page(
    body: &mut dyn Write,
    from: usize,
    count: usize,
    link: Option<&str>,
) -> io::Result<()> {
    let rest = format!(
        r#"","status":"Pending","requestorComment":"{}"}}"#,
        "x".repeat(4000)
    );
    body.write_all(br#"{"value":["#)?;
    for number in from..from + count {
        let comma = if number == from { "" } else { "," };
        write!(body, r#"{comma}{{"id":"{number:036}"#)?;
        body.write_all(rest.as_bytes())?;
    }
    match link {
        Some(link) => write!(body, r#"],"@odata.nextLink":"{link}"}}"#),
        None => write!(body, "]}}"),
    }
}

/// A list of `server`.
fn list_of(server: &Pages) -> Step {
    step()
        .args(["list"])
        .env("MDE_BASE_URL", server.url())
        .env("MDE_ACCESS_TOKEN", "x")
}

/// A pipe to stdout, and what counts its lines and keeps the last one, once `begin` has come.
fn counted(begin: impl FnOnce() + Send + 'static) -> (io::PipeWriter, JoinHandle<(usize, String)>) {
    let (reader, writer) = io::pipe().unwrap();
    let count = thread::spawn(move || {
        begin();
        let lines = BufReader::new(reader).lines().map(Result::unwrap);
        lines.fold((0, String::new()), |(count, _), line| (count + 1, line))
    });
    (writer, count)
}

#[test]
fn sixty_thousand_actions_take_no_more_memory_than_a_few() {
    const PER_PAGE: usize = 10_000;
    let server = Pages::new(|number, body| {
        let next = (number + 1) * PER_PAGE;
        let link = format!("https://elsewhere.example/api/machineactions?$skip={next}");
        write_page(
            body,
            number * PER_PAGE,
            PER_PAGE,
            (number < 5).then_some(&link),
        )
    });
    let (stdout, lines) = counted(|| {});
    let step = list_of(&server).args(["--timeout", "100"]).stdout(stdout);
    let outcome = step.patiently().run();
    let (count, last) = lines.join().unwrap();
    assert_eq!(
        (outcome.status, server.count()),
        (Some(0), 6),
        "{}",
        outcome.stderr
    );
    assert_eq!(count, 6 * PER_PAGE);
    assert!(
        last.contains(&format!("{:036}", 6 * PER_PAGE - 1)),
        "{last}"
    );
    // In KiB, as the kernel counts it.
    assert!(outcome.peak_memory < 40 << 10, "{}", outcome.peak_memory);
}

#[test]
fn a_slow_reader_of_the_lines_costs_no_page_its_time() {
    let server = Pages::new(|_, body| write_page(body, 0, 2000, None));
    #[expect(clippy::disallowed_methods, reason = "a test may wait")]
    let (stdout, lines) = counted(|| thread::sleep(Duration::from_secs(5)));
    let outcome = list_of(&server)
        .args(["--timeout", "3"])
        .stdout(stdout)
        .run();
    assert_eq!(
        (outcome.status, lines.join().unwrap().0),
        (Some(0), 2000),
        "{outcome}"
    );
    assert!(outcome.took > Duration::from_secs(5), "{:?}", outcome.took);
}

/// Whoever takes them may need hours, and the service would not wait.
#[test]
fn a_page_of_requests_is_read_before_any_is_written() {
    let (done, is_done) = mpsc::channel();
    let server = Pages::new(move |_, body| {
        write_page(body, 0, 2000, None)?;
        body.flush()?;
        let _ = done.send(());
        Ok(())
    });
    let (stdout, lines) = counted(move || is_done.recv_timeout(Duration::from_secs(10)).unwrap());
    let outcome = list_of(&server)
        .args(["--requests", "stuck"])
        .stdout(stdout)
        .run();
    assert_eq!(
        (outcome.status, lines.join().unwrap().0),
        (Some(0), 2000),
        "{outcome}"
    );
}

#[test]
fn an_action_is_written_while_its_page_still_comes() {
    let (heard, is_heard) = mpsc::channel();
    let server = Pages::new(move |_, body| {
        write!(body, r#"{{"value":[{},"#, action("a"))?;
        body.flush()?;
        // Longer than an action waits for others.
        let _ = is_heard.recv_timeout(Duration::from_millis(500));
        write!(body, "{},", action("b"))?;
        body.flush()?;
        is_heard.recv_timeout(Duration::from_secs(10)).unwrap();
        write!(body, "{}]}}", action("c"))
    });
    let heard = Mutex::new(Some(heard));
    let outcome = list_of(&server).run_until("CONT", move |running| {
        let is_due = running.lines() == 2;
        if is_due && let Some(heard) = heard.lock().unwrap().take() {
            heard.send(()).unwrap();
        }
        is_due
    });
    assert_eq!(
        (outcome.status, ids(&outcome).len()),
        (Some(0), 3),
        "{outcome}"
    );
}

#[test]
fn a_stdout_that_closes_in_the_middle_ends_the_list() {
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let outcome = step().args(["list", "--sandbox"]).stdout(writer).run();
    assert_eq!(outcome.status, Some(7), "{outcome}");
    assert!(
        outcome.stderr.contains("stdout cannot be written"),
        "{outcome}"
    );
}

#[test]
fn a_list_that_is_told_to_stop_says_that_it_is_not_whole() {
    let half = format!(r#"{{"value":[{},"#, action("b"));
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{half}");
    let cut = Reply::bytes(head).pausing(Duration::from_secs(20));
    let link = Some("https://x/api/machineactions?$skip=1");
    for (second, signal, status) in [(cut, "TERM", 143), (Reply::silence(), "INT", 130)] {
        let server = Server::tls([reply(page(&action("a"), link)), second]);
        let outcome = list(&server, &["--timeout", "20"]).run_until(signal, server.heard(2));
        assert_eq!(outcome.status, Some(status), "{outcome}");
        let lines = documents(&outcome);
        assert_eq!(lines[0]["id"], "a");
        assert!(
            lines.last().unwrap()["error"]["message"].is_string(),
            "{outcome}"
        );
    }
}

#[test]
fn an_action_or_a_page_without_an_end_is_a_failure_in_time_and_memory() {
    let starts = [
        ("an action", r#"{"value":[{"id":"a","x":""#, "x"),
        ("a name", r#"{"value":[],""#, "x"),
        ("another value", r#"{"x":["#, "[],"),
        ("depth", r#"{"value":["#, "["),
        ("white space", r#"{"value":["#, "\n "),
        ("a link", r#"{"value":[],"@odata.nextLink":""#, "x"),
    ];
    each(starts, |(name, start, unit)| {
        let endless = unit.repeat(32 << 10);
        let server = Pages::new(move |_, body| {
            body.write_all(start.as_bytes())?;
            loop {
                body.write_all(endless.as_bytes())?;
            }
        });
        let outcome = list_of(&server).args(["--timeout", "15"]).patiently().run();
        assert_eq!(outcome.status, Some(5), "{name}: {outcome}");
        assert_eq!(
            outcome.json()["error"]["code"],
            "invalid_answer",
            "{name}: {outcome}"
        );
        assert!(
            outcome.peak_memory < 60 << 10,
            "{name}: {}",
            outcome.peak_memory
        );
    });
}

#[test]
fn a_list_without_an_end_ends_with_the_time_limit_of_its_page() {
    let server = Pages::new(|_, body| {
        body.write_all(br#"{"value":["#)?;
        loop {
            write!(body, "{},", action("a"))?;
        }
    });
    let outcome = list_of(&server).args(["--timeout", "1"]).run();
    assert_eq!(outcome.status, Some(5), "{}", outcome.stderr);
    let last: Value = serde_json::from_str(outcome.stdout.lines().last().unwrap()).unwrap();
    assert_eq!(last["error"]["code"], "timeout");
    assert!(outcome.took < Duration::from_secs(10), "{:?}", outcome.took);
}
