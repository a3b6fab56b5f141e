//! Checks of the artifacts for a release. Each problem is one line, `file:line: what, and what to do`.

use std::collections::BTreeSet;

use serde_yaml::Spanned;

use crate::artifact::Artifact;
use crate::inventory::{Inventory, Tool, VERSION};
use crate::vql;

/// Characters of a parameter's description: the GUI shows it as one line beside the field.
const TOOLTIP: usize = 140;

pub fn problems(artifacts: &[Artifact], inventory: &Inventory) -> Vec<String> {
    let mut problems: Vec<_> = artifacts
        .iter()
        .flat_map(|artifact| {
            let own = of_artifact(artifact, inventory).into_iter();
            own.chain(of_imports(artifact, artifacts))
        })
        .collect();
    problems.extend(of_inventory(inventory, artifacts));
    problems.extend(vql::repetitions(artifacts));
    problems
}

fn of_artifact(artifact: &Artifact, inventory: &Inventory) -> Vec<String> {
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
    let mut known = BTreeSet::new();
    for Spanned {
        value: parameter,
        referenced,
        ..
    } in &definition.parameters
    {
        let line = referenced.line();
        if !known.insert(&parameter.name) {
            report(
                line,
                format!(
                    "the parameter {} is there twice: remove one",
                    parameter.name
                ),
            );
        }
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
        if parameter.description.trim().contains('\n')
            || parameter.description.chars().count() > TOOLTIP
        {
            report(
                line,
                format!(
                    "the description of the parameter {} is longer than one line of {TOOLTIP} characters: say the rest in the artifact's description",
                    parameter.name
                ),
            );
        }
    }
    problems
}

/// Checks of what an artifact imports and calls. The release holds no shared artifact, so a query must not call one.
fn of_imports(artifact: &Artifact, artifacts: &[Artifact]) -> Vec<String> {
    let at = |line: u64| format!("{}:{line}", artifact.path.display());
    let mut problems = Vec::new();
    for import in &artifact.definition.imports {
        let name = &import.value;
        if !artifacts.iter().any(|other| other.definition.name == *name) {
            problems.push(format!(
                "{}: imports {name}, which is not in the pack",
                at(import.referenced.line())
            ));
        }
    }
    if artifact.is_shared() {
        if !artifact.definition.sources.is_empty() {
            problems.push(format!(
                "{}: has sources, but the release leaves out what is named Generic: name it after the place it runs at, such as Server", at(1)
            ));
        }
        return problems;
    }
    for other in artifacts.iter().filter(|other| other.is_shared()) {
        let name = &other.definition.name;
        let calls = [
            format!("Artifact.{name}"),
            format!("artifact=\"{name}\""),
            format!("artifact='{name}'"),
        ];
        for (line, text) in (1..).zip(artifact.text.lines()) {
            if calls.iter().any(|call| text.contains(call)) {
                problems.push(format!(
                    "{}: calls {name}, which the release leaves out: name it under imports",
                    at(line)
                ));
            }
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
