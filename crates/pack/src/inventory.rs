//! `tools/inventory.yaml`: what Velociraptor's tool inventory must serve for the artifacts.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_yaml::Spanned;

use crate::artifact;

/// The helper's version: the workspace has one for all.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

pub struct Inventory {
    pub path: PathBuf,
    pub tools: Vec<Spanned<Tool>>,
}

#[derive(Deserialize)]
struct File {
    tools: Vec<Spanned<Tool>>,
}

#[derive(Deserialize)]
pub struct Tool {
    pub name: String,
    pub platform: Platform,
    /// The file's name: of a helper in `dist/`, of the feed in Velociraptor.
    pub file: String,
    pub version: String,
}

/// The platform of a tool.
#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Platform {
    Any,
    LinuxAmd64,
    LinuxArm64,
    WindowsAmd64,
}

impl Inventory {
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
        let File { tools } = artifact::parse(path, &text)?;
        Ok(Self {
            path: path.to_owned(),
            tools,
        })
    }

    pub fn tool(&self, name: &str) -> Option<&Tool> {
        self.tools
            .iter()
            .map(|tool| &tool.value)
            .find(|tool| tool.name == name)
    }

    /// The tools that are programs of this project: each runs on one platform.
    pub fn helpers(&self) -> impl Iterator<Item = &Tool> {
        self.tools
            .iter()
            .map(|tool| &tool.value)
            .filter(|tool| tool.platform != Platform::Any)
    }
}

impl Platform {
    /// The platform of this program, if the helper is released for it.
    pub fn of_this_machine() -> Result<Self> {
        match (std::env::consts::OS, std::env::consts::ARCH) {
            ("linux", "x86_64") => Ok(Self::LinuxAmd64),
            ("linux", "aarch64") => Ok(Self::LinuxArm64),
            ("windows", "x86_64") => Ok(Self::WindowsAmd64),
            (system, processor) => bail!("the helper is not released for {system} on {processor}"),
        }
    }

    /// The target that cargo builds for it.
    pub fn target(self) -> Option<&'static str> {
        match self {
            Self::Any => None,
            Self::LinuxAmd64 => Some("x86_64-unknown-linux-gnu"),
            Self::LinuxArm64 => Some("aarch64-unknown-linux-gnu"),
            Self::WindowsAmd64 => Some("x86_64-pc-windows-gnu"),
        }
    }

    /// Whether a file's content is a program for this platform, by its first bytes:
    /// ELF's `e_machine` (elf.h), or the machine that the PE header names.
    pub fn runs(self, program: &[u8]) -> bool {
        let elf = |machine: u16| {
            program.starts_with(b"\x7fELF")
                && program.get(18..20) == Some(&machine.to_le_bytes()[..])
        };
        match self {
            Self::Any => true,
            Self::LinuxAmd64 => elf(62),
            Self::LinuxArm64 => elf(183),
            Self::WindowsAmd64 => pe_machine(program) == Some(0x8664),
        }
    }
}

fn pe_machine(program: &[u8]) -> Option<u16> {
    let header = program.strip_prefix(b"MZ").and(program.get(0x3c..0x40))?;
    let start = usize::try_from(u32::from_le_bytes(header.try_into().ok()?)).ok()?;
    let machine = program.get(start..)?.strip_prefix(b"PE\0\0")?.get(..2)?;
    Some(u16::from_le_bytes(machine.try_into().ok()?))
}
