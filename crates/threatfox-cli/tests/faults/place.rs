//! Trouble with this machine: no room, no rights, no folder; and interruptions.

use std::fs;

use crate::support::{Bench, Ran, Server, csv_export, ok, recent_json};
use crate::{RECENT, faults};

fn good() -> Server {
    Server::always(ok(recent_json()))
}

/// Runs it where a file may have this many blocks of 512 bytes and then is cut, as on a full disk.
fn with_room_for(bench: &Bench, blocks: u32, server: &Server, words: &str) -> Ran {
    let mut command = bench.command_of("/bin/sh");
    let limit = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    command.args(["-c", &limit]).arg(crate::support::program());
    command
        .args(crate::args(words))
        .args(crate::support::addresses(server));
    bench.finish(command)
}

/// Runs it as a user whose rights are limited: not as root, who may write everywhere.
fn without_rights(bench: &Bench, server: &Server, words: &[&str], may_not_write: &str) -> Ran {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
    use std::os::unix::process::CommandExt;
    const NOBODY: u32 = 65534;
    let mut command = bench.command_at(server, words);
    if fs::metadata(bench.path("tmp")).unwrap().uid() == 0 {
        let program = bench.path("threatfox");
        fs::copy(crate::support::program(), &program).unwrap();
        command = bench.command_of(program);
        command
            .args(words)
            .args(crate::support::addresses(server))
            .uid(NOBODY);
        for place in [
            bench.path("."),
            bench.path("tmp"),
            bench.path(may_not_write),
        ] {
            chown(place, Some(NOBODY), None).unwrap();
        }
    }
    let set =
        |mode| fs::set_permissions(bench.path(may_not_write), fs::Permissions::from_mode(mode));
    set(0o500).unwrap();
    let ran = bench.finish(command);
    set(0o700).unwrap();
    ran
}

faults! {
    folder_missing => 1, ["cannot write nowhere/feed.csv"], |bench| {
        bench.run(&good(), &["fetch", "--source", "recent", "-o", "nowhere/feed.csv"])
    };
    folder_not_writable => 1, ["cannot write feeds/feed.csv", "Permission denied", "give this user the right"], |bench| {
        fs::create_dir(bench.path("feeds")).unwrap();
        let args = ["fetch", "--source", "recent", "-o", "feeds/feed.csv"];
        without_rights(bench, &good(), &args, "feeds")
    };
    cache_not_writable => 1, ["can't use the cache at cache/lock", "--cache"], |bench| {
        fs::create_dir(bench.path("cache")).unwrap();
        let args = ["fetch", "--source", "recent", "-o", "new.csv", "--cache", "cache"];
        without_rights(bench, &good(), &args, "cache")
    };
    cache_open_to_others => 1, ["others may enter it", "chmod 700"], |bench| {
        use std::os::unix::fs::PermissionsExt;
        fs::create_dir(bench.path("cache")).unwrap();
        fs::set_permissions(bench.path("cache"), fs::Permissions::from_mode(0o755)).unwrap();
        crate::run(bench, &good(), &format!("{RECENT} --cache cache"))
    };
    no_temporary_folder => 1, ["can't make a temporary folder in", "TMPDIR"], |bench| {
        let mut command = bench.command_at(&good(), &crate::args(RECENT));
        command.env("TMPDIR", bench.path("gone"));
        bench.finish(command)
    };
    no_room_for_the_download => 1, ["can't keep the download in", "File too large"], |bench| {
        let server = Server::always(ok(csv_export(250, 250)));
        with_room_for(bench, 8, &server, "fetch --source full")
    };
    no_room_for_the_feed => 1, ["cannot write feed.csv", "File too large"], |bench| {
        use std::io::Write;
        // Packed, the download fits where the feed does not.
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default();
        zip.start_file("full.csv", options.compression_method(zip::CompressionMethod::Deflated)).unwrap();
        zip.write_all(csv_export(250, 250).as_bytes()).unwrap();
        let server = Server::always(ok(zip.finish().unwrap().into_inner()));
        with_room_for(bench, 16, &server, "fetch --source full")
    };
    disk_full => 1, ["cannot write /dev/full", "No space left on device", "make room"], |bench| {
        bench.run(&good(), &["fetch", "--source", "recent", "-o", "/dev/full"])
    };
    no_room_for_the_rejects => 1, ["cannot write /dev/full", "No space left on device"], |bench| {
        let args = ["fetch", "--source", "recent", "-o", "feed.csv", "--force", "--rejects", "/dev/full"];
        bench.run(&good(), &args)
    };
    interrupted => 130, ["interrupted"], |bench| interrupt(bench, "-INT");
    terminated => 130, ["interrupted"], |bench| interrupt(bench, "-TERM");
}

