//! The checks of a release without a network: the sums, the bills of materials, and which files the signatures are for.
//! Whether a signature is genuine takes Sigstore's keys: docs/security.md has the commands.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use crate::inventory::Inventory;
use crate::sums;

/// The signature of the sums, as `cosign sign-blob` makes it.
pub const SIGNATURE: &str = "SHA256SUMS.sigstore.json";
/// Where and how the files were built, as GitHub attests it.
pub const PROVENANCE: &str = "provenance.sigstore.json";

/// Fails where the release contradicts itself; prints what was checked, and what is not there to be checked.
pub fn run(dist: &Path, inventory: &Inventory) -> Result<()> {
    let files = sums::verify(dist)?;
    say!("{} files, all as in {}", files.len(), sums::FILE)?;
    let bills = check_bills(dist, &files, inventory)?;
    say!("SBOMs with the SHA-256 of their helper: {bills}")?;

    let signed = |name: &str| dist.join(name).exists();
    if signed(SIGNATURE) {
        check_signature(dist)?;
        say!("{SIGNATURE} names these sums; cosign verifies who signed it")?;
    } else {
        say!("not signed: there is no {SIGNATURE}")?;
    }
    if signed(PROVENANCE) {
        check_provenance(dist, &files)?;
        say!("{PROVENANCE} names each file; gh verifies who attested it")?;
    } else {
        say!("not attested: there is no {PROVENANCE}")?;
    }
    Ok(())
}

/// How many helpers have a bill of materials that is theirs; each must have one.
fn check_bills(
    dist: &Path,
    files: &BTreeMap<String, String>,
    inventory: &Inventory,
) -> Result<usize> {
    let mut bills = 0;
    for helper in inventory.helpers() {
        let Some(sha256) = files.get(&helper.file) else {
            continue;
        };
        let name = format!("{}.cdx.json", helper.file);
        let bill = json(&dist.join(&name))?;
        let named = &bill["metadata"]["component"]["hashes"][0]["content"];
        if named.as_str() != Some(sha256) {
            bail!(
                "{name}: is the SBOM of another build of {}: {}",
                helper.file,
                sums::CURE
            );
        }
        bills += 1;
    }
    Ok(bills)
}

fn check_signature(dist: &Path) -> Result<()> {
    let signature = json(&dist.join(SIGNATURE))?;
    let digest = decoded(&signature["messageSignature"]["messageDigest"]["digest"])
        .with_context(|| format!("{SIGNATURE}: not a Sigstore bundle of a signed file"))?;
    let content = fs::read(dist.join(sums::FILE)).with_context(|| sums::FILE)?;
    if sums::hexadecimal(&digest) != sums::sha256(&content) {
        bail!(
            "{SIGNATURE}: signs another {}: download both from the same release",
            sums::FILE
        );
    }
    Ok(())
}

fn check_provenance(dist: &Path, files: &BTreeMap<String, String>) -> Result<()> {
    let bundle = json(&dist.join(PROVENANCE))?;
    let statement: Value = decoded(&bundle["dsseEnvelope"]["payload"])
        .and_then(|payload| serde_json::from_slice(&payload).ok())
        .with_context(|| format!("{PROVENANCE}: not a Sigstore bundle of an attestation"))?;
    let subjects = statement["subject"].as_array().into_iter().flatten();
    let attested: BTreeSet<&str> = subjects
        .filter_map(|subject| subject["digest"]["sha256"].as_str())
        .collect();
    for (file, sha256) in files {
        if !attested.contains(sha256.as_str()) {
            bail!("{file}: {PROVENANCE} does not name it: download both from the same release");
        }
    }
    Ok(())
}

fn json(path: &Path) -> Result<Value> {
    let text =
        fs::read(path).with_context(|| format!("{}: missing: {}", path.display(), sums::CURE))?;
    serde_json::from_slice(&text)
        .with_context(|| format!("{}: not JSON: {}", path.display(), sums::CURE))
}

fn decoded(base64: &Value) -> Option<Vec<u8>> {
    BASE64_STANDARD.decode(base64.as_str()?).ok()
}
