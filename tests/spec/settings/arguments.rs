//! The command line.

use std::path::Path;

use cancel_machine_action::Process;
use cancel_machine_action::output::generated_files;
use serde_json::{Value, json};

use crate::support::{assert_snapshot, each, request_for, step};

#[test]
fn help_tells_commands_options_settings_and_exit_statuses() {
    let outcome = step().args(["--help"]).run();
    assert_eq!(
        outcome.stdout,
        step().args(["check.json", "-h"]).run().stdout
    );
    assert_snapshot!(outcome);
}

/// Every word that asks for something, as the help of all lists them.
fn commands() -> Vec<String> {
    let help = step().args(["--help"]).run().stdout;
    let (_, rest) = help.split_once("\nCommands").unwrap();
    let rows = rest.split("\n\n").next().unwrap().lines().skip(1);
    let words = rows.filter_map(|row| row.strip_prefix("  ")?.split(' ').next());
    words
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

#[test]
fn each_command_has_help_of_its_own_and_no_help_is_wider_than_100_columns() {
    let mut helps = vec![step().args(["help"]).run().stdout];
    assert_eq!(helps[0], step().args(["--help"]).run().stdout);
    for command in commands() {
        let outcome = step().args([command.as_str(), "--help"]).run();
        assert_eq!(outcome.status, Some(0), "{outcome}");
        assert!(
            outcome
                .stdout
                .starts_with(&format!("Usage: cancel-machine-action {command}")),
            "{outcome}"
        );
        assert_eq!(outcome.stdout, step().args(["help", &command]).run().stdout);
        helps.push(outcome.stdout);
    }
    assert!(helps.len() > 5);
    for line in helps.iter().flat_map(|help| help.lines()) {
        assert!(line.chars().count() <= 100, "{line}");
    }
}

#[test]
fn a_mistyped_command_is_not_taken_for_a_file() {
    let cases: [&[&str]; 7] = [
        // Half of its letters are others than those of `list`.
        &["link"],
        &["chek"],
        &["--sandbox", "Smaple"],
        &["shema", "input"],
        &["nothing-like-it"],
        &["help", "chek"],
        // It may be a secret.
        &["abcdefghijklmnopqrstuvwxyzABCDEFG"],
    ];
    let messages = cases.map(|args| {
        let outcome = step().args(args.iter().copied()).run();
        assert_eq!(outcome.status, Some(2), "{outcome}");
        outcome.stderr
    });
    assert_snapshot!(messages.concat(), @"
    cancel-machine-action: error: the command line is wrong: no such file or command `link`. See `cancel-machine-action --help`.
    cancel-machine-action: error: the command line is wrong: no such file or command `chek`; did you mean `check`? See `cancel-machine-action --help`.
    cancel-machine-action: error: the command line is wrong: no such file or command `Smaple`; did you mean `sample`? See `cancel-machine-action --help`.
    cancel-machine-action: error: the command line is wrong: no such file or command `shema`; did you mean `schema`? See `cancel-machine-action --help`.
    cancel-machine-action: error: the command line is wrong: no such file or command `nothing-like-it`. See `cancel-machine-action --help`.
    cancel-machine-action: error: the command line is wrong: `help` takes one of: check, list, get, mcp, schema, manifest, sample, help. See `cancel-machine-action help --help`.
    cancel-machine-action: error: the request in the file (its path is not repeated here, because it may be a secret) cannot be read. Check its path and its permissions. (Cause: No such file or directory (os error 2))
    ");
    let folder =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("files-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("chek"), crate::support::REQUEST).unwrap();
    let outcome = step().args(["--sandbox", "chek"]).in_folder(&folder).run();
    assert_eq!(outcome.status, Some(0), "{outcome}");
}

#[test]
fn an_option_that_a_command_does_not_take_is_refused_with_those_that_it_takes() {
    let cases: [&[&str]; 3] = [
        &["check", "--batch"],
        &["--wait", "3", "check"],
        &["sample", "--sandbox"],
    ];
    let messages = cases.map(|args| {
        let outcome = step().args(args.iter().copied()).run();
        assert_eq!(outcome.status, Some(2), "{outcome}");
        outcome.stderr
    });
    assert_snapshot!(messages.concat(), @"
    cancel-machine-action: error: the command line is wrong: `check` does not take `--batch`; it takes --sandbox, --timeout, --exit-zero, --verbose. See `cancel-machine-action check --help`.
    cancel-machine-action: error: the command line is wrong: `check` does not take `--wait`; it takes --sandbox, --timeout, --exit-zero, --verbose. See `cancel-machine-action check --help`.
    cancel-machine-action: error: the command line is wrong: `sample` does not take `--sandbox`; it takes no options. See `cancel-machine-action sample --help`.
    ");
}

/// A server of agents beside them may need it.
#[test]
fn any_in_the_environment_is_no_mistake_of_commands_that_cancel_nothing() {
    let ends = |args: &[&str]| {
        let step = step().env("MDE_ALLOW", "any").args(args.iter().copied());
        step.run().status
    };
    let id = "988cc94e-7a8f-4b28-ab65-54970c5d5018";
    for args in [&["check"][..], &["list"], &["get", id]] {
        assert_eq!(ends(&[args, &["--sandbox"]].concat()), Some(0), "{args:?}");
    }
    assert_eq!(ends(&["sample"]), Some(0));
    assert_eq!(ends(&["--sandbox"]), Some(2));
}

#[test]
fn what_allow_takes_is_types_of_actions() {
    for value in [
        "",
        ",",
        "Isolate,",
        "Isolate, Unisolate",
        "Isolate;x",
        "a'b",
        "any,Isolate",
        "any",
    ] {
        let by_option = step().args(["--sandbox", "--allow", value]).run();
        assert_eq!(by_option.status, Some(2), "{value}: {by_option}");
        assert_eq!(by_option.json()["error"]["code"], "invalid_usage");
    }
    let by_twin = step()
        .args(["--sandbox"])
        .env("MDE_ALLOW", "Isolate;x")
        .run();
    assert_snapshot!(by_twin.stderr, @"cancel-machine-action: error: the settings are not usable: MDE_ALLOW must be types of actions such as Isolate,RunAntiVirusScan: letters and digits, separated by commas without spaces. Nothing was sent; `cancel-machine-action --help` lists the settings.");
    let any = step().args(["--sandbox"]).env("MDE_ALLOW", "any").run();
    assert_snapshot!(any.stderr, @"cancel-machine-action: error: the command line is wrong: `any` is not a type: name the types in --allow (MDE_ALLOW), or do without it for no limit. See `cancel-machine-action --help`.");
}

#[test]
fn the_version_is_cargos() {
    let version = format!("cancel-machine-action {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(step().args(["--version"]).run().stdout, version);
    assert_eq!(step().args(["-V"]).run().stdout, version);
}

#[test]
fn schemas_manifest_and_sample_are_printed_as_committed_with_no_settings() {
    let printed = |args: &[&str]| {
        let outcome = step().args(args.iter().copied()).stdin("").run();
        assert_eq!((outcome.status, outcome.stderr.as_str()), (Some(0), ""));
        outcome.stdout
    };
    for (name, text) in generated_files::SCHEMAS {
        assert_eq!(printed(&["schema", name]), text);
    }
    assert_eq!(printed(&["manifest"]), generated_files::MANIFEST);
    assert_eq!(printed(&["sample"]), generated_files::SAMPLE);
}

#[test]
fn a_wrong_command_line_is_a_failure_that_names_what_is_wrong() {
    let cases: [&[&str]; 10] = [
        &["--bogus"],
        &["-x"],
        &["one.json", "two.json"],
        &["--timeout"],
        &["--timeout", "soon"],
        &["--timeout=0"],
        &["--sandbox=1"],
        &["schema"],
        &["schema", "inputs"],
        &["sample", "extra"],
    ];
    let outcomes = cases.map(|args| {
        let outcome = step().args(args.iter().copied()).run();
        format!("## {}\n{outcome}", args.join(" "))
    });
    assert_snapshot!(outcomes.join("\n\n"));
}

#[test]
fn every_option_has_an_environment_twin() {
    let pairs: [(&[&str], &str, &str); 3] = [
        (&["--sandbox"], "MDE_SANDBOX", "1"),
        (&["--sandbox", "--verbose"], "MDE_VERBOSE", "true"),
        (&["--sandbox", "--exit-zero"], "MDE_EXIT_ZERO", "on"),
    ];
    for (args, name, value) in pairs {
        let request = request_for("00000000-0000-0000-0000-000000404000");
        let by_option = step().args(args.iter().copied()).stdin(&request).run();
        let by_twin = step().args(
            args.iter()
                .copied()
                .filter(|arg| args.len() > 1 && *arg == "--sandbox"),
        );
        let by_twin = by_twin.env(name, value).stdin(&request).run();
        assert_eq!(by_option.to_string(), by_twin.to_string());
    }
    let outcome = step()
        .env("MDE_TIMEOUT", "0.2")
        .stdin("")
        .holding_stdin_open()
        .run();
    assert!(outcome.stderr.contains("within 0.2 s"), "{outcome}");
    let wrong = step()
        .env("MDE_TIMEOUT", "soon")
        .env("MDE_SANDBOX", "perhaps")
        .run();
    assert_snapshot!(wrong);
}

#[test]
fn exit_zero_turns_every_verdict_into_0_and_leaves_the_document() {
    let not_found = request_for("00000000-0000-0000-0000-000000404000");
    let cases: [(&[&str], &str); 4] = [
        (&["--sandbox"], &not_found),
        (&["--sandbox"], "not JSON"),
        (&["--bogus"], ""),
        (&[], &not_found),
    ];
    for (args, request) in cases {
        let plain = step().args(args.iter().copied()).stdin(request).run();
        let zero = step()
            .args(args.iter().copied().chain(["--exit-zero"]))
            .stdin(request)
            .run();
        assert_ne!(plain.status, Some(0));
        assert_eq!(zero.status, Some(0));
        assert_eq!(zero.stdout, plain.stdout);
        assert_eq!(zero.stderr, plain.stderr);
    }
}

#[test]
fn verbose_tells_each_call_and_no_secret() {
    assert_snapshot!(step().args(["--sandbox", "--verbose"]).run());
}

/// Runs in this process, which can say that a person sits there.
fn at_a_terminal(args: &[&str]) -> String {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let status = cancel_machine_action::run(Process {
        args: args.iter().map(Into::into).collect(),
        environment: &|_| None,
        stdin: Box::new(std::io::Cursor::new("")),
        stdin_is_terminal: true,
        stdout: &mut stdout,
        stdout_is_terminal: true,
        stderr: &mut stderr,
        stderr_is_terminal: false,
    });
    let (stdout, stderr) = (String::from_utf8(stdout), String::from_utf8(stderr));
    format!(
        "status: {}\n{}{}",
        status.number(),
        stdout.unwrap(),
        stderr.unwrap()
    )
}

#[test]
fn a_person_at_a_terminal_gets_a_hint_of_two_lines() {
    assert_snapshot!(at_a_terminal(&[]), @r#"
    status: 2
    {
      "error": {
        "code": "no_input",
        "message": "there is no request. Try: cancel-machine-action sample | cancel-machine-action --sandbox (or --help)",
        "retryable": false,
        "request_sent": "no",
        "details": []
      }
    }
    cancel-machine-action: stdin is a terminal, and no file with a request is named.
    cancel-machine-action: error: there is no request. Try: cancel-machine-action sample | cancel-machine-action --sandbox (or --help)
    "#);
}

#[test]
fn a_person_at_a_terminal_sees_the_same_answer_indented() {
    let file = crate::support::step::file_with(crate::support::REQUEST);
    let file = file.to_str().unwrap();
    let seen = at_a_terminal(&["--sandbox", file]);
    let (start, end) = (seen.find('{').unwrap(), seen.rfind('}').unwrap());
    let indented: Value = serde_json::from_str(&seen[start..=end]).unwrap();
    assert_eq!(indented, step().args(["--sandbox", file]).run().json());
    assert_eq!(
        &seen[start..=end],
        serde_json::to_string_pretty(&indented).unwrap()
    );
    assert_eq!(indented["json_body"]["commands"], json!([]));
}

#[test]
fn exit_zero_counts_as_an_option_and_not_as_the_value_of_another() {
    let rows: [(&[&str], i32); 5] = [
        (
            &[
                "list",
                "--requests",
                "--exit-zero",
                "--sandbox",
                "--since",
                "x",
            ],
            2,
        ),
        (&["list", "--exit-zero", "--sandbox", "--since", "x"], 0),
        (&["--nonsense", "--exit-zero"], 0),
        (&["--exit-zero", "check", "list"], 0),
        (&["--", "--exit-zero"], 2),
    ];
    each(rows, |(args, status)| {
        let outcome = step().args(args.iter().copied()).run();
        assert_eq!(outcome.status, Some(status), "{args:?} {outcome}");
    });
}
