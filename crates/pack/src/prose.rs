//! The texts that users read: pages, the artifacts' descriptions and cells, the helper's help.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::artifact::Artifact;

/// A text, and the line of its file at which it begins.
pub struct Text {
    pub path: PathBuf,
    pub line: usize,
    pub content: String,
    pub kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Markdown: a page, a description or a cell.
    Page,
    /// The help as a test compares it: not Markdown.
    Help,
}

/// Every text, those of one file one after the other.
///
/// # Errors
///
/// When a file cannot be read; the error names it.
pub fn texts(artifacts: &[Artifact]) -> Result<Vec<Text>> {
    let mut texts = Vec::new();
    for (folder, ending, kind) in [
        ("", ".md", Kind::Page),
        ("docs", ".md", Kind::Page),
        ("rules", ".md", Kind::Page),
        (
            "crates/threatfox-cli/tests/snapshots",
            "help.snap",
            Kind::Help,
        ),
    ] {
        for path in files(folder, ending)? {
            let content = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            texts.push(Text {
                path,
                line: 1,
                content,
                kind,
            });
        }
    }
    for artifact in artifacts {
        of_artifact(artifact, &mut texts)?;
    }
    Ok(texts)
}

fn files(folder: &str, ending: &str) -> Result<Vec<PathBuf>> {
    let here = Path::new(".").join(folder);
    let mut files = Vec::new();
    if here.exists() {
        for entry in fs::read_dir(here).with_context(|| folder.to_owned())? {
            let name = entry?.file_name();
            if name.to_string_lossy().ends_with(ending) {
                files.push(Path::new(folder).join(name));
            }
        }
    }
    files.sort();
    Ok(files)
}

fn of_artifact(artifact: &Artifact, texts: &mut Vec<Text>) -> Result<()> {
    let mut add = |line: usize, text: &str| {
        texts.push(Text {
            path: artifact.path.clone(),
            line,
            content: text.to_owned(),
            kind: Kind::Page,
        });
    };
    let definition = &artifact.definition;
    let key = |(_, line): &(usize, &str)| line.starts_with("description:");
    // The text of `description: |` begins on the next line.
    let line = (1..).zip(artifact.text.lines()).find(key);
    let line = line.map_or(1, |(at, line)| at + usize::from(line.ends_with('|')));
    add(line, &definition.description);
    for parameter in &definition.parameters {
        let line = usize::try_from(parameter.referenced.line())?;
        add(line, &parameter.value.description);
    }
    for source in &definition.sources {
        let line = usize::try_from(source.referenced.line())?;
        add(line, &source.value.description);
        for cell in &source.value.notebook {
            let line = usize::try_from(cell.referenced.line())?;
            let template = &cell.value.template;
            if cell.value.kind.eq_ignore_ascii_case("markdown") {
                add(line, template);
                continue;
            }
            // Velociraptor shows the comments of a cell as Markdown.
            for comment in template.split("/*").skip(1) {
                add(line, comment.split("*/").next().unwrap_or_default());
            }
        }
    }
    Ok(())
}
