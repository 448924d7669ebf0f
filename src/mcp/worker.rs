//! Works off the calls, one after the other.

use std::sync::mpsc::SyncSender;

use serde_json::value::RawValue;

use super::Event;
use super::queue::{Call, Queue};
use super::reply::CallResult;
use super::tools::{Request, Tool};
use crate::call::send::Run;
use crate::output::actions::Actions;
use crate::output::answer::{Answer, Body};
use crate::output::document::{self, FailureDocument};
use crate::output::exit_status::ExitStatus;
use crate::output::failure::{Failure, RequestSent};
use crate::output::layout::name_of;
use crate::output::log::Log;
use crate::output::outcome::Outcome;
use crate::settings::environment::Reader;
use crate::settings::options::Options;
use crate::step::agent_calls::{self, Agent};
use crate::waiting::deadline::Deadline;

/// The largest body that a model is shown whole, in bytes; those of the service have one or two thousand.
const MAX_BODY: usize = 128 << 10;
/// How deep a body may be nested: readers of JSON that clients use give up at about 200.
const MAX_DEPTH: usize = 64;
/// How much is shown of a larger or deeper one.
const SHOWN: usize = 16 << 10;
/// How many violations are listed.
const MAX_DETAILS: usize = 20;

/// Works until no more calls come. What is wrong with the settings is the result of each call.
pub(super) fn work(
    queue: &Queue,
    options: &Options,
    reader: Reader<'_>,
    events: &SyncSender<Event>,
    log: &mut Log<'_>,
) {
    let deadline = Deadline::after(options.timeout());
    let mut run = Run { deadline, log };
    let mut agent = Agent::new(options, reader, queue.brake(), &mut run);
    if let Err(failure) = &agent {
        log.error(failure.with_causes());
    }
    while let Some(call) = queue.next() {
        log.set_subject(None, call.request.action());
        let came = perform(&mut agent, &call, log);
        let cancelled = queue.finish();
        log.notice(audit(&call.request, &came, cancelled));
        log.set_subject(None, None);
        if cancelled.is_none() {
            let result = result(call.request.tool(), came);
            let _ = events.send(Event::Finished(call.id, result));
        }
    }
    let _ = events.send(Event::Idle);
}

/// What a call came to.
enum Came {
    /// An answer about one action, a refusal, or a failure.
    Of(Outcome),
    /// A list.
    List(Actions),
}

/// Does what a call asks for, and says on stderr what people should know of it.
fn perform(agent: &mut Result<Agent, Failure>, call: &Call, log: &mut Log<'_>) -> Came {
    let agent = match agent {
        Ok(agent) => agent,
        Err(failure) => return Came::Of(Outcome(Err(failure.clone()))),
    };
    let mut run = Run {
        deadline: call.deadline,
        log,
    };
    let outcome = match &call.request {
        Request::List(filter) => match agent.list(filter, &mut run) {
            Ok(actions) => return Came::List(actions),
            Err(outcome) => outcome,
        },
        Request::Get(id) => Outcome(agent.get(id, &mut run)),
        Request::Cancel(input) => Outcome(agent.cancel(input, &mut run)),
    };
    outcome.explain(log);
    Came::Of(outcome)
}

/// Returns the line that says who did what, without a value that others chose; `cancelled` if the client gave it up, and
/// whether it was sent.
fn audit(request: &Request, came: &Came, cancelled: Option<bool>) -> String {
    let tool = request.tool();
    let given_up = match (tool, cancelled) {
        (_, None) => "",
        (Tool::Cancel, Some(true)) => "given up by the client after the cancel was sent; ",
        (Tool::Cancel, Some(false)) => "given up by the client, the cancel was not sent; ",
        (_, Some(_)) => "given up by the client; ",
    };
    let what = match came {
        Came::List(Actions { actions, more }) => {
            let more = if *more { ", and there are more" } else { "" };
            format!("{} actions{more}", actions.len())
        }
        Came::Of(Outcome(Ok(answer))) => answered(request, answer),
        Came::Of(Outcome(Err(failure))) => {
            let sent = match failure.request_sent {
                RequestSent::No => "nothing was cancelled",
                RequestSent::Unknown => "the cancel may have been sent",
            };
            format!("failed with {}, {sent}", name_of(&failure.code))
        }
    };
    format!("{}: {given_up}{what}", tool.name())
}

fn answered(request: &Request, answer: &Answer) -> String {
    let kind = request.id().and_then(|id| agent_calls::type_in(answer, id));
    let kind = kind.map_or(String::new(), |kind| format!("type {kind}, "));
    format!("{kind}{}", answer.in_short())
}

/// Returns what a client is told.
fn result(tool: Tool, came: Came) -> CallResult {
    let outcome = match came {
        Came::Of(outcome) => outcome,
        Came::List(actions) => {
            return CallResult {
                document: json(&actions),
                is_answer: true,
                is_error: false,
            };
        }
    };
    let is_error = match &outcome.0 {
        // An action that was only read may be in any state.
        Ok(answer) if tool.about().is_read_only => !answer.is_success(),
        _ => outcome.exit_status() != ExitStatus::Accepted,
    };
    match outcome.0 {
        Ok(answer) => CallResult {
            document: json(&shortened(answer)),
            // A list that is refused is none.
            is_answer: tool != Tool::List,
            is_error,
        },
        Err(failure) => of_failure(failure),
    }
}

/// Returns what a client is told of a failure.
pub(super) fn of_failure(mut failure: Failure) -> CallResult {
    failure.details.truncate(MAX_DETAILS);
    CallResult {
        document: json(&FailureDocument { error: &failure }),
        is_answer: false,
        is_error: true,
    }
}

/// Returns `document` on one line, harmful letters escaped.
fn json(document: &impl serde::Serialize) -> Box<RawValue> {
    let mut line = Vec::new();
    // Writing to a list cannot fail, and what was written is JSON.
    let _ = document::write(&mut line, document, false);
    let line = String::from_utf8(line).unwrap_or_default();
    RawValue::from_string(line).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// Returns how deep lists and objects are nested in `json`.
fn depth(json: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut is_text, mut is_escaped) = (false, false);
    for byte in json.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_text => is_escaped = true,
            b'"' => is_text = !is_text,
            b'{' | b'[' if !is_text => depth += 1,
            b'}' | b']' if !is_text => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// Returns `answer` with no more of its body than a model can use.
fn shortened(mut answer: Answer) -> Answer {
    let text = match &answer.body {
        Body::Json(json) => json.get(),
        Body::Text(text) => text,
    };
    if text.len() <= MAX_BODY && depth(text) <= MAX_DEPTH {
        return answer;
    }
    let end = (0..=SHOWN).rev().find(|at| text.is_char_boundary(*at));
    let head = text.get(..end.unwrap_or_default()).unwrap_or_default();
    answer.body = Body::Text(format!("{head} […] ({} bytes in all)", text.len()));
    answer
}
