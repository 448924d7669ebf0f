//! The embedded Defender.

use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cancel_machine_action::call::sandbox::scenarios::SCENARIOS;

use crate::contract::output_accepts;
use crate::support::{Outcome, Server, assert_snapshot, each, request_for, step};

/// The one scenario whose answer depends on the time.
const BY_CLOCK: &str = "429002";

#[test]
fn every_scenario_answers_as_documented_and_as_the_output_schema_says() {
    let rows = SCENARIOS.iter();
    let rows = rows.filter(|scenario| scenario.digits != BY_CLOCK);
    let rows = rows.map(|scenario| (scenario.about, scenario.digits, scenario.id()));
    let outcomes = each(rows, |(about, digits, id)| {
        let outcome = step().args(["--sandbox"]).stdin(request_for(&id)).run();
        let answer = outcome.json();
        assert!(output_accepts(&answer), "{outcome}");
        assert_eq!(
            answer["response_headers"]["X-Sandbox"],
            "cancel-machine-action"
        );
        assert!(outcome.stderr.contains("sandbox: "), "{outcome}");
        assert!(
            digits.starts_with(&answer["status_code"].to_string())
                || ["401001", "429001", "503001"].contains(&digits)
        );
        format!("## {about}\n{outcome}")
    });
    assert_snapshot!(outcomes.join("\n\n"));
}

#[test]
fn any_guid_is_an_open_action_and_anything_else_is_refused() {
    let cancelled = step().args(["--sandbox"]).run();
    let lower = step()
        .args(["--sandbox"])
        .stdin(request_for("5382F7EA-7557-4AB7-9782-D50480024A4E"))
        .run();
    assert_eq!(lower.json()["json_body"]["status"], "Cancelled");
    let device = step()
        .args(["--sandbox"])
        .stdin(request_for("7b1f4967d9728e5aa3c06a9e617a22a4a5a17378"))
        .run();
    assert_snapshot!(format!("{cancelled}\n\n{device}"));
}

#[test]
fn nothing_goes_over_the_network_and_no_secret_is_read() {
    let server = Server::tls([]);
    let outcome = step()
        .api(&server)
        .signing_in_at(&server)
        .env("MDE_ACCESS_TOKEN_FILE", "/no/such/file")
        .args(["--sandbox"])
        .run();
    assert_eq!(outcome.status, Some(0), "{outcome}");
    assert_eq!(server.connections(), 0);
}

/// Asks for the action that is throttled by the clock, without the patience for another try.
fn ask_by_clock() -> Outcome {
    let request = request_for(&format!("00000000-0000-0000-0000-000000{BY_CLOCK}"));
    let arguments = ["--sandbox", "--timeout", "0.3"];
    step().args(arguments).stdin(request).run()
}

#[expect(clippy::disallowed_methods, reason = "a test may wait")]
fn wait_for(seconds: u64) {
    thread::sleep(Duration::from_secs(seconds));
}

#[test]
fn an_action_that_is_throttled_by_the_clock_is_cancelled_after_retry_after() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let seconds_into_ten = now.as_secs() % 10;
    // Late in the throttled half, the answer might already be that of the other half.
    if seconds_into_ten > 3 {
        wait_for(10 - seconds_into_ten);
    }
    let throttled = ask_by_clock();
    let answer = throttled.json();
    assert_eq!(answer["status_code"], 429, "{throttled}");
    let asked = answer["response_headers"]["Retry-After"].as_str().unwrap();
    let asked: u64 = asked.parse().unwrap();
    assert!((1..=5).contains(&asked), "{throttled}");
    wait_for(asked);
    let cancelled = ask_by_clock();
    assert_eq!(cancelled.status, Some(0), "{cancelled}");
    assert_eq!(cancelled.json()["json_body"]["status"], "Cancelled");
}

/// The step judges the token by itself, and comes to what the service says.
#[test]
fn a_refusal_for_missing_roles_agrees_with_the_token() {
    for digits in ["403000", "403001"] {
        let request = request_for(&format!("00000000-0000-0000-0000-000000{digits}"));
        let outcome = step().args(["--sandbox"]).stdin(request).run();
        assert_eq!(outcome.json()["status_code"], 403, "{outcome}");
        let held = "has the permissions Machine.Read.All; a cancel needs one of ";
        assert!(outcome.stderr.contains(held), "{outcome}");
    }
}
