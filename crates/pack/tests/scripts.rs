//! The scripts that `make pack` and the engine's tests start with.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

fn project(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
}

fn put(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn the_engine_of_a_moved_checkout_is_readied_again() {
    let folder = tempfile::tempdir().unwrap();
    let go = "#!/bin/sh\necho \"$*\" >>\"$SAID\"\n";
    put(&folder.path().join("bin/go"), go);
    let before = folder.path().join("before/tests/engine");
    put(&before.join("go.mod"), "");
    let script = fs::read_to_string(project("tests/engine/prepare.sh")).unwrap();
    put(&before.join("prepare.sh"), &script);
    let said = folder.path().join("said");
    let prepare = |engine: &Path| {
        let _ = fs::remove_file(&said);
        let path = format!(
            "{}:{}",
            folder.path().join("bin").display(),
            std::env::var("PATH").unwrap()
        );
        let status = Command::new(engine.join("prepare.sh"))
            .env("PATH", path)
            .env("SAID", &said)
            .status();
        assert!(status.unwrap().success());
        let overlay = fs::read_to_string(engine.join("overlay.json")).unwrap();
        assert!(overlay.contains(&format!("\"{}/stubs/", engine.display())));
        fs::read_to_string(&said).unwrap_or_default()
    };
    assert!(prepare(&before).contains("mod vendor"));
    assert_eq!(prepare(&before), "");
    fs::rename(folder.path().join("before"), folder.path().join("after")).unwrap();
    let after = folder.path().join("after/tests/engine");
    assert!(prepare(&after).contains("mod vendor"));
    assert_eq!(prepare(&after), "");
}

/// Runs `tools/new_dist.sh` in a folder.
fn new_dist(folder: &Path, step: &str, helpers: &str) -> Output {
    Command::new(project("tools/new_dist.sh"))
        .arg(step)
        .current_dir(folder)
        .env("HELPERS", helpers)
        .output()
        .unwrap()
}

#[test]
fn a_release_that_can_not_be_begun_leaves_the_old_one() {
    let folder = tempfile::tempdir().unwrap();
    let old = folder.path().join("dist/SHA256SUMS");
    put(&old, "old");
    for (helpers, problem) in [
        ("gone", "make pack: HELPERS=gone is not a folder"),
        ("dist", "make pack: HELPERS=dist is a whole release"),
    ] {
        let output = new_dist(folder.path(), "begin", helpers);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            !output.status.success() && said.starts_with(problem),
            "{said}"
        );
    }
    assert_eq!(fs::read_to_string(old).unwrap(), "old");
}

#[test]
fn a_release_takes_the_place_of_the_old_one_at_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    put(&path("dist/old"), "old");
    put(&path("-helpers/threatfox"), "new");
    // Left by a run that was stopped.
    put(&path("target/dist/stale"), "stale");
    assert!(
        new_dist(folder.path(), "begin", "-helpers")
            .status
            .success()
    );
    assert!(path("dist/old").exists());
    assert!(new_dist(folder.path(), "end", "").status.success());
    let names: Vec<_> = fs::read_dir(path("dist"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["threatfox"]);
    assert_eq!(fs::read_dir(path("target")).unwrap().count(), 0);
}
