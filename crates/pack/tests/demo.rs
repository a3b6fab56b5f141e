//! `make demo VELOCIRAPTOR=binary` with a stand-in for the binary: what it is given, and that no Go is needed.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// Writes its arguments and the definitions to $SEEN, then answers as the hunt does.
const STAND_IN: &str = r#"#!/bin/sh
printf '%s\n' "$@" >"$SEEN/arguments"
cp -r "$2" "$SEEN/definitions"
echo '{"Strength":"strong","IOC":"c2.bad-domain.example","Count":2,"_Source":"Windows.Detection.ThreatFox/Summary"}'
echo '{"IOC":"c2.bad-domain.example","Image":"evil.exe","_Source":"Windows.Detection.ThreatFox/Hits"}'
[ -n "$NOTHING" ] || echo '{"Status":"searched","_Source":"Windows.Detection.ThreatFox/Coverage"}'
echo '[WARN] a warning' >&2
"#;

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn program(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Runs the hunt as `make demo` does, where `go` and `cargo` fail.
fn hunt(folder: &TempDir, nothing: &str) -> Output {
    let path = |name: &str| folder.path().join(name);
    program(&path("velociraptor"), STAND_IN);
    let evtx = project().join("tests/data/evtx/sysmon6-issue_43.evtx");
    command(folder)
        .env("NOTHING", nothing)
        .env("EVTX", evtx)
        .env("FEED", path("feed.csv"))
        .env("OUT", path("hits.jsonl"))
        .env("HUNT_ARGS", "MinStrength=weak")
        .output()
        .unwrap()
}

/// hunt.sh in this folder with a stand-in for Velociraptor, where `go` and `cargo` fail.
fn command(folder: &TempDir) -> Command {
    let path = |name: &str| folder.path().join(name);
    program(&path("velociraptor"), STAND_IN);
    for name in ["go", "cargo"] {
        program(&path(name), "#!/bin/sh\necho \"$0 was run\" >&2\nexit 1\n");
    }
    fs::write(path("feed.csv"), "key,kind,ioc\n").unwrap();
    let search = std::env::var("PATH").unwrap();
    let mut command = Command::new(project().join("tests/engine/hunt.sh"));
    command
        .current_dir(folder.path())
        .env("PATH", format!("{}:{search}", folder.path().display()))
        .env("SEEN", folder.path())
        .env("NOTHING", "")
        .env("FEED", "feed.csv")
        .env("PACK_BIN", env!("CARGO_BIN_EXE_pack"))
        .env("VELOCIRAPTOR", path("velociraptor"));
    command
}

#[test]
fn a_log_whose_name_means_something_to_a_shell_or_a_glob_is_the_one_that_is_searched() {
    for (evtx, glob) in [
        ("-x.evtx", "-x.evtx"),
        ("-e", "-e/**/*.evtx"),
        ("logs [2026]", "logs ?2026?/**/*.evtx"),
        ("logs {a,b}/[x].evtx", "logs ?a,b?/?x?.evtx"),
        ("$HOME*?.evtx", "$HOME??.evtx"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(evtx);
        if glob.ends_with("*.evtx") {
            fs::create_dir(&path).unwrap();
        } else {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "").unwrap();
        }
        for name in ["-feed.csv", "feed [1].csv"] {
            fs::write(folder.path().join(name), "key,kind,ioc\n").unwrap();
            let output = command(&folder)
                .env("EVTX", evtx)
                .env("FEED", name)
                .env("OUT", "-hits.jsonl")
                .output()
                .unwrap();
            assert!(output.status.success(), "{output:?}");
            let complained = String::from_utf8_lossy(&output.stderr);
            assert!(!complained.contains("option"), "{complained}");
        }
        let arguments = fs::read_to_string(folder.path().join("arguments")).unwrap();
        let here = folder.path().display();
        let expected = format!("\nEvtxGlob={here}/{glob}\n");
        assert!(arguments.contains(&expected), "{arguments}");
        assert!(folder.path().join("-hits.jsonl").exists());
    }
}

#[test]
fn a_relative_folder_for_temporary_files_is_taken_and_left_empty() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.evtx"), "").unwrap();
    fs::create_dir(folder.path().join("tmp")).unwrap();
    let output = command(&folder)
        .env("EVTX", "a.evtx")
        .env("TMPDIR", "tmp")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let arguments = fs::read_to_string(folder.path().join("arguments")).unwrap();
    assert!(arguments.contains("FeedFile=/"), "{arguments}");
    let left = fs::read_dir(folder.path().join("tmp")).unwrap();
    assert_eq!(left.count(), 0);
}

