//! Tables between markers, which stand alone in their lines:
//!
//! ```text
//! <!-- rules: matches -->
//! | the table | that `make generate` writes |
//! <!-- end -->
//! ```

use std::fs;
use std::path::{Path, PathBuf};

use super::{Tables, tables};
use anyhow::{Context, Result, bail};

const END: &str = "end";

/// The files that may have markers: the pages, and the artifacts, whose descriptions are pages too.
pub fn files() -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    add_files(Path::new("."), "md", false, &mut found)?;
    add_files(Path::new("docs"), "md", true, &mut found)?;
    add_files(Path::new("rules"), "md", true, &mut found)?;
    add_files(Path::new("artifacts"), "yaml", true, &mut found)?;
    found.sort();
    Ok(found)
}

fn add_files(folder: &Path, kind: &str, below: bool, found: &mut Vec<PathBuf>) -> Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() && below {
            add_files(&path, kind, below, found)?;
        } else if path.is_file() && path.extension().is_some_and(|extension| extension == kind) {
            found.push(path.strip_prefix(".").unwrap_or(&path).to_owned());
        }
    }
    Ok(())
}

/// The text with each of its tables made anew, as far to the right as its marker. `None` where it has none.
pub fn filled(path: &Path, text: &str, rules: &Tables) -> Result<Option<String>> {
    let mut filled = String::new();
    let mut open: Option<(usize, &str)> = None;
    let mut any = false;
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        let at = || format!("{}:{number}", path.display());
        match (marker(line), open) {
            (Some(END), Some(_)) => {
                open = None;
                filled += line;
            }
            (Some(END), None) => bail!("{}: no table begins above `<!-- end -->`: remove it", at()),
            (Some(name), None) => {
                let Some(table) = tables::table(name, rules) else {
                    let known = tables::NAMES.join(" or ");
                    bail!(
                        "{}: there is no table {name:?}: the tables are {known}",
                        at()
                    );
                };
                let indent = &line[..line.len() - line.trim_start().len()];
                filled += line;
                filled.extend(table.lines().map(|row| format!("{indent}{row}\n")));
                (open, any) = (Some((number, name)), true);
            }
            (None, None) => filled += line,
            (None, Some(_)) => {} // a line of the old table
            (Some(_), Some(begun)) => return unended(path, begun),
        }
    }
    match open {
        Some(begun) => unended(path, begun),
        None => Ok(any.then_some(filled)),
    }
}

fn unended<T>(path: &Path, (line, name): (usize, &str)) -> Result<T> {
    bail!(
        "{}:{line}: the table {name} does not end: write `<!-- end -->` in a line below it",
        path.display()
    )
}

/// The name in a marker; `end` of the one that ends a table.
fn marker(line: &str) -> Option<&str> {
    let comment = line
        .trim()
        .strip_prefix("<!--")?
        .strip_suffix("-->")?
        .trim();
    match comment.strip_prefix("rules:") {
        Some(name) => Some(name.trim()),
        None => (comment == END).then_some(END),
    }
}
