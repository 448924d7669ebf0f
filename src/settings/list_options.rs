//! What a list is asked for, as the command line says. None of it has an environment variable: two equal command lines must
//! not list different actions.

use crate::call::filter::Filter;

/// An option of `list` alone.
pub(crate) struct ListOption {
    /// The option as it is typed.
    pub(crate) name: &'static str,
    /// What its value is called.
    pub(crate) value: &'static str,
    /// What it does.
    pub(crate) about: &'static str,
    /// Takes its value; the error is the rule that this breaks.
    set: fn(&mut Listing, &str) -> Result<(), &'static str>,
}

/// Which actions are listed, and how.
#[derive(Default)]
pub(crate) struct Listing {
    pub(crate) filter: Filter,
    /// The comment of the requests that are made of the actions; `None` if the actions themselves are listed.
    pub(crate) comment: Option<String>,
}

/// Every option that only `list` takes.
pub(crate) static LIST_OPTIONS: [ListOption; 6] = [
    ListOption {
        name: "--status",
        value: "STATUS",
        about: "only actions with this status, or one of several; Pending,InProgress unless set",
        set: |listing, text| listing.filter.add_statuses(text),
    },
    ListOption {
        name: "--type",
        value: "TYPE",
        about: "only actions of this type, or one of several, such as Isolate,RunAntiVirusScan",
        set: |listing, text| listing.filter.add_types(text),
    },
    ListOption {
        name: "--machine-id",
        value: "ID",
        about: "only actions on this device, or one of several",
        set: |listing, text| listing.filter.add_machine_ids(text),
    },
    ListOption {
        name: "--requestor",
        value: "NAME",
        about: "only actions that were requested by NAME; may be repeated",
        set: |listing, text| listing.filter.add_requestor(text),
    },
    ListOption {
        name: "--since",
        value: "TIME",
        about: "only actions created at TIME or later: 2026-11-01 or 2026-11-01T08:00:00Z",
        set: |listing, text| listing.filter.set_since(text),
    },
    ListOption {
        name: "--requests",
        value: "COMMENT",
        about: "write requests for --batch instead of the actions; each has the action's id and this comment",
        set: |listing, text| listing.set_comment(text),
    },
];

impl Listing {
    /// Returns what `typed`, options with their values, asks for; others than [`LIST_OPTIONS`] are passed over.
    pub(super) fn of(typed: &[(&'static str, String)]) -> Result<Self, String> {
        let mut listing = Self::default();
        for (name, value) in typed {
            if let Some(option) = LIST_OPTIONS.iter().find(|option| option.name == *name) {
                (option.set)(&mut listing, value).map_err(|rule| format!("{name} {rule}"))?;
            }
        }
        Ok(listing)
    }

    fn set_comment(&mut self, text: &str) -> Result<(), &'static str> {
        if text.trim().is_empty() {
            return Err("must be the reason for the cancel: it is kept with each action");
        }
        self.comment = Some(text.to_owned());
        Ok(())
    }
}
