//! What the embedded Defender replies, by the id that it is asked about.

use std::ops::Range;

use serde_json::json;

use crate::call::sandbox::action;
use crate::call::sandbox::errors::{
    internal_error, may_not_cancel, may_not_cancel_otherwise, may_not_read, not_found, overloaded,
    throttled,
};
use crate::call::sandbox::reply::{Asked, Refusal, Reply};
use crate::input::is_guid;

/// The id that begins every scenario's; six digits follow: a status, and which of its answers.
pub(super) const SCENARIO_PREFIX: &str = "00000000-0000-0000-0000-000000";

/// Of every ten seconds, those in which one action is throttled.
const THROTTLED_BY_CLOCK: Range<u64> = 0..5;

/// One of the interesting answers, and the id that asks for it.
pub struct Scenario {
    /// The last six digits of the id.
    pub digits: &'static str,
    /// What the id stands for, and what is answered.
    pub about: &'static str,
    cancel: fn(&Asked) -> Reply,
    read: fn(&Asked) -> Reply,
}

impl Scenario {
    /// Returns the id that asks for this answer.
    pub fn id(&self) -> String {
        format!("{SCENARIO_PREFIX}{}", self.digits)
    }

    /// Returns what is answered however often and whenever one asks, if it is a refusal.
    pub(crate) fn refusal(&self) -> Option<Refusal> {
        let asked = Asked {
            id: self.id(),
            token_was_renewed: true,
            count: u32::MAX,
            second: THROTTLED_BY_CLOCK.end,
            ..Asked::default()
        };
        (self.cancel)(&asked).refusal()
    }
}

/// Returns the reply to a cancel, or else to a read.
pub(super) fn reply(asked: &Asked, is_cancel: bool) -> Reply {
    if !is_guid(&asked.id) {
        let message = format!(
            "The key value ({}) from request is not valid. The key value should be format of type 'Edm.Guid'.",
            asked.id
        );
        return Reply::error(400, "BadRequest", &message);
    }
    let [open, ..] = &SCENARIOS;
    let named = SCENARIOS.iter().find(|scenario| scenario.id() == asked.id);
    let scenario = named.unwrap_or(open);
    match is_cancel {
        true => (scenario.cancel)(asked),
        false => (scenario.read)(asked),
    }
}

