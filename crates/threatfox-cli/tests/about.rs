//! What the program says of itself: version, completions, manual.
#![allow(clippy::unwrap_used)]

mod support;

use std::process::Command as Program;

use assert_cmd::Command;

fn said(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_threatfox"))
        .args(arguments)
        .assert()
        .success()
        .get_output()
        .clone();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_version_names_the_commit_and_the_format_of_the_feed() {
    let version = said(&["--version"]);
    let start = format!("threatfox {} (commit ", env!("CARGO_PKG_VERSION"));
    let rest = version.strip_prefix(&start).unwrap();
    let (commit, rest) = rest.split_once(", ").unwrap();
    assert_eq!(rest, format!("feed format {})\n", threatfox::feed::FORMAT));

    // Where there is no git, as in a source archive, there is nothing to compare with.
    let git = Program::new("git").args(["rev-parse", "HEAD"]).output();
    if let Some(head) = git.ok().filter(|output| output.status.success()) {
        let head = String::from_utf8(head.stdout).unwrap();
        assert!(commit == "unknown" || head.starts_with(commit), "{version}");
    }
}

#[test]
fn every_command_is_completed_and_has_a_manual_page() {
    let bash = said(&["completions", "bash"]);
    let program = said(&["man"]);
    for command in support::COMMANDS {
        assert!(
            bash.contains(&format!("threatfox__subcmd__{command}"))
                || bash.contains(&format!("threatfox,{command})")),
            "{command}"
        );
        assert!(
            program.contains(&format!("threatfox\\-{command}(1)")),
            "{command}"
        );
        let page = said(&["man", command]);
        assert!(
            page.contains(&format!(".TH threatfox-{command} 1")),
            "{page}"
        );
        assert!(page.contains("\\-\\-help"), "{command}");
    }
}

#[test]
fn the_manual_of_an_unknown_command_is_wrong_usage() {
    let assert = Command::new(env!("CARGO_BIN_EXE_threatfox"))
        .args(["man", "fetsh"])
        .assert()
        .code(2);
    let text = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
    assert!(text.contains("\"fetsh\" is not a command"), "{text}");
}
