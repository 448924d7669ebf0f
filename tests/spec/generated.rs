//! The files that are generated from the types and committed.

use std::path::Path;

use cancel_machine_action::schema;

#[test]
fn committed_files_equal_what_the_types_generate() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let renew = std::env::vars_os().any(|(name, _)| name == "RENEW_GENERATED");
    let mut stale = Vec::new();
    for (path, text) in schema::files() {
        if std::fs::read_to_string(root.join(path)).unwrap_or_default() == text {
            continue;
        }
        if renew {
            std::fs::write(root.join(path), text).unwrap();
        } else {
            stale.push(path);
        }
    }
    assert!(
        stale.is_empty(),
        "stale: {stale:?}; `RENEW_GENERATED=1 cargo test generated` rewrites them"
    );
}
