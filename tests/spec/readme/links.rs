//! The READMEs lead where they say, are short enough to be read, and repeat only what was measured.

use std::path::{Component, Path, PathBuf};

use super::{README, Readme, readmes, root};

/// How long the README at the top is at most. What is more stands beside what it describes, and is linked.
const MAX_LINES: usize = 320;

/// Where the links and pictures of a README lead, but for those to other hosts.
fn targets(readme: &Readme) -> Vec<&str> {
    let ends = readme.text.split("](").skip(1);
    let targets = ends.filter_map(|rest| rest.split(')').next());
    let targets = targets.filter(|target| !target.starts_with("http"));
    targets.collect()
}

/// The anchors of the headings, as GitHub makes them.
fn anchors(text: &str) -> Vec<String> {
    let mut is_fenced = false;
    let mut anchors = Vec::new();
    for line in text.lines() {
        if line.starts_with("```") {
            is_fenced = !is_fenced;
        }
        let heading = line.trim_start_matches('#');
        if is_fenced || heading == line {
            continue;
        }
        let kept = |letter: &char| letter.is_alphanumeric() || " -_".contains(*letter);
        let letters = heading.trim().to_lowercase();
        let letters = letters.chars().filter(kept);
        anchors.push(letters.collect::<String>().replace(' ', "-"));
    }
    anchors
}

/// A path without `..`.
fn resolved(path: &Path) -> PathBuf {
    let mut resolved = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                assert!(resolved.pop(), "{} leaves the repository", path.display())
            }
            component => resolved.push(component),
        }
    }
    resolved
}

#[test]
fn every_link_leads_to_a_file_and_a_heading_that_exist() {
    let mut broken = Vec::new();
    let mut links = 0;
    for readme in readmes() {
        for target in targets(&readme) {
            links += 1;
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let path = match file {
                "" => readme.path.clone(),
                file => resolved(&readme.path.parent().unwrap().join(file)),
            };
            let is_there = root().join(&path).exists();
            let text = std::fs::read_to_string(root().join(&path)).unwrap_or_default();
            if !is_there || !(anchor.is_empty() || anchors(&text).iter().any(|it| it == anchor)) {
                broken.push(format!("{readme:?}: {target}"));
            }
        }
    }
    assert!(links > 20);
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn the_readme_fits_in_a_head() {
    let lines = README.lines().count();
    assert!(
        lines <= MAX_LINES,
        "README.md has {lines} lines, more than {MAX_LINES}: move what is not for everybody beside what it describes"
    );
}

#[test]
fn the_readme_repeats_what_was_measured_and_the_picture_shows_it() {
    let measured = include_str!("../../bench/README.md");
    let section = README.split("\n## How fast\n").nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows: Vec<&str> = section
        .lines()
        .filter(|line| line.starts_with("| "))
        .collect();
    assert!(rows.len() > 4);
    for row in rows {
        assert!(measured.contains(row), "tests/bench/README.md lacks: {row}");
    }
    let picture = include_str!("../../bench/growth.svg");
    let growth = measured
        .lines()
        .filter(|line| line.starts_with("| `--batch` of "));
    for row in growth {
        let figures = row.split(['|', ',']).map(str::trim);
        for figure in figures.filter(|it| it.ends_with(" ms a line") || it.ends_with(" MiB")) {
            let figure = figure.split(' ').next().unwrap();
            assert!(
                picture.contains(&format!(">{figure}</text>")),
                "growth.svg lacks {figure}: `tests/bench/run --renew` draws it"
            );
        }
    }
}
