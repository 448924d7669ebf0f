//! What the embedded Defender answers, by the id that it is asked about.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use serde::Serialize;
use serde_json::{Value, json};
use ureq::http::{Response, StatusCode};
use ureq::{Body, Error};

/// The id that begins every scenario's; six digits follow: a status, and which of its answers.
pub const SCENARIO_PREFIX: &str = "00000000-0000-0000-0000-000000";

/// One of the interesting answers, and the id that asks for it.
pub struct Scenario {
    /// The last six digits of the id.
    pub digits: &'static str,
    /// What the id stands for, and what is answered.
    pub about: &'static str,
    answer: fn(&Asked) -> Answer,
    /// What reading the action brings.
    read: fn(&Asked) -> Answer,
}

impl Scenario {
    /// The id that asks for this answer.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{SCENARIO_PREFIX}{}", self.digits)
    }

    /// What is answered however often one asks, if it is a refusal.
    #[must_use]
    pub fn refusal(&self) -> Option<Refusal> {
        let answer = (self.answer)(&Asked {
            id: self.id(),
            comment: None,
            token_was_renewed: true,
            count: u32::MAX,
        });
        let header = |wanted| {
            let mut headers = answer.headers.iter();
            headers.find_map(|(name, value)| (*name == wanted).then_some(*value))
        };
        let media_type = header("Content-Type").unwrap_or_default();
        (answer.status >= 400).then(|| Refusal {
            status: StatusCode::from_u16(answer.status).unwrap_or_default(),
            media_type: media_type.split(';').next().unwrap_or_default(),
            retry_after: header("Retry-After"),
            body: serde_json::from_slice(&answer.body)
                .unwrap_or_else(|_| String::from_utf8_lossy(&answer.body).into()),
        })
    }
}

/// An answer with a status of 400 or above.
pub struct Refusal {
    /// The status.
    pub status: StatusCode,
    /// The media type of the body, without parameters.
    pub media_type: &'static str,
    /// How many seconds to wait before the next call.
    pub retry_after: Option<&'static str>,
    /// The body: the object, or the text of what is none.
    pub body: Value,
}

