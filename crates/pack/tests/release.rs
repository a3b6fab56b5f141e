//! The release as its maker sees it: the program's exit code, its words and the files in `dist/`.
#![allow(clippy::unwrap_used)]

mod support;

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use sha2::{Digest, Sha256};
use support::{ARTIFACT, ELF, Project, alone};

#[test]
fn the_project_packs_twice_to_the_same_bytes() {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let pack = || {
        let dist = tempfile::tempdir().unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_pack"))
            .current_dir(&project)
            .args([
                "write",
                "--url-base",
                "https://downloads.example/v1",
                "--dist",
            ])
            .arg(dist.path())
            .assert()
            .success()
            .get_output()
            .clone();
        let zip = fs::read(dist.path().join("threatfox-artifacts-0.1.0.zip")).unwrap();
        (zip, output.stdout)
    };
    assert!(pack() == pack());
}

/// The text with the line that says which release it is of, in a pack of so many artifacts.
fn stamped(text: &str, count: usize) -> String {
    let text = text.trim_end();
    let sha256 = Sha256::digest(text)
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    format!("{text}\n# threatfox-pack version=0.1.0 artifacts={count} sha256={sha256}\n")
}

#[test]
fn an_artifact_without_an_address_goes_into_the_zip_with_one_line_more() {
    let project = Project::new();
    project.pack(&["write"]).assert().success();
    assert_eq!(project.artifact_in_zip(), stamped(ARTIFACT, 1));
}

#[test]
fn the_exchange_gets_what_works_alone_and_a_zip_of_it() {
    let project = Project::new();
    project.put("artifacts/Custom/Alone.yaml", alone("Custom.Alone"));
    let caller = alone("Custom.Caller").replace("info()", "Artifact.Custom.Alone()");
    project.put("artifacts/Custom/Caller.yaml", caller);
    let namesake = alone("Custom.AloneToo").replace("info()", "Artifact.Custom.AloneToo()");
    project.put("artifacts/Custom/AloneToo.yaml", namesake);
    let output = project.pack(&["write"]).assert().success();
    let said = String::from_utf8_lossy(&output.get_output().stdout).into_owned();
    for why in [
        "Custom.Caller.yaml: not for the artifact exchange, since it calls Custom.Alone\n",
        "Custom.Example.yaml: not for the artifact exchange, since its tool ThreatFoxHelper_linux_amd64 has no address",
    ] {
        assert!(said.contains(why), "{said}");
    }
    let names = ["Custom.Alone.yaml", "Custom.AloneToo.yaml"];
    assert_eq!(project.names_in("threatfox-exchange-0.1.0.zip"), names);
    let file = fs::read_to_string(project.path("dist/exchange/Custom.Alone.yaml")).unwrap();
    assert_eq!(file, stamped(&alone("Custom.Alone"), 4));
    assert_eq!(
        fs::read_dir(project.path("dist/exchange")).unwrap().count(),
        2
    );
}

#[test]
fn the_exchange_gets_an_artifact_whose_tools_have_an_address_and_a_hash() {
    let project = Project::new();
    let one_tool = ARTIFACT.replace("  - name: ThreatFoxHelper_windows_amd64\n", "");
    let other = alone("Custom.Other") + "# ThreatFoxHelper_windows_amd64\n";
    project.put("artifacts/Custom/Example.yaml", one_tool);
    project.put("artifacts/Custom/Other.yaml", other);
    let address = ["write", "--url-base", "https://downloads.example/v1"];
    project.pack(&address).assert().success();
    let file = fs::read_to_string(project.path("dist/exchange/Custom.Example.yaml")).unwrap();
    assert!(file.contains("url: https://downloads.example/v1/threatfox_linux_amd64\n"));
    assert!(file.contains("expected_hash: "), "{file}");
}

#[test]
fn an_address_fills_in_the_tools_that_the_release_has() {
    let project = Project::new();
    project
        .pack(&["write", "--url-base", "https://downloads.example/v1/"])
        .assert()
        .success();
    let sums = fs::read_to_string(project.path("dist/SHA256SUMS")).unwrap();
    let sha256 = sums
        .lines()
        .find(|line| line.ends_with("  threatfox_linux_amd64"))
        .unwrap()
        .split(' ')
        .next()
        .unwrap();
    let filled = format!(
        "  - name: ThreatFoxHelper_linux_amd64
    url: https://downloads.example/v1/threatfox_linux_amd64
    expected_hash: {sha256}
    version: 0.1.0
    serve_locally: true
  - name: ThreatFoxHelper_windows_amd64
parameters:
"
    );
    let text = project.artifact_in_zip();
    assert!(text.contains(&filled), "{text}");
}

#[test]
fn a_helper_for_another_platform_fails() {
    let project = Project::new();
    project.put("dist/threatfox_windows_amd64.exe", ELF);
    project.refuses("threatfox_windows_amd64.exe: is not a program for the platform in its name");
}

#[test]
fn what_an_artifact_imports_is_written_into_it_behind_its_own() {
    let project = Project::new();
    project.put(
        "artifacts/Generic/Shared.yaml",
        "name: Generic.Shared
description: Shared VQL.
reference:
  - https://example.com/
export: |
  -- A number.
  LET Shared = 1

parameters: []
",
    );
    project.put(
        "artifacts/Custom/Example.yaml",
        ARTIFACT
            .replace("tools:", "imports:\n  - Generic.Shared\ntools:")
            .replace("sources:", "export: |\n  LET Own = 2\nsources:"),
    );
    project.put(
        "artifacts/Custom/Alone.yaml",
        alone("Custom.Alone").replace("parameters:", "imports:\n  - Generic.Shared\nparameters:"),
    );
    project.pack(&["write"]).assert().success();
    let expected = ARTIFACT.replace(
        "tools:",
        "export: |
  LET Own = 2

  -- Of Generic.Shared:
  -- A number.
  LET Shared = 1

tools:",
    );
    assert_eq!(project.artifact_in_zip(), stamped(&expected, 2));
    let file = fs::read_to_string(project.path("dist/exchange/Custom.Alone.yaml")).unwrap();
    assert!(file.contains("  LET Shared = 1\n") && !file.contains("imports:"));
    assert_eq!(
        project.names_in("threatfox-artifacts-0.1.0.zip"),
        [
            "artifacts/Custom/Alone.yaml",
            "artifacts/Custom/Example.yaml"
        ]
    );
    assert!(!project.path("dist/exchange/Generic.Shared.yaml").exists());
}

#[test]
fn a_helper_gets_a_bill_of_what_is_built_into_it() {
    let project = Project::new();
    project.add_dependency();
    project.pack(&["write"]).assert().success();
    let bill = fs::read(project.path("dist/threatfox_linux_amd64.cdx.json")).unwrap();
    let bill: serde_json::Value = serde_json::from_slice(&bill).unwrap();

    let helper = &bill["metadata"]["component"];
    assert_eq!(helper["name"], "threatfox");
    let sums = fs::read_to_string(project.path("dist/SHA256SUMS")).unwrap();
    let sha256 = helper["hashes"][0]["content"].as_str().unwrap();
    assert!(sums.contains(&format!("{sha256}  threatfox_linux_amd64\n")));

    let components = bill["components"].as_array().unwrap();
    assert_eq!(components.len(), 1);
    assert_eq!(components[0]["purl"], "pkg:cargo/near-by@0.1.0");
    assert_eq!(components[0]["licenses"][0]["expression"], "MIT");
    assert_eq!(
        bill["dependencies"][1]["dependsOn"][0],
        "pkg:cargo/near-by@0.1.0"
    );
}
