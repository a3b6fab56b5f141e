//! Words that readers stumble over, in the texts that users read: pages, the artifacts' descriptions, the helper's help.

use std::path::Path;

use crate::prose::Text;

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
const WORDS: [Word; 29] = [
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
    word("anew", "again"),
    word("by itself", "on its own, automatically"),
    word("somebody", "someone, the user who"),
    word("in the clear", "unencrypted"),
    word("if you like", "optionally"),
    word("as you like", "optionally"),
    word("put in the helper", "add the helper"),
    word("stands in", "is in"),
    word("the trouble is", "the error is"),
    word("counts as left out", "drops"),
];

/// Each problem is one line: where the word is, and what to write.
pub fn problems(texts: &[Text]) -> Vec<String> {
    let mut problems = Vec::new();
    for text in texts {
        check(&text.path, text.line, &text.content, &mut problems);
    }
    problems
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
