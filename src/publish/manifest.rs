//! What a connector catalog lists.

use schemars::JsonSchema;
use serde::Serialize;

use crate::auth::permissions::{CANCEL_ROLES, READ_ROLES};
use crate::output::exit_status::{Document, ExitStatus};
use crate::output::failure::FailureCode;
use crate::settings::clouds;
use crate::settings::table;

/// What a connector catalog lists of the step.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "Cancel Machine Action: manifest")]
pub struct Manifest {
    /// The step's name, for people.
    pub name: &'static str,
    /// The step's name, for machines; also the program's.
    pub slug: &'static str,
    /// The program's version.
    pub version: &'static str,
    /// Whose product the step acts on.
    pub vendor: &'static str,
    /// The product that the step acts on.
    pub product: &'static str,
    /// What the step does.
    pub description: &'static str,
    /// What kind of effect a call has, for an engine that asks a person first.
    pub effect: Effect,
    /// The call that the step makes.
    pub endpoint: Endpoint,
    /// What the identity needs.
    pub permissions: Permissions,
    /// How often the service lets itself be called, per application and tenant.
    pub rate_limits: Vec<RateLimit>,
    /// The options of the command line.
    pub options: Vec<ManifestOption>,
    /// The environment variables that an operator sets.
    pub settings: Vec<ManifestSetting>,
    /// What the process's exit status tells.
    pub exit_statuses: Vec<ManifestExitStatus>,
    /// What stands in a failure's `code`.
    pub failure_codes: Vec<ManifestFailureCode>,
    /// The schemas, by what they describe: paths from the manifest.
    pub schemas: Schemas,
}

/// What kind of effect a call has.
#[derive(Serialize, JsonSchema)]
pub struct Effect {
    /// Whether it changes nothing.
    pub read_only: bool,
    /// Whether it may take away what cannot be brought back.
    pub destructive: bool,
    /// Whether the same call twice does no more than once.
    pub idempotent: bool,
}

/// An HTTP call.
#[derive(Serialize, JsonSchema)]
pub struct Endpoint {
    /// The method.
    pub method: &'static str,
    /// The path, with the name of the path parameter in braces.
    pub path: &'static str,
    /// The host in the commercial cloud.
    pub base_url: &'static str,
}

/// What the identity needs.
#[derive(Serialize, JsonSchema)]
pub struct Permissions {
    /// Application permissions, any one of which allows the call.
    pub any_of: [&'static str; 7],
    /// Application permissions, any one of which `--wait` needs besides.
    pub to_wait_any_of: [&'static str; 2],
}

/// So many calls in so much time.
#[derive(Serialize, JsonSchema)]
pub struct RateLimit {
    /// How many calls.
    pub calls: u32,
    /// In how many seconds.
    pub per_seconds: u32,
}

/// An option of the command line.
#[derive(Serialize, JsonSchema)]
pub struct ManifestOption {
    /// The option as it is typed.
    pub name: &'static str,
    /// What its value is called, if it takes one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<&'static str>,
    /// The environment variable that sets the same.
    pub setting: &'static str,
    /// What it does.
    pub description: &'static str,
}

/// An environment variable.
#[derive(Serialize, JsonSchema)]
pub struct ManifestSetting {
    /// Its name.
    pub name: &'static str,
    /// What it means.
    pub description: &'static str,
    /// Whether its value is to be kept from sight.
    pub secret: bool,
    /// The variable that may name a file with the value instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_setting: Option<String>,
    /// Its value if it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<&'static str>,
    /// The values that it may have; empty if it is free text.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub values: &'static [&'static str],
}

/// An exit status.
#[derive(Serialize, JsonSchema)]
pub struct ManifestExitStatus {
    /// The number.
    pub status: u8,
    /// What it tells.
    pub meaning: &'static str,
    /// What stdout carries with it.
    pub stdout: Document,
}

/// A failure's code.
#[derive(Serialize, JsonSchema)]
pub struct ManifestFailureCode {
    /// The code.
    pub code: FailureCode,
    /// The exit status that goes with it.
    pub exit_status: u8,
}

/// Where the schemas are.
#[derive(Serialize, JsonSchema)]
pub struct Schemas {
    /// What the step reads.
    pub input: &'static str,
    /// What it writes when the service has answered.
    pub output: &'static str,
    /// What it writes when there is no answer.
    pub error: &'static str,
    /// What an operator sets.
    pub settings: &'static str,
    /// What `check` reports.
    pub check: &'static str,
    /// This manifest.
    pub manifest: &'static str,
}

impl Manifest {
    /// The manifest of this version.
    #[must_use]
    pub fn current() -> Self {
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
                base_url: clouds::COMMERCIAL_API,
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
            options: table::OPTIONS
                .map(|option| ManifestOption {
                    name: option.name,
                    value: option.value,
                    setting: option.setting,
                    description: option.about,
                })
                .into(),
            settings: table::SETTINGS
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
            failure_codes: FailureCode::ALL
                .map(|code| ManifestFailureCode {
                    code,
                    exit_status: code.exit_status().number(),
                })
                .into(),
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
