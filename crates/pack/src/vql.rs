//! The VQL of an artifact as it stands in its file, and where two artifacts say the same.

use std::collections::BTreeMap;

use crate::artifact::Artifact;

/// So many identical lines in a row are no chance: shorter runs are brackets and `FROM scope()`.
const RUN: usize = 4;
/// A body of this many characters is worth a home of its own; shorter ones are constants.
const BODY: usize = 60;

/// A line of VQL without its indentation, and where it stands.
struct Line<'a> {
    number: usize,
    text: &'a str,
    /// Whether it is as far left as the first of its block.
    begins_statement: bool,
}

/// VQL in two artifacts: the same run of lines, or the same body of a LET under another name.
pub fn repetitions(artifacts: &[Artifact]) -> Vec<String> {
    let mut first_at: BTreeMap<String, (&Artifact, usize)> = BTreeMap::new();
    let mut problems = Vec::new();
    for artifact in artifacts {
        let lines = lines(&artifact.text);
        let runs = lines.windows(RUN).map(|run| (run[0].number, join(run)));
        for (number, text) in runs.chain(bodies(&lines)) {
            let (other, at) = *first_at.entry(text).or_insert((artifact, number));
            if other.entry != artifact.entry {
                problems.push(format!(
                    "{}:{number}: the same VQL as in {}:{at}: write it once, in an artifact that both import",
                    artifact.path.display(),
                    other.path.display()
                ));
            }
        }
    }
    problems
}

/// The lines of an artifact's queries, exports and notebook cells, without comments.
fn lines(text: &str) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    for block in blocks(text, &["export", "query", "template"]) {
        let mut left = None; // the indentation of its first line
        for (number, line) in block {
            let text = line.trim();
            if !text.is_empty() && !text.starts_with("--") && !takes_a_step(text) {
                let indent = indent(line);
                lines.push(Line {
                    number,
                    text,
                    begins_statement: indent == *left.get_or_insert(indent),
                });
            }
        }
    }
    lines
}

/// The texts below these keys of an artifact: each the lines as they are, with their numbers.
pub fn blocks<'a>(text: &'a str, keys: &[&str]) -> Vec<Vec<(usize, &'a str)>> {
    let mut blocks: Vec<Vec<_>> = Vec::new();
    let mut open = None; // the indentation of the key whose text is being read
    for (number, line) in (1..).zip(text.lines()) {
        let text = line.trim();
        if open.is_some_and(|key| !text.is_empty() && indent(line) <= key) {
            open = None;
        }
        if open.is_some() {
            if let Some(block) = blocks.last_mut() {
                block.push((number, line));
            }
        } else if text
            .trim_start_matches("- ")
            .strip_suffix(": |")
            .is_some_and(|key| keys.contains(&key))
        {
            open = Some(indent(line));
            blocks.push(Vec::new());
        }
    }
    blocks
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// Whether a line only takes what is defined elsewhere: `LET Logs <= LogsAt(Globs=EvtxGlob)`, `LET Hits <= SELECT * FROM
/// HitsNow`.
/// Velociraptor runs what is exported with `<=` in notebooks too, so artifacts that share their steps have to take each by
/// themselves.
/// The pack's own definitions begin with a capital letter, VQL's functions with a small one.
fn takes_a_step(line: &str) -> bool {
    let is_name = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_uppercase())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let Some((left, right)) = line
        .strip_prefix("LET ")
        .and_then(|rest| rest.split_once(" <= "))
    else {
        return false;
    };
    let right = right.strip_prefix("SELECT * FROM ").unwrap_or(right);
    let (name, arguments) = right.split_once('(').unwrap_or((right, ")"));
    (left == "_" || is_name(left)) && is_name(name) && arguments.ends_with(')')
}

/// Each LET's body as one text, with the line that it begins in.
fn bodies<'a>(lines: &'a [Line<'a>]) -> impl Iterator<Item = (usize, String)> + 'a {
    lines
        .chunk_by(|_, next| !next.begins_statement)
        .filter(|statement| statement[0].text.starts_with("LET "))
        .filter_map(|statement| {
            let text = join(statement);
            let (_, body) = text.split_once('=')?;
            (body.len() >= BODY).then(|| (statement[0].number, body.to_owned()))
        })
}

fn join(lines: &[Line<'_>]) -> String {
    let texts: Vec<_> = lines.iter().map(|line| line.text).collect();
    texts.join(" ")
}
