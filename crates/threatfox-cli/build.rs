//! Gives the program for Windows its properties: product, version, and who built it.

use std::env;

fn main() -> std::io::Result<()> {
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
