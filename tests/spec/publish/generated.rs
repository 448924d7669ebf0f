//! The files that are generated from the types and committed.

use std::path::Path;

use cancel_machine_action::publish;
use serde_json::Value;

#[test]
fn committed_files_equal_what_the_types_generate() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let renew = std::env::vars_os().any(|(name, _)| name == "RENEW_GENERATED");
    let mut stale = Vec::new();
    for (path, content) in publish::files() {
        let text = text(path, &content);
        if std::fs::read_to_string(root.join(path)).unwrap_or_default() == text {
            continue;
        }
        if renew {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        } else {
            stale.push(path);
        }
    }
    assert!(
        stale.is_empty(),
        "stale: {stale:?}; `RENEW_GENERATED=1 cargo test generated` rewrites them"
    );
}

fn text(path: &str, content: &Value) -> String {
    if path.ends_with(".json") {
        serde_json::to_string_pretty(content).unwrap() + "\n"
    } else if path.ends_with(".1") {
        content.as_str().unwrap().to_owned()
    } else {
        yaml_serde::to_string(content).unwrap()
    }
}
