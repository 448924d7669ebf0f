//! What messages need of a call, and the parts of a message.

use std::time::Duration;

use ureq::http::Uri;

use crate::call::Call;
use crate::call::wire::progress::Stage;
use crate::output::failure::FailureCode;

/// The other side of a call, as messages need it.
pub struct Peer {
    pub(in crate::call) call: &'static Call,
    pub(in crate::call) host: String,
    pub(super) proxy: Option<String>,
    pub(super) limit: Duration,
    /// Whether an earlier try may have been carried out.
    pub(in crate::call) may_have_arrived: bool,
}

impl Peer {
    /// The host of `uri`, called within `limit`, by way of `proxy` (host and port) if there is one.
    pub fn new(call: &'static Call, uri: &Uri, proxy: Option<String>, limit: Duration) -> Self {
        Self {
            call,
            proxy,
            host: uri.authority().map(ToString::to_string).unwrap_or_default(),
            limit,
            may_have_arrived: false,
        }
    }

    /// The variable that names the host.
    pub(super) fn setting(&self) -> &'static str {
        self.call.host_setting
    }

    /// What is known of the action when the call was lost at `stage`.
    pub(super) fn consequence(&self, stage: Stage) -> &'static str {
        if stage < Stage::Send && !self.may_have_arrived {
            self.call.if_not_sent
        } else {
            self.call.if_lost
        }
    }
}

/// What happened, and what helps.
pub(super) struct Diagnosis {
    pub(super) code: FailureCode,
    /// What happened, in a few words: for one line about several attempts.
    pub(super) what: &'static str,
    /// What happened, and where: a clause.
    pub(super) message: String,
    pub(super) remedy: String,
    /// Whether it will be the same the next time.
    pub(super) is_lasting: bool,
    /// Whether the cause says more than the message.
    pub(super) has_cause: bool,
}

impl Diagnosis {
    pub(super) fn new(
        code: FailureCode,
        what: &'static str,
        message: String,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            code,
            what,
            message,
            remedy: remedy.into(),
            is_lasting: false,
            has_cause: true,
        }
    }

    pub(super) fn lasting(self) -> Self {
        Self {
            is_lasting: true,
            ..self
        }
    }

    /// Leaves out the cause: the message has said it.
    pub(super) fn without_cause(self) -> Self {
        Self {
            has_cause: false,
            ..self
        }
    }

    pub(super) fn network(what: &'static str, message: String, peer: &Peer) -> Self {
        let remedy = format!("Check {} and the network, then try again.", peer.setting());
        Self::new(FailureCode::NetworkError, what, message, remedy)
    }

    pub(super) fn answer(what: &'static str, message: String, peer: &Peer) -> Self {
        let remedy = format!("Check {}, and any proxy in between.", peer.setting());
        Self::new(FailureCode::InvalidAnswer, what, message, remedy).lasting()
    }

    pub(super) fn tls(what: &'static str, message: String, remedy: impl Into<String>) -> Self {
        Self::new(FailureCode::TlsError, what, message, remedy)
    }
}
