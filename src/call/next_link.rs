//! The link to the next page: only its query is used, and it is asked of our own host. The service names another of its
//! hosts there, and a token follows no link.

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use crate::call::api::PATH;
use crate::call::service_url::ServiceUrl;

/// The longest query that is followed, in bytes: it must fit into the line of a request, beside the path.
const MAX_QUERY: usize = 16 << 10;

/// What may not stand in a query as it is (RFC 3986, section 3.4). The service writes some of it.
const NOT_IN_A_QUERY: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// Returns the query of the `link` that a service at `base` gave, ready to be asked. The error is what keeps the link
/// from being followed.
pub(crate) fn query(link: &str, base: &ServiceUrl) -> Result<String, &'static str> {
    if !link.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Err("is not printable ASCII");
    }
    let (link, fragment) = link.split_once('#').unwrap_or((link, ""));
    let (address, query) = link.split_once('?').unwrap_or((link, ""));
    let path = address
        .split_once("://")
        .map_or(Some(address), |(_, rest)| {
            rest.find('/').and_then(|slash| rest.get(slash..))
        });
    // A gateway may name its own path, or the service's.
    let known = [PATH.to_owned(), format!("{}{PATH}", base.prefix())];
    let is_known = |path: &str| known.iter().any(|known| known.eq_ignore_ascii_case(path));
    if !path.is_some_and(is_known) {
        return Err("has another path than /api/machineactions");
    }
    match utf8_percent_encode(query, NOT_IN_A_QUERY).to_string() {
        _ if !fragment.is_empty() => Err("has a fragment"),
        query if query.is_empty() => Err("has no query"),
        query if query.len() > MAX_QUERY => Err("is too long"),
        query => Ok(query),
    }
}

/// Returns what `query` says, however it is encoded: two links to one page are the same.
pub(crate) fn meaning(query: &str) -> Vec<u8> {
    percent_decode_str(&query.replace('+', " ")).collect()
}
