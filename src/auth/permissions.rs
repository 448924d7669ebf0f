//! What a token allows, judged by its claims.

use schemars::JsonSchema;
use serde::Serialize;

use crate::auth::claims::Claims;

/// The application permissions that allow a cancel. Source: "Cancel machine action API", "Permissions".
pub(crate) const CANCEL_ROLES: [&str; 7] = [
    "Machine.CollectForensics",
    "Machine.Isolate",
    "Machine.RestrictExecution",
    "Machine.Scan",
    "Machine.Offboard",
    "Machine.StopAndQuarantine",
    "Machine.LiveResponse",
];

/// The application permissions that allow reading an action. Source: "Get machineAction API", "Permissions".
pub(crate) const READ_ROLES: [&str; 2] = ["Machine.Read.All", "Machine.ReadWrite.All"];

/// One thing that is wrong with a token.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Problem {
    /// What kind of problem it is.
    pub(crate) code: ProblemCode,
    /// What is wrong, and what to do.
    pub(crate) message: String,
}

/// What kind of problem it is: a closed set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ProblemCode {
    /// Sign-in failed, so there is no token.
    NoToken,
    /// The token cannot be read, so nothing is known about it.
    UnreadableToken,
    /// The token is for another API.
    WrongAudience,
    /// The token has expired.
    Expired,
    /// The token is not valid yet.
    NotValidYet,
    /// The token acts for a user, whose role in Defender limits what it may do.
    Delegated,
    /// The token has no permission to cancel.
    NoCancelRole,
    /// The token has no permission to list and read actions.
    NoReadRole,
}

impl ProblemCode {
    /// Whether a cancel is possible all the same.
    pub(crate) const fn allows_cancel(self) -> bool {
        matches!(self, Self::Delegated | Self::NoReadRole)
    }

    /// Whether listing and reading actions is possible all the same.
    pub(crate) const fn allows_read(self) -> bool {
        matches!(self, Self::Delegated | Self::NoCancelRole)
    }
}

/// Returns everything that keeps a token with `claims` from cancelling at `resource`, or from reading there, at `now` (in
/// seconds since 1970).
pub(crate) fn problems(claims: &Claims, resource: &str, now: u64) -> Vec<Problem> {
    let audience = claims.audience();
    let rows = [
        (
            !claims.is_for(resource),
            ProblemCode::WrongAudience,
            format!(
                "the token is for {audience}, not for {resource}: check MDE_SCOPE and MDE_CLOUD, or get another token"
            ),
        ),
        (
            claims.expires_at.is_some_and(|at| at <= now),
            ProblemCode::Expired,
            "the token has expired: get another one, or correct this machine's clock".to_owned(),
        ),
        (
            claims.valid_from.is_some_and(|from| from > now),
            ProblemCode::NotValidYet,
            "the token is not valid yet: correct this machine's clock".to_owned(),
        ),
        (
            claims.scopes.is_some(),
            ProblemCode::Delegated,
            "the token acts for a signed-in user (claim scp), so that user's role in Defender must allow the cancel too: for a \
             step that nobody attends, use application permissions"
                .to_owned(),
        ),
        (
            !claims.has_any(&CANCEL_ROLES),
            ProblemCode::NoCancelRole,
            format!(
                "the token has no permission to cancel: grant one of {} with admin consent",
                CANCEL_ROLES.join(", ")
            ),
        ),
        (
            !claims.has_any(&READ_ROLES),
            ProblemCode::NoReadRole,
            format!(
                "the token has no permission to list and read actions, which list, get, --wait and --allow need: grant {} with \
                 admin consent",
                READ_ROLES.join(" or ")
            ),
        ),
    ];
    let found = rows.into_iter().filter(|(is_wrong, ..)| *is_wrong);
    found
        .map(|(_, code, message)| Problem { code, message })
        .collect()
}

/// The permissions of a token, as a sentence has them.
fn held(claims: &Claims) -> String {
    let held: Vec<&str> = claims.permissions().collect();
    match held.as_slice() {
        [] => "no permissions".to_owned(),
        held => format!("the permissions {}", held.join(", ")),
    }
}

/// What a token was shown for.
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    Cancel,
    Read,
}

impl Purpose {
    const fn deed(self) -> &'static str {
        match self {
            Self::Cancel => "a cancel",
            Self::Read => "reading",
        }
    }

    /// Returns the remedy if the token has `problem`; `None` if that does not stand in the way.
    fn remedy(self, problem: ProblemCode, resource: &str) -> Option<String> {
        let deed = self.deed();
        let remedy = match (problem, self) {
            (ProblemCode::Expired, _) => {
                "it has expired: get another one, or correct this machine's clock"
            }
            (ProblemCode::NotValidYet, _) => "it is not valid yet: correct this machine's clock",
            (ProblemCode::WrongAudience, _) => {
                &format!("{deed} needs a token for {resource}: check MDE_SCOPE and MDE_CLOUD")
            }
            (ProblemCode::NoCancelRole, Self::Cancel) => {
                let roles = CANCEL_ROLES.join(", ");
                &format!("{deed} needs one of {roles}: grant it with admin consent")
            }
            (ProblemCode::NoReadRole, Self::Read) => {
                let roles = READ_ROLES.join(" or ");
                &format!("{deed} needs {roles}: grant one with admin consent")
            }
            (ProblemCode::Delegated, _) => {
                &format!("it acts for a user: that user's role in Defender must allow {deed} too")
            }
            _ => return None,
        };
        Some(remedy.to_owned())
    }

    const fn remedy_if_nothing_is_missing(self) -> &'static str {
        match self {
            Self::Cancel => {
                "that is enough for a cancel: check the tenant, MDE_BASE_URL, and which devices the application may act on"
            }
            Self::Read => "that is enough for reading: check the tenant and MDE_BASE_URL",
        }
    }
}

/// The problems in the order in which they are to be mended.
const BY_WEIGHT: [ProblemCode; 6] = [
    ProblemCode::Expired,
    ProblemCode::NotValidYet,
    ProblemCode::WrongAudience,
    ProblemCode::NoCancelRole,
    ProblemCode::NoReadRole,
    ProblemCode::Delegated,
];

/// Returns what the token has, the first thing that it lacks for `purpose`, and what to do; without names of tenants or
/// applications.
pub(crate) fn shortcoming(claims: &Claims, resource: &str, now: u64, purpose: Purpose) -> String {
    let problems = problems(claims, resource, now);
    let has = |code: &ProblemCode| problems.iter().any(|problem| problem.code == *code);
    let mut found = BY_WEIGHT.into_iter().filter(has);
    let remedy = found.find_map(|code| purpose.remedy(code, resource));
    let remedy = remedy.unwrap_or_else(|| purpose.remedy_if_nothing_is_missing().to_owned());
    let (audience, held) = (claims.audience(), held(claims));
    format!("The token is for {audience} and has {held}; {remedy}.")
}
