//! What the embedded Defender says when it refuses.
//!
//! Source: captured answers of the service and of gateways before it.

use crate::call::sandbox::reply::{Asked, Reply};

pub(super) fn not_found(_: &Asked) -> Reply {
    Reply::error(404, "ResourceNotFound", "Machine action was not found")
}

pub(super) fn internal_error(_: &Asked) -> Reply {
    Reply::error(500, "InternalServerError", "An internal error has occurred")
}

pub(super) fn overloaded(_: &Asked) -> Reply {
    Reply::error(503, "ServiceUnavailable", "The service is overloaded")
}

/// Too many calls: `limit` is the quota, and the next call may come in so many seconds.
pub(super) fn throttled(limit: &str, seconds: u64) -> Reply {
    let message = format!("API calls quota exceeded! maximum allowed {limit}");
    Reply::error(429, "429", &message).header("Retry-After", seconds.to_string())
}

/// A token that was valid until the application's permissions changed.
pub(super) fn revoked() -> Reply {
    Reply::error(401, "Unauthorized", "The token has been revoked")
}

/// To a cancel: the application has no role that allows it.
pub(super) fn may_not_cancel(_: &Asked) -> Reply {
    missing_roles(
        "Machine.CollectForensics,Machine.Isolate,Machine.RestrictExecution,Machine.Scan,Machine.Offboard,\
         Machine.StopAndQuarantine,Machine.LiveResponse",
        "Machine.Read.All",
    )
}

/// The same, as another part of the service says it.
pub(super) fn may_not_cancel_otherwise(_: &Asked) -> Reply {
    Reply::error(
        403,
        "Forbidden",
        "The application does not have any of the required application permissions (Machine.Isolate, \
         Machine.CollectForensic, Machine.Scan, Machine.RestrictExecution, Machine.StopAndQuarantine, \
         Machine.Offboard, Machine.LiveResponse) to access the resource.",
    )
}

/// To a read: the application has no role that allows it.
pub(super) fn may_not_read(_: &Asked) -> Reply {
    missing_roles("Machine.Read.All,Machine.ReadWrite.All", "Machine.Isolate")
}

fn missing_roles(required: &str, held: &str) -> Reply {
    let message = format!(
        "Missing application roles. API required roles: {required}, application roles: {held}."
    );
    Reply::error(403, "Forbidden", &message)
}
