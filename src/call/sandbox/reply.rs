//! What the embedded Defender is asked, and what it replies.

use serde_json::{Value, json};
use ureq::http::{Response, StatusCode};
use ureq::{Body, Error};

/// What the step asked for.
pub(super) struct Asked {
    pub(super) id: String,
    pub(super) comment: Option<String>,
    pub(super) token_was_renewed: bool,
    /// How often the same was asked for, this time included.
    pub(super) count: u32,
}

/// A reply's parts, before they are put into ureq's form.
pub(super) struct Reply {
    status: u16,
    headers: Vec<(&'static str, &'static str)>,
    body: Vec<u8>,
}

/// A reply with a status of 400 or above.
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    /// The media type of the body, without parameters.
    pub(crate) media_type: &'static str,
    /// How many seconds to wait before the next call.
    pub(crate) retry_after: Option<&'static str>,
    /// The body: the object, or the text of what is none.
    pub(crate) body: Value,
}

impl Reply {
    /// Marks the reply as not the service's.
    pub(super) fn new(status: u16, content_type: &'static str, body: Vec<u8>) -> Self {
        let headers = vec![
            ("Date", "Fri, 07 Feb 2025 10:57:23 GMT"),
            ("Connection", "keep-alive"),
            ("X-Sandbox", "cancel-machine-action"),
            ("Content-Type", content_type),
        ];
        Self {
            status,
            headers,
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

    pub(super) fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Returns the reply as a refusal, if it is one.
    pub(super) fn refusal(&self) -> Option<Refusal> {
        let header = |wanted| {
            let mut headers = self.headers.iter();
            headers.find_map(|(name, value)| (*name == wanted).then_some(*value))
        };
        let media_type = header("Content-Type").unwrap_or_default();
        (self.status >= 400).then(|| Refusal {
            status: StatusCode::from_u16(self.status).unwrap_or_default(),
            media_type: media_type.split(';').next().unwrap_or_default(),
            retry_after: header("Retry-After"),
            body: serde_json::from_slice(&self.body)
                .unwrap_or_else(|_| String::from_utf8_lossy(&self.body).into()),
        })
    }

    pub(super) fn into_response(self) -> Result<Response<Body>, Error> {
        let mut response = Response::builder().status(self.status);
        for (name, value) in self.headers {
            response = response.header(name, value);
        }
        Ok(response.body(Body::builder().data(self.body))?)
    }
}
