//! Writes the samples of each target to FOLDER/TARGET, for libFuzzer to begin with, and prints the targets' names.

use std::fs;
use std::io;
use std::path::PathBuf;

use threatfox_fuzz::TARGETS;

fn main() -> io::Result<()> {
    let folder = std::env::args()
        .nth(1)
        .ok_or_else(|| io::Error::other("give a folder"))?;
    for target in &TARGETS {
        let folder = PathBuf::from(&folder).join(target.name);
        fs::create_dir_all(&folder)?;
        for (n, sample) in (target.samples)().iter().enumerate() {
            fs::write(folder.join(format!("sample-{n}")), sample)?;
        }
        println!("{}", target.name);
    }
    Ok(())
}
