//! Checks of the source: no file that is too long to read, no unused dependency.
//!
//! The program cargo-machete finds such dependencies too, but would have to be installed before `make lint` runs, does not
//! look
//! at `[workspace.dependencies]`, and takes a use anywhere for one of a build script.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use cargo_metadata::{Dependency, DependencyKind};

use crate::dependencies;
use crate::generate::RULES_ARTIFACT;

/// No file has more lines: past that it holds a second idea.
const LINES: usize = 400;
const SOURCE: [&str; 6] = ["go", "py", "rs", "sh", "vql", "yaml"];
/// Folders with what others or programs wrote.
const FOREIGN: [&str; 5] = ["data", "dist", "target", "testdata", "vendor"];

/// Each problem is one line: which file, and what to do.
pub fn problems() -> Result<Vec<String>> {
    let mut problems = Vec::new();
    for file in files(Path::new("."))? {
        let lines = read(&file)?.lines().count();
        // Nobody reads or changes what is generated.
        if lines > LINES && !file.ends_with(RULES_ARTIFACT) {
            problems.push(format!(
                "{}:{LINES}: has {lines} lines, {LINES} are the limit: find the second idea in it",
                file.display()
            ));
        }
    }
    problems.extend(unused_dependencies()?);
    Ok(problems)
}

fn unused_dependencies() -> Result<Vec<String>> {
    let mut problems = Vec::new();
    let mut manifests = String::new();
    for package in dependencies::of_workspace()?.packages {
        let manifest = package.manifest_path.as_std_path();
        manifests += &read(manifest)?;
        let folder = manifest.parent().unwrap_or(Path::new("."));
        for dependency in &package.dependencies {
            if !is_used(dependency, folder)? {
                problems.push(format!(
                    "{}: nothing in it uses {}: remove it",
                    manifest.display(),
                    dependency.name
                ));
            }
        }
    }
    let shared = read(Path::new("Cargo.toml"))?;
    let named = shared
        .lines()
        .skip_while(|line| *line != "[workspace.dependencies]")
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.split_once(" = ").map(|(name, _)| name));
    for name in named {
        if !manifests.contains(&format!("{name}.workspace = true")) {
            problems.push(format!("Cargo.toml: no crate uses {name}: remove it"));
        }
    }
    Ok(problems)
}

/// Whether a crate's code names a dependency: only its build script counts for one of the build.
fn is_used(dependency: &Dependency, folder: &Path) -> Result<bool> {
    let name = dependency.rename.as_ref().unwrap_or(&dependency.name);
    let path = format!("{}::", name.replace('-', "_"));
    let import = format!("use {};", name.replace('-', "_"));
    let sources = match dependency.kind {
        DependencyKind::Build => vec![folder.join("build.rs")],
        _ => files(folder)?,
    };
    for source in sources {
        let text = read(&source)?;
        let named = |name: &str| {
            text.match_indices(name).any(|(at, _)| {
                !text[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_')
            })
        };
        if named(&path) || named(&import) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    for entry in entries {
        let path = entry?.path();
        let is_named = |names: &[&str], name: Option<&std::ffi::OsStr>| {
            name.is_some_and(|name| names.iter().any(|other| name == *other))
        };
        if path.is_dir() {
            let hidden = path
                .file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with('.'));
            if !hidden && !is_named(&FOREIGN, path.file_name()) {
                found.extend(files(&path)?);
            }
        } else if is_named(&SOURCE, path.extension()) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| path.display().to_string())
}