/// Every scenario. Any other GUID is that of an open action, which is cancelled.
pub const SCENARIOS: [Scenario; 26] = [
    Scenario {
        digits: "200000",
        about: "an open action: it is cancelled and returned",
        cancel: action::cancelled,
        read: action::now,
    },
    Scenario {
        digits: "200001",
        about: "an action that has already succeeded: it is returned unchanged",
        cancel: action::succeeded,
        read: action::succeeded,
    },
    Scenario {
        digits: "200002",
        about: "an open action: it is cancelled, but the answer has no body",
        cancel: |_| Reply::text(200, "text/plain", ""),
        read: action::now,
    },
    Scenario {
        digits: "200003",
        about: "an open action: still pending in the first two reads, cancelled in the third",
        cancel: action::pending,
        read: |asked| match asked.count {
            1 | 2 => action::pending(asked),
            _ => action::cancelled(asked),
        },
    },
    Scenario {
        digits: "200004",
        about: "an action that is cancelled too late: one of its commands has completed",
        cancel: action::pending,
        read: action::now_too_late,
    },
    Scenario {
        digits: "200005",
        about: "an open action that this identity may cancel, but not read",
        cancel: action::pending,
        read: may_not_read,
    },
    Scenario {
        digits: "200006",
        about: "an open action that stays pending",
        cancel: action::pending,
        read: action::pending,
    },
    Scenario {
        digits: "302000",
        about: "a redirect to another host, which is not followed",
        cancel: |_| {
            Reply::text(302, "text/plain", "")
                .header("Location", "https://elsewhere.example/api/machineactions")
        },
        read: not_found,
    },
    Scenario {
        digits: "400000",
        about: "an action that is already final: the cancel is refused",
        cancel: |_| {
            Reply::error(
                400,
                "BadRequest",
                "The machine action is already in a final state",
            )
        },
        read: action::succeeded,
    },
    Scenario {
        digits: "400001",
        about: "a body that the service rejects",
        cancel: |_| Reply::error(400, "InvalidRequestBody", "Request body is incorrect"),
        read: not_found,
    },
    Scenario {
        digits: "400002",
        about: "another action is in progress",
        cancel: |_| {
            Reply::error(
                400,
                "ActiveRequestAlreadyExists",
                "Action is already in progress, active action id: b0ed2843-040f-4d40-ad12-977a9729a55d",
            )
        },
        read: not_found,
    },
    Scenario {
        digits: "401000",
        about: "a token that the service rejects, and a new one too",
        cancel: |_| {
            Reply::error(
                401,
                "Unauthorized",
                "The signature of the token is not valid",
            )
        },
        read: not_found,
    },
    Scenario {
        digits: "401001",
        about: "a token that has expired: with a new one the action is cancelled",
        cancel: |asked| {
            if asked.token_was_renewed {
                action::cancelled(asked)
            } else {
                Reply::error(401, "Unauthorized", "The token has expired")
            }
        },
        read: action::now,
    },
    Scenario {
        digits: "403000",
        about: "missing permissions, in the words of one part of the service",
        cancel: may_not_cancel,
        read: not_found,
    },
    Scenario {
        digits: "403001",
        about: "missing permissions, in the words of another part",
        cancel: may_not_cancel_otherwise,
        read: not_found,
    },
    Scenario {
        digits: "404000",
        about: "no such action",
        cancel: |asked| {
            let message = format!("Machine action {} was not found", asked.id);
            Reply::error(404, "ResourceNotFound", &message)
        },
        read: not_found,
    },
    Scenario {
        digits: "404001",
        about: "no such action, with an empty body",
        cancel: |_| Reply::text(404, "text/plain", ""),
        read: not_found,
    },
    Scenario {
        digits: "404002",
        about: "no such action, in the format of a gateway",
        cancel: |_| {
            Reply::json(
                404,
                &json!({"statusCode": 404, "message": "Resource not found"}),
            )
        },
        read: not_found,
    },
    Scenario {
        digits: "409000",
        about: "a conflict with another call",
        cancel: |_| Reply::error(409, "Conflict", "The machine action is being changed"),
        read: action::pending,
    },
    Scenario {
        digits: "429000",
        about: "the quota is used up; Retry-After asks for an hour",
        cancel: |_| throttled("1500 per 01:00:00", 3600),
        read: not_found,
    },
    Scenario {
        digits: "429001",
        about: "throttled twice, for a second each, then cancelled",
        cancel: |asked| match asked.count {
            1 | 2 => throttled("100 per 00:01:00", 1),
            _ => action::cancelled(asked),
        },
        read: action::now,
    },
    Scenario {
        digits: "429002",
        about: "throttled in the first five seconds of every ten, by the clock; cancelled in the other five",
        cancel: |asked| match asked.second % 10 {
            second if THROTTLED_BY_CLOCK.contains(&second) => {
                throttled("100 per 00:01:00", THROTTLED_BY_CLOCK.end - second)
            }
            _ => action::cancelled(asked),
        },
        read: action::now,
    },
    Scenario {
        digits: "500000",
        about: "the service fails",
        cancel: internal_error,
        read: not_found,
    },
    Scenario {
        digits: "502000",
        about: "an HTML page of a proxy",
        cancel: |_| {
            let page = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>\n";
            Reply::text(502, "text/html", page)
        },
        read: not_found,
    },
    Scenario {
        digits: "503000",
        about: "the service is overloaded; Retry-After asks for an hour",
        cancel: |asked| overloaded(asked).header("Retry-After", "3600"),
        read: not_found,
    },
    Scenario {
        digits: "503001",
        about: "the service fails twice, then the action is cancelled",
        cancel: |asked| match asked.count {
            1 => internal_error(asked),
            2 => overloaded(asked),
            _ => action::cancelled(asked),
        },
        read: action::now,
    },
];
