//! The library's top-level modules import each other in one direction: to read one, you need not read those that use it.

#![allow(clippy::unwrap_used)] // In a test, a panic is the report.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Modules, and the modules that each names.
type Imports = BTreeMap<String, BTreeSet<String>>;

fn sources(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// The code without its comments and its tests, which may use everything.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The names that follow `crate::`, alone or in braces.
fn named(code: &str) -> BTreeSet<String> {
    let word = |text: &str| -> String {
        let end = text.find(|c: char| !c.is_alphanumeric() && c != '_');
        text[..end.unwrap_or(text.len())].to_owned()
    };
    let mut names = BTreeSet::new();
    for (_, rest) in code
        .match_indices("crate::")
        .map(|(at, found)| (at, &code[at + found.len()..]))
    {
        match rest.strip_prefix('{') {
            Some(list) => {
                let list = &list[..list.find('}').unwrap_or(list.len())];
                names.extend(list.split(',').map(|name| word(name.trim())));
            }
            None => _ = names.insert(word(rest)),
        }
    }
    names
}

fn imports() -> Imports {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut imports = Imports::new();
    for path in sources(&root) {
        let inside = path.strip_prefix(&root).unwrap();
        let module = inside.iter().next().unwrap().to_str().unwrap();
        let module = module.trim_end_matches(".rs");
        let test = inside
            .iter()
            .any(|part| part == "tests" || part == "tests.rs");
        if module == "lib" || test {
            continue;
        }
        let names = named(&code(&fs::read_to_string(&path).unwrap()));
        imports.entry(module.to_owned()).or_default().extend(names);
    }
    let modules: BTreeSet<_> = imports.keys().cloned().collect();
    for (module, names) in &mut imports {
        // The error stands in the root too, under its own name.
        if names.remove("Error") {
            names.insert("error".to_owned());
        }
        names.retain(|name| name != module && modules.contains(name));
    }
    imports
}

fn reach<'a>(imports: &'a Imports, from: &'a str) -> BTreeSet<&'a str> {
    let (mut seen, mut next) = (BTreeSet::new(), vec![from]);
    while let Some(module) = next.pop() {
        for name in &imports[module] {
            if seen.insert(name.as_str()) {
                next.push(name);
            }
        }
    }
    seen
}

/// The groups of modules that reach each other.
fn circles(imports: &Imports) -> BTreeSet<Vec<&str>> {
    let reached: BTreeMap<&str, _> = imports
        .keys()
        .map(|name| (name.as_str(), reach(imports, name)))
        .collect();
    let in_circle = reached.iter().filter(|(name, all)| all.contains(*name));
    in_circle
        .map(|(name, all)| {
            all.iter()
                .copied()
                .filter(|other| reached[other].contains(name))
                .collect()
        })
        .collect()
}

#[test]
fn no_modules_import_each_other_in_a_circle() {
    let imports = imports();
    let found = circles(&imports);
    let edges: Vec<_> = found
        .iter()
        .flatten()
        .map(|module| {
            format!(
                "{module}: {}",
                imports[*module]
                    .iter()
                    .cloned()
                    .collect::<Vec<_>>()
                    .join(" ")
            )
        })
        .collect();
    assert!(found.is_empty(), "\n{}", edges.join("\n"));
}

#[test]
fn a_circle_is_found() {
    let module = |name: &str, names: &[&str]| {
        (
            name.to_owned(),
            names.iter().map(|&n| n.to_owned()).collect(),
        )
    };
    let imports = Imports::from([
        module("a", &["b"]),
        module("b", &["c"]),
        module("c", &["b"]),
        module("d", &[]),
    ]);
    assert_eq!(circles(&imports), BTreeSet::from([vec!["b", "c"]]));
    let code = "use crate::{a, b::C};\nlet x = crate::d::e();\n// crate::f\n#[cfg(test)]\nmod tests {\nuse crate::g;";
    assert_eq!(
        named(&self::code(code)),
        BTreeSet::from(["a", "b", "d"].map(str::to_owned))
    );
}
