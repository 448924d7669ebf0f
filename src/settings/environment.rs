//! The door to the environment: reads variables and the files that they name, and gathers what is wrong with them.

use std::ffi::OsString;
use std::time::Duration;

use crate::auth::secret::Secret;
use crate::output::failure::{Failure, FailureCode};
use crate::output::violation::Violation;
use crate::settings::variables::Setting;
use crate::waiting::deadline::Deadline;
use crate::waiting::stream::read_file;

/// The environment, as `main` hands it in.
pub(crate) type Environment<'a> = dyn Fn(&str) -> Option<OsString> + Sync + 'a;

/// Reads the environment, and gathers everything that is wrong with it.
pub(crate) struct Reader<'a> {
    environment: &'a Environment<'a>,
    deadline: Deadline,
    problems: Vec<Violation>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(environment: &'a Environment<'a>) -> Self {
        Self {
            environment,
            deadline: Deadline::after(Duration::ZERO),
            problems: Vec::new(),
        }
    }

    /// Sets until when files are read: one deadline for all of them, since any may be a pipe.
    pub(crate) fn set_deadline(&mut self, deadline: Deadline) {
        self.deadline = deadline;
    }

    /// Fails with everything that is wrong, by the variable's name.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        if self.problems.is_empty() {
            Ok(())
        } else {
            Err(self.failure())
        }
    }

    /// Returns one failure that lists every problem found.
    pub(crate) fn failure(self) -> Failure {
        Failure::of_violations(
            FailureCode::InvalidSettings,
            "the settings are not usable",
            self.problems,
            "Nothing was sent; `cancel-machine-action --help` lists the settings.",
        )
    }

    /// Notes that the variable `name` is wrong: `message` is the rule that it breaks.
    pub(crate) fn problem(&mut self, name: &str, message: impl Into<String>) {
        self.problems.push(Violation::of_setting(name, message));
    }

    /// Returns whether the variable, or its twin, is set.
    pub(crate) fn is_set(&self, setting: &Setting) -> bool {
        self.has(setting.name) || (setting.has_file_twin && self.has(&setting.file_twin()))
    }

    fn has(&self, name: &str) -> bool {
        (self.environment)(name).is_some_and(|value| !value.is_empty())
    }

    /// Returns the name by which the setting is set: the variable's, or its twin's.
    pub(crate) fn name_set(&self, setting: &Setting) -> String {
        if self.has(setting.name) {
            setting.name.to_owned()
        } else {
            setting.file_twin()
        }
    }

    /// Returns the variable's value; an empty one counts as not set, because engines pass on what they do not have.
    pub(crate) fn value(&mut self, name: &str) -> Option<String> {
        match (self.environment)(name)?.into_string() {
            Ok(text) if text.contains(char::is_control) => {
                self.problem(name, "must be one line without control characters");
                None
            }
            Ok(text) => Some(text).filter(|text| !text.is_empty()),
            Err(_) => {
                self.problem(name, "is not UTF-8");
                None
            }
        }
    }

    /// Returns the setting's value, if it is one that it may have.
    pub(crate) fn text(&mut self, setting: &Setting) -> Option<String> {
        let text = self.value(setting.name)?;
        if setting.values.is_empty() || setting.values.contains(&text.as_str()) {
            return Some(text);
        }
        self.problem(
            setting.name,
            format!("must be one of: {}", setting.values.join(", ")),
        );
        None
    }

    /// Returns what `parse` makes of the setting's value.
    pub(crate) fn parsed<T>(
        &mut self,
        setting: &Setting,
        parse: impl FnOnce(&str) -> Result<T, &'static str>,
    ) -> Option<T> {
        let text = self.text(setting)?;
        parse(&text)
            .inspect_err(|rule| self.problem(setting.name, *rule))
            .ok()
    }

    /// Notes a problem if the setting is not set at all.
    pub(crate) fn require(&mut self, setting: &Setting) {
        if !self.is_set(setting) {
            self.problem(setting.name, format!("is missing: {}", setting.about));
        }
    }

    /// Notes a problem if both the variable and its twin are set.
    pub(crate) fn reject_both(&mut self, setting: &Setting) {
        let twin = setting.file_twin();
        if setting.has_file_twin && self.has(setting.name) && self.has(&twin) {
            self.problem(
                setting.name,
                format!("is set, and so is {twin}: unset one of them"),
            );
        }
    }

    /// Returns what `parse` makes of the variable's value, or of the file that its twin names.
    pub(crate) fn secret<T>(
        &mut self,
        setting: &Setting,
        parse: impl FnOnce(&Secret) -> Result<T, &'static str>,
    ) -> Option<T> {
        let (name, text) = self.text_or_file(setting)?;
        // Some editors begin a file with a byte order mark, and all end it with a line break.
        let text = text.trim_start_matches('\u{feff}');
        let text = text.trim_end_matches(['\r', '\n']);
        let parsed = match text {
            "" => Err("is empty"),
            _ if text.contains(char::is_control) => {
                Err("must be one line without control characters")
            }
            _ => parse(&Secret::new(text.to_owned())),
        };
        let of_file = match name == setting.name {
            true => "",
            false => "names a file whose content ",
        };
        parsed
            .inspect_err(|rule| self.problem(&name, format!("{of_file}{rule}")))
            .ok()
    }

    /// Returns the variable's value, or the text of the file that its twin names, after the name of the one or the other.
    fn text_or_file(&mut self, setting: &Setting) -> Option<(String, String)> {
        if let Some(text) = self.value(setting.name) {
            return Some((setting.name.to_owned(), text));
        }
        if !setting.has_file_twin {
            return None;
        }
        let twin = setting.file_twin();
        let path = self.value(&twin)?;
        let bytes = self.file(&twin, &path)?;
        match String::from_utf8(bytes) {
            Ok(text) => Some((twin, text)),
            Err(_) => {
                self.problem(&twin, "names a file that is not UTF-8");
                None
            }
        }
    }

    /// Returns the bytes of the file at `path`, which the variable `name` names.
    pub(crate) fn file(&mut self, name: &str, path: &str) -> Option<Vec<u8>> {
        read_file(path, self.deadline)
            .inspect_err(|error| {
                self.problem(name, format!("names a file that cannot be read: {error}"));
            })
            .ok()
    }
}
