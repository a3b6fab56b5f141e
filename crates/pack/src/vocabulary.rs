//! Words that readers stumble over, in the texts that users read: pages, the artifacts' descriptions, the helper's help.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::artifact::Artifact;

struct Word {
    found: &'static str,
    /// What to write.
    cure: &'static str,
    /// The one phrase with it that is plain English.
    fine: &'static str,
}

const fn word(found: &'static str, cure: &'static str) -> Word {
    let fine = "";
    Word { found, cure, fine }
}

/// In lower case. Add a phrase when a reader had to read it twice.
const WORDS: [Word; 21] = [
    word("whoever", "the user who, anyone who"),
    word("a line each", "one per line"),
    word("one a line", "one per line"),
    word("one row a", "one row per"),
    word("a row a", "one row per"),
    word("one download a", "one download per"),
    word("the house", "the project"),
    Word {
        fine: "there is no",
        ..word("is no", "is not a, has no")
    },
    Word {
        fine: "there is none",
        ..word("is none", "is not one, is empty")
    },
    word("is told", "is reported"),
    word("are told", "are reported"),
    word("tells of", "reports"),
    word("came of", "the result of"),
    word("became of", "the result of"),
    word("becomes of", "the result of"),
    word("which is to come", "in the future"),
    word("small letters", "lowercase"),
    word("for ever", "forever, for good"),
    word("had enough of", "rate limited"),
    word("the trouble is", "the error is"),
    word("counts as left out", "drops"),
];

/// Each problem is one line: where the word is, and what to write.
pub fn problems(artifacts: &[Artifact]) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    for path in pages()? {
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        check(&path, 1, &text, &mut problems);
    }
    for artifact in artifacts {
        let definition = &artifact.definition;
        let key = |(_, line): &(usize, &str)| line.starts_with("description:");
        // The text of `description: |` begins on the next line.
        let line = (1..).zip(artifact.text.lines()).find(key);
        let line = line.map_or(1, |(at, line)| at + usize::from(line.ends_with('|')));
        check(&artifact.path, line, &definition.description, &mut problems);
        for parameter in &definition.parameters {
            let line = usize::try_from(parameter.referenced.line())?;
            let text = &parameter.value.description;
            check(&artifact.path, line, text, &mut problems);
        }
        for source in &definition.sources {
            let line = usize::try_from(source.referenced.line())?;
            check(
                &artifact.path,
                line,
                &source.value.description,
                &mut problems,
            );
        }
    }
    Ok(problems)
}

/// The pages, and the helper's help as a test compares it.
fn pages() -> Result<Vec<PathBuf>> {
    let mut pages = Vec::new();
    for (folder, ending) in [
        ("", "md"),
        ("docs", "md"),
        ("crates/threatfox-cli/tests/snapshots", "snap"),
    ] {
        let here = Path::new(".").join(folder);
        if !here.exists() {
            continue;
        }
        for entry in fs::read_dir(here).with_context(|| folder.to_owned())? {
            let path = Path::new(folder).join(entry?.file_name());
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let is_help = ending == "md" || name.contains("help");
            if is_help && name.ends_with(&format!(".{ending}")) {
                pages.push(path);
            }
        }
    }
    pages.sort();
    Ok(pages)
}

/// `first` is the number of the text's first line in the file.
fn check(path: &Path, first: usize, text: &str, problems: &mut Vec<String>) {
    // A phrase may stand on two lines. Both changes keep every position.
    let plain = text.to_ascii_lowercase().replace('\n', " ");
    for Word { found, cure, fine } in &WORDS {
        for (start, _) in plain.match_indices(found) {
            let end = start + found.len();
            if is_inside_word(&plain, start, end)
                || (!fine.is_empty() && plain[..end].ends_with(fine))
            {
                continue;
            }
            let line = first + text[..start].matches('\n').count();
            problems.push(format!(
                "{}:{line}: \"{found}\" is hard to read: write \"{cure}\"",
                path.display()
            ));
        }
    }
}

fn is_inside_word(text: &str, start: usize, end: usize) -> bool {
    text[..start].ends_with(char::is_alphanumeric) || text[end..].starts_with(char::is_alphanumeric)
}
