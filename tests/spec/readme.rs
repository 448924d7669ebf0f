//! Every command and example of the README, run or checked.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use cancel_machine_action::call::sandbox::scenarios;
use cancel_machine_action::output::exit_status::{Document, ExitStatus};
use cancel_machine_action::output::failure::FailureCode;
use cancel_machine_action::output::files;
use cancel_machine_action::settings::table;
use serde_json::{Value, json};

use crate::support::client::{Client, modern};
use crate::support::{Authority, Reply, Server, response, step};

const README: &str = include_str!("../../README.md");

/// The fenced blocks of a language, in their order.
fn blocks(language: &str) -> Vec<&'static str> {
    let fence = format!("\n```{language}\n");
    let parts = README.split(fence.as_str()).skip(1);
    parts
        .map(|part| part.split("```").next().unwrap())
        .collect()
}

/// Runs what follows each `$ ` of `block` in one shell; stdout and stderr come together, as at a terminal.
fn run(block: &str, folder: &Path, variables: &[(&str, &str)]) -> String {
    let commands: Vec<&str> = block
        .lines()
        .filter_map(|line| line.strip_prefix("$ "))
        .collect();
    let script = commands
        .join("\n")
        .replace("cargo run -q --", "cancel-machine-action");
    let binary = Path::new(env!("CARGO_BIN_EXE_cancel-machine-action"));
    let path = std::env::vars_os()
        .find(|(name, _)| name == "PATH")
        .unwrap()
        .1;
    let path = format!(
        "{}:{}:{}",
        folder.join("bin").display(),
        binary.parent().unwrap().display(),
        path.display()
    );
    let output = Command::new("sh")
        .arg("-ec")
        .arg(format!("{{ {script}\n}} 2>&1"))
        .current_dir(folder)
        .env_clear()
        .env("PATH", path)
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    String::from_utf8(output.stdout)
        .unwrap()
        .trim_end()
        .to_owned()
}

/// A home with all that the README takes for granted. Its `az` is a stand-in that only answers, because there is no
/// tenant here.
fn home() -> PathBuf {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("home-{}", std::process::id()));
    fs::create_dir_all(home.join("bin")).unwrap();
    fs::write(home.join("client-secret"), "the secret\n").unwrap();
    fs::write(home.join("token"), "eyJhbGciOiJub25lIn0.e30.x\n").unwrap();
    fs::copy(
        Authority::trusted().pem_path(),
        home.join("inspecting-proxy.pem"),
    )
    .unwrap();
    let az = home.join("bin/az");
    let stand_in =
        "#!/bin/sh\ncase \"$*\" in *--query*) echo 22222222-0000-0000-0000-000000000000;; esac\n";
    fs::write(&az, stand_in).unwrap();
    fs::set_permissions(&az, PermissionsExt::from_mode(0o755)).unwrap();
    std::os::unix::fs::symlink(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests"),
        home.join("tests"),
    )
    .unwrap();
    home
}

#[test]
fn every_command_prints_what_the_readme_shows() {
    let home = home();
    let blocks = blocks("console");
    assert_eq!(blocks.len(), README.matches("```console").count());
    for block in blocks {
        let json = "Content-Type: application/json";
        let cancelled = r#"{"id":"988cc94e-7a8f-4b28-ab65-54970c5d5018","status":"Cancelled"}"#;
        let granted = r#"{"access_token":"a.token","expires_in":3599}"#;
        let sign_in = Server::tls([Reply::bytes(response("200 OK", &[json], granted))]);
        let api = Server::tls([Reply::bytes(response("200 OK", &[json], cancelled))]);
        let (sign_in, api) = (sign_in.url(), api.url());
        // In the sandbox the hosts are shown, and nothing is sent to them.
        let is_sandbox = block.contains("--sandbox");
        let mut variables = vec![("HOME", home.to_str().unwrap())];
        if !is_sandbox {
            variables.extend([
                ("AZURE_AUTHORITY_HOST", sign_in.as_str()),
                ("AZURE_POD_IDENTITY_AUTHORITY_HOST", &sign_in),
                ("MDE_BASE_URL", &api),
                ("SSL_CERT_FILE", Authority::trusted().pem_path()),
            ]);
        }
        let shown: Vec<&str> = block
            .lines()
            .filter(|line| !line.starts_with("$ "))
            .collect();
        assert_eq!(
            run(block, &home, &variables),
            shown.join("\n").trim_end(),
            "{block}"
        );
    }
}

/// The text of every playbook and program under `tests/engines/`.
fn playbooks(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(playbooks(&path));
        } else {
            found.extend(fs::read_to_string(&path));
        }
    }
    found
}

