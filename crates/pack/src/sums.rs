//! `SHA256SUMS`: written for a release, and compared with it. `sha256sum --check` reads it too.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::verify::{PROVENANCE, SIGNATURE};

pub const FILE: &str = "SHA256SUMS";
/// What to do about a file that is not as it was made. It may have been downloaded, or made here.
pub const CURE: &str = "download the release again, or make it again with `make pack`";

/// A content's SHA-256, in hexadecimal.
pub fn sha256(content: &[u8]) -> String {
    hexadecimal(&Sha256::digest(content))
}

pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// Writes the sums of all files of the release and returns them by file name.
pub fn write(dist: &Path) -> Result<BTreeMap<String, String>> {
    let sums = of(dist)?;
    let text = sums.iter().fold(String::new(), |text, (file, sha256)| {
        text + &format!("{sha256}  {file}\n")
    });
    fs::write(dist.join(FILE), text).with_context(|| format!("{FILE} can't be written"))?;
    Ok(sums)
}

/// The sums of all files of the release by file name. Fails where a file was changed, is missing or is not in the sums; names each.
pub fn verify(dist: &Path) -> Result<BTreeMap<String, String>> {
    let path = dist.join(FILE);
    if !path.exists() {
        bail!("{}: missing: {CURE}", path.display());
    }
    let mut found = of(dist)?; // before SHA256SUMS is read, since this refuses pipes
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let mut problems = Vec::new();
    let mut good = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        let Some((sha256, file)) = line.split_once("  ") else {
            bail!("{}:{}: is not `SHA-256  file`", path.display(), index + 1);
        };
        match found.remove(file) {
            Some(other) if other != sha256 => problems.push(format!(
                "{file}: changed, its SHA-256 is {other}, not {sha256}"
            )),
            Some(sha256) => drop(good.insert(file.to_owned(), sha256)),
            None if good.contains_key(file) => problems.push(format!(
                "{}:{}: names {file} twice",
                path.display(),
                index + 1
            )),
            None => problems.push(format!("{file}: missing")),
        }
    }
    problems.extend(found.keys().map(|file| format!("{file}: not in {FILE}")));
    if !problems.is_empty() {
        bail!(
            "{} is not the release that was made: {CURE}\n{}",
            dist.display(),
            problems.join("\n")
        );
    }
    if good.is_empty() {
        bail!("{}: names no file", path.display());
    }
    Ok(good)
}

fn of(dist: &Path) -> Result<BTreeMap<String, String>> {
    let mut sums = BTreeMap::new();
    add(dist, "", &mut sums)?;
    // A file that is made from the sums cannot be in them.
    for name in [FILE, SIGNATURE, PROVENANCE] {
        sums.remove(name);
    }
    Ok(sums)
}

/// Adds a folder's files by their path below the release's folder, with `/`.
fn add(folder: &Path, below: &str, sums: &mut BTreeMap<String, String>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = format!("{below}{name}");
        if path.is_dir() {
            add(&path, &format!("{name}/"), sums)?;
        } else if !path.is_file() {
            // A pipe would be waited for.
            bail!(
                "{}: is neither a file nor a folder: remove it",
                path.display()
            );
        } else {
            let content = fs::read(&path).with_context(|| path.display().to_string())?;
            sums.insert(name, sha256(&content));
        }
    }
    Ok(())
}
