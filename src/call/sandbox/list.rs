//! The actions that the embedded Defender lists, page by page.

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::call::sandbox::action;
use crate::call::sandbox::reply::Reply;
use crate::call::sandbox::scenarios::SCENARIO_PREFIX;

/// How many actions a page has: few, so that there are several.
const PER_PAGE: usize = 4;

/// The actions: the digits of their scenarios, their states and types. Those that are open come to an end without a long
/// pause if they are cancelled.
const LISTED: [(&str, &str, &str); 12] = [
    ("200000", "Pending", "Isolate"),
    ("200002", "Pending", "Isolate"),
    ("200003", "Pending", "Isolate"),
    ("200004", "Pending", "LiveResponse"),
    ("200005", "Pending", "Isolate"),
    ("200006", "Pending", "Isolate"),
    ("401001", "Pending", "Isolate"),
    ("409000", "Pending", "Isolate"),
    ("429001", "Pending", "Isolate"),
    ("503001", "Pending", "Isolate"),
    ("200001", "Succeeded", "Isolate"),
    ("400000", "Succeeded", "Isolate"),
];

/// Returns the page that `query` asks for. The link to the next one names another host, as the service's does.
pub(super) fn page(query: &str) -> Reply {
    let filter = value_of(query, "$filter");
    let skip = value_of(query, "$skip").parse().unwrap_or(0);
    let actions: Vec<Value> = LISTED
        .iter()
        .map(|(digits, status, kind)| {
            action::listed(format!("{SCENARIO_PREFIX}{digits}"), status, kind)
        })
        .filter(|action| is_wanted(action, &filter))
        .collect();
    let rest = actions.get(skip..).unwrap_or_default();
    let mut page = json!({
        "@odata.context": "https://api.securitycenter.microsoft.com/api/$metadata#MachineActions",
        "value": rest.get(..PER_PAGE).unwrap_or(rest),
    });
    if rest.len() > PER_PAGE
        && let Some(page) = page.as_object_mut()
    {
        let host = "https://api.securitycenter.microsoft.com";
        let skip = skip + PER_PAGE;
        let link = format!("{host}/api/machineactions?$filter={filter}&$skip={skip}");
        page.insert("@odata.nextLink".to_owned(), link.into());
    }
    action::compressed(&page)
}

/// The decoded value of `name` in `query`; empty if there is none.
fn value_of(query: &str, name: &str) -> String {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let value = pairs.find_map(|(found, value)| (found == name).then_some(value));
    let value = percent_decode_str(value.unwrap_or_default());
    value.decode_utf8_lossy().into_owned()
}

/// Whether `action` is one of those that `filter` asks for: all of its clauses, one comparison of each.
fn is_wanted(action: &Value, filter: &str) -> bool {
    let holds = |comparison: &str| {
        let comparison = comparison.trim_matches(['(', ')']);
        let value_of = |name: &str| action.get(name).and_then(Value::as_str).unwrap_or_default();
        match (comparison.split_once(" eq "), comparison.split_once(" ge ")) {
            (Some((name, wanted)), _) => value_of(name) == wanted.trim_matches('\''),
            (_, Some((name, earliest))) => value_of(name) >= earliest,
            _ => true,
        }
    };
    let mut clauses = filter.split(" and ");
    clauses.all(|clause| clause.split(" or ").any(holds))
}