#[test]
fn every_example_for_an_engine_is_part_of_a_playbook_that_is_run() {
    let playbooks = playbooks(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/engines"));
    let section = README.split("## In your engine").nth(1).unwrap();
    let section = section.split("## In your catalog").next().unwrap();
    let mut examples = 0;
    for block in section.split("```").skip(1).step_by(2) {
        let (_, example) = block.split_once('\n').unwrap();
        let is_in = |text: &String| {
            let indented = |indent: &str| example.trim_end().replace('\n', &format!("\n{indent}"));
            ["", "    ", "        "]
                .map(indented)
                .iter()
                .any(|example| {
                    let blank_lines_are_empty = example.lines().map(str::trim_end);
                    text.contains(&blank_lines_are_empty.collect::<Vec<_>>().join("\n"))
                })
        };
        assert!(playbooks.iter().any(is_in), "{example}");
        examples += 1;
    }
    assert_eq!(examples, 7);
}

#[test]
fn the_test_command_is_the_one_that_runs_this() {
    assert_eq!(blocks("sh"), ["cargo test\n"]);
    let ci = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(".ci/run")).unwrap();
    assert!(ci.contains("\ncargo test\n"));
}

#[test]
fn every_json_example_is_what_its_schema_says() {
    for block in blocks("json") {
        let example: Value = serde_json::from_str(block).unwrap();
        if example.get("mcpServers").is_some() {
            continue;
        }
        let schema = match &example {
            example if example.get("path_parameters").is_some() => files::INPUT,
            example if example.get("status_code").is_some() => files::OUTPUT,
            _ => files::ERROR,
        };
        let schema: Value = serde_json::from_str(schema).unwrap();
        assert!(jsonschema::is_valid(&schema, &example), "{block}");
    }
}

#[test]
fn the_configuration_of_a_client_starts_a_server_with_every_tool() {
    let blocks = blocks("json");
    let block = blocks.iter().find(|block| block.contains("mcpServers"));
    let configuration: Value = serde_json::from_str(block.unwrap()).unwrap();
    let server = &configuration["mcpServers"]["defender-machine-actions"];
    let args = server["args"].as_array().unwrap();
    let step = step()
        .env("MDE_TIMEOUT", "")
        .args(args.iter().filter_map(Value::as_str));
    let variables = server["env"].as_object().unwrap();
    let step = variables.iter().fold(step, |step, (name, value)| {
        step.env(name, value.as_str().unwrap())
    });
    let mut client = Client::of(step);
    client.say(modern(1, "tools/list", json!({})));
    let listed = client.hear();
    for tool in listed["result"]["tools"].as_array().unwrap() {
        let name = tool["name"].as_str().unwrap();
        assert!(README.contains(&format!("| `{name}` |")), "{name}");
    }
    assert_eq!(listed["result"]["tools"].as_array().unwrap().len(), 3);
}

#[test]
fn the_tables_are_those_of_the_program() {
    let mut rows: Vec<String> = Vec::new();
    for scenario in &scenarios::SCENARIOS {
        rows.push(format!("| `{}` | {} |", scenario.id(), scenario.about));
    }
    for status in ExitStatus::ALL {
        let document = match status.document() {
            Document::Answer => "answer",
            Document::Failure => "failure",
            Document::AnswerOrFailure => "answer or failure",
            Document::None => "–",
        };
        rows.push(format!(
            "| {} | {} | {document} |",
            status.number(),
            status.meaning()
        ));
    }
    for option in table::OPTIONS {
        let value = option
            .value
            .map_or(String::new(), |value| format!(" <{value}>"));
        rows.push(format!(
            "| `{}{value}` | `{}` | {} |",
            option.name, option.setting, option.about
        ));
    }
    for setting in table::SETTINGS {
        let twin = if setting.has_file_twin {
            " (`_FILE`)"
        } else {
            ""
        };
        rows.push(format!("| `{}`{twin} | {}", setting.name, setting.about));
    }
    for code in FailureCode::ALL {
        rows.push(format!(
            "`{}`",
            serde_json::to_value(code).unwrap().as_str().unwrap()
        ));
    }
    for row in rows {
        assert!(README.contains(&row), "the README lacks: {row}");
    }
}

/// What the README quotes from stderr is what the other tests see: in a snapshot, or in an assertion.
#[test]
fn every_message_in_the_troubleshooting_table_is_one_that_the_program_says() {
    let mut seen = String::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/spec")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path
                .extension()
                .is_some_and(|it| it == "snap" || it == "rs")
            {
                seen += &fs::read_to_string(path).unwrap();
            }
        }
    }
    let table = README
        .split("| stderr says |")
        .nth(1)
        .unwrap()
        .split("\n\n")
        .next()
        .unwrap();
    let rows: Vec<&str> = table
        .lines()
        .filter(|line| line.starts_with("| `"))
        .collect();
    assert!(rows.len() > 10);
    for row in rows {
        let message = row.split('`').nth(1).unwrap();
        assert!(
            seen.contains(message),
            "the program does not say: {message}"
        );
    }
}
