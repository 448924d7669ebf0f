//! The manual page, in the language of `man` (man(7)), made from the same tables as `--help`.

use std::fmt::Write;

use serde_json::json;

use crate::input::example_with_comment;
use crate::output::exit_status::ExitStatus;
use crate::settings::commands::{COMMANDS, STEP};
use crate::settings::help::{about, typed, with_argument};
use crate::settings::list_options::ListOption;
use crate::settings::variables::{SETTINGS, Setting};

/// The day of this version: the README's "Changes" give the same.
const RELEASED: &str = "2026-11-22";

/// How long a line of the source is at most, as `mandoc` recommends.
const WIDTH: usize = 80;

/// The page.
pub(super) fn manual() -> String {
    let mut page = Page::new();
    page.section("NAME");
    page.text("cancel-machine-action - cancel a pending machine action in Microsoft Defender for Endpoint");
    commands(&mut page);
    options(&mut page);
    page.section("ENVIRONMENT");
    for setting in SETTINGS {
        page.item(&setting_as_named(setting), &setting_explained(setting));
    }
    page.section("EXIT STATUS");
    for status in ExitStatus::ALL {
        page.item(&format!("`{}`", status.number()), status.meaning());
    }
    page.section("EXAMPLES");
    page.text("A request:");
    page.example(&format!("{:#}", json!(example_with_comment())));
    page.text("Try it without a tenant, credentials or a network:");
    page.example("cancel-machine-action sample | cancel-machine-action --sandbox");
    page.source
}

/// What the command line can ask for.
fn commands(page: &mut Page) {
    page.section("SYNOPSIS");
    page.text("`cancel-machine-action` [OPTIONS] [REQUEST]");
    page.line(".br");
    page.text("`cancel-machine-action` COMMAND ...");
    page.section("DESCRIPTION");
    page.text(
        "Reads one request, makes one call, and writes the service's answer as one line of JSON. REQUEST is the file with the request; without it the request is read from stdin.",
    );
    page.section("COMMANDS");
    for command in &COMMANDS {
        page.item(&format!("`{}`", with_argument(command)), &about(command));
        if !command.details.is_empty() {
            page.line(".br");
            page.text(command.details);
        }
        own_options(page, command.own_options);
    }
}

/// The options that one command alone takes, below it.
fn own_options(page: &mut Page, options: &[ListOption]) {
    if options.is_empty() {
        return;
    }
    page.line(".RS");
    for option in options {
        let typed = typed(option.name, Some(option.value));
        page.item(&format!("`{typed}`"), option.about);
    }
    page.line(".RE");
}

fn options(page: &mut Page) {
    page.section("OPTIONS");
    page.text("Each has an environment variable that sets the same.");
    for option in STEP.options {
        let typed = typed(option.name, option.value);
        page.item(&format!("`{typed}` ({})", option.setting), option.about);
    }
    page.item("`--help`", "print a short form of this page");
    page.item("`--version`", "print the version");
}

fn setting_as_named(setting: &Setting) -> String {
    if setting.has_file_twin {
        format!("`{}`, `{}`", setting.name, setting.file_twin())
    } else {
        format!("`{}`", setting.name)
    }
}

fn setting_explained(setting: &Setting) -> String {
    let mut text = setting.about.to_owned();
    // Writing to a String cannot fail.
    if !setting.values.is_empty() {
        let _ = write!(text, "; one of {}", setting.values.join(", "));
    }
    if let Some(default) = setting.default {
        let _ = write!(text, "; {default} unless set");
    }
    if setting.has_file_twin {
        text += "; the second names a file that holds it";
    }
    text
}

/// A page in the making.
struct Page {
    source: String,
}

impl Page {
    fn new() -> Self {
        let name = env!("CARGO_PKG_NAME");
        let version = env!("CARGO_PKG_VERSION");
        Self {
            // No word is divided, for many are typed; so lines are not stretched, either.
            source: format!(
                ".TH {} 1 {RELEASED} \"{name} {version}\"\n.nh\n.ad l\n",
                name.to_uppercase()
            ),
        }
    }

    fn section(&mut self, title: &str) {
        self.line(&format!(".SH {title}"));
    }

    /// A name, and what it means below it.
    fn item(&mut self, name: &str, about: &str) {
        self.line(".TP");
        self.line(&marked_up(name));
        self.text(about);
    }

    /// Lines that are shown as they are.
    fn example(&mut self, text: &str) {
        self.line(".RS\n.nf");
        for line in text.lines() {
            self.line(&escaped(line));
        }
        self.line(".fi\n.RE");
    }

    /// Running text; what stands between backticks is bold.
    fn text(&mut self, text: &str) {
        let mut line = String::new();
        for word in marked_up(text).split(' ') {
            if !line.is_empty() && line.len() + 1 + word.len() > WIDTH {
                self.line(&line);
                line.clear();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line += word;
        }
        self.line(&line);
    }

    fn line(&mut self, line: &str) {
        self.source += line;
        self.source.push('\n');
    }
}

/// Returns `text` with what stands between backticks bold.
fn marked_up(text: &str) -> String {
    let mut source = String::new();
    for (index, part) in text.split('`').enumerate() {
        let part = escaped(part);
        source += &match index % 2 {
            0 => part,
            _ => format!("\\fB{part}\\fR"),
        };
    }
    source
}

/// Returns `text` so that no letter of it is a command.
fn escaped(text: &str) -> String {
    let mut source = String::new();
    if text.starts_with(['.', '\'']) {
        source += "\\&";
    }
    for letter in text.chars() {
        match letter {
            '\\' => source += "\\e",
            '-' => source += "\\-",
            '\'' => source += "\\(aq",
            letter if letter.is_ascii() => source.push(letter),
            letter => {
                let _ = write!(source, "\\[u{:04X}]", u32::from(letter));
            }
        }
    }
    source
}