/// Every scenario. Any other GUID is that of an open action, which is cancelled.
///
/// Source of the errors: captured answers of the service and of gateways before it.
pub const SCENARIOS: [Scenario; 25] = [
    Scenario {
        digits: "200000",
        about: "an open action: it is cancelled, and comes back as the entity",
        answer: |asked| Answer::entity(&Entity::cancelled(asked)),
        read: |asked| Answer::entity(&Entity::cancelled(asked)),
    },
    Scenario {
        digits: "200001",
        about: "an action that has already succeeded: it comes back unchanged",
        answer: |asked| Answer::entity(&Entity::succeeded(asked)),
        read: |asked| Answer::entity(&Entity::succeeded(asked)),
    },
    Scenario {
        digits: "200002",
        about: "an open action, with an empty body in the answer",
        answer: |_| Answer::text(200, "text/plain", ""),
        read: |asked| Answer::entity(&Entity::cancelled(asked)),
    },
    Scenario {
        digits: "200003",
        about: "an open action that is still pending when it is read twice, then cancelled",
        answer: |asked| Answer::entity(&Entity::pending(asked)),
        read: |asked| match asked.count {
            1 | 2 => Answer::entity(&Entity::pending(asked)),
            _ => Answer::entity(&Entity::cancelled(asked)),
        },
    },
    Scenario {
        digits: "200004",
        about: "cancelled too late: a command of the action had completed",
        answer: |asked| Answer::entity(&Entity::pending(asked)),
        read: |asked| Answer::entity(&Entity::cancelled_too_late(asked)),
    },
    Scenario {
        digits: "200005",
        about: "an open action that this identity may cancel, but not read",
        answer: |asked| Answer::entity(&Entity::pending(asked)),
        read: |_| {
            Answer::error(
                403,
                "Forbidden",
                "Missing application roles. API required roles: Machine.Read.All,Machine.ReadWrite.All, application \
                 roles: Machine.Isolate.",
            )
        },
    },
    Scenario {
        digits: "200006",
        about: "an open action that stays pending",
        answer: |asked| Answer::entity(&Entity::pending(asked)),
        read: |asked| Answer::entity(&Entity::pending(asked)),
    },
    Scenario {
        digits: "302000",
        about: "a redirect to another host: an answer, never followed",
        answer: |_| {
            Answer::text(302, "text/plain", "")
                .header("Location", "https://elsewhere.example/api/machineactions")
        },
        read: |_| not_found(),
    },
    Scenario {
        digits: "400000",
        about: "an action that is already final, and refused for it",
        answer: |_| {
            Answer::error(
                400,
                "BadRequest",
                "The machine action is already in a final state",
            )
        },
        read: |asked| Answer::entity(&Entity::succeeded(asked)),
    },
    Scenario {
        digits: "400001",
        about: "a body that the service does not take",
        answer: |_| Answer::error(400, "InvalidRequestBody", "Request body is incorrect"),
        read: |_| not_found(),
    },
    Scenario {
        digits: "400002",
        about: "another action is in progress",
        answer: |_| {
            Answer::error(
                400,
                "ActiveRequestAlreadyExists",
                "Action is already in progress, active action id: b0ed2843-040f-4d40-ad12-977a9729a55d",
            )
        },
        read: |_| not_found(),
    },
    Scenario {
        digits: "401000",
        about: "a token that the service does not take, renewed or not",
        answer: |_| {
            Answer::error(
                401,
                "Unauthorized",
                "The token is not valid for this resource",
            )
        },
        read: |_| not_found(),
    },
    Scenario {
        digits: "401001",
        about: "a token that has expired: renewed once, then the action is cancelled",
        answer: |asked| {
            if asked.token_was_renewed {
                Answer::entity(&Entity::cancelled(asked))
            } else {
                Answer::error(401, "Unauthorized", "The token has expired")
            }
        },
        read: |asked| Answer::entity(&Entity::cancelled(asked)),
    },
    Scenario {
        digits: "403000",
        about: "missing roles, as one part of the service says it",
        answer: |_| {
            Answer::error(
                403,
                "Forbidden",
                "Missing application roles. API required roles: Machine.Read.All,Machine.ReadWrite.All, application \
                 roles: Machine.Isolate.",
            )
        },
        read: |_| not_found(),
    },
    Scenario {
        digits: "403001",
        about: "missing roles, as another part says it",
        answer: |_| {
            Answer::error(
                403,
                "Forbidden",
                "The application does not have any of the required application permissions (Machine.Isolate, \
                 Machine.CollectForensic, Machine.Scan, Machine.RestrictExecution, Machine.StopAndQuarantine, \
                 Machine.Offboard, Machine.LiveResponse) to access the resource.",
            )
        },
        read: |_| not_found(),
    },
    Scenario {
        digits: "404000",
        about: "no such action",
        answer: |asked| {
            let message = format!("Machine action {} was not found", asked.id);
            Answer::error(404, "ResourceNotFound", &message)
        },
        read: |_| not_found(),
    },
    Scenario {
        digits: "404001",
        about: "no such action, with an empty body",
        answer: |_| Answer::text(404, "text/plain", ""),
        read: |_| not_found(),
    },
    Scenario {
        digits: "404002",
        about: "no such action, in a gateway's own envelope",
        answer: |_| {
            Answer::json(
                404,
                &json!({"statusCode": 404, "message": "Resource not found"}),
            )
        },
        read: |_| not_found(),
    },
    Scenario {
        digits: "409000",
        about: "a conflict with another call",
        answer: |_| Answer::error(409, "Conflict", "The machine action is being changed"),
        read: |_| not_found(),
    },
    Scenario {
        digits: "429000",
        about: "the quota is used up; Retry-After says for how long: an hour",
        answer: |_| {
            let message = "API calls quota exceeded! maximum allowed 1500 per 01:00:00";
            Answer::error(429, "429", message).header("Retry-After", "3600")
        },
        read: |_| not_found(),
    },
    Scenario {
        digits: "429001",
        about: "throttled twice for a second, then cancelled",
        answer: |asked| match asked.count {
            1 | 2 => {
                let message = "API calls quota exceeded! maximum allowed 100 per 00:01:00";
                Answer::error(429, "429", message).header("Retry-After", "1")
            }
            _ => Answer::entity(&Entity::cancelled(asked)),
        },
        read: |asked| Answer::entity(&Entity::cancelled(asked)),
    },
    Scenario {
        digits: "500000",
        about: "the service fails",
        answer: |_| Answer::error(500, "InternalServerError", "An internal error has occurred"),
        read: |_| not_found(),
    },
    Scenario {
        digits: "502000",
        about: "a proxy's page in HTML",
        answer: |_| {
            let page = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>\n";
            Answer::text(502, "text/html", page)
        },
        read: |_| not_found(),
    },
    Scenario {
        digits: "503000",
        about: "the service is overloaded; Retry-After says for how long: an hour",
        answer: |_| {
            Answer::error(503, "ServiceUnavailable", "The service is overloaded")
                .header("Retry-After", "3600")
        },
        read: |_| not_found(),
    },
    Scenario {
        digits: "503001",
        about: "flaky: fails twice, then the action is cancelled",
        answer: |asked| match asked.count {
            1 => Answer::error(500, "InternalServerError", "An internal error has occurred"),
            2 => Answer::error(503, "ServiceUnavailable", "The service is overloaded"),
            _ => Answer::entity(&Entity::cancelled(asked)),
        },
        read: |asked| Answer::entity(&Entity::cancelled(asked)),
    },
];

