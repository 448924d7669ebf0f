//! What `--help` and `--version` print.

use std::fmt::Write;

use crate::output::exit_status::ExitStatus;
use crate::output::files;
use crate::settings::table::{OPTIONS, SETTINGS};

pub(super) fn version() -> String {
    concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"), "\n").to_owned()
}

pub(super) fn help() -> String {
    let mut text = String::from(
        "Cancels a pending machine action in Microsoft Defender for Endpoint: reads one request, makes one call,\n\
         writes the service's answer.\n\
         \n\
         cancel-machine-action [OPTIONS] [REQUEST]   run the step; the request is a JSON object in the file REQUEST or\n\
         \u{20}                                           on stdin, as `sample` shows it\n\
         cancel-machine-action check                 sign in and say whether this identity may cancel; cancels nothing\n\
         cancel-machine-action schema <NAME>         print a JSON Schema: ",
    );
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{}", files::SCHEMAS.map(|(name, _)| name).join(", "));
    text.push_str(
        "cancel-machine-action manifest              print what a connector catalog lists\n\
         cancel-machine-action sample                print an example request\n\
         \n\
         Options, each with the environment variable that sets the same:\n",
    );
    for option in OPTIONS {
        let typed = match option.value {
            Some(value) => format!("{} <{value}>", option.name),
            None => option.name.to_owned(),
        };
        let _ = writeln!(
            text,
            "  {typed:<20} {:<14} {}",
            option.setting, option.about
        );
    }
    text.push_str("  --help, --version\n\nSettings, from the environment:\n");
    for setting in SETTINGS {
        let twin = if setting.has_file_twin {
            " (_FILE)"
        } else {
            ""
        };
        let name = format!("{}{twin}", setting.name);
        let _ = writeln!(text, "  {name:<30} {}", setting.about);
    }
    text.push_str("\nExit status:\n");
    for status in ExitStatus::ALL {
        let _ = writeln!(text, "  {}  {}", status.number(), status.meaning());
    }
    text
}