/// Sends the signal while the server keeps the program waiting.
fn interrupt(bench: &Bench, signal: &str) -> Ran {
    let silent = Server::start(|_| {
        std::thread::sleep(std::time::Duration::from_secs(5));
        Vec::new()
    });
    let mut command =
        bench.command_at(&silent, &crate::args("fetch --source recent --cache cache"));
    let child = command
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    while fs::read_dir(bench.path("tmp")).unwrap().count() == 0 {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    send(signal, child.id());
    bench.check(&child.wait_with_output().unwrap())
}

pub(crate) fn send(signal: &str, id: u32) {
    let mut kill = std::process::Command::new("kill");
    assert!(
        kill.args([signal, &id.to_string()])
            .status()
            .unwrap()
            .success()
    );
}

#[test]
fn an_interruption_while_an_output_is_open_leaves_nothing_half_written() {
    let bench = Bench::new();
    let mut command = bench.command(&crate::args("normalize -"));
    let pipe = std::process::Stdio::piped;
    let mut child = command
        .stdin(pipe())
        .stdout(pipe())
        .stderr(pipe())
        .spawn()
        .unwrap();
    let begun = || {
        let names = fs::read_dir(bench.folder.path()).unwrap();
        names.flatten().any(|entry| {
            entry
                .file_name()
                .to_string_lossy()
                .starts_with(".threatfox-")
        })
    };
    while !begun() {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    // Open to the end: waiting closes what the child holds, and an input that ends is an error of its own.
    let stdin = child.stdin.take();
    send("-TERM", child.id());
    let output = child.wait_with_output().unwrap();
    drop(stdin);
    assert_eq!(output.status.code(), Some(130));
    bench.check(&output);
    assert!(!bench.path("feed.csv").exists() && !bench.path("rejects.csv").exists());
}

#[test]
fn a_killed_run_leaves_the_feed_as_it_was_and_the_cache_free_for_the_next() {
    let bench = Bench::new();
    fs::write(bench.path("feed.csv"), crate::LAST_GOOD).unwrap();
    let silent = Server::start(|_| {
        std::thread::sleep(std::time::Duration::from_secs(5));
        Vec::new()
    });
    let words = "fetch --source full --cache cache";
    let mut killed = bench.command_at(&silent, &crate::args(words));
    let mut killed = killed.stderr(std::process::Stdio::null()).spawn().unwrap();
    while !bench.path("cache/lock").exists() {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    send("-KILL", killed.id());
    killed.wait().unwrap();
    assert_eq!(bench.read("feed.csv"), crate::LAST_GOOD);
    // What was killed could not clean up; the system does that with its temporary files.
    fs::remove_dir_all(bench.path("tmp")).unwrap();
    fs::create_dir(bench.path("tmp")).unwrap();
    let ran = crate::run(&bench, &Server::always(ok(csv_export(9, 9))), words);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

/// A core file would hold the key: the bench looks for it in what is left.
#[test]
fn a_crash_leaves_no_core_file() {
    let bench = Bench::new();
    let silent = Server::start(|_| {
        std::thread::sleep(std::time::Duration::from_secs(5));
        Vec::new()
    });
    let mut command = bench.command_of("/bin/sh");
    command.args(["-c", "ulimit -c $(ulimit -H -c); exec \"$0\" \"$@\""]);
    command
        .arg(crate::support::program())
        .args(crate::args("fetch --source api"));
    let mut child = command
        .args(crate::support::addresses(&silent))
        .spawn()
        .unwrap();
    while fs::read_dir(bench.path("tmp")).unwrap().count() == 0 {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    send("-ABRT", child.id());
    assert_eq!(child.wait().unwrap().code(), None);
    let names = fs::read_dir(bench.folder.path()).unwrap().flatten();
    let names: Vec<_> = names.map(|entry| entry.file_name()).collect();
    assert_eq!(names, ["tmp"], "what a crash leaves");
}
