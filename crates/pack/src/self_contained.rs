//! Writes what an artifact imports into it, so that it works where Velociraptor takes it alone: an offline collector drops
//! `imports` (Server.Utils.CreateCollector), and the artifact exchange wants one file an artifact.

use anyhow::{Result, bail};

use crate::artifact::{self, Artifact, Definition};

/// The artifact's text with the exports that it imports behind its own, the order in which Velociraptor runs them.
pub fn text(artifact: &Artifact, artifacts: &[Artifact]) -> Result<String> {
    let definition = &artifact.definition;
    if definition.imports.is_empty() {
        return Ok(artifact.text.clone());
    }
    let imported: Vec<_> = definition
        .imports
        .iter()
        .filter_map(|import| {
            artifacts
                .iter()
                .find(|other| other.definition.name == import.value)
        })
        .collect();

    let own = block(&artifact.text, "export: |");
    let exports: String = own
        .map(|(_, text)| text.trim_end().to_owned())
        .into_iter()
        .chain(imported.iter().filter_map(|other| {
            let (_, text) = block(&other.text, "export: |")?;
            let name = &other.definition.name;
            Some(format!("  -- Of {name}:\n{}", text.trim_end()))
        }))
        .map(|text| text + "\n\n")
        .collect();

    let mut text = without_block(&artifact.text, "export: |");
    let Some((at, _)) = block(&text, "imports:") else {
        bail!("{}: imports is not a list", artifact.path.display());
    };
    text = without_block(&text, "imports:");
    text.insert_str(at, &format!("export: |\n{exports}"));
    check(artifact, &imported, &text)?;
    Ok(text)
}

/// Where the block of a key at the left begins, and the lines below the key.
fn block<'a>(text: &'a str, key: &str) -> Option<(usize, &'a str)> {
    let mut at = 0;
    let mut found = None;
    for line in text.split_inclusive('\n') {
        let next = at + line.len();
        match found {
            None if line.trim_end() == key => found = Some((at, next)),
            Some((start, first)) if !line.starts_with([' ', '\n']) => {
                return Some((start, &text[first..at]));
            }
            _ => {}
        }
        at = next;
    }
    found.map(|(start, first)| (start, &text[first..]))
}

fn without_block(text: &str, key: &str) -> String {
    let Some((start, below)) = block(text, key) else {
        return text.to_owned();
    };
    let end = start + key.len() + 1 + below.len();
    text[..start].to_owned() + &text[end..]
}

/// Reads the text again: nothing of the exports may be missing, however they are written.
fn check(artifact: &Artifact, imported: &[&Artifact], text: &str) -> Result<()> {
    let made: Definition = artifact::parse(&artifact.path, text)?;
    for export in imported
        .iter()
        .map(|other| &other.definition.export)
        .chain([&artifact.definition.export])
    {
        if !made.export.contains(export.trim_end()) || !made.imports.is_empty() {
            bail!(
                "{}: its imports can't be written into it: write `imports:` as a list and each `export: |` as a block",
                artifact.path.display()
            );
        }
    }
    Ok(())
}