#[test]
fn a_hunt_that_is_stopped_leaves_no_temporary_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("a.evtx"), "").unwrap();
    fs::create_dir(path("tmp")).unwrap();
    let mut command = command(&folder);
    let stops = "#!/bin/sh\n[ \"$1\" = version ] || kill -TERM \"$(cat \"$SEEN/pid\")\"\n";
    program(&path("velociraptor"), stops);
    let hunt = command.get_program().to_owned();
    let child = command.env("EVTX", "a.evtx").env("TMPDIR", path("tmp"));
    let mut shell = Command::new("sh");
    shell
        .args(["-c", "echo $$ >\"$SEEN/pid\"; exec \"$0\""])
        .arg(hunt)
        .current_dir(folder.path());
    for (name, value) in child.get_envs() {
        shell.env(name, value.unwrap());
    }
    let output = shell.output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    assert_eq!(fs::read_dir(path("tmp")).unwrap().count(), 0);
}

#[test]
fn a_hunt_without_room_for_temporary_files_removes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.evtx"), "").unwrap();
    let mut command = command(&folder);
    program(&folder.path().join("mktemp"), "#!/bin/sh\nexit 1\n");
    let output = command.env("EVTX", "a.evtx").output().unwrap();
    assert!(!output.status.success(), "{output:?}");
    assert!(folder.path().join("a.evtx").exists());
}

#[test]
fn what_a_hunt_lacks_is_said_with_the_cure_before_it_begins() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.evtx"), "").unwrap();
    for (name, value, problem) in [
        (
            "VELOCIRAPTOR",
            "/nowhere",
            "make hunt: VELOCIRAPTOR=/nowhere cannot be run: give the path of a Velociraptor program",
        ),
        (
            "OUT",
            "/nowhere/x",
            "make hunt: OUT=/nowhere/x: its folder does not exist: make it first",
        ),
        ("OUT", ".", "make hunt: OUT=. is a folder: give a file"),
        (
            "TMPDIR",
            "gone",
            "make hunt: TMPDIR=gone is not a folder that can be written to: make it",
        ),
        ("EVTX", "gone.evtx", "make hunt: gone.evtx does not exist"),
    ] {
        let mut command = command(&folder);
        command.env("EVTX", "a.evtx").env(name, value);
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            said.starts_with(problem) && said.lines().count() == 1,
            "{said}"
        );
        assert_eq!(output.status.code(), Some(1));
        assert!(output.stdout.is_empty(), "{output:?}");
    }
    let mut command = command(&folder);
    command.env("EVTX", "a.evtx").env("VELOCIRAPTOR", "");
    fs::remove_file(folder.path().join("go")).unwrap();
    let path = format!("{}:/usr/bin:/bin", folder.path().display());
    let output = command.env("PATH", path).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let problem = "make hunt: Go is missing: install Go, or give VELOCIRAPTOR=binary\n";
    let has_go = ["/usr/bin/go", "/bin/go"]
        .iter()
        .any(|go| Path::new(go).exists());
    assert!(has_go || said == problem, "{said}");
}

#[test]
fn the_demo_with_a_binary_needs_no_go_and_gives_it_definitions_without_tools() {
    let folder = tempfile::tempdir().unwrap();
    let output = hunt(&folder, "");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complained = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}{complained}");
    assert!(!complained.contains("was run"), "{complained}");

    let arguments = fs::read_to_string(folder.path().join("arguments")).unwrap();
    let arguments: Vec<_> = arguments.lines().collect();
    assert_eq!(arguments[0], "--definitions");
    let collect = ["artifacts", "collect", "Windows.Detection.ThreatFox"];
    assert_eq!(arguments[2..5], collect);
    let given = |start: &str| arguments.iter().any(|argument| argument.starts_with(start));
    for argument in [
        "EvtxGlob=/",
        "FeedFile=/",
        "AnySystem=Y",
        "MinStrength=weak",
    ] {
        assert!(given(argument), "{arguments:?}");
    }
    let hunt = "definitions/Windows/Detection/ThreatFox.yaml";
    let definition = fs::read_to_string(folder.path().join(hunt)).unwrap();
    assert!(!definition.contains("\ntools:") && !definition.contains("name: ThreatFoxFeed"));
    assert!(definition.contains("\nparameters:"));

    assert!(said.contains("Summary: 1 rows"), "{said}");
    assert!(said.contains("strong"), "{said}");
    assert!(said.contains("[WARN] a warning"), "{said}");
    let hits = fs::read_to_string(folder.path().join("hits.jsonl")).unwrap();
    assert!(hits.contains("evil.exe"), "{hits}");
}

#[test]
fn a_hunt_that_searched_nothing_fails() {
    let output = hunt(&tempfile::tempdir().unwrap(), "1");
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("nothing was searched in /"), "{said}");
}

#[test]
fn a_step_that_takes_long_says_every_ten_seconds_that_it_runs() {
    let output = Command::new(project().join("tools/step.sh"))
        .args(["Sleep", "sh", "-c", "sleep 11; exit 3"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("… Sleep: 10 s"), "{said}");
}
