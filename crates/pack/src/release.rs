//! What goes into `dist/`: the helpers with their bills of materials, the zip for Velociraptor's "Upload Artifact Pack", and
//! a file for each artifact that works alone, as the artifact exchange takes it, with a zip of these.

use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;

use anyhow::{Context, Result, bail};
use url::Url;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::artifact::Artifact;
use crate::dependencies;
use crate::inventory::{Inventory, Platform, Tool, VERSION};
use crate::{exchange, sbom, self_contained, stamp, sums};

/// Copies a helper that was built for this machine into the release, under its name there.
pub fn add_helper(helper: &Path, dist: &Path, inventory: &Inventory) -> Result<()> {
    let platform = Platform::of_this_machine()?;
    let Some(tool) = inventory.helpers().find(|tool| tool.platform == platform) else {
        bail!(
            "{}: has no helper for this machine's platform",
            inventory.path.display()
        );
    };
    fs::create_dir_all(dist).with_context(|| dist.display().to_string())?;
    fs::copy(helper, dist.join(&tool.file))
        .with_context(|| format!("{} can't be copied", helper.display()))?;
    Ok(())
}

/// Writes the release around the helpers that are there, and says what is in it. The same input gives the same bytes.
///
/// Fails where a helper is for another platform than its name says.
pub fn write(
    artifacts: &[Artifact],
    inventory: &Inventory,
    dist: &Path,
    url_base: Option<&Url>,
) -> Result<()> {
    let served = helpers(inventory, dist)?;
    let filled = artifacts
        .iter()
        .filter(|artifact| !artifact.is_shared())
        .map(|artifact| released(artifact, artifacts, &served, url_base))
        .collect::<Result<Vec<_>>>()?;
    let released = filled
        .iter()
        .map(|artifact| stamp::stamped(artifact, filled.len()))
        .collect::<Result<Vec<_>>>()?;

    put(
        &dist.join(format!("threatfox-artifacts-{VERSION}.zip")),
        &zip(released.iter().map(|artifact| {
            let entry = format!("artifacts/{}", artifact.entry);
            (entry, artifact.text.as_str())
        }))?,
    )?;
    write_exchange(&released, inventory, dist)?;
    for (file, sha256) in sums::write(dist)? {
        say!("{sha256}  {file}")?;
    }
    Ok(())
}

/// Writes the files for the artifact exchange, and the zip of them; says why an artifact has none.
fn write_exchange(released: &[Artifact], inventory: &Inventory, dist: &Path) -> Result<()> {
    let mut files = Vec::new();
    for artifact in released {
        let name = format!("{}.yaml", artifact.definition.name);
        match exchange::obstacle(artifact, released, inventory) {
            Some(why) => say!("{name}: not for the artifact exchange, since {why}")?,
            None => files.push((name, artifact.text.as_str())),
        }
    }
    for (name, text) in &files {
        put(&dist.join("exchange").join(name), text.as_bytes())?;
    }
    if !files.is_empty() {
        let name = format!("threatfox-exchange-{VERSION}.zip");
        put(&dist.join(name), &zip(files.into_iter())?)?;
    }
    Ok(())
}

/// Finds the helpers in the release and writes the bill of materials of each.
fn helpers<'a>(inventory: &'a Inventory, dist: &Path) -> Result<Vec<ServedTool<'a>>> {
    let mut served = Vec::new();
    for tool in inventory.helpers() {
        let path = dist.join(&tool.file);
        if !path.exists() {
            say!("{}: not built, so not in this release", tool.file)?;
            continue;
        }
        let program = fs::read(&path).with_context(|| path.display().to_string())?;
        if !tool.platform.runs(&program) {
            bail!(
                "{}: is not a program for the platform in its name: build it again",
                path.display()
            );
        }
        let sha256 = sums::sha256(&program);
        if let Some(target) = tool.platform.target() {
            let dependencies = dependencies::of_target(target)?;
            let bill = sbom::of(&dependencies, &sha256)?;
            put(&dist.join(format!("{}.cdx.json", tool.file)), &bill)?;
        }
        served.push(ServedTool { tool, sha256 });
    }
    Ok(served)
}

/// A helper of this release.
struct ServedTool<'a> {
    tool: &'a Tool,
    sha256: String,
}

/// The artifact as a user gets it: its tools' addresses filled in, what it imports written into it.
fn released(
    artifact: &Artifact,
    artifacts: &[Artifact],
    served: &[ServedTool],
    url_base: Option<&Url>,
) -> Result<Artifact> {
    let text = match url_base {
        Some(base) => with_addresses(artifact, served, base)?,
        None => artifact.text.clone(),
    };
    let filled = artifact.with_text(text)?;
    filled.with_text(self_contained::text(&filled, artifacts)?)
}

fn put(path: &Path, content: &[u8]) -> Result<()> {
    let name = || format!("{} can't be written", path.display());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(name)?;
    }
    fs::write(path, content).with_context(name)
}

/// A zip of texts by their path in it. The same texts give the same bytes.
fn zip<'t>(files: impl Iterator<Item = (String, &'t str)>) -> Result<Vec<u8>> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default()) // 1980-01-01: the same bytes whenever it is made
        .unix_permissions(0o644);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (path, text) in files {
        zip.start_file(path, options)?;
        zip.write_all(text.as_bytes())?;
    }
    Ok(zip.finish()?.into_inner())
}

/// The artifact with the address, hash and version of each helper that it declares as a tool. Clients get it from their own
/// server, which downloads it once (`serve_locally`).
fn with_addresses(artifact: &Artifact, served: &[ServedTool], base: &Url) -> Result<String> {
    let mut lines: Vec<String> = artifact
        .text
        .split_inclusive('\n')
        .map(str::to_owned)
        .collect();
    for declared in artifact
        .definition
        .tools
        .iter()
        .filter(|declared| declared.value.url.is_none())
    {
        let Some(ServedTool { tool, sha256 }) = served
            .iter()
            .find(|served| served.tool.name == declared.value.name)
        else {
            continue;
        };
        let address = format!("{}/{}", base.as_str().trim_end_matches('/'), tool.file);
        let first = usize::try_from(declared.referenced.line())? - 1;
        let line = &mut lines[first];
        let indent = " ".repeat(line.len() - line.trim_start().len() + "- ".len());
        let fields = [
            ("url", address.as_str()),
            ("expected_hash", sha256),
            ("version", VERSION),
            ("serve_locally", "true"),
        ];
        line.extend(fields.map(|(field, value)| format!("{indent}{field}: {value}\n")));
    }
    Ok(lines.concat())
}
