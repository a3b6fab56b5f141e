//! Where VQL's functions in texts (`"x=>x.Name"`) may stand. Velociraptor 0.77 keeps what it compiles of them in a map without a lock,
//! so that a query that compiles one while another of its rows looks one up ends the whole program. They stand as values of a
//! dict in Generic.ThreatFox.Match and Rules, which compiles all of them before anything is searched.

use crate::artifact::Artifact;
use crate::vql;

const HOMES: [&str; 2] = ["Generic.ThreatFox.Match", "Generic.ThreatFox.Rules"];

/// Each problem is one line: which file, and what to do.
pub fn problems(artifacts: &[Artifact]) -> Vec<String> {
    let mut problems = Vec::new();
    for artifact in artifacts {
        let at_home = HOMES.contains(&artifact.definition.name.as_str());
        let blocks = vql::blocks(&artifact.text, &["export", "query"]);
        for (number, line) in blocks.into_iter().flatten() {
            let text = line.trim();
            let named = if at_home { named_functions(text) } else { 0 };
            if !text.starts_with("--") && functions(text) > named {
                problems.push(format!(
                    "{}:{number}: a function in a text: use a SELECT, or put it by name into Reading of {}, which compiles it first",
                    artifact.path.display(),
                    HOMES[0]
                ));
            }
        }
    }
    problems
}

/// The functions in a line, but those of `replace_lambda`, which the engine keeps behind a lock.
fn functions(line: &str) -> usize {
    line.matches("=>").count() - line.matches("replace_lambda=\"x=>").count()
}

/// The functions in a line that are values of a dict: ``Name='''A, B=>…``. A name begins with a capital letter, or stands between backticks; an
/// argument of the engine's own functions does not.
fn named_functions(line: &str) -> usize {
    let parts: Vec<_> = line.split("='").collect();
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '`');
    let is_function = |pair: &&[&str]| {
        let name = pair[0].rsplit(|c| !is_word(c)).next().unwrap_or_default();
        let arguments = pair[1].trim_start_matches('\'').split_once("=>");
        name.starts_with(|c: char| c.is_ascii_uppercase() || c == '`')
            && arguments.is_some_and(|(names, _)| {
                names.chars().all(|c| is_word(c) || matches!(c, ',' | ' '))
            })
    };
    parts.windows(2).filter(is_function).count()
}
