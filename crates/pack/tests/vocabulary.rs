//! Words that the check refuses in what users read, each with its place and what to write.
#![allow(clippy::unwrap_used)]

mod support;

use support::{ARTIFACT, Project};

#[test]
fn a_riddling_word_in_a_page_fails_with_its_line_and_the_cure() {
    let project = Project::new();
    project.put("docs/page.md", "# Page\n\nFor Whoever reads it.\n");
    project.check_refuses(
        "docs/page.md:3: \"whoever\" is hard to read: write \"the user who, anyone who\"",
    );
    project.put("docs/page.md", "# Page\n\nThe file has one\na line.\n");
    project.check_refuses("docs/page.md:3: \"one a line\" is hard to read: write \"one per line\"");
}

#[test]
fn the_same_letters_in_plain_english_pass() {
    let project = Project::new();
    project.put(
        "docs/page.md",
        "There is no feed, and none where there is none. For everything, this node.\n",
    );
    project.check_passes();
    project.put("docs/page.md", "A feed that is no feed.\n");
    project.check_refuses("docs/page.md:1: \"is no\"");
}

#[test]
fn descriptions_of_an_artifact_its_parameters_and_sources_are_read_and_vql_is_not() {
    let file = "artifacts/Custom/Example.yaml";
    for (old, new, line) in [
        ("Finds nothing", "Finds whoever", 2),
        ("Where to look", "Whoever looks", 9),
        (
            "  - query: SELECT",
            "  - description: Whoever.\n    query: SELECT",
            13,
        ),
    ] {
        assert!(ARTIFACT.contains(old));
        let project = Project::new();
        project.put(file, ARTIFACT.replace(old, new));
        project.check_refuses(&format!("{file}:{line}: \"whoever\""));
    }
    let project = Project::new();
    project.put(
        file,
        ARTIFACT.replace("info()", "info() -- For whoever reads."),
    );
    project.check_passes();
}

#[test]
fn the_help_of_the_helper_is_read() {
    let project = Project::new();
    let file = "crates/threatfox-cli/tests/snapshots/texts__help.snap";
    project.put(file, "Reads values, one a line.\n");
    project.check_refuses(&format!("{file}:1: \"one a line\""));
}
