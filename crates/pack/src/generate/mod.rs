//! The files generated from `rules/*.csv`: the artifact Generic.ThreatFox.Rules, and the tables between markers in documents and
//! artifacts.

mod log_tables;
mod markers;
mod readers;
mod rules_artifact;
mod tables;
mod vql_text;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use threatfox::rules::Rules;
use threatfox::rules::columns::{self, Column};
use threatfox::rules::logs::{self, LogFile};

pub use rules_artifact::PATH as RULES_ARTIFACT;

/// What stands in `rules/*.csv`.
pub struct Tables {
    rules: Rules,
    columns: Vec<Column>,
    logs: Vec<LogFile>,
}

/// A file as it should be.
struct Made {
    path: PathBuf,
    text: String,
}

/// Writes each file that is not as it should be, and says which.
pub fn write() -> Result<()> {
    let stale = stale()?;
    for Made { path, text } in &stale {
        let name = || format!("{} can't be written", path.display());
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).with_context(name)?;
        }
        fs::write(path, text).with_context(name)?;
        say!("{}: written", path.display())?;
    }
    if stale.is_empty() {
        say!("nothing to do: each file is up to date")?;
    }
    Ok(())
}

/// One line for each file that is not as it should be.
pub fn drift() -> Result<Vec<String>> {
    let line = |made: &Made| {
        format!(
            "{}:1: differs from rules/*.csv: run `make generate`",
            made.path.display()
        )
    };
    Ok(stale()?.iter().map(line).collect())
}

fn stale() -> Result<Vec<Made>> {
    let tables = read_tables()?;
    let mut made = vec![Made {
        path: RULES_ARTIFACT.into(),
        text: rules_artifact::text(&tables)?,
    }];
    for path in markers::files()? {
        let old = read(&path)?;
        if let Some(text) = markers::filled(&path, &old, &tables)? {
            made.push(Made { path, text });
        }
    }
    made.retain(|made| fs::read_to_string(&made.path).ok().as_ref() != Some(&made.text));
    Ok(made)
}

/// The tables of the project that this program runs in, not those that it was built with.
fn read_tables() -> Result<Tables> {
    let table = |name: &str| read(&Path::new("rules").join(name));
    Ok(Tables {
        rules: Rules::parse(
            &table("places.csv")?,
            &table("matches.csv")?,
            &table("never.csv")?,
        )?,
        columns: columns::parse(&table("columns.csv")?)?,
        logs: logs::parse(&table("logs.csv")?)?,
    })
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("{} can't be read", path.display()))
}
