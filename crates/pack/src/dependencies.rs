//! What the workspace that this program runs in is built from, as `cargo metadata` says it.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// Packages, and which needs which where cargo was asked for a target.
#[derive(Deserialize)]
pub struct Dependencies {
    pub packages: Vec<Package>,
    pub resolve: Option<Resolve>,
}

#[derive(Deserialize)]
pub struct Package {
    pub id: String,
    pub name: String,
    pub version: String,
    pub license: Option<String>,
    pub manifest_path: PathBuf,
    pub dependencies: Vec<Declared>,
}

/// A dependency as a manifest names it.
#[derive(Deserialize)]
pub struct Declared {
    pub name: String,
    pub rename: Option<String>,
    /// `dev` or `build`; none where the program itself needs it.
    pub kind: Option<String>,
}

#[derive(Deserialize)]
pub struct Resolve {
    pub nodes: Vec<Node>,
}

#[derive(Deserialize)]
pub struct Node {
    pub id: String,
    pub deps: Vec<Edge>,
}

/// A package that another one needs.
#[derive(Deserialize)]
pub struct Edge {
    pub pkg: String,
    pub dep_kinds: Vec<EdgeKind>,
}

#[derive(Deserialize)]
pub struct EdgeKind {
    pub kind: Option<String>,
}

impl Dependencies {
    /// Those that are built for a target, `Cargo.lock`'s versions.
    pub fn of_target(target: &str) -> Result<Self> {
        Self::ask(&["--filter-platform", target])
    }

    /// The workspace's own packages, with what their manifests name.
    pub fn of_workspace() -> Result<Self> {
        Self::ask(&["--no-deps"])
    }

    fn ask(arguments: &[&str]) -> Result<Self> {
        let output = Command::new("cargo")
            .args(["metadata", "--locked", "--format-version", "1"])
            .args(arguments)
            .output()
            .context("cargo can't be run")?;
        if !output.status.success() {
            bail!(
                "cargo metadata failed: {}",
                String::from_utf8_lossy(&output.stderr).trim_end()
            );
        }
        serde_json::from_slice(&output.stdout).context("cargo metadata gave other JSON")
    }

    pub fn package(&self, id: &str) -> Option<&Package> {
        self.packages.iter().find(|package| package.id == id)
    }
}
