//! A project of one artifact and one helper, in a folder of its own, and the packer run in it.
#![allow(clippy::unwrap_used)]
#![allow(dead_code)] // each test file uses a part of it

use std::fs;
use std::io::Read;
use std::path::PathBuf;

use assert_cmd::Command;

pub const ARTIFACT: &str = "\
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
/// An artifact that needs nothing else.
pub fn alone(name: &str) -> String {
    let (_, tools_and_rest) = ARTIFACT.split_once("tools:").unwrap();
    let (_, rest) = tools_and_rest.split_once("parameters:").unwrap();
    let (head, _) = ARTIFACT.split_once("tools:").unwrap();
    format!("{head}parameters:{rest}").replace("Custom.Example", name)
}
pub const INVENTORY: &str = "\
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
pub const PLACES: &str = "\
provider,event_id,field,reader,role,port,condition
Linux-Sysmon,1,Hashes,hashes,file,,
Value,,Host,host,query,,
";
const MATCHES: &str = "\
role,kind,match,strength
query,domain,domain,strong
query,url_host,url host,weak
file,md5,md5,strong
";
const NEVER: &str = "kind,value,why\nnetwork,10.0.0.0/8,private\n";
const COLUMNS: &str =
    "provider,event_id,column,value,condition\nLinux-Sysmon,1,User,{Domain}\\{Name},\n";
const LOGS: &str = "log,file,provider,default,event_id,what,how,field\nSysmon,a.evtx,Linux-Sysmon,yes,1,processes,sysmon -i,CommandLine\n";
/// What cargo wants to know of the helper: it needs nothing.
const MANIFEST: &str = "\
[package]
name = \"threatfox-cli\"
version = \"0.1.0\"
edition = \"2024\"
license = \"MIT\"
";
const LOCK: &str = "\
version = 4

[[package]]
name = \"threatfox-cli\"
version = \"0.1.0\"
";
/// The first bytes of a program for Linux on x86-64.
pub const ELF: &[u8] = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x3e\0";

pub struct Project(tempfile::TempDir);

impl Project {
    pub fn new() -> Self {
        let project = Self(tempfile::tempdir().unwrap());
        project.put("artifacts/Custom/Example.yaml", ARTIFACT);
        project.put("tools/inventory.yaml", INVENTORY);
        project.put("Cargo.toml", MANIFEST);
        project.put("Cargo.lock", LOCK);
        project.put("src/main.rs", "fn main() {}");
        project.put("dist/threatfox_linux_amd64", ELF);
        project.put("rules/places.csv", PLACES);
        project.put("rules/matches.csv", MATCHES);
        project.put("rules/never.csv", NEVER);
        project.put("rules/columns.csv", COLUMNS);
        project.put("rules/logs.csv", LOGS);
        project.generate();
        project
    }

    pub fn path(&self, file: &str) -> PathBuf {
        self.0.path().join(file)
    }

    pub fn put(&self, file: &str, content: impl AsRef<[u8]>) {
        let path = self.path(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub fn pack(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pack"));
        command.current_dir(self.0.path()).args(arguments);
        command
    }

    /// Generates what follows from the rules, and gives what was said.
    pub fn generate(&self) -> String {
        let output = self.pack(&["generate"]).assert().success();
        String::from_utf8(output.get_output().stdout.clone()).unwrap()
    }

    pub fn generate_refuses(&self, reason: &str) {
        self.fails(&["generate"], reason);
    }

    fn fails(&self, arguments: &[&str], reason: &str) {
        let output = self.pack(arguments).assert().code(1).get_output().clone();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(reason), "{said}");
    }

    /// Fails to write a release, for the reason given, and writes none.
    pub fn refuses(&self, reason: &str) {
        self.fails(&["write"], reason);
        assert!(!self.path("dist/SHA256SUMS").exists());
    }

    pub fn refuses_artifact(old: &str, new: &str, reason: &str) {
        assert!(ARTIFACT.contains(old));
        let project = Self::new();
        project.put(
            "artifacts/Custom/Example.yaml",
            ARTIFACT.replacen(old, new, 1),
        );
        project.refuses(reason);
    }

    pub fn check_passes(&self) {
        self.pack(&["check"]).assert().success();
    }

    pub fn check_refuses(&self, reason: &str) {
        self.fails(&["check"], reason);
    }

    /// Lets the helper depend on a crate beside it.
    pub fn add_dependency(&self) {
        let dependency = MANIFEST.replace("threatfox-cli", "near-by");
        self.put("near/Cargo.toml", dependency);
        self.put("near/src/lib.rs", "");
        self.put(
            "Cargo.toml",
            format!("{MANIFEST}[dependencies]\nnear-by = {{ path = \"near\" }}\n"),
        );
        self.put(
            "Cargo.lock",
            "version = 4\n
[[package]]\nname = \"near-by\"\nversion = \"0.1.0\"\n
[[package]]\nname = \"threatfox-cli\"\nversion = \"0.1.0\"\ndependencies = [\n \"near-by\",\n]\n",
        );
    }

    /// The names in a zip of the release.
    pub fn names_in(&self, zip: &str) -> Vec<String> {
        let zip = fs::File::open(self.path("dist").join(zip)).unwrap();
        let zip = zip::ZipArchive::new(zip).unwrap();
        let names = zip.file_names().map(|name| name.unwrap().into_owned());
        names.collect()
    }

    pub fn artifact_in_zip(&self) -> String {
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