fn not_found() -> Answer {
    Answer::error(404, "ResourceNotFound", "Machine action was not found")
}

/// What the step asked for.
pub(crate) struct Asked {
    pub(crate) id: String,
    pub(crate) comment: Option<String>,
    pub(crate) token_was_renewed: bool,
    /// How often the same was asked for, this time included.
    pub(crate) count: u32,
}

impl Asked {
    /// The answer to the cancel.
    pub(crate) fn cancel(&self) -> Answer {
        self.scenario()
            .map_or_else(|refused| refused, |scenario| (scenario.answer)(self))
    }

    /// The answer to the read.
    pub(crate) fn read(&self) -> Answer {
        self.scenario()
            .map_or_else(|refused| refused, |scenario| (scenario.read)(self))
    }

    /// The scenario that the id stands for, or the refusal of what is no id.
    fn scenario(&self) -> Result<&'static Scenario, Answer> {
        if !is_guid(&self.id) {
            let message = format!(
                "The key value ({}) from request is not valid. The key value should be format of type 'Edm.Guid'.",
                self.id
            );
            return Err(Answer::error(400, "BadRequest", &message));
        }
        let [open, ..] = &SCENARIOS;
        let named = SCENARIOS.iter().find(|scenario| scenario.id() == self.id);
        Ok(named.unwrap_or(open))
    }
}

