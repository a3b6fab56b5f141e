//! What a release may not have. Each problem is one line, `file:line: what, and what to do`.

use serde_yaml::Spanned;

use crate::artifact::Artifact;
use crate::inventory::{Inventory, Tool, VERSION};
use crate::vql;

pub fn problems(artifacts: &[Artifact], inventory: &Inventory) -> Vec<String> {
    let mut problems: Vec<_> = artifacts
        .iter()
        .flat_map(|artifact| of_artifact(artifact, artifacts, inventory))
        .collect();
    problems.extend(of_inventory(inventory, artifacts));
    problems.extend(vql::repetitions(artifacts));
    problems
}

fn of_artifact(artifact: &Artifact, artifacts: &[Artifact], inventory: &Inventory) -> Vec<String> {
    let definition = &artifact.definition;
    let mut problems = Vec::new();
    let mut report = |line: u64, problem: String| {
        problems.push(format!("{}:{line}: {problem}", artifact.path.display()));
    };

    let expected = format!("{}.yaml", definition.name.replace('.', "/"));
    if artifact.entry != expected {
        report(
            1,
            format!(
                "the artifact is named {}, so its file must be {expected}",
                definition.name
            ),
        );
    }
    if definition.description.trim().is_empty() {
        report(
            1,
            "no description: say what it does, what it needs and what it costs".to_owned(),
        );
    }
    if definition.reference.is_empty() {
        report(1, "no reference: name a page where to read more".to_owned());
    }
    for Spanned {
        value: tool,
        referenced,
        ..
    } in &definition.tools
    {
        if inventory.tool(&tool.name).is_none() {
            let problem = format!(
                "the tool {} is not in {}: add it there",
                tool.name,
                inventory.path.display()
            );
            report(referenced.line(), problem);
        }
    }
    for import in &definition.imports {
        if !artifacts
            .iter()
            .any(|other| other.definition.name == import.value)
        {
            report(
                import.referenced.line(),
                format!("imports {}, which is not in the pack", import.value),
            );
        }
    }
    for Spanned {
        value: parameter,
        referenced,
        ..
    } in &definition.parameters
    {
        let line = referenced.line();
        if parameter.kind.trim().is_empty() {
            report(
                line,
                format!("the parameter {} has no type", parameter.name),
            );
        }
        if parameter.description.trim().is_empty() {
            report(
                line,
                format!("the parameter {} has no description", parameter.name),
            );
        }
    }
    problems
}

/// An inventory is stale when it names another version of the helper than this one, or a tool that nothing uses.
fn of_inventory(inventory: &Inventory, artifacts: &[Artifact]) -> Vec<String> {
    let mut problems = Vec::new();
    for Spanned {
        value: Tool { name, version, .. },
        referenced,
        ..
    } in &inventory.tools
    {
        let at = format!("{}:{}", inventory.path.display(), referenced.line());
        let is_helper = inventory.helpers().any(|helper| helper.name == *name);
        if is_helper && version != VERSION {
            problems.push(format!(
                "{at}: {name} is version {version}, the workspace is {VERSION}: put that in"
            ));
        }
        if !is_used(name, artifacts) {
            problems.push(format!("{at}: no artifact uses {name}: remove it"));
        }
    }
    problems
}

/// Artifacts name the tool as a whole, or the helper's name up to the platform, which they ask the machine for.
fn is_used(tool: &str, artifacts: &[Artifact]) -> bool {
    let stem = tool.split_once('_').map_or(tool, |(stem, _)| stem);
    artifacts.iter().any(|artifact| {
        artifact.text.contains(tool) || artifact.text.contains(&format!("{stem}_%v"))
    })
}
