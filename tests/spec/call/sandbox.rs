//! The embedded Defender.

use cancel_machine_action::call::sandbox::scenarios::SCENARIOS;

use crate::contract::output_accepts;
use crate::support::{Server, assert_snapshot, each, request_for, step};

#[test]
fn every_scenario_answers_as_documented_and_as_the_output_schema_says() {
    let rows = SCENARIOS.each_ref();
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
