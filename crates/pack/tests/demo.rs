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
    for name in ["go", "cargo"] {
        program(&path(name), "#!/bin/sh\necho \"$0 was run\" >&2\nexit 1\n");
    }
    fs::write(path("feed.csv"), "key,kind,ioc\n").unwrap();
    let evtx = project().join("tests/data/evtx/sysmon6-issue_43.evtx");
    let search = std::env::var("PATH").unwrap();
    Command::new(project().join("tests/engine/hunt.sh"))
        .env("PATH", format!("{}:{search}", folder.path().display()))
        .env("SEEN", folder.path())
        .env("NOTHING", nothing)
        .env("EVTX", evtx)
        .env("FEED", path("feed.csv"))
        .env("OUT", path("hits.jsonl"))
        .env("HUNT_ARGS", "MinStrength=weak")
        .env("PACK_BIN", env!("CARGO_BIN_EXE_pack"))
        .env("VELOCIRAPTOR", path("velociraptor"))
        .output()
        .unwrap()
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
