//! Every command and example of the READMEs, run or checked.

mod engines;
mod links;

use std::fmt;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use cancel_machine_action::call::sandbox::scenarios;
use cancel_machine_action::output::exit_status::{Document, ExitStatus};
use cancel_machine_action::output::failure::FailureCode;
use cancel_machine_action::output::generated_files;
use cancel_machine_action::settings::options;
use cancel_machine_action::settings::variables;
use serde_json::{Value, json};

use crate::support::client::{Client, modern};
use crate::support::{Authority, Reply, Server, each, response, step};

/// The README at the top.
const README: &str = include_str!("../../README.md");
/// Where the playbooks are, and the ids of the sandbox.
const ENGINES: &str = include_str!("../engines/README.md");

/// A README, wherever it is in the repository.
struct Readme {
    /// From the top of the repository.
    path: PathBuf,
    text: String,
}

impl fmt::Debug for Readme {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.path.display())
    }
}

impl Readme {
    /// The fenced blocks, each with its language, in their order.
    fn blocks(&self) -> Vec<(&str, &str)> {
        let fenced = self.text.split("\n```").skip(1).step_by(2);
        fenced
            .map(|block| block.split_once('\n').unwrap())
            .collect()
    }

    /// The fenced blocks of a language, in their order.
    fn blocks_of(&self, language: &str) -> Vec<&str> {
        let blocks = self.blocks().into_iter();
        let blocks = blocks.filter(|(of, _)| *of == language);
        blocks.map(|(_, block)| block).collect()
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files in `folder` and below it whose path ends with one of `ends`; without what is built, and hidden folders.
fn files_below(folder: &Path, ends: &[&str]) -> Vec<PathBuf> {
    let mut folders = vec![folder.to_owned()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if name.starts_with('.') || ["target", "node_modules"].contains(&name) {
                continue;
            } else if path.is_dir() {
                folders.push(path);
            } else if ends.iter().any(|end| name.ends_with(end)) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Every README of the repository.
fn readmes() -> Vec<Readme> {
    let found = files_below(root(), &["README.md"]).into_iter();
    found
        .map(|path| Readme {
            text: fs::read_to_string(&path).unwrap(),
            path: path.strip_prefix(root()).unwrap().to_owned(),
        })
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
        .replace("cargo run -q --", "cancel-machine-action")
        // What stays open does so for as long as one waits.
        .replace("--wait 30", "--wait 3");
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

/// A home with all that a README takes for granted. Its `az` is a stand-in that only answers, because there is no
/// tenant here.
fn home(of: &Readme) -> PathBuf {
    let name = of.path.display().to_string().replace('/', "-");
    let home =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    fs::create_dir_all(home.join("bin")).unwrap();
    fs::write(home.join("client-secret"), "the secret\n").unwrap();
    fs::write(home.join("token"), "eyJhbGciOiJub25lIn0.e30.x\n").unwrap();
    fs::write(home.join("request.json"), generated_files::SAMPLE).unwrap();
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
    home
}

/// Runs a block as a person would who has done what the README says before it. Returns what is shown.
fn run_for_real(block: &str, home: &Path) -> String {
    let json = "Content-Type: application/json";
    let cancelled = r#"{"id":"988cc94e-7a8f-4b28-ab65-54970c5d5018","status":"Cancelled"}"#;
    let granted = r#"{"access_token":"a.token","expires_in":3599}"#;
    let sign_in = Server::tls([Reply::bytes(response("200 OK", &[json], granted))]);
    let api = Server::tls([Reply::bytes(response("200 OK", &[json], cancelled))]);
    let (sign_in, api) = (sign_in.url(), api.url());
    // In the sandbox the hosts are shown, and nothing is sent to them.
    let is_sandbox = block.contains("--sandbox");
    let mut variables = vec![("HOME", home.to_str().unwrap())];
    if is_sandbox {
        variables.push(("MDE_CALLS_PER_MINUTE", "0"));
    } else {
        variables.extend([
            ("AZURE_AUTHORITY_HOST", sign_in.as_str()),
            ("AZURE_POD_IDENTITY_AUTHORITY_HOST", &sign_in),
            ("MDE_BASE_URL", &api),
            ("SSL_CERT_FILE", Authority::trusted().pem_path()),
        ]);
    }
    run(block, home, &variables)
}

#[test]
fn every_command_prints_what_the_readmes_show() {
    each(readmes(), |readme| {
        let home = home(&readme);
        for block in readme.blocks_of("console") {
            let lines = block.lines().filter(|line| !line.starts_with("$ "));
            let shown: Vec<&str> = lines.collect();
            assert_eq!(
                run_for_real(block, &home),
                shown.join("\n").trim_end(),
                "{block}"
            );
        }
    });
}

#[test]
fn the_two_commands_from_source_are_those_that_are_checked() {
    let checked = fs::read_to_string(root().join(".ci/run")).unwrap();
    for command in [
        "cargo run -q -- --sandbox tests/spec/data/request.json",
        "cargo test",
    ] {
        assert!(README.contains(&format!("`{command}`")), "{command}");
        assert!(checked.contains(&format!("\n{command}\n")), "{command}");
    }
}

#[test]
fn every_json_example_is_what_its_schema_says() {
    for readme in readmes() {
        for block in readme.blocks_of("json") {
            let example: Value = serde_json::from_str(block).unwrap();
            let schema = match &example {
                example if example.get("mcpServers").is_some() => {
                    assert_client_is_configured(example);
                    continue;
                }
                example if example.get("path_parameters").is_some() => generated_files::INPUT,
                example if example.get("status_code").is_some() => generated_files::OUTPUT,
                _ => generated_files::ERROR,
            };
            let schema: Value = serde_json::from_str(schema).unwrap();
            assert!(jsonschema::is_valid(&schema, &example), "{block}");
        }
    }
}

/// An agent's client is told what the step knows.
fn assert_client_is_configured(example: &Value) {
    let server = &example["mcpServers"]["defender"];
    assert_eq!(server["command"], "cancel-machine-action");
    for (name, _) in server["env"].as_object().unwrap() {
        let is_known = variables::SETTINGS.iter().any(|it| {
            it.name == name || (it.has_file_twin && format!("{}_FILE", it.name) == *name)
        });
        assert!(is_known, "{name}");
    }
    let args = server["args"].as_array().unwrap();
    let args = args.iter().filter_map(Value::as_str);
    let mut client = Client::of(step().env("MDE_TIMEOUT", "").args(args));
    client.say(modern(1, "tools/list", json!({})));
    let listed = client.hear();
    assert_eq!(listed["result"]["tools"].as_array().unwrap().len(), 3);
}

#[test]
fn the_tables_are_those_of_the_program() {
    let mut rows: Vec<String> = Vec::new();
    for status in ExitStatus::ALL {
        let document = match status.document() {
            Document::Answer => "answer",
            Document::Failure => "failure",
            Document::AnswerOrFailure => "answer or failure",
            Document::None => "–",
        };
        let codes = codes_of(status).map(|code| format!("`{code}`"));
        let codes = codes.collect::<Vec<_>>().join(", ");
        let row = format!(
            "| {} | {} | {document} | {codes}",
            status.number(),
            status.meaning()
        );
        rows.push(format!("{} |", row.trim_end()));
    }
    for option in options::OPTIONS {
        let value = option
            .value
            .map_or(String::new(), |value| format!(" <{value}>"));
        rows.push(format!(
            "| `{}{value}` | `{}` | {} |",
            option.name, option.setting, option.about
        ));
    }
    for setting in variables::SETTINGS {
        let twin = if setting.has_file_twin {
            " (`_FILE`)"
        } else {
            ""
        };
        rows.push(format!("| `{}`{twin} | {}", setting.name, setting.about));
    }
    let ids = scenarios::SCENARIOS.iter();
    let ids = ids.map(|scenario| format!("| `{}` | {} |", scenario.id(), scenario.about));
    let missing_ids = ids.filter(|row| !ENGINES.contains(row));
    let missing = rows.into_iter().filter(|row| !README.contains(row));
    let missing: Vec<String> = missing.chain(missing_ids).collect();
    assert!(missing.is_empty(), "missing:\n{}", missing.join("\n"));
}

/// The codes of the failures that end with this status.
fn codes_of(status: ExitStatus) -> impl Iterator<Item = String> {
    let codes = FailureCode::ALL.into_iter().filter(move |code| {
        code.exit_status() == status
            || (*code == FailureCode::Interrupted && status == ExitStatus::Interrupted)
    });
    codes.map(|code| {
        let name = serde_json::to_value(code).unwrap();
        name.as_str().unwrap().to_owned()
    })
}

/// What the README quotes from stderr is what the other tests see: in a snapshot, or in an assertion.
#[test]
fn every_message_in_the_troubleshooting_table_is_one_that_the_program_says() {
    let tests = files_below(&root().join("tests/spec"), &[".snap", ".rs"]).into_iter();
    let seen: String = tests
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    let table = README.split("| stderr says |").nth(1).unwrap();
    let table = table.split("\n\n").next().unwrap();
    let first_cells = table.lines().filter_map(|row| row.split(" | ").next());
    let messages: Vec<&str> = first_cells
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .collect();
    assert!(messages.len() > 20);
    for message in messages {
        assert!(
            seen.contains(message),
            "the program does not say: {message}"
        );
    }
}
