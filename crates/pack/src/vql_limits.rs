//! How much VQL the hunts may have, and that each definition says what it is.

use crate::artifact::Artifact;
use crate::vql;

/// The handwritten artifacts that the hunts import. Generic.ThreatFox.Rules is generated.
const SHARED: [&str; 4] = [
    "Generic.ThreatFox.Feed",
    "Generic.ThreatFox.Logs",
    "Generic.ThreatFox.Match",
    "Generic.ThreatFox.State",
];
/// Together, comments and empty lines left out: who changes how a hunt reads or judges can read all of it in half an hour.
const SHARED_LINES: usize = 500;
/// Together: VQL copies the list of all definitions several times per event, so that each costs time in every hunt.
const SHARED_LETS: usize = 59;
/// Where the hunts are.
const HUNTS: &str = "Windows.Detection.";
/// In one hunt, its notebook's cells left out: it reads from top to bottom, as parameters, a few names of rows, and one
/// SELECT per source.
const HUNT_LETS: usize = 15;

/// Each problem is one line: which file, and what to do.
pub fn problems(artifacts: &[Artifact]) -> Vec<String> {
    let mut problems = Vec::new();
    let (mut shared_lines, mut shared_lets) = (0, 0);
    for artifact in artifacts {
        let name = artifact.definition.name.as_str();
        let is_shared = SHARED.contains(&name);
        if !is_shared && !name.starts_with(HUNTS) {
            continue;
        }
        let path = artifact.path.display();
        let lets = lets(&artifact.text);
        for one in lets.iter().filter(|one| !one.is_explained) {
            problems.push(format!(
                "{path}:{}: nothing says what this LET is: write a comment above it or above its group",
                one.line
            ));
        }
        if is_shared {
            shared_lines += vql_lines(&artifact.text);
            shared_lets += lets.len();
        } else if let Some(first_over) = lets.get(HUNT_LETS) {
            problems.push(format!(
                "{path}:{}: a hunt has {} LETs, {HUNT_LETS} are the limit: move what others need too into a shared artifact",
                first_over.line,
                lets.len()
            ));
        }
    }
    for (found, limit, what) in [
        (shared_lines, SHARED_LINES, "lines"),
        (shared_lets, SHARED_LETS, "LETs"),
    ] {
        if found > limit {
            problems.push(format!(
                "artifacts/Generic/ThreatFox: {} together have {found} {what}, {limit} are the limit: make them shorter",
                SHARED.map(|name| name.trim_start_matches("Generic.ThreatFox.")).join(", ")
            ));
        }
    }
    problems
}

/// Lines of VQL that are neither empty nor a comment.
fn vql_lines(text: &str) -> usize {
    vql::blocks(text, &["export", "query"])
        .into_iter()
        .flatten()
        .filter(|(_, text)| !text.trim().is_empty() && !text.trim().starts_with("--"))
        .count()
}

/// A definition.
struct Let {
    line: usize,
    /// Whether a comment stands above it, or above the group that it is in. A group ends with an empty line.
    is_explained: bool,
}

fn lets(text: &str) -> Vec<Let> {
    let mut lets = Vec::new();
    for block in vql::blocks(text, &["export", "query"]) {
        let mut is_explained = false;
        for (line, text) in block {
            let text = text.trim();
            if text.is_empty() {
                is_explained = false;
            } else if text.starts_with("--") {
                is_explained = true;
            } else if text.starts_with("LET ") {
                lets.push(Let { line, is_explained });
            }
        }
    }
    lets
}
