//! What is found of a release without a network, in what `dist/` holds.
#![allow(clippy::unwrap_used)]

mod support;

use std::fs;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;
use sha2::{Digest, Sha256};
use support::{ELF, Project, alone};

#[test]
fn verify_finds_a_changed_a_missing_and_a_foreign_file() {
    let project = Project::new();
    project.put("artifacts/Custom/Alone.yaml", alone("Custom.Alone"));
    project.pack(&["write"]).assert().success();
    project.pack(&["verify"]).assert().success().stdout(
        "5 files, all as in SHA256SUMS\n\
             SBOMs with the SHA-256 of their helper: 1\n\
             not signed: there is no SHA256SUMS.sigstore.json\n\
             not attested: there is no provenance.sigstore.json\n",
    );

    let mut changed = ELF.to_vec();
    changed[5] ^= 1;
    project.put("dist/threatfox_linux_amd64", changed);
    project.put("dist/foreign.exe", "x");
    project.put("dist/exchange/Custom.Alone.yaml", "x");
    fs::remove_file(project.path("dist/threatfox-artifacts-0.1.0.zip")).unwrap();
    let output = project
        .pack(&["verify"])
        .assert()
        .code(1)
        .get_output()
        .clone();
    let said = String::from_utf8(output.stderr).unwrap();
    for problem in [
        "threatfox_linux_amd64: changed",
        "exchange/Custom.Alone.yaml: changed",
        "threatfox-artifacts-0.1.0.zip: missing",
        "foreign.exe: not in SHA256SUMS",
    ] {
        assert!(said.contains(problem), "{said}");
    }
}

/// A release as GitHub would give it: the bundles have the form of cosign's and of the attestation, and no genuine signature.
fn signed_release() -> Project {
    let project = Project::new();
    project.pack(&["write"]).assert().success();
    let sums = fs::read_to_string(project.path("dist/SHA256SUMS")).unwrap();
    let signature = json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "messageSignature": {"messageDigest": {
            "algorithm": "SHA2_256",
            "digest": BASE64_STANDARD.encode(Sha256::digest(&sums)),
        }},
    });
    let subjects: Vec<_> = sums
        .lines()
        .map(|line| line.split_once("  ").unwrap())
        .map(|(sha256, name)| json!({"name": name, "digest": {"sha256": sha256}}))
        .collect();
    let statement = json!({"_type": "https://in-toto.io/Statement/v1", "subject": subjects});
    let payload = BASE64_STANDARD.encode(statement.to_string());
    let provenance = json!({"dsseEnvelope": {"payload": payload}});
    project.put("dist/SHA256SUMS.sigstore.json", signature.to_string());
    project.put("dist/provenance.sigstore.json", provenance.to_string());
    project
}

fn refuses(project: &Project, reason: &str) {
    let output = project.pack(&["verify"]).assert().code(1);
    let said = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
    assert!(said.contains(reason), "{said}");
}

#[test]
fn the_signatures_of_this_release_pass() {
    let output = signed_release().pack(&["verify"]).assert().success();
    let said = String::from_utf8_lossy(&output.get_output().stdout).into_owned();
    assert!(
        said.contains("SHA256SUMS.sigstore.json names these sums"),
        "{said}"
    );
    assert!(
        said.contains("provenance.sigstore.json names each file"),
        "{said}"
    );
}

#[test]
fn the_signatures_of_another_release_fail() {
    let project = signed_release();
    let mut other = ELF.to_vec();
    other.push(1);
    project.put("dist/threatfox_linux_amd64", other);
    project.pack(&["write"]).assert().success();
    refuses(
        &project,
        "SHA256SUMS.sigstore.json: signs another SHA256SUMS",
    );
    fs::remove_file(project.path("dist/SHA256SUMS.sigstore.json")).unwrap();
    refuses(
        &project,
        "threatfox_linux_amd64: provenance.sigstore.json does not name it",
    );
    project.put("dist/provenance.sigstore.json", "{}");
    refuses(&project, "provenance.sigstore.json: not a Sigstore bundle");
}

#[test]
fn a_helper_without_its_own_sbom_fails() {
    let project = Project::new();
    project.pack(&["write"]).assert().success();
    let bill = "dist/threatfox_linux_amd64.cdx.json";
    let text = fs::read_to_string(project.path(bill)).unwrap();
    let hash = hex_of(ELF);
    assert!(text.contains(&hash));
    project.put(bill, text.replace(&hash, &"0".repeat(64)));
    sum_again(&project);
    refuses(
        &project,
        "threatfox_linux_amd64.cdx.json: is the SBOM of another build",
    );
    fs::remove_file(project.path(bill)).unwrap();
    sum_again(&project);
    refuses(&project, "threatfox_linux_amd64.cdx.json: missing");
}

fn hex_of(content: &[u8]) -> String {
    Sha256::digest(content)
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// Writes the sums of what is in `dist/` now.
fn sum_again(project: &Project) {
    let names = [
        "threatfox_linux_amd64",
        "threatfox_linux_amd64.cdx.json",
        "threatfox-artifacts-0.1.0.zip",
    ];
    let sums: String = names
        .iter()
        .filter_map(|name| {
            let content = fs::read(project.path(&format!("dist/{name}"))).ok()?;
            Some(format!("{}  {name}\n", hex_of(&content)))
        })
        .collect();
    project.put("dist/SHA256SUMS", sums);
}

#[test]
fn a_release_that_can_not_be_checked_fails_with_the_cure() {
    let project = Project::new();
    project.pack(&["write"]).assert().success();
    let cure = "download the release again, or make it again with `make pack`";
    let sums = fs::read_to_string(project.path("dist/SHA256SUMS")).unwrap();
    let first = sums.lines().next().unwrap();
    project.put("dist/SHA256SUMS", format!("{sums}{first}\n"));
    let (_, name) = first.split_once("  ").unwrap();
    refuses(&project, &format!("SHA256SUMS:4: names {name} twice"));
    refuses(&project, cure);
    fs::remove_file(project.path("dist/SHA256SUMS")).unwrap();
    refuses(&project, &format!("SHA256SUMS: missing: {cure}"));
}

#[cfg(unix)]
#[test]
fn a_pipe_in_a_release_is_not_waited_for() {
    let project = Project::new();
    project.pack(&["write"]).assert().success();
    let pipe = project.path("dist/pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    refuses(&project, "dist/pipe: is neither a file nor a folder");
}

#[test]
fn a_reader_that_goes_ends_nothing() {
    let project = Project::new();
    project.pack(&["write"]).assert().success();
    for command in ["verify", "write", "generate", "readability"] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_pack"))
            .current_dir(project.path(""))
            .arg(command)
            .stdout(writer)
            .output()
            .unwrap();
        assert!(output.status.success(), "{command}: {output:?}");
        assert!(output.stderr.is_empty(), "{command}: {output:?}");
    }
}
