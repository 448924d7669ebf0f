//! Several machine actions, as an agent gets them.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::output::machine_action::MachineAction;

/// The first machine actions of a list.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "List Machine Actions: output")]
pub(crate) struct Actions {
    /// The actions, each as the service describes it.
    #[schemars(with = "Vec<MachineAction>")]
    pub(crate) actions: Vec<Box<RawValue>>,
    /// Whether there are more than these: narrower filters show others.
    pub(crate) more: bool,
}
