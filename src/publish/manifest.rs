//! What a connector catalog lists.

use schemars::JsonSchema;
use serde::Serialize;

use crate::auth::permissions::{CANCEL_ROLES, READ_ROLES};
use crate::output::exit_status::{Document, ExitStatus};
use crate::output::failure::FailureCode;
use crate::settings::clouds::COMMERCIAL;
use crate::settings::commands::COMMANDS;
use crate::settings::options;
use crate::settings::variables;

/// The page that describes the call.
pub(super) const DOCUMENTATION: &str =
    "https://learn.microsoft.com/en-us/defender-endpoint/api/cancel-machine-action";

/// What a connector catalog lists of the step.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "Cancel Machine Action: manifest")]
pub(super) struct Manifest {
    /// The step's name, for people.
    pub(super) name: &'static str,
    /// The step's name, for machines; also the program's.
    pub(super) slug: &'static str,
    /// The program's version.
    pub(super) version: &'static str,
    /// Vendor of the product that the step acts on.
    pub(super) vendor: &'static str,
    /// The product that the step acts on.
    pub(super) product: &'static str,
    /// What the step does.
    pub(super) description: &'static str,
    /// Effect of a call, for engines that ask a person first.
    pub(super) effect: Effect,
    /// The call that the step makes.
    pub(super) endpoint: Endpoint,
    /// Permissions that the identity needs.
    pub(super) permissions: Permissions,
    /// Limits of the service, for each application and tenant.
    pub(super) rate_limits: Vec<RateLimit>,
    /// What the program does besides the step, by the word that asks for it.
    pub(super) commands: Vec<ManifestCommand>,
    /// The options of the command line.
    pub(super) options: Vec<ManifestOption>,
    /// The environment variables that an operator sets.
    pub(super) settings: Vec<ManifestSetting>,
    /// Exit statuses of the process.
    pub(super) exit_statuses: Vec<ManifestExitStatus>,
    /// Values of a failure's `code`.
    pub(super) failure_codes: Vec<ManifestFailureCode>,
    /// Paths of the schemas, from the manifest's folder.
    pub(super) schemas: Schemas,
}

/// Effect of a call.
#[derive(Serialize, JsonSchema)]
pub(super) struct Effect {
    /// Whether it changes nothing.
    pub(super) read_only: bool,
    /// Whether its effect may be impossible to undo.
    pub(super) destructive: bool,
    /// Whether two equal calls have the effect of one.
    pub(super) idempotent: bool,
}

/// An HTTP call.
#[derive(Serialize, JsonSchema)]
pub(super) struct Endpoint {
    /// The method.
    pub(super) method: &'static str,
    /// The path, with the name of the path parameter in braces.
    pub(super) path: &'static str,
    /// The host in the commercial cloud.
    pub(super) base_url: &'static str,
}

