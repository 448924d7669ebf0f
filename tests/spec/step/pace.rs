//! As fast as the service allows.

use std::time::{Duration, Instant};

use cancel_machine_action::call::pace::Pacer;
use serde_json::Value;

use crate::support::batch::{batch, documents, lines, unpaced};
use crate::support::busy::Busy;
use crate::support::{JSON, Reply, Server, response};

/// The minute is twenty times as short as the service's: so are the settings.
#[test]
fn a_batch_keeps_the_pace_and_earns_no_429() {
    let window = Duration::from_secs(3);
    let api = Busy::limiting(100, window);
    let begun = Instant::now();
    let outcome = batch()
        .env("MDE_BASE_URL", api.url())
        .env("MDE_ACCESS_TOKEN", "x")
        .env("MDE_CALLS_PER_MINUTE", "2000")
        .env("MDE_CALLS_PER_HOUR", "0")
        .stdin(lines(250))
        .run();
    assert_eq!(outcome.status, Some(0), "{}", outcome.stderr);
    assert_eq!(api.refused(), 0);
    assert!(begun.elapsed() >= window, "{:?}", begun.elapsed());
}

#[test]
fn the_pace_is_kept_however_the_service_cuts_its_minutes() {
    let begun = Instant::now();
    for (per_minute, per_hour) in [(100, 1500), (1, 0), (7, 20), (0, 50)] {
        let mut pacer = Pacer::new(per_minute, per_hour);
        let mut calls: Vec<Duration> = Vec::new();
        let mut now = begun;
        for _ in 0..2000 {
            now += pacer.wait(now);
            assert_eq!(pacer.wait(now), Duration::ZERO);
            pacer.called(now);
            calls.push(now - begun);
        }
        let most_within = |window: Duration| {
            let within = |(index, from): (usize, &Duration)| {
                calls[index..]
                    .iter()
                    .take_while(|call| **call < *from + window)
                    .count()
            };
            calls.iter().enumerate().map(within).max().unwrap()
        };
        if per_minute > 0 {
            assert!(
                most_within(Duration::from_secs(60)) <= per_minute as usize,
                "{per_minute}"
            );
        }
        if per_hour > 0 {
            assert!(
                most_within(Duration::from_secs(3600)) <= per_hour as usize,
                "{per_hour}"
            );
        }
    }
}

#[test]
fn a_429_that_others_have_earned_pauses_the_batch_as_asked() {
    let throttled = response("429 Too Many Requests", &["Retry-After: 2"], "");
    let ok = Reply::bytes(response("200 OK", &[JSON], "{}"));
    let server = Server::tls([Reply::bytes(throttled), ok]);
    let step = unpaced(batch())
        .api_with_token(&server)
        .args(["--timeout", "1"]);
    let outcome = step.stdin(lines(3)).run();
    let statuses: Vec<Value> = documents(&outcome)
        .into_iter()
        .map(|answer| answer["status_code"].clone())
        .collect();
    assert_eq!(statuses, [429, 200, 200]);
    assert!(outcome.took >= Duration::from_secs(2), "{:?}", outcome.took);
}
