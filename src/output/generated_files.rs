//! The generated files, as committed: what the commands print, and what the request is checked with.

/// The input's schema.
pub const INPUT: &str = include_str!("../../schema/input.schema.json");
/// The answer's schema.
pub const OUTPUT: &str = include_str!("../../schema/output.schema.json");
/// The failure's schema.
pub const ERROR: &str = include_str!("../../schema/error.schema.json");
/// The settings' schema.
pub const SETTINGS: &str = include_str!("../../schema/settings.schema.json");
/// The schema of what `check` reports.
pub const CHECK: &str = include_str!("../../schema/check.schema.json");
/// The manifest's schema.
pub const MANIFEST_SCHEMA: &str = include_str!("../../schema/manifest.schema.json");
/// The manifest.
pub const MANIFEST: &str = include_str!("../../manifest.json");
/// The example request.
pub const SAMPLE: &str = include_str!("../../schema/sample.json");

/// The tools that agents see.
pub const TOOLS: &str = include_str!("../../schema/catalog/mcp-tool.json");

/// What the command `schema` prints, by name.
pub const SCHEMAS: [(&str, &str); 6] = [
    ("input", INPUT),
    ("output", OUTPUT),
    ("error", ERROR),
    ("settings", SETTINGS),
    ("check", CHECK),
    ("manifest", MANIFEST_SCHEMA),
];
