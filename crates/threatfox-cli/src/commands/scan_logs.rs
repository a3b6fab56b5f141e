//! Which logs a scan reads.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use threatfox::rules::logs::LogFile;

use super::Usage;
use crate::say;

/// The logs that the arguments name, each once.
pub fn named(texts: &[String], list: Option<&Path>) -> anyhow::Result<Vec<PathBuf>> {
    let mut logs = Vec::new();
    for text in texts {
        // A file name may hold brackets, so a path that exists is not read as a pattern.
        if Path::new(text).exists() {
            logs.push(PathBuf::from(text));
            continue;
        }
        let named = LogFile::paths(text);
        if !named.is_empty() {
            let before = logs.len();
            logs.extend(named.iter().filter(|path| path.is_file()).cloned());
            if logs.len() == before {
                say::lines(format!("{text}: this host has no {}", named[0].display()));
            }
            continue;
        }
        let matches = glob::glob(text)
            .map_err(|error| Usage(format!("the pattern {text:?} cannot be read: {error}")))?;
        let before = logs.len();
        logs.extend(matches.flatten().filter(|path| path.is_file()));
        if logs.len() == before {
            bail!("no log matches {text}: check the path, and whether Sysmon is installed");
        }
    }
    if let Some(list) = list {
        let text = read_list(list)?;
        logs.extend(
            text.lines()
                .filter(|line| !line.is_empty())
                .map(PathBuf::from),
        );
    }
    if logs.is_empty() {
        bail!("no log is named: the list is empty, or this host has none of these logs");
    }
    let mut seen = std::collections::HashSet::new();
    logs.retain(|log| seen.insert(log.clone()));
    Ok(logs)
}

/// A file with one thing a line; - is standard input.
pub fn read_list(path: &Path) -> anyhow::Result<String> {
    let text = if path.as_os_str() == "-" {
        io::read_to_string(io::stdin())
    } else {
        std::fs::read_to_string(path)
    };
    text.with_context(|| format!("cannot read the list {}", path.display()))
}
