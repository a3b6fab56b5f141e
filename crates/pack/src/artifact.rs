//! The artifacts as they lie in their folder.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_yaml::Spanned;

/// One artifact: its file and what the release has to know of its definition.
pub struct Artifact {
    /// Where the file is, for messages.
    pub path: PathBuf,
    /// The path below the folder of artifacts, with `/`, as it is named in the zip.
    pub entry: String,
    pub text: String,
    pub definition: Definition,
}

/// The parts of Velociraptor's definition that are checked or filled in here; Velociraptor's own
/// `artifacts verify`, which the tests of the engine run, checks the rest.
///
/// Velociraptor imports no artifact with a key that it does not know. Its `artifact.proto` names these; `_` is before those that are not read here.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    pub name: String,
    #[serde(default)]
    pub description: String,
    #[serde(default, alias = "references")]
    pub reference: Vec<String>,
    #[serde(default)]
    pub tools: Vec<Spanned<Tool>>,
    #[serde(default)]
    pub parameters: Vec<Spanned<Parameter>>,
    /// Whose exports come before its queries.
    #[serde(default)]
    pub imports: Vec<Spanned<String>>,
    #[serde(default)]
    pub export: String,
    #[serde(default)]
    pub sources: Vec<Spanned<Source>>,
    #[serde(default, rename = "aliases")]
    _aliases: IgnoredAny,
    #[serde(default, rename = "author")]
    _author: IgnoredAny,
    #[serde(default, rename = "column_types")]
    _column_types: IgnoredAny,
    #[serde(default, rename = "impersonate")]
    _impersonate: IgnoredAny,
    #[serde(default, rename = "implied_permissions")]
    _implied_permissions: IgnoredAny,
    #[serde(default, rename = "precondition")]
    _precondition: IgnoredAny,
    #[serde(default, rename = "reports")]
    _reports: IgnoredAny,
    #[serde(default, rename = "required_permissions")]
    _required_permissions: IgnoredAny,
    #[serde(default, rename = "resources")]
    _resources: IgnoredAny,
    #[serde(default, rename = "type")]
    _kind: IgnoredAny,
}

/// A query, or a notebook's cells.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub notebook: Vec<Spanned<Cell>>,
    #[serde(default, rename = "name")]
    _name: IgnoredAny,
    #[serde(default, rename = "precondition")]
    _precondition: IgnoredAny,
    #[serde(default, rename = "queries")]
    _queries: IgnoredAny,
    #[serde(default, rename = "query")]
    _query: IgnoredAny,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cell {
    #[serde(default, rename = "type")]
    pub kind: String,
    #[serde(default)]
    pub template: String,
    #[serde(default, rename = "env")]
    _env: IgnoredAny,
    #[serde(default, rename = "name")]
    _name: IgnoredAny,
    #[serde(default, rename = "output")]
    _output: IgnoredAny,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    pub name: String,
    pub url: Option<String>,
    #[serde(default, rename = "expected_hash")]
    _expected_hash: IgnoredAny,
    #[serde(default, rename = "filename")]
    _filename: IgnoredAny,
    #[serde(default, rename = "github_asset_regex")]
    _github_asset_regex: IgnoredAny,
    #[serde(default, rename = "github_project")]
    _github_project: IgnoredAny,
    #[serde(default, rename = "hash")]
    _hash: IgnoredAny,
    #[serde(default, rename = "serve_locally")]
    _serve_locally: IgnoredAny,
    #[serde(default, rename = "version")]
    _version: IgnoredAny,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    pub name: String,
    #[serde(default, rename = "type")]
    pub kind: String,
    #[serde(default)]
    pub description: String,
    #[serde(default, rename = "artifact_type")]
    _artifact_type: IgnoredAny,
    #[serde(default, rename = "choices")]
    _choices: IgnoredAny,
    #[serde(default, rename = "default")]
    _default: IgnoredAny,
    #[serde(default, rename = "friendly_name")]
    _friendly_name: IgnoredAny,
    #[serde(default, rename = "sources")]
    _sources: IgnoredAny,
    #[serde(default, rename = "validating_regex")]
    _validating_regex: IgnoredAny,
}

impl Artifact {
    /// Reads every `.yaml` below a folder, sorted by path.
    ///
    /// The error of a broken file names it and its line.
    pub fn read_all(folder: &Path) -> Result<Vec<Self>> {
        let mut paths = Vec::new();
        collect(folder, &mut paths)?;
        let mut artifacts = paths
            .into_iter()
            .map(|path| Self::read(folder, path))
            .collect::<Result<Vec<_>>>()?;
        if artifacts.is_empty() {
            bail!("{}: no .yaml file in it or below", folder.display());
        }
        artifacts.sort_by(|a, b| a.entry.cmp(&b.entry));
        Ok(artifacts)
    }

    fn read(folder: &Path, path: PathBuf) -> Result<Self> {
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let definition = parse(&path, &text)?;
        let below: Vec<_> = path
            .strip_prefix(folder)?
            .iter()
            .map(|part| part.to_string_lossy())
            .collect();
        Ok(Self {
            entry: below.join("/"),
            path,
            text,
            definition,
        })
    }

    /// Whether it is VQL for others to import. The release writes it into those and leaves it out itself: a user who edits a
    /// copy would change nothing.
    pub fn is_shared(&self) -> bool {
        self.definition.name.starts_with("Generic.")
    }

    /// The same artifact as a program has changed its text.
    pub fn with_text(&self, text: String) -> Result<Self> {
        let definition = parse(&self.path, &text)
            .with_context(|| format!("{}: the release broke it", self.path.display()))?;
        Ok(Self {
            path: self.path.clone(),
            entry: self.entry.clone(),
            text,
            definition,
        })
    }
}

/// Reads YAML; an error is given as `file:line: cause`.
pub fn parse<T: for<'de> Deserialize<'de>>(path: &Path, text: &str) -> Result<T> {
    let options = serde_yaml::options! { with_snippet: false };
    serde_yaml::from_str_with_options(text, options).map_err(|error| {
        let line = error.location().map_or(1, |location| location.line());
        anyhow::anyhow!("{}:{line}: {error}", path.display())
    })
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, paths)?;
            continue;
        }
        let ending = path.extension().unwrap_or_default();
        if ending == "yaml" {
            paths.push(path);
        } else if ending.eq_ignore_ascii_case("yaml") || ending.eq_ignore_ascii_case("yml") {
            bail!(
                "{}:1: the pack takes only files that end in .yaml: rename it",
                path.display()
            );
        }
    }
    Ok(())
}
