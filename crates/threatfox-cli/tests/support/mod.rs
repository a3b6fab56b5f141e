//! The program run as Velociraptor runs it, without an environment, in a folder of its own. Whatever a run prints, and at
//! the end of the test every file in the folder, is searched for the Auth-Key.
// Each test program uses a part; the lint on unwrap knows test functions only, not what they call.
#![allow(dead_code, unused_imports, clippy::unwrap_used)]

pub mod normalize;
pub mod scan;
mod server;
pub mod sources;
pub mod tls;

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

pub use server::{Server, answer, api, csv_export, csv_of, ok, recent_json, record};

/// The key of all tests: three times the same, so that a third of it is found too.
pub const KEY: &str = "5ec2e7c0ffee5ec2e7c0ffee5ec2e7c0ffee";
const THIRD_OF_KEY: &str = "5ec2e7c0ffee";

/// The file a test may keep the key in.
pub const KEY_FILE: &str = "key.txt";

/// The names of all commands.
pub const COMMANDS: [&str; 9] = [
    "fetch",
    "normalize",
    "search",
    "match",
    "explain",
    "scan",
    "sightings",
    "completions",
    "man",
];

/// A folder of its own for a test, and the program in it.
pub struct Bench {
    pub folder: TempDir,
    key: bool,
}

/// What a run left.
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    /// The line that says why the program failed.
    pub fn error(&self) -> &str {
        let last = |line: &&str| line.starts_with("threatfox: ");
        self.stderr.lines().rfind(last).unwrap_or_default()
    }
}

impl Bench {
    pub fn new() -> Self {
        Self::with(true)
    }

    pub fn without_key() -> Self {
        Self::with(false)
    }

    fn with(key: bool) -> Self {
        let folder = TempDir::new().unwrap();
        fs::create_dir(folder.path().join("tmp")).unwrap();
        Self { folder, key }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// The program, or another one that runs it, with an environment that holds at most the key.
    pub fn command_of(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("TMPDIR", self.path("tmp"))
            .current_dir(self.folder.path());
        if self.key {
            command.env("THREATFOX_AUTH_KEY", KEY);
        }
        command
    }

    /// The program with arguments.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = self.command_of(program());
        command.args(args);
        command
    }

    /// The program with arguments and the server's addresses.
    pub fn command_at(&self, server: &Server, args: &[&str]) -> Command {
        let mut command = self.command(args);
        command.args(addresses(server));
        command
    }

    /// Runs the program with the server's addresses.
    pub fn run(&self, server: &Server, args: &[&str]) -> Ran {
        self.finish(self.command_at(server, args))
    }

    /// Runs a command to its end.
    pub fn finish(&self, mut command: Command) -> Ran {
        let output = command.output().unwrap();
        self.check(&output)
    }

    /// What must hold of every run, however it ends.
    pub fn check(&self, output: &Output) -> Ran {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let ran = Ran {
            code: output.status.code().unwrap(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        };
        assert!(
            !ran.stdout.contains(THIRD_OF_KEY) && !ran.stderr.contains(THIRD_OF_KEY),
            "the key shows: {}{}",
            ran.stdout,
            ran.stderr
        );
        assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
        self.nothing_temporary_is_left();
        ran
    }

    pub fn nothing_temporary_is_left(&self) {
        for path in files(self.folder.path()) {
            let name = path.strip_prefix(self.folder.path()).unwrap();
            let temporary = name.components().any(|part| {
                let part = part.as_os_str().to_string_lossy();
                part == "tmp" || part.starts_with(".threatfox-") || part.starts_with("new-")
            });
            assert!(!temporary, "{} is left", name.display());
        }
        let folders = fs::read_dir(self.path("tmp")).unwrap().count();
        assert_eq!(folders, 0, "a temporary folder is left");
    }
}

impl Drop for Bench {
    /// Searches everything that the test has left, caches and core files included.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            no_key_in(self.folder.path());
        }
    }
}

/// The program under test.
pub fn program() -> PathBuf {
    assert_cmd::cargo::cargo_bin("threatfox")
}

/// The options that lead to the server.
pub fn addresses(server: &Server) -> Vec<String> {
    let paths = [
        ("--api-url", "/api/v1/"),
        ("--export-url", "/export/"),
        ("--hunting-url", "/hunting/"),
    ];
    paths
        .iter()
        .flat_map(|(option, path)| [(*option).to_owned(), format!("{}{path}", server.url)])
        .collect()
}

/// Searches all files of a folder, what they are called, and what is packed in them.
pub fn no_key_in(folder: &Path) {
    for path in files(folder) {
        // A link leads to a file that is searched itself, or to nothing.
        let link = fs::symlink_metadata(&path).unwrap().is_symlink();
        if link || path.file_name().unwrap() == KEY_FILE {
            continue;
        }
        let mut bytes = fs::read(&path).unwrap();
        if bytes.starts_with(&[0x1f, 0x8b]) {
            let mut unpacked = Vec::new();
            // What is broken is searched as far as it goes.
            let _ = flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_end(&mut unpacked);
            bytes.append(&mut unpacked);
        }
        bytes.extend_from_slice(path.to_string_lossy().as_bytes());
        let found = bytes
            .windows(THIRD_OF_KEY.len())
            .any(|window| window == THIRD_OF_KEY.as_bytes());
        assert!(!found, "the key is in {}", path.display());
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if fs::symlink_metadata(&path).unwrap().is_dir() {
            files.extend(self::files(&path));
        } else {
            files.push(path);
        }
    }
    files
}
