//! The bill of materials of a helper: each crate that is built into it, as `CycloneDX` 1.5.
//!
//! The same lock file and program give the same bytes: no time, no serial number.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use cargo_metadata::{DependencyKind, Metadata as Dependencies, Package};
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Bill<'a> {
    bom_format: &'a str,
    spec_version: &'a str,
    version: u32,
    metadata: Metadata<'a>,
    components: Vec<Component<'a>>,
    dependencies: Vec<Needs>,
}

#[derive(Serialize)]
struct Metadata<'a> {
    component: Component<'a>,
}

#[derive(Serialize)]
struct Component<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(rename = "bom-ref")]
    reference: String,
    name: &'a str,
    version: String,
    purl: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    licenses: Vec<License>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hashes: Vec<Hash<'a>>,
}

#[derive(Serialize)]
struct License {
    expression: String,
}

#[derive(Serialize)]
struct Hash<'a> {
    alg: &'a str,
    content: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Needs {
    #[serde(rename = "ref")]
    reference: String,
    depends_on: Vec<String>,
}

/// The bill of the helper with this SHA-256 as JSON.
pub fn of(dependencies: &Dependencies, sha256: &str) -> Result<Vec<u8>> {
    let root = dependencies
        .packages
        .iter()
        .find(|package| package.name.as_str() == "threatfox-cli")
        .context("the workspace has no package threatfox-cli")?;
    let built = built_into(dependencies, root);

    let mut helper = component(root);
    helper.kind = "application";
    helper.name = "threatfox";
    helper.hashes = vec![Hash {
        alg: "SHA-256",
        content: sha256,
    }];
    let bill = Bill {
        bom_format: "CycloneDX",
        spec_version: "1.5",
        version: 1,
        metadata: Metadata { component: helper },
        components: built
            .values()
            .filter(|(package, _)| package.id != root.id)
            .map(|(package, _)| component(package))
            .collect(),
        dependencies: built
            .iter()
            .map(|(reference, (_, needs))| Needs {
                reference: reference.clone(),
                depends_on: needs.clone(),
            })
            .collect(),
    };
    let mut text = serde_json::to_vec_pretty(&bill)?;
    text.push(b'\n');
    Ok(text)
}

/// The packages inside a package, by reference, each with its dependencies; without those for tests and the build.
fn built_into<'a>(
    dependencies: &'a Dependencies,
    root: &'a Package,
) -> BTreeMap<String, (&'a Package, Vec<String>)> {
    let mut built = BTreeMap::new();
    let mut todo = vec![root];
    while let Some(package) = todo.pop() {
        if built.contains_key(&purl(package)) {
            continue;
        }
        let needs: Vec<_> = dependencies
            .resolve
            .iter()
            .flat_map(|resolve| &resolve.nodes)
            .filter(|node| node.id == package.id)
            .flat_map(|node| &node.deps)
            .filter(|edge| {
                let mut kinds = edge.dep_kinds.iter();
                kinds.any(|kind| kind.kind == DependencyKind::Normal)
            })
            .filter_map(|edge| {
                dependencies
                    .packages
                    .iter()
                    .find(|other| other.id == edge.pkg)
            })
            .collect();
        let mut references: Vec<_> = needs.iter().map(|package| purl(package)).collect();
        references.sort();
        built.insert(purl(package), (package, references));
        todo.extend(needs);
    }
    built
}

fn component(package: &Package) -> Component<'_> {
    Component {
        kind: "library",
        reference: purl(package),
        name: &package.name,
        version: package.version.to_string(),
        purl: purl(package),
        licenses: package
            .license
            .iter()
            .map(|license| License {
                expression: license.replace('/', " OR "), // as older manifests write it
            })
            .collect(),
        hashes: Vec::new(),
    }
}

fn purl(package: &Package) -> String {
    format!("pkg:cargo/{}@{}", package.name, package.version)
}
