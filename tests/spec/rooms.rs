//! The rooms of the source: each uses only those below it, and nothing in them has to be scrolled.

use std::fs;
use std::path::{Path, PathBuf};

/// The folders of `src`, from top to bottom. `main.rs`, `lib.rs` and `run.rs` stand above them. `publish` stands beside,
/// and only tests enter it.
const ROOMS: [&str; 9] = [
    "publish", "mcp", "step", "settings", "auth", "call", "input", "waiting", "output",
];
const MAX_ROOMS: usize = 9;

const MAX_LINES: usize = 300;
/// Flat tables, which may be longer.
const LONG_FILES: &[&str] = &[];

const MAX_LINES_OF_FUNCTION: usize = 40;
const MAX_LINES_OF_NINE_IN_TEN: usize = 20;
/// Flat tables, which may be longer: file and function.
const LONG_FUNCTIONS: &[(&str, &str)] = &[
    ("auth/permissions.rs", "problems"),
    ("publish/catalog/openapi.rs", "description"),
    ("publish/catalog/rapid7.rs", "plugin"),
    ("publish/manifest.rs", "current"),
];

/// A file of `src`: its path from there, and its text.
struct Source {
    path: String,
    text: String,
}

impl Source {
    /// The folder that it is in; none for what stands above the rooms.
    fn room(&self) -> Option<&str> {
        self.path.split_once('/').map(|(room, _)| room)
    }

    /// How high it stands: 0 is the highest.
    fn height(&self) -> usize {
        self.room().map_or(0, height_of)
    }

    /// Its lines with their numbers, without comments.
    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let numbered = self.text.lines().enumerate();
        let numbered = numbered.map(|(index, line)| (index + 1, line));
        numbered.filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    /// Its functions: the number of the first line, the name, and how many lines there are.
    fn functions(&self) -> Vec<(usize, &str, usize)> {
        let mut functions = Vec::new();
        for (number, line) in self.lines() {
            let is_whole = line.ends_with('}') || line.ends_with(';');
            let Some(name) = name_of_function(line).filter(|_| !is_whole) else {
                continue;
            };
            let (indent, _) = line.split_at(line.len() - line.trim_start().len());
            let (end, declared) = (format!("{indent}}}"), format!("{indent})"));
            let is_inside = |line: &&str| {
                **line != end && !(line.starts_with(&declared) && line.ends_with(';'))
            };
            let lines = self.text.lines().skip(number - 1);
            functions.push((number, name, lines.take_while(is_inside).count() + 1));
        }
        functions
    }
}

fn name_of_function(line: &str) -> Option<&str> {
    let (before, after) = line.split_once("fn ")?;
    let is_item = before.split_whitespace().all(|word| {
        word.starts_with("pub")
            || ["const", "unsafe", "extern"].contains(&word)
            || word.ends_with(')')
    });
    let name = after.split(['(', '<']).next()?;
    let is_name = !name.is_empty()
        && name
            .chars()
            .all(|letter| letter.is_alphanumeric() || letter == '_');
    (is_item && is_name).then_some(name)
}

fn height_of(room: &str) -> usize {
    let place = ROOMS.iter().position(|known| *known == room);
    place.unwrap_or_else(|| {
        panic!(
            "src/{room} is a new room: give it its place in ROOMS of {}",
            file!()
        )
    }) + 1
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(Source {
                    path: path.strip_prefix(&root).unwrap().display().to_string(),
                    text: fs::read_to_string(&path).unwrap(),
                });
            }
        }
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    found
}

/// The rooms that a line names.
fn rooms_named(line: &str) -> impl Iterator<Item = &str> {
    let end = |letter: char| !letter.is_alphanumeric() && letter != '_';
    let named = line.split("crate::").skip(1);
    let named = named.filter_map(move |rest| rest.split(end).next());
    named.filter(|name| ROOMS.contains(name))
}

/// Fails with everything that was found.
#[track_caller]
fn assert_none(found: &[String]) {
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn each_room_uses_only_rooms_below_it() {
    let mut wrong = Vec::new();
    for source in sources() {
        for (number, line) in source.lines() {
            let place = format!("src/{}:{number}", source.path);
            for room in rooms_named(line) {
                if room == "publish" && source.room() != Some("publish") {
                    wrong.push(format!(
                        "{place} uses publish, which only tests may: move what it needs down"
                    ));
                } else if height_of(room) < source.height() {
                    wrong.push(format!(
                        "{place} uses {room}, which stands higher: hand it in from above, or move what it needs down"
                    ));
                }
            }
            let hidden = ["super::super", "super::*", "crate::{", "crate::*"];
            if let Some(hidden) = hidden.into_iter().find(|path| line.contains(path)) {
                wrong.push(format!(
                    "{place} has {hidden}, which hides what is used: write `crate::<room>::…`"
                ));
            }
        }
    }
    assert_none(&wrong);
}

#[test]
fn the_rooms_are_few_and_the_map_draws_each() {
    let mut rooms: Vec<String> = sources()
        .iter()
        .filter_map(Source::room)
        .map(str::to_owned)
        .collect();
    rooms.dedup();
    assert!(
        rooms.len() <= MAX_ROOMS,
        "{rooms:?} are more than {MAX_ROOMS} folders in src: put one into another"
    );
    let map = include_str!("../../src/lib.rs");
    let map: String = map.lines().filter(|line| line.starts_with("//!")).collect();
    for room in rooms {
        assert!(height_of(&room) > 0);
        assert!(
            map.contains(&room),
            "src/lib.rs: the map does not draw {room}: draw it"
        );
    }
}

#[test]
fn no_file_is_long_but_flat_tables() {
    let mut wrong = Vec::new();
    for Source { path, text } in sources() {
        let lines = text.lines().count();
        match (lines > MAX_LINES, LONG_FILES.contains(&path.as_str())) {
            (true, false) => wrong.push(format!(
                "src/{path} has {lines} lines, more than {MAX_LINES}: divide it"
            )),
            (false, true) => wrong.push(format!(
                "src/{path} has {lines} lines: take it off LONG_FILES"
            )),
            _ => {}
        }
    }
    assert_none(&wrong);
}

#[test]
fn no_function_is_long_but_flat_tables() {
    let mut wrong = Vec::new();
    let mut tables = LONG_FUNCTIONS.to_vec();
    let sources = sources();
    for source in &sources {
        for (number, name, lines) in source.functions() {
            if lines <= MAX_LINES_OF_FUNCTION {
                continue;
            }
            let known = tables.len();
            tables.retain(|table| *table != (source.path.as_str(), name));
            if tables.len() == known {
                wrong.push(format!(
                    "src/{}:{number}: {name} has {lines} lines, more than {MAX_LINES_OF_FUNCTION}: cut it",
                    source.path
                ));
            }
        }
    }
    wrong.extend(
        tables.iter().map(|(path, name)| {
            format!("src/{path}: {name} is not long: take it off LONG_FUNCTIONS")
        }),
    );
    assert_none(&wrong);
}

#[test]
fn nine_functions_in_ten_can_be_read_at_a_glance() {
    let sources = sources();
    let functions = || sources.iter().flat_map(Source::functions);
    let is_long = |(_, _, lines): &(usize, &str, usize)| *lines > MAX_LINES_OF_NINE_IN_TEN;
    let (long, all) = (functions().filter(is_long).count(), functions().count());
    assert!(
        10 * long <= all,
        "{long} of {all} functions have more than {MAX_LINES_OF_NINE_IN_TEN} lines: cut some"
    );
}
