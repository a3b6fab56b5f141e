//! Tells the program which commit it is of, and gives the one for Windows its properties: product, version, who built it.

use std::env;
use std::process::Command;

fn main() -> std::io::Result<()> {
    println!("cargo:rustc-env=THREATFOX_COMMIT={}", commit());
    println!("cargo:rerun-if-env-changed=THREATFOX_COMPANY");
    if env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("windows") {
        return Ok(());
    }
    let mut properties = winresource::WindowsResource::new();
    properties.set("ProductName", "threatfox");
    properties.set("OriginalFilename", "threatfox.exe");
    properties.set(
        "FileDescription",
        &env::var("CARGO_PKG_DESCRIPTION").unwrap_or_default(),
    );
    properties.set(
        "LegalCopyright",
        &env::var("CARGO_PKG_LICENSE").unwrap_or_default(),
    );
    if let Ok(company) = env::var("THREATFOX_COMPANY") {
        properties.set("CompanyName", &company);
    }
    properties.compile()
}

/// The commit's first twelve digits, "unknown" where there is neither git nor an archive of it.
fn commit() -> String {
    // `git archive` writes the commit into this file (.gitattributes); in a checkout it holds a placeholder.
    println!("cargo:rerun-if-changed=commit.txt");
    let archived = std::fs::read_to_string("commit.txt").unwrap_or_default();
    let known = if archived.starts_with('$') {
        if let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"]) {
            println!("cargo:rerun-if-changed={log}"); // each commit and checkout adds a line to it
        }
        git(&["rev-parse", "HEAD"])
    } else {
        Some(archived)
    };
    let known = known.filter(|commit| commit.len() >= 12);
    known.map_or_else(|| "unknown".to_owned(), |commit| commit[..12].to_owned())
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
