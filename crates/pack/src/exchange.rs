//! Which artifacts can be given to Velociraptor's artifact exchange, one file each. Who imports such a file has that file alone.

use crate::artifact::Artifact;
use crate::inventory::Inventory;

/// Why an artifact is not for the exchange; none if it works alone and its tools can be had.
pub fn obstacle(
    artifact: &Artifact,
    artifacts: &[Artifact],
    inventory: &Inventory,
) -> Option<String> {
    let definition = &artifact.definition;
    if definition.sources.is_empty() {
        return Some("it has nothing to collect".to_owned());
    }
    let called = artifacts
        .iter()
        .map(|other| other.definition.name.as_str())
        .find(|other| *other != definition.name && calls(&artifact.text, other));
    if let Some(other) = called {
        return Some(format!("it calls {other}"));
    }
    let without_address = definition
        .tools
        .iter()
        .map(|tool| &tool.value)
        .find(|tool| {
            tool.url.is_none() && inventory.helpers().any(|helper| helper.name == tool.name)
        });
    without_address.map(|tool| format!("its tool {} has no address (--url-base)", tool.name))
}

/// Whether VQL calls the artifact of this name, and not one whose name goes on.
fn calls(text: &str, name: &str) -> bool {
    let call = format!("Artifact.{name}(");
    text.contains(&call)
}
