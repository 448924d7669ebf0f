//! Which types of actions may be cancelled: the value of `--allow`.

/// The longest type of an action, in letters; those that are known have 27.
const MAX_TYPE: usize = 64;
/// How many types may be allowed; about a dozen are known.
const MAX_TYPES: usize = 100;

/// Which types of actions may be cancelled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Allow {
    /// All: what `any` says, where no limit has to be asked for.
    Any,
    /// These.
    Types(Vec<String>),
}

impl Allow {
    /// Reads types of actions, separated by commas; the error is the rule that `text` breaks.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let types: Vec<&str> = text.split(',').collect();
        let is_type = |kind: &&str| {
            (1..=MAX_TYPE).contains(&kind.len())
                && kind.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        if types.len() > MAX_TYPES || !types.iter().all(is_type) {
            return Err(
                "must be types of actions such as Isolate,RunAntiVirusScan: letters and digits, separated by commas \
                 without spaces",
            );
        }
        match types.as_slice() {
            ["any"] => Ok(Self::Any),
            types if types.contains(&"any") => {
                Err("must be `any`, or types of actions, but not both")
            }
            types => Ok(Self::Types(types.iter().map(ToString::to_string).collect())),
        }
    }
}
