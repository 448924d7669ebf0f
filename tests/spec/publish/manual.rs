//! The manual page. That it renders without a warning is the packages' check.

const README: &str = include_str!("../../../README.md");
const MANUAL: &str = include_str!("../../../schema/cancel-machine-action.1");

#[test]
fn the_manual_has_the_version_and_the_day_of_the_newest_change_in_the_readme() {
    let changes = README.split("\n## Changes\n").nth(1).unwrap();
    let newest = changes
        .split("### ")
        .nth(1)
        .unwrap()
        .lines()
        .next()
        .unwrap();
    let (version, day) = newest.split_once(", ").unwrap();
    assert_eq!(version, env!("CARGO_PKG_VERSION"));
    let title = format!(".TH CANCEL-MACHINE-ACTION 1 {day} \"cancel-machine-action {version}\"");
    assert_eq!(MANUAL.lines().next(), Some(title.as_str()));
}
