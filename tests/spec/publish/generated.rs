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

#[test]
fn every_generated_file_is_listed_and_every_catalog_is_held_to_its_check() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path| std::fs::read_to_string(root.join(path)).unwrap();
    let (listed, checked) = (read("schema/README.md"), read("tests/catalog/run"));
    let paths: Vec<&str> = publish::files().into_keys().collect();
    let unlisted = paths.iter().filter(|path| {
        let name = path.trim_start_matches("schema/");
        !listed.contains(name) && !is_in_listed_folder(name, &listed)
    });
    assert_eq!(unlisted.collect::<Vec<_>>(), Vec::<&&str>::new());
    let entries = paths
        .iter()
        .filter_map(|path| path.strip_prefix("schema/catalog/"));
    // A folder or a file. The vendor's runner may be the check: it is among the engines.
    let entries = entries.map(|path| path.split('/').next().unwrap());
    let is_checked = |entry: &str| {
        let engine = root.join(format!("tests/engines/{entry}/check.py"));
        checked.contains(entry) || engine.is_file()
    };
    let unchecked: Vec<&str> = entries.filter(|entry| !is_checked(entry)).collect();
    assert_eq!(unchecked, Vec::<&str>::new());
}

fn is_in_listed_folder(name: &str, listed: &str) -> bool {
    let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
    folder.contains('/') && listed.contains(&format!("({folder}/"))
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