/// Permissions that the identity needs.
#[derive(Serialize, JsonSchema)]
pub(super) struct Permissions {
    /// Application permissions, one of which is needed for the call.
    pub(super) any_of: [&'static str; 7],
    /// Application permissions, one of which is also needed for `--wait`, `--allow`, `list` and `get`.
    pub(super) to_wait_any_of: [&'static str; 2],
}

/// A number of calls in a period of time.
#[derive(Serialize, JsonSchema)]
pub(super) struct RateLimit {
    /// Number of calls.
    pub(super) calls: u32,
    /// Length of the period, in seconds.
    pub(super) per_seconds: u32,
}

/// A command of the program.
#[derive(Serialize, JsonSchema)]
pub(super) struct ManifestCommand {
    /// The word that asks for it.
    pub(super) name: &'static str,
    /// What stands behind the word, if anything does.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) argument: &'static str,
    /// What it does.
    pub(super) description: &'static str,
    /// The options that it takes.
    pub(super) options: Vec<&'static str>,
}

/// An option of the command line.
#[derive(Serialize, JsonSchema)]
pub(super) struct ManifestOption {
    /// The option as it is typed.
    pub(super) name: &'static str,
    /// Name of its value, if it takes one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) value: Option<&'static str>,
    /// Environment variable with the same effect.
    pub(super) setting: &'static str,
    /// What it does.
    pub(super) description: &'static str,
}

/// An environment variable.
#[derive(Serialize, JsonSchema)]
pub(super) struct ManifestSetting {
    /// Its name.
    pub(super) name: &'static str,
    /// What it means.
    pub(super) description: &'static str,
    /// Whether its value is a secret.
    pub(super) secret: bool,
    /// Variable that may name a file with the value instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) file_setting: Option<String>,
    /// Value that is used if it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) default: Option<&'static str>,
    /// Allowed values; missing if any text is allowed.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(super) values: &'static [&'static str],
}

/// An exit status.
#[derive(Serialize, JsonSchema)]
pub(super) struct ManifestExitStatus {
    /// The number.
    pub(super) status: u8,
    /// What it means.
    pub(super) meaning: &'static str,
    /// What stdout carries with this status.
    pub(super) stdout: Document,
}

/// A failure's code.
#[derive(Serialize, JsonSchema)]
pub(super) struct ManifestFailureCode {
    /// The code.
    pub(super) code: FailureCode,
    /// Exit status of the process with this code.
    pub(super) exit_status: u8,
}

/// Where the schemas are.
#[derive(Serialize, JsonSchema)]
pub(super) struct Schemas {
    /// What the step reads.
    pub(super) input: &'static str,
    /// What it writes when the service has answered.
    pub(super) output: &'static str,
    /// What it writes when there is no answer.
    pub(super) error: &'static str,
    /// What an operator sets.
    pub(super) settings: &'static str,
    /// What `check` reports.
    pub(super) check: &'static str,
    /// This manifest.
    pub(super) manifest: &'static str,
}

impl Manifest {
    /// The manifest of this version.
    pub(super) fn current() -> Self {
        Self {
            name: "Cancel Machine Action",
            slug: env!("CARGO_PKG_NAME"),
            version: env!("CARGO_PKG_VERSION"),
            vendor: "Microsoft",
            product: "Microsoft Defender for Endpoint",
            description: "Cancels a pending machine action in Microsoft Defender using the specified 'machineactionid'.",
            effect: Effect {
                read_only: false,
                destructive: true,
                idempotent: true,
            },
            endpoint: Endpoint {
                method: "POST",
                path: "/api/machineactions/{machineactionid}/cancel",
                base_url: COMMERCIAL.api,
            },
            permissions: Permissions {
                any_of: CANCEL_ROLES,
                to_wait_any_of: READ_ROLES,
            },
            rate_limits: vec![
                RateLimit {
                    calls: 100,
                    per_seconds: 60,
                },
                RateLimit {
                    calls: 1500,
                    per_seconds: 3600,
                },
            ],
            commands: COMMANDS
                .iter()
                .map(|command| ManifestCommand {
                    name: command.name,
                    argument: command.argument,
                    description: command.about,
                    options: command.option_names().collect(),
                })
                .collect(),
            options: options::OPTIONS
                .map(|option| ManifestOption {
                    name: option.name,
                    value: option.value,
                    setting: option.setting,
                    description: option.about,
                })
                .into(),
            settings: variables::SETTINGS
                .map(|setting| ManifestSetting {
                    name: setting.name,
                    description: setting.about,
                    secret: setting.is_secret,
                    file_setting: setting.has_file_twin.then(|| setting.file_twin()),
                    default: setting.default,
                    values: setting.values,
                })
                .into(),
            exit_statuses: ExitStatus::ALL
                .map(|status| ManifestExitStatus {
                    status: status.number(),
                    meaning: status.meaning(),
                    stdout: status.document(),
                })
                .into(),
            failure_codes: failure_codes(),
            schemas: Schemas {
                input: "schema/input.schema.json",
                output: "schema/output.schema.json",
                error: "schema/error.schema.json",
                settings: "schema/settings.schema.json",
                check: "schema/check.schema.json",
                manifest: "schema/manifest.schema.json",
            },
        }
    }
}

/// Every code with its exit status; the one of signals has two.
fn failure_codes() -> Vec<ManifestFailureCode> {
    let pair = |(code, status): (FailureCode, ExitStatus)| ManifestFailureCode {
        code,
        exit_status: status.number(),
    };
    let codes = FailureCode::ALL.map(|code| (code, code.exit_status()));
    let by_interrupt = (FailureCode::Interrupted, ExitStatus::Interrupted);
    codes.into_iter().chain([by_interrupt]).map(pair).collect()
}
