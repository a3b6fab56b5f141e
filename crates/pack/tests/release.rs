//! The release as its maker sees it: the program's exit code, its words and the files in `dist/`.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use assert_cmd::Command;

const ARTIFACT: &str = "\
name: Custom.Example
description: Finds nothing, for the tests.
reference:
  - https://example.com/
tools:
  - name: ThreatFoxHelper_linux_amd64
  - name: ThreatFoxHelper_windows_amd64
parameters:
  - name: Path
    type: string
    description: Where to look.
sources:
  - query: SELECT * FROM info()
";
const INVENTORY: &str = "\
tools:
  - name: ThreatFoxHelper_linux_amd64
    platform: linux_amd64
    file: threatfox_linux_amd64
    version: 0.1.0
  - name: ThreatFoxHelper_windows_amd64
    platform: windows_amd64
    file: threatfox_windows_amd64.exe
    version: 0.1.0
";
/// The first bytes of a program for Linux on x86-64.
const ELF: &[u8] = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x3e\0";

/// A project with one artifact and one helper, in a folder of its own.
struct Project(tempfile::TempDir);

impl Project {
    fn new() -> Self {
        let project = Self(tempfile::tempdir().unwrap());
        project.put("artifacts/Custom/Example.yaml", ARTIFACT);
        project.put("tools/inventory.yaml", INVENTORY);
        project.put("dist/threatfox_linux_amd64", ELF);
        project
    }

    fn path(&self, file: &str) -> PathBuf {
        self.0.path().join(file)
    }

    fn put(&self, file: &str, content: impl AsRef<[u8]>) {
        let path = self.path(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn pack(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pack"));
        command.current_dir(self.0.path()).args(arguments);
        command
    }

    /// Fails to write a release, for the reason given, and writes none.
    fn refuses(&self, reason: &str) {
        let output = self.pack(&["write"]).assert().code(1).get_output().clone();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(reason), "{said}");
        assert!(!self.path("dist/SHA256SUMS").exists());
    }

    fn refuses_artifact(old: &str, new: &str, reason: &str) {
        assert!(ARTIFACT.contains(old));
        let project = Self::new();
        project.put(
            "artifacts/Custom/Example.yaml",
            ARTIFACT.replacen(old, new, 1),
        );
        project.refuses(reason);
    }

    fn artifact_in_zip(&self) -> String {
        let zip = fs::File::open(self.path("dist/threatfox-artifacts-0.1.0.zip")).unwrap();
        let mut text = String::new();
        zip::ZipArchive::new(zip)
            .unwrap()
            .by_name("artifacts/Custom/Example.yaml")
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
        text
    }
}

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

#[test]
fn an_artifact_goes_into_the_zip_unchanged_without_an_address() {
    let project = Project::new();
    project.pack(&["write"]).assert().success();
    assert_eq!(project.artifact_in_zip(), ARTIFACT);
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
fn a_yaml_error_fails_with_file_and_line() {
    Project::refuses_artifact(
        "    type: string",
        "   type: string",
        "artifacts/Custom/Example.yaml:10: ",
    );
}

#[test]
fn an_unknown_tool_fails_with_file_and_line() {
    Project::refuses_artifact(
        "ThreatFoxHelper_w",
        "Other_w",
        "Custom/Example.yaml:7: the tool Other_windows_amd64 is not in",
    );
}

#[test]
fn a_parameter_without_type_or_description_fails_with_file_and_line() {
    Project::refuses_artifact(
        "    type: string\n",
        "",
        "Example.yaml:9: the parameter Path has no type",
    );
    Project::refuses_artifact(
        "    description: Where to look.\n",
        "",
        "Example.yaml:9: the parameter Path has no description",
    );
}

#[test]
fn an_artifact_without_description_or_reference_fails() {
    Project::refuses_artifact(
        "description: Finds nothing, for the tests.\n",
        "",
        "Example.yaml:1: no description",
    );
    Project::refuses_artifact(
        "reference:\n  - https://example.com/\n",
        "",
        "Example.yaml:1: no reference",
    );
}

#[test]
fn an_artifact_whose_path_is_not_its_name_fails() {
    Project::refuses_artifact(
        "Custom.Example",
        "Custom.Other",
        "Example.yaml:1: the artifact is named Custom.Other",
    );
}

#[test]
fn a_stale_inventory_fails_with_file_and_line() {
    let project = Project::new();
    project.put(
        "tools/inventory.yaml",
        INVENTORY.replacen("0.1.0", "0.0.9", 1),
    );
    project.refuses("tools/inventory.yaml:2: ThreatFoxHelper_linux_amd64 is version 0.0.9");

    project.put(
        "tools/inventory.yaml",
        format!("{INVENTORY}  - name: Unused\n    platform: any\n    file: x\n    version: '1'\n"),
    );
    project.refuses("tools/inventory.yaml:10: no artifact uses Unused");
}

#[test]
fn a_helper_for_another_platform_fails() {
    let project = Project::new();
    project.put("dist/threatfox_windows_amd64.exe", ELF);
    project.refuses("threatfox_windows_amd64.exe: is no program for the platform in its name");
}

#[test]
fn verify_finds_a_changed_a_missing_and_a_foreign_file() {
    let project = Project::new();
    project.pack(&["write"]).assert().success();
    project
        .pack(&["verify"])
        .assert()
        .success()
        .stdout("2 files, all as in SHA256SUMS\n");

    let mut changed = ELF.to_vec();
    changed[5] ^= 1;
    project.put("dist/threatfox_linux_amd64", changed);
    project.put("dist/foreign.exe", "x");
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
        "threatfox-artifacts-0.1.0.zip: missing",
        "foreign.exe: not in SHA256SUMS",
    ] {
        assert!(said.contains(problem), "{said}");
    }
}
