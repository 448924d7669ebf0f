//! What an operator sets, as a catalog's form asks for it.

use serde_json::{Value, json};

use crate::settings::help::sentence;
use crate::settings::options;
use crate::settings::variables;

/// One entry of the form: an environment variable of the step.
pub(super) struct Parameter {
    /// The variable's name.
    pub(super) variable: &'static str,
    /// What it means.
    pub(super) about: &'static str,
    /// A value that it may have.
    pub(super) example: &'static str,
    /// Whether its value is to be kept from sight.
    pub(super) is_secret: bool,
    /// Whether it is either on or off.
    pub(super) is_switch: bool,
    /// The value if it is not set.
    pub(super) default: Option<&'static str>,
    /// The values that it may have; empty if it is free text.
    pub(super) values: &'static [&'static str],
}

impl Parameter {
    /// The name in the case that the catalogs have for names.
    pub(super) fn name(&self) -> String {
        self.variable.to_lowercase()
    }

    /// `entry` with the default and the choices, where there are some, under the catalog's names for them.
    pub(super) fn completed(&self, mut entry: Value, default: &str, choices: &str) -> Value {
        let fields = [
            (default, self.default.map(Value::from)),
            (
                choices,
                (!self.values.is_empty()).then(|| json!(self.values)),
            ),
        ];
        if let Some(entry) = entry.as_object_mut() {
            let given = |(name, value): (&str, Option<Value>)| Some((name.to_owned(), value?));
            entry.extend(fields.into_iter().filter_map(given));
        }
        entry
    }

    /// What it means, as a sentence.
    pub(super) fn description(&self) -> String {
        sentence(self.about)
    }
}

/// Every setting, and every option but those that belong to whoever starts the step: a catalog's product starts it once
/// for each action, and reads its stdout.
pub(super) fn all() -> Vec<Parameter> {
    const OF_THE_CALLER: [&str; 5] = [
        options::BATCH.setting,
        variables::CALLS_PER_MINUTE.name,
        variables::CALLS_PER_HOUR.name,
        options::EXIT_ZERO.setting,
        options::VERBOSE.setting,
    ];
    let settings = variables::SETTINGS.into_iter().map(|setting| Parameter {
        variable: setting.name,
        about: setting.about,
        example: setting.example,
        is_secret: setting.is_secret,
        is_switch: false,
        default: setting.default,
        values: setting.values,
    });
    let options = options::OPTIONS.into_iter().map(|option| Parameter {
        variable: option.setting,
        about: option.about,
        example: option.example,
        is_secret: false,
        is_switch: option.value.is_none(),
        default: None,
        values: &[],
    });
    let of_the_operator = |parameter: &Parameter| !OF_THE_CALLER.contains(&parameter.variable);
    settings.chain(options).filter(of_the_operator).collect()
}
