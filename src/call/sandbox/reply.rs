//! What the embedded Defender is asked, and what it replies.

use std::borrow::Cow;

use serde_json::{Value, json};
use ureq::http::{Response, StatusCode};
use ureq::{Body, Error};

/// What the step asked for.
#[derive(Default)]
pub(super) struct Asked {
    pub(super) id: String,
    pub(super) comment: Option<String>,
    pub(super) token_was_renewed: bool,
    /// How often the same was asked for, this time included.
    pub(super) count: u32,
    /// Whether a cancel of the action was accepted before.
    pub(super) was_accepted: bool,
    /// When it was asked for, in seconds since 1970.
    pub(super) second: u64,
}

/// A reply's parts, before they are put into ureq's form.
pub(super) struct Reply {
    status: u16,
    headers: Vec<(&'static str, Cow<'static, str>)>,
    body: Vec<u8>,
}

/// A reply with a status of 400 or above.
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    /// The media type of the body, without parameters.
    pub(crate) media_type: String,
    /// How many seconds to wait before the next call.
    pub(crate) retry_after: Option<String>,
    /// The body: the object, or the text of what is none.
    pub(crate) body: Value,
}

impl Reply {
    /// Marks the reply as not the service's.
    pub(super) fn new(status: u16, content_type: &'static str, body: Vec<u8>) -> Self {
        let headers = [
            ("Date", "Fri, 07 Feb 2025 10:57:23 GMT"),
            ("Connection", "keep-alive"),
            ("X-Sandbox", "cancel-machine-action"),
            ("Content-Type", content_type),
        ];
        Self {
            status,
            headers: headers.map(|(name, value)| (name, value.into())).into(),
            body,
        }
    }

    pub(super) fn text(status: u16, content_type: &'static str, text: &str) -> Self {
        Self::new(status, content_type, text.into())
    }

    pub(super) fn json(status: u16, value: &Value) -> Self {
        let text = value.to_string();
        Self::text(status, "application/json; charset=utf-8", &text)
    }

    pub(super) fn error(status: u16, code: &str, message: &str) -> Self {
        let target = "5a4d0b0e-0000-4000-8000-73616e64626f";
        let error = json!({"code": code, "message": message, "target": target});
        Self::json(status, &json!({"error": error}))
    }

    pub(super) fn header(
        mut self,
        name: &'static str,
        value: impl Into<Cow<'static, str>>,
    ) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Returns the reply as a refusal, if it is one.
    pub(super) fn refusal(&self) -> Option<Refusal> {
        let header = |wanted| {
            let mut headers = self.headers.iter();
            headers.find_map(|(name, value)| (*name == wanted).then(|| value.to_string()))
        };
        let media_type = header("Content-Type").unwrap_or_default();
        (self.status >= 400).then(|| Refusal {
            status: StatusCode::from_u16(self.status).unwrap_or_default(),
            media_type: media_type.split(';').next().unwrap_or_default().to_owned(),
            retry_after: header("Retry-After"),
            body: serde_json::from_slice(&self.body)
                .unwrap_or_else(|_| String::from_utf8_lossy(&self.body).into()),
        })
    }

    pub(super) fn into_response(self) -> Result<Response<Body>, Error> {
        let mut response = Response::builder().status(self.status);
        for (name, value) in self.headers {
            response = response.header(name, value.as_ref());
        }
        Ok(response.body(Body::builder().data(self.body))?)
    }
}
