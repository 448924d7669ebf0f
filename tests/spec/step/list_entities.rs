//! What a list makes of entities that some readers cannot read.

use serde_json::Value;

use crate::support::batch::documents;
use crate::support::pages::{action, list, page, reply};
use crate::support::{Outcome, Server, each};

/// An open action whose `property` is as odd as `value`.
fn odd(property: &str, value: &str) -> String {
    format!(r#"{{"id":"odd","status":"Pending","{property}":{value}}}"#)
}

fn listed(entity: &str, args: &[&str]) -> Outcome {
    let entities = [action("first"), entity.to_owned(), action("last")];
    let server = Server::tls([reply(page(&entities.join(","), None))]);
    list(&server, args).run()
}

#[test]
fn a_value_that_a_filter_cannot_read_hides_no_action() {
    let properties = ["requestor", "type", "machineId", "creationDateTimeUtc"];
    let values = [r#""\ud800 x""#, "1e400", "null", "[]", r#"{"a":{}}"#, "7"];
    let rows = properties
        .iter()
        .flat_map(|property| values.map(|value| odd(property, value)));
    each(rows, |entity| {
        let outcome = listed(&entity, &[]);
        assert_eq!(outcome.stdout.lines().nth(1), Some(&*entity), "{outcome}");
        assert_eq!((outcome.status, &*outcome.stderr), (Some(0), ""));
        let outcome = listed(&entity, &["--requests", "x"]);
        assert_eq!(outcome.stdout.lines().count(), 3, "{outcome}");
    });
}

#[test]
fn an_action_that_cannot_be_held_to_the_filters_is_no_silent_loss() {
    let properties = ["requestor", "type", "machineId", "status"];
    each(properties, |property| {
        let twice = odd(property, r#""Pending","x":1,"y":2"#);
        let entity = twice.replace(r#""x":1"#, &format!(r#""{property}":"other""#));
        let outcome = listed(&entity, &[]);
        let last = documents(&outcome).pop().unwrap();
        assert_eq!(last["error"]["code"], "invalid_answer", "{outcome}");
        assert_eq!(last["error"]["retryable"], Value::Bool(false));
        assert_eq!(
            (outcome.status, outcome.stdout.lines().count()),
            (Some(5), 3)
        );
        assert!(outcome.stderr.contains("listed 1 entry"), "{outcome}");
    });
}
