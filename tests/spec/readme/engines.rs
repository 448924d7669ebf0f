//! The examples for engines are parts of playbooks that are run, and short enough to be read at a glance.

use std::fs;

use super::{ENGINES, files_below, readmes, root};

#[test]
fn every_example_for_an_engine_is_part_of_a_playbook_that_is_run() {
    let ends = [
        ".py", ".yml", ".cwl", ".json", ".js", ".sh", ".mk", "Makefile",
    ];
    let playbooks = files_below(&root().join("tests/engines"), &ends).into_iter();
    let playbooks: Vec<String> = playbooks
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    let readme = readmes().into_iter();
    let readme = readme
        .into_iter()
        .find(|readme| readme.path.ends_with("tests/engines/README.md"))
        .unwrap();
    let examples = readme.blocks().into_iter();
    let examples: Vec<&str> = examples
        .filter(|(language, _)| !["console", "json", "mermaid"].contains(language))
        .map(|(_, example)| example.trim_end())
        .collect();
    assert!(examples.len() >= 7);
    for example in examples {
        let is_in = |text: &String| {
            ["", "    ", "        "].iter().any(|indent| {
                let indented = example.replace('\n', &format!("\n{indent}"));
                let blank_lines_are_empty = indented.lines().map(str::trim_end);
                text.contains(&blank_lines_are_empty.collect::<Vec<_>>().join("\n"))
            })
        };
        assert!(playbooks.iter().any(is_in), "{example}");
    }
}

/// An engine's first example is one that a person reads at a glance.
#[test]
fn the_first_example_of_each_engine_has_at_most_15_lines() {
    let engines = ENGINES.split("\n## ");
    let engines = engines.take_while(|section| !section.starts_with("Several workers"));
    let mut examples = 0;
    for section in engines {
        if let Some((_, rest)) = section.split_once("\n```") {
            let lines = rest.split("\n```").next().unwrap().lines().skip(1).count();
            assert!(lines <= 15, "{lines} lines: {section}");
            examples += 1;
        }
    }
    assert!(examples > 10);
}