fn is_guid(id: &str) -> bool {
    id.len() == 36
        && id.bytes().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// The answer's parts, before it is put into ureq's form.
pub(crate) struct Answer {
    status: u16,
    headers: Vec<(&'static str, &'static str)>,
    body: Vec<u8>,
}

impl Answer {
    /// What comes with every answer, and marks it as not the service's.
    const HEADERS: [(&'static str, &'static str); 3] = [
        ("Date", "Fri, 07 Feb 2025 10:57:23 GMT"),
        ("Connection", "keep-alive"),
        ("X-Sandbox", "cancel-machine-action"),
    ];

    pub(crate) fn text(status: u16, content_type: &'static str, text: &str) -> Self {
        let mut headers = Self::HEADERS.to_vec();
        headers.push(("Content-Type", content_type));
        Self {
            status,
            headers,
            body: text.as_bytes().to_vec(),
        }
    }

    pub(crate) fn json(status: u16, value: &Value) -> Self {
        Self::text(
            status,
            "application/json; charset=utf-8",
            &value.to_string(),
        )
    }

    fn error(status: u16, code: &str, message: &str) -> Self {
        let target = "5a4d0b0e-0000-4000-8000-73616e64626f";
        Self::json(
            status,
            &json!({"error": {"code": code, "message": message, "target": target}}),
        )
    }

    /// The machine action with the documented headers, compressed as they say.
    fn entity(entity: &Entity<'_>) -> Self {
        let mut headers = Self::HEADERS.to_vec();
        headers.extend([
            (
                "Content-Type",
                "application/json; odata.metadata=minimal; odata.streaming=true; charset=utf-8",
            ),
            ("Transfer-Encoding", "chunked"),
            ("Content-Encoding", "deflate"),
            ("Vary", "Accept-Encoding"),
            (
                "mise-correlation-id",
                "8d39c870-35e0-4d26-aa40-b15aa1b5c79a",
            ),
            ("OData-Version", "4.0"),
            (
                "Strict-Transport-Security",
                "max-age=31536000; includeSubDomains",
            ),
        ]);
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
        // Neither the serialising of these fields nor the writing to a Vec can fail.
        let _ = encoder.write_all(&serde_json::to_vec(entity).unwrap_or_default());
        Self {
            status: 200,
            headers,
            body: encoder.finish().unwrap_or_default(),
        }
    }

    fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(crate) fn into_response(self) -> Result<Response<Body>, Error> {
        let mut response = Response::builder().status(self.status);
        for (name, value) in self.headers {
            response = response.header(name, value);
        }
        Ok(response.body(Body::builder().data(self.body))?)
    }
}

/// The machine action, with the keys of a captured answer in its order.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entity<'a> {
    #[serde(rename = "@odata.context")]
    odata_context: &'static str,
    id: &'a str,
    r#type: &'static str,
    title: Option<&'static str>,
    requestor: &'static str,
    requestor_comment: &'static str,
    status: &'static str,
    machine_id: &'static str,
    computer_dns_name: &'static str,
    creation_date_time_utc: &'static str,
    last_update_date_time_utc: &'static str,
    cancellation_requestor: Option<&'static str>,
    cancellation_comment: Option<&'a str>,
    cancellation_date_time_utc: Option<&'static str>,
    #[serde(rename = "errorHResult")]
    error_h_result: i64,
    scope: &'static str,
    external_id: Option<&'static str>,
    request_source: &'static str,
    related_file_info: Option<&'static str>,
    commands: &'static [Command],
    troubleshoot_info: Option<&'static str>,
}

impl<'a> Entity<'a> {
    /// An action that was open until now.
    fn cancelled(asked: &'a Asked) -> Self {
        Self {
            cancellation_requestor: Some("cancel-machine-action sandbox"),
            cancellation_comment: asked.comment.as_deref(),
            cancellation_date_time_utc: Some("2025-02-07T10:57:23.1480563Z"),
            last_update_date_time_utc: "2025-02-07T10:57:23.1480563Z",
            ..Self::with_status(asked, "Cancelled")
        }
    }

    /// An action that is still open.
    fn pending(asked: &'a Asked) -> Self {
        Self::with_status(asked, "Pending")
    }

    /// An action whose command had completed when it was cancelled.
    fn cancelled_too_late(asked: &'a Asked) -> Self {
        Self {
            r#type: "LiveResponse",
            commands: &[Command {
                index: 0,
                start_time: "2025-02-07T10:55:40.186354Z",
                end_time: "2025-02-07T10:55:51.811356Z",
                command_status: "Completed",
            }],
            ..Self::cancelled(asked)
        }
    }

    /// An action that came to its end before it could be cancelled.
    fn succeeded(asked: &'a Asked) -> Self {
        Self::with_status(asked, "Succeeded")
    }

    fn with_status(asked: &'a Asked, status: &'static str) -> Self {
        Self {
            odata_context: "https://api.securitycenter.microsoft.com/api/$metadata#MachineActions/$entity",
            id: &asked.id,
            r#type: "Isolate",
            title: None,
            requestor: "Analyst@TestPrd.onmicrosoft.com",
            requestor_comment: "test for docs",
            status,
            machine_id: "7b1f4967d9728e5aa3c06a9e617a22a4a5a17378",
            computer_dns_name: "desktop-test",
            creation_date_time_utc: "2025-02-07T10:55:38.2262283Z",
            last_update_date_time_utc: "2025-02-07T10:56:44.6596267Z",
            cancellation_requestor: None,
            cancellation_comment: None,
            cancellation_date_time_utc: None,
            error_h_result: 0,
            scope: "Full",
            external_id: None,
            request_source: "PublicApi",
            related_file_info: None,
            commands: &[],
            troubleshoot_info: None,
        }
    }
}

/// A command of live response.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Command {
    index: u32,
    start_time: &'static str,
    end_time: &'static str,
    command_status: &'static str,
}
