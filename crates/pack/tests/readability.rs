//! Sentences that are too long and pages that are too hard, each with its place.
#![allow(clippy::unwrap_used)]

mod support;

use support::{ARTIFACT, Project};

const FILE: &str = "artifacts/Custom/Example.yaml";

/// A sentence of so many words.
fn sentence(words: usize) -> String {
    format!("We{} go.", " may".repeat(words - 2))
}

#[test]
fn a_sentence_of_36_words_fails_with_its_line_and_one_of_35_passes() {
    let project = Project::new();
    project.put("docs/page.md", format!("# Page\n\n{}\n", sentence(35)));
    project.check_passes();
    let long = sentence(36);
    for (page, line) in [
        (format!("# Page\n\nA short one.\n{long}\n"), 4),
        (format!("- An item.\n- {long}\n"), 2),
        (format!("> {long}\n"), 1),
        (format!("| a |\n|---|\n| {long} |\n"), 3),
    ] {
        project.put("docs/page.md", page);
        project.check_refuses(&format!(
            "docs/page.md:{line}: a sentence of 36 words, 35 are the limit: split \"We may may may may …\""
        ));
    }
}

#[test]
fn code_headings_pictures_and_addresses_are_not_prose() {
    let long = sentence(36);
    let words = "go ".repeat(16);
    let project = Project::new();
    project.put(
        "docs/page.md",
        format!(
            "# {long}\n\n```text\n{long}\n```\n\n![{long}](a.svg)\n\n\
             {words} `cargo test --package pack --test readability` {words} [link](docs/a/b.md) end.\n"
        ),
    );
    project.check_passes();
}

#[test]
fn a_page_of_long_words_fails_and_the_same_words_in_a_short_text_pass() {
    let hard = "Organizations generally characterize availability considerations independently. ";
    let project = Project::new();
    project.put("docs/page.md", hard.repeat(15));
    project.check_passes();
    project.put("docs/page.md", hard.repeat(20));
    project.check_refuses("docs/page.md:1: reads at grade");
    project.put(
        "docs/page.md",
        "The dog sees the cat and runs to it. ".repeat(20),
    );
    project.check_passes();
}

#[test]
fn descriptions_and_cells_of_an_artifact_are_read_and_vql_is_not() {
    let long = sentence(36);
    let source = "  - query: SELECT * FROM info()\n";
    for (cells, line) in [
        (
            format!(
                "      - type: vql\n        template: |\n          /* # Title\n          */\n          SELECT * FROM info()\n          /* {long} */\n"
            ),
            15,
        ),
        (
            format!("      - type: markdown\n        template: {long}\n"),
            15,
        ),
    ] {
        let project = Project::new();
        project.put(
            FILE,
            ARTIFACT.replace(source, &format!("{source}    notebook:\n{cells}")),
        );
        project.check_refuses(&format!("{FILE}:{line}: a sentence of 36 words"));
    }
    let project = Project::new();
    project.put(
        FILE,
        ARTIFACT.replace("Finds nothing, for the tests.", &long),
    );
    project.check_refuses(&format!("{FILE}:2: a sentence of 36 words"));
    project.put(
        FILE,
        ARTIFACT.replace("info()", &format!("info() -- {long}")),
    );
    project.check_passes();
}

#[test]
fn the_figures_of_each_page_are_printed_the_hardest_first() {
    let project = Project::new();
    // 8 words in 2 sentences, 9 syllables: 0.39 * 4 + 11.8 * 9 / 8 - 15.59 = -0.755
    project.put("docs/easy.md", "The dog sees. It also runs to us.\n");
    // 5 words in one sentence, of which code has no syllables: 0.39 * 5 + 11.8 * 12 / 4 - 15.59 = 21.76
    project.put(
        "docs/hard.md",
        "Velociraptor artifacts need `threatfox` anyway.\n",
    );
    let output = project.pack(&["readability"]).assert().success();
    let table = String::from_utf8(output.get_output().stdout.clone()).unwrap();
    let lines: Vec<_> = table.lines().collect();
    assert_eq!(lines[0], "grade  words  longest  over  page");
    assert_eq!(lines[1], " 21.8      5        5     0  docs/hard.md");
    assert!(
        lines.contains(&" -0.8      8        5     0  docs/easy.md"),
        "{table}"
    );
}
